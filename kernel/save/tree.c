// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which tasks the container has, parents before children, and the TREE from
 * which user space makes them again.  S13.
 */
#include <linux/pid_namespace.h>
#include <linux/slab.h>

#include "checkpoint.h"
#include "part.h"
#include "task.h"

/* dead threads are gone but for their memory, and so are processes that were reaped */
static bool counts(struct task_struct *t)
{
	return thread_group_leader(t) ? t->exit_state != EXIT_DEAD : !t->exit_state;
}

/* tasks and threads that have a number in the container's pid namespace */
static int count_tasks(struct pid_namespace *ns)
{
	struct pid *pid;
	int nr = 1, count = 0;

	rcu_read_lock();
	while ((pid = k_find_ge_pid(nr, ns))) {
		struct task_struct *t = pid_task(pid, PIDTYPE_PID);

		if (t && counts(t))
			count++;
		nr = pid_nr_ns(pid, ns) + 1;
	}
	rcu_read_unlock();
	return count;
}

/* a process's leader and threads; tasklist_lock is held */
static bool add_process(struct ckpt_checkpoint *cp, struct task_struct *leader, int max)
{
	struct task_struct *t;

	for_each_thread(leader, t) {
		if (!counts(t))
			continue;
		if (cp->nr_tasks == max)
			return false;
		cp->tasks[cp->nr_tasks++].task = get_task_struct(t);
	}
	return true;
}

static bool add_children(struct ckpt_checkpoint *cp, struct task_struct *parent, int max)
{
	struct task_struct *child;

	list_for_each_entry(child, &parent->children, sibling)
		if (!add_process(cp, child, max))
			return false;
	return true;
}

/* the list of tasks grows while it is walked: each one's children go to its end */
static bool walk_tree(struct ckpt_checkpoint *cp, int max)
{
	bool fits;
	int i;

	read_lock(kv_tasklist_lock);
	fits = add_process(cp, cp->root, max);
	for (i = 0; fits && i < cp->nr_tasks; i++)
		fits = add_children(cp, cp->tasks[i].task, max);
	read_unlock(kv_tasklist_lock);
	return fits;
}

/* a process that was dead before is saved as a zombie, one that dies just now is not */
static int hold(struct ckpt_held *h)
{
	struct task_struct *t = h->task;

	if (!READ_ONCE(t->exit_state))
		return ckpt_hold(h);
	if (!thread_group_leader(t) ||
	    (!thread_group_empty(t) && t->signal->flags & SIGNAL_GROUP_EXIT))
		return -EAGAIN;
	/* as whom it died is seen until it is reaped */
	h->cred = get_task_cred(t);
	return 0;
}

/*
 * The root task is made first, when no other's number can be in use yet, and
 * its number must be free again when it ends: it leads its group and session,
 * or has those that it was given from outside.
 */
static int check_root_group(struct ckpt_checkpoint *cp)
{
	pid_t pgid, sid;

	rcu_read_lock();
	pgid = task_pgrp_nr_ns(cp->root, cp->pid_ns);
	sid = task_session_nr_ns(cp->root, cp->pid_ns);
	rcu_read_unlock();
	return pgid <= 1 && sid <= 1 ? 0 :
		ckpt_refuse(cp, -EOPNOTSUPP,
			    "the container's root task is in the process group or session of another of its tasks, which is not supported");
}

/* -EAGAIN: one is dying, and is caught better when it is dead */
static int check_task(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	int ret;

	ret = hold(h);
	if (ret)
		return ret;
	if (!h->mm) {
		if (!thread_group_leader(h->task) || thread_group_empty(h->task))
			return 0;
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "its first thread has exited and others run on, which is not supported");
	}
	ret = ckpt_check_alive(cp, h);
	if (ckpt_go_on(ret) || h->passed_over)
		return ret;
	return ckpt_refuse_parts(cp, h) ? : ret;
}

static int check_tasks(struct ckpt_checkpoint *cp)
{
	int i, ret;

	for (i = 0; i < cp->nr_tasks; i++) {
		cp->task = cp->tasks[i].task;
		ret = check_task(cp, &cp->tasks[i]);
		if (ckpt_go_on(ret))
			return ret;
	}
	cp->task = NULL;
	if (!cp->tasks[0].mm)
		return ckpt_fail(&cp->log, -EBUSY, "the container's root task is dead");
	return check_root_group(cp);
}

bool ckpt_sees_all(struct ckpt_checkpoint *cp)
{
	int i;

	for (i = 0; i < cp->nr_tasks; i++)
		if (cp->tasks[i].passed_over)
			return false;
	return true;
}

int ckpt_collect_tasks(struct ckpt_checkpoint *cp)
{
	int max = count_tasks(cp->pid_ns);

	cp->tasks = kvcalloc(max, sizeof(*cp->tasks), GFP_KERNEL);
	if (!cp->tasks)
		return -ENOMEM;
	/* a task that is just dying is caught better when it is dead */
	if (!walk_tree(cp, max))
		return -EAGAIN;
	if (!cp->nr_tasks)
		return ckpt_fail(&cp->log, -EBUSY, "the container's root task is dead");
	/* one may have died between the count and the walk */
	if (cp->nr_tasks != max && count_tasks(cp->pid_ns) != max)
		return -EAGAIN;
	if (cp->nr_tasks != max)
		return ckpt_fail(&cp->log, -EBUSY,
				 "%d tasks were put into the container from outside and are not its own children; end them",
				 max - cp->nr_tasks);
	return check_tasks(cp);
}

static void save_tree_task(struct ckpt_checkpoint *cp, struct ckpt_held *h,
			   struct ckpt_image_tree_task *img)
{
	struct task_struct *t = h->task;
	struct pid_namespace *ns = cp->pid_ns;

	rcu_read_lock();
	img->pid = task_pid_nr_ns(t, ns);
	img->tgid = task_tgid_nr_ns(t, ns);
	img->ppid = task_tgid_nr_ns(rcu_dereference(t->real_parent), ns);
	img->pgid = task_pgrp_nr_ns(t, ns);
	img->sid = task_session_nr_ns(t, ns);
	img->rpid = task_pid_vnr(t);
	/* nested namespaces are refused */
	rcu_read_unlock();
	if (thread_group_leader(t))
		img->flags |= CKPT_TASK_LEADER;
	if (!h->mm)
		img->flags |= CKPT_TASK_ZOMBIE;
}

/* does it stand as it stood when it was looked at first? */
static bool stands(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct task_struct *t = h->task;

	return !(READ_ONCE(t->flags) & PF_EXITING) && t->frozen && !t->ptrace &&
	       h->stopped == !!(READ_ONCE(t->signal->flags) & SIGNAL_STOP_STOPPED) &&
	       ckpt_save_has(cp, t) && !ckpt_stop_pending(h);
}

/*
 * The closing look: nobody was killed, stopped, continued, traced, moved or let go since.
 * Returns 0 or -EAGAIN.
 */
int ckpt_check_still_there(struct ckpt_checkpoint *cp)
{
	int i;

	for (i = 0; i < cp->nr_tasks; i++)
		if (cp->tasks[i].mm && !stands(cp, &cp->tasks[i]))
			return -EAGAIN;
	return 0;
}

int ckpt_save_tree(struct ckpt_checkpoint *cp)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_TREE);
	struct ckpt_image_tree_task *img = ckpt_put_nr(rec, TREE, TASKS, cp->nr_tasks);
	int i;

	if (!img)
		return -ENOMEM;
	for (i = 0; i < cp->nr_tasks; i++)
		save_tree_task(cp, &cp->tasks[i], &img[i]);
	return ckpt_done(cp, rec);
}
