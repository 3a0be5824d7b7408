// SPDX-License-Identifier: GPL-2.0-only
/* The seccomp mode of a task, and which filters it is under.  T6. */
#include <linux/prctl.h>
#include <linux/sched/signal.h>
#include <linux/seccomp.h>
#include <linux/user_namespace.h>

#include "filters.h"
#include "part.h"

/* the kernel's own: a filter has killed it */
#define CKPT_SECCOMP_MODE_DEAD (SECCOMP_MODE_FILTER + 1)

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_seccomp *img;
	int mode = READ_ONCE(h->task->seccomp.mode);

	if (mode == SECCOMP_MODE_DISABLED)
		return 0;
	/* it dies as soon as it is let go */
	if (h->mm && mode == CKPT_SECCOMP_MODE_DEAD)
		return -EAGAIN;
	img = ckpt_put(rec, TASK, SECCOMP);
	if (!img)
		return -ENOMEM;
	img->mode = mode;
	img->nr_filters = atomic_read(&h->task->seccomp.filter_count);
	if (!h->mm || mode != SECCOMP_MODE_FILTER)
		return 0;
	return ckpt_save_filters(cp, h->task, &img->filter);
}

static bool ok(const struct ckpt_image_seccomp *img, bool zombie)
{
	switch (img->mode) {
	case SECCOMP_MODE_STRICT:
		return !img->filter && !img->nr_filters;
	case SECCOMP_MODE_FILTER:
		return zombie ? !img->filter : img->filter;
	case CKPT_SECCOMP_MODE_DEAD:
		return zombie && !img->filter;
	}
	return false;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_seccomp *img = ckpt_get(buf, TASK, SECCOMP);

	return !img || ok(img, ckpt_is_zombie_rec(buf)) ? 0 : ckpt_malformed(log, buf);
}

/* it shows what it had, and makes no system call any more */
static void restore_zombie(const struct ckpt_image_seccomp *img)
{
	current->seccomp.mode = img->mode;
	atomic_set(&current->seccomp.filter_count, img->nr_filters);
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_seccomp *img = ckpt_get(buf, TASK, SECCOMP);

	if (!img)
		return 0;
	if (ckpt_is_zombie_rec(buf)) {
		restore_zombie(img);
		return 0;
	}
	if (img->mode == SECCOMP_MODE_STRICT)
		return ckpt_syscall(prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	/* seccomp(2) asks who makes a filter; others that share it have to be asked, too */
	if (!task_no_new_privs(current) && !ns_capable(current_user_ns(), CAP_SYS_ADMIN))
		return ckpt_fail(ckpt_restore_log(rs), -EACCES,
				 "the seccomp filters of task %d are not the caller's to set",
				 task_pid_vnr(current));
	return ckpt_restore_filters(rs, img->filter);
}

const struct ckpt_task_part ckpt_part_seccomp = {
	.name = "seccomp",
	.dead = true,
	.stage = CKPT_STAGE_FILES,
	.save = save,
	.check = check,
	.restore = restore,
};
