// SPDX-License-Identifier: GPL-2.0-only
/*
 * What prctl(2), personality(2) and execve(2) set in passing: personality,
 * pdeath_signal, no_new_privs, PR_MCE_KILL, who has called execve(2).  T3, T6, T7.
 */
#include <linux/sched/signal.h>
#include <linux/signal.h>

#include "part.h"

static const struct {
	unsigned int pf;
	u32 attr;
} flags[] = {
	{ PF_MCE_PROCESS, CKPT_ATTR_MCE_PROCESS },
	{ PF_MCE_EARLY, CKPT_ATTR_MCE_EARLY },
	{ PF_NPROC_EXCEEDED, CKPT_ATTR_NPROC_EXCEEDED },
};

/* its parent, and whoever counts its calls of execve(2), stay under RCU */
static bool parent_execed(struct task_struct *t)
{
	bool execed;

	rcu_read_lock();
	execed = t->parent_exec_id != READ_ONCE(rcu_dereference(t->real_parent)->self_exec_id);
	rcu_read_unlock();
	return execed;
}

static u32 flags_of(struct task_struct *t)
{
	unsigned int pf = READ_ONCE(t->flags);
	u32 attrs = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (pf & flags[i].pf)
			attrs |= flags[i].attr;
	if (!(pf & PF_FORKNOEXEC))
		attrs |= CKPT_ATTR_EXECED;
	if (parent_execed(t))
		attrs |= CKPT_ATTR_PARENT_EXECED;
	return attrs;
}

/* of current, whose flags are its own to change */
static void set_flags(u32 attrs)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		current->flags &= ~flags[i].pf;
		if (attrs & flags[i].attr)
			current->flags |= flags[i].pf;
	}
	if (attrs & CKPT_ATTR_EXECED)
		current->flags &= ~PF_FORKNOEXEC;
	else
		current->flags |= PF_FORKNOEXEC;
	rcu_read_lock();
	current->parent_exec_id = READ_ONCE(rcu_dereference(current->real_parent)->self_exec_id);
	rcu_read_unlock();
	if (attrs & CKPT_ATTR_PARENT_EXECED)
		current->parent_exec_id--;
}

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_attributes *img = ckpt_put(rec, TASK, ATTRIBUTES);

	if (!img)
		return -ENOMEM;
	img->personality = h->task->personality;
	img->pdeath_signal = h->task->pdeath_signal;
	img->no_new_privs = task_no_new_privs(h->task);
	img->flags = flags_of(h->task);
	return 0;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_attributes *img = ckpt_get(buf, TASK, ATTRIBUTES);

	return img && valid_signal(img->pdeath_signal) ? 0 : ckpt_malformed(log, buf);
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_attributes *img = ckpt_get(buf, TASK, ATTRIBUTES);

	/* what the restarter cannot lay down is not given to its tasks either */
	if (task_no_new_privs(current) && !img->no_new_privs)
		return ckpt_fail(ckpt_restore_log(rs), -EPERM,
				 "task %d may gain privileges by execve(2), and the restarter may not (no_new_privs)",
				 task_pid_vnr(current));
	current->personality = img->personality;
	set_flags(img->flags);
	if (img->no_new_privs)
		task_set_no_new_privs(current);
	return 0;
}

/* a change of credentials clears it */
static void go(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	current->pdeath_signal = ckpt_get(buf, TASK, ATTRIBUTES)->pdeath_signal;
}

const struct ckpt_task_part ckpt_part_attributes = {
	.name = "attributes",
	.stage = CKPT_STAGE_TASK,
	.save = save,
	.check = check,
	.restore = restore,
	.go = go,
};
