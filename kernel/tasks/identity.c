// SPDX-License-Identifier: GPL-2.0-only
/* Who a task is: its numbers, its place among the others, its name; how a zombie ended.  S12, S13. */
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>

#include "part.h"
#include "task.h"

static int exit_code_of(struct task_struct *t)
{
	struct signal_struct *sig = t->signal;

	return sig->flags & SIGNAL_GROUP_EXIT ? sig->group_exit_code : t->exit_code;
}

/*
 * The thread that forked a process, by which PDEATHSIG and __WNOTHREAD go: its
 * number, or 0 if it is the first of its own process.  Under RCU.
 */
static pid_t parent_thread(struct task_struct *t, struct pid_namespace *ns)
{
	struct task_struct *parent = rcu_dereference(t->real_parent);

	if (!thread_group_leader(t) || thread_group_leader(parent))
		return 0;
	return task_pid_nr_ns(parent, ns);
}

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct pid_namespace *ns = ckpt_save_pid_ns(cp);
	struct ckpt_image_task *img = ckpt_put(rec, TASK, BASE);
	struct task_struct *t = h->task;

	if (!img)
		return -ENOMEM;
	rcu_read_lock();
	img->pid = task_pid_nr_ns(t, ns);
	img->tgid = task_tgid_nr_ns(t, ns);
	img->ppid = task_tgid_nr_ns(rcu_dereference(t->real_parent), ns);
	img->pgid = task_pgrp_nr_ns(t, ns);
	img->sid = task_session_nr_ns(t, ns);
	img->parent_tid = parent_thread(t, ns);
	rcu_read_unlock();
	img->flags = (thread_group_leader(t) ? CKPT_TASK_LEADER : 0) |
		     (h->mm ? 0 : CKPT_TASK_ZOMBIE);
	img->exit_signal = thread_group_leader(t) ? t->exit_signal : -1;
	img->exit_code = h->mm ? 0 : exit_code_of(t);
	get_task_comm(img->comm, t);
	return 0;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_task *img = ckpt_get(buf, TASK, BASE);

	if (img->pid <= 0 || img->tgid <= 0 || img->pgid < 0 || img->sid < 0 ||
	    img->parent_tid < 0 ||
	    strnlen(img->comm, sizeof(img->comm)) == sizeof(img->comm) ||
	    img->flags & ~(CKPT_TASK_LEADER | CKPT_TASK_ZOMBIE) ||
	    !(img->flags & CKPT_TASK_LEADER) == (img->pid == img->tgid) ||
	    (img->flags & CKPT_TASK_LEADER && !valid_signal(img->exit_signal)))
		return ckpt_malformed(log, buf);
	return 0;
}

/* current becomes a child of @thread; tasklist_lock is held for writing */
static void adopt(struct task_struct *thread)
{
	struct task_struct *t;

	list_move_tail(&current->sibling, &thread->children);
	for_each_thread(current, t) {
		RCU_INIT_POINTER(t->real_parent, thread);
		if (!t->ptrace)
			t->parent = t->real_parent;
	}
}

/* the helpers' first threads have made all processes */
static int find_parent(struct ckpt_restart *rs, const struct ckpt_image_task *img)
{
	struct task_struct *thread, *parent;
	int ret = -ESRCH;

	if (!img->parent_tid || !(img->flags & CKPT_TASK_LEADER))
		return 0;
	write_lock_irq(kv_tasklist_lock);
	parent = rcu_dereference_protected(current->real_parent, true);
	thread = pid_task(find_vpid(img->parent_tid), PIDTYPE_PID);
	if (thread && same_thread_group(thread, parent) &&
	    !(READ_ONCE(thread->flags) & PF_EXITING)) {
		adopt(thread);
		ret = 0;
	}
	write_unlock_irq(kv_tasklist_lock);
	return ret ? ckpt_fail(ckpt_restore_log(rs), -EINVAL, "task %d of the image is a child of thread %d, which its parent has not",
			       img->pid, img->parent_tid) : 0;
}

/* a zombie shows its name until it is reaped, and its end goes to its parent */
static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_task *img = ckpt_get(buf, TASK, BASE);

	task_lock(current);
	strscpy_pad(current->comm, img->comm, sizeof(current->comm));
	task_unlock(current);
	/* the root's new parent is the restarter's, and waits for this one */
	if (img->flags & CKPT_TASK_LEADER)
		current->exit_signal = img->pid == 1 ? SIGCHLD : img->exit_signal;
	return find_parent(rs, img);
}

const struct ckpt_task_part ckpt_part_identity = {
	.name = "identity",
	.stage = CKPT_STAGE_TASK,
	.dead = true,
	.save = save,
	.check = check,
	.restore = restore,
};
