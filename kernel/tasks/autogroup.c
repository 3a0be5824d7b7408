// SPDX-License-Identifier: GPL-2.0-only
/*
 * Autogroups: the processes of one have a share of the processors together.
 * setsid(2) makes a new one, and who is forked later is in it.  T7.
 */
#include <linux/sched/autogroup.h>
#include <linux/sched/prio.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "part.h"

#ifdef CONFIG_SCHED_AUTOGROUP

/* the scheduler's, private to it and the same in all versions */
struct ckpt_autogroup {
	struct kref kref;
	struct task_group *tg;
	struct rw_semaphore lock;
	unsigned long id;
	int nice;
};

static void *group_of(struct task_struct *t)
{
	return READ_ONCE(t->signal->autogroup);
}

/* the tasks that are held keep it */
static int save_group(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_AUTOGROUP);
	struct ckpt_image_autogroup *img = ckpt_put(rec, AUTOGROUP, BASE);
	struct ckpt_autogroup *group = obj->ptr;

	if (!img)
		return -ENOMEM;
	img->ref = obj->ref;
	img->nice = READ_ONCE(group->nice);
	return ckpt_done(cp, rec);
}

/* current's new one, which is known by the task that has it; others join it */
static void *restore_group(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_autogroup *img = ckpt_get(buf, AUTOGROUP, BASE);
	int ret = 0;

	sched_autogroup_create_attach(current);
	if (img->nice)
		ret = k_proc_sched_autogroup_set_nice(current, img->nice);
	if (ret)
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), ret,
					 "AUTOGROUP %u: its nice value %d is not the caller's to give",
					 img->ref, img->nice));
	return get_task_struct(current);
}

static int save_in(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_in_autogroup *img;

	/* without these it could not come back, and is no more than a hint to the scheduler */
	if (ckpt_lacks(CKPT_FOR_AUTOGROUP))
		return 0;
	img = ckpt_put(rec, PROCESS, AUTOGROUP);
	if (!img)
		return -ENOMEM;
	return ckpt_obj_save(cp, &ckpt_type_autogroup, group_of(h->task), &img->autogroup);
}

/* the lock of making is held */
static int restore_in(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_in_autogroup *img = ckpt_get(buf, PROCESS, AUTOGROUP);
	struct task_struct *first;

	if (!img || !img->autogroup)
		return 0;
	if (ckpt_lacks(CKPT_FOR_AUTOGROUP))
		return 0;
	first = ckpt_restore_obj(rs, img->autogroup, &ckpt_type_autogroup);
	if (IS_ERR(first))
		return PTR_ERR(first);
	if (first != current)
		k_autogroup_move_group(current, group_of(first));
	return 0;
}

#else
#define save_in NULL
#define restore_in NULL
#define save_group NULL
#define restore_group NULL
#endif

static int check_group(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_autogroup *img = ckpt_get(buf, AUTOGROUP, BASE);

	return img->nice >= MIN_NICE && img->nice <= MAX_NICE ? 0 : ckpt_malformed(log, buf);
}

static void put_task(void *ptr)
{
	put_task_struct(ptr);
}

const struct ckpt_type ckpt_type_autogroup = {
	.name = "AUTOGROUP",
	.record = CKPT_REC_AUTOGROUP,
	.save = save_group,
	.check = check_group,
	.restore = restore_group,
	.put = put_task,
};

const struct ckpt_task_part ckpt_part_autogroup = {
	.name = "autogroup",
	.process = true,
	.stage = CKPT_STAGE_FILES,
	.save = save_in,
	.restore = restore_in,
};
