// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task of the tree, made by user space with the right pid, turns into the
 * one of the image.  It calls CKPT_IOC_RESTORE_TASK and comes out of it as
 * that task.
 */
#include <linux/file.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>

#include "arch.h"
#include "file.h"
#include "operations.h"
#include "part.h"
#include "restart.h"
#include "task.h"

static int join(struct ckpt_restart *rs, struct ckpt_member *m)
{
	int ret = 0;

	spin_lock(&rs->wait.lock);
	if (rs->state >= CKPT_RESTART_JOINED || (rs->nr_tasks && rs->nr_joined == rs->nr_tasks)) {
		ret = rs->state == CKPT_RESTART_FAILED ? rs->err : -EBUSY;
	} else {
		list_add_tail(&m->list, &rs->members);
		ckpt_count_up_locked(rs, &rs->nr_joined);
	}
	spin_unlock(&rs->wait.lock);
	return ret;
}

/* the task must be the one that it says, in the place that the image gives it */
static int check_place(struct ckpt_restart *rs, struct ckpt_member *m)
{
	const struct ckpt_image_task *img = ckpt_image_of(m);
	bool same_ns;

	/* it may have died */
	rcu_read_lock();
	same_ns = task_active_pid_ns(current) == task_active_pid_ns(rs->root);
	rcu_read_unlock();
	if (img->tgid != task_tgid_vnr(current) || !same_ns ||
	    !(img->flags & CKPT_TASK_LEADER) != !thread_group_leader(current))
		return ckpt_fail(&rs->log, -EINVAL, "task %d is not where the image has it", m->pid);
	return 0;
}

static const struct ckpt_rec_buf *process_of(struct ckpt_restart *rs, struct ckpt_member *m)
{
	return xa_load(&rs->by_tgid, ckpt_image_of(m)->tgid);
}

static int restore_stage(struct ckpt_restart *rs, struct ckpt_member *m, enum ckpt_stage stage)
{
	return ckpt_restore_stage(rs, m->rec, process_of(rs, m), stage);
}

static int restore_files(struct ckpt_restart *rs, struct ckpt_member *m, unsigned long scratch)
{
	int ret;

	ret = ckpt_make_lock(rs, scratch);
	if (ret)
		return ret;
	/* before any path is looked up */
	if (!rs->filled)
		rs->fill_err = ckpt_fill_tmpfs(rs);
	rs->filled = true;
	ret = rs->fill_err;
	if (!ret)
		ret = restore_stage(rs, m, CKPT_STAGE_FILES);
	ckpt_make_unlock(rs);
	return ret;
}

/*
 * Those of the image come before their handlers, and wait until its masks are
 * here.  A C library leaves out some that it keeps for itself.
 */
static void block_signals(void)
{
	sigset_t all;

	siginitsetinv(&all, sigmask(SIGKILL) | sigmask(SIGSTOP));
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* what the helpers sent to each other, such as SIGCHLD of zombies */
	flush_signals(current);
}

/* what takes all tables, and pids of the container: by the root task, for everybody */
static int restore_common(struct ckpt_restart *rs, struct ckpt_member *m, unsigned long scratch)
{
	int ret;

	if (m->task != rs->root)
		return 0;
	ret = ckpt_make_lock(rs, scratch);
	if (ret)
		return ret;
	ret = ckpt_restore_unixes(rs);
	if (!ret)
		ret = ckpt_restore_tcps(rs);
	ckpt_make_unlock(rs);
	return ret;
}

static int restore_live(struct ckpt_restart *rs, struct ckpt_member *m, unsigned long scratch)
{
	enum ckpt_stage stage;
	int ret;

	block_signals();
	/* a SIGKILL that came before is gone with them, and who is dying gets no other */
	if (READ_ONCE(current->signal->flags) & SIGNAL_GROUP_EXIT) {
		set_thread_flag(TIF_SIGPENDING);
		return -EINTR;
	}
	ret = restore_files(rs, m, scratch);
	if (ret)
		return ret;
	ckpt_count_up(rs, &rs->nr_filed);
	ret = ckpt_wait_filed(rs);
	if (!ret)
		ret = restore_common(rs, m, scratch);
	for (stage = CKPT_STAGE_MEMORY; stage <= CKPT_STAGE_CREDENTIALS && !ret; stage++)
		ret = restore_stage(rs, m, stage);
	/* what it has closed for the restart's sake: before anybody sees it */
	if (!ret)
		ckpt_end_files();
	return ret;
}

/* by the coordinator, when all members sleep and are complete */
void ckpt_finish_members(struct ckpt_restart *rs)
{
	struct ckpt_member *m;

	list_for_each_entry(m, &rs->members, list)
		if (!ckpt_is_zombie(m))
			ckpt_finish_parts(m->task, m->rec, process_of(rs, m));
}

/* on the way to user space, after the ioctl's result was stored */
static void resume_work(struct callback_head *work)
{
	struct ckpt_member *m = container_of(work, struct ckpt_member, work);
	struct ckpt_restart *rs = m->rs;
	struct file *dev = m->dev;

	ckpt_arch_resume(current, m->rec);
	ckpt_restart_put(rs);
	/* the last reference to the module is dropped after our return */
	fput(dev);
}

static int go(struct ckpt_restart *rs, struct ckpt_member *m)
{
	ckpt_restore_go(rs, m->rec, process_of(rs, m));
	init_task_work(&m->work, resume_work);
	return task_work_add(current, &m->work, TWA_RESUME);
}

/* a zombie is made by dying; its parent finds its status.  Returns only on error */
static int die_as_zombie(struct ckpt_restart *rs, struct ckpt_member *m, struct file *dev)
{
	int code = ckpt_image_of(m)->exit_code;
	int ret;

	ret = ckpt_restore_dead(rs, m->rec);
	if (ret)
		return ret;
	ckpt_restart_put(rs);
	fput(dev);
	k_do_exit(code);
	return 0;
}

static int member_run(struct ckpt_restart *rs, struct ckpt_member *m, unsigned long scratch)
{
	int ret;

	ret = ckpt_wait_state(rs, CKPT_RESTART_DYING);
	if (ret)
		return ret;
	ret = check_place(rs, m);
	if (ret)
		return ret;
	if (ckpt_is_zombie(m))
		return die_as_zombie(rs, m, m->dev);
	ret = ckpt_wait_state(rs, CKPT_RESTART_LOADED);
	if (ret)
		return ret;
	ret = restore_live(rs, m, scratch);
	if (ret)
		return ret;
	ckpt_count_up(rs, &rs->nr_ready);
	ret = ckpt_wait_state(rs, CKPT_RESTART_GO);
	return ret ? ret : go(rs, m);
}

/*
 * SIGKILL has ended a wait: by the hand of somebody else, unless all has failed
 * before.  Who is dying cannot write to the log; the coordinator will.
 */
static int killed(struct ckpt_restart *rs, struct ckpt_member *m)
{
	int ret = -ESRCH;

	spin_lock(&rs->wait.lock);
	if (rs->state == CKPT_RESTART_FAILED)
		ret = rs->err;
	else if (!rs->killed)
		rs->killed = m->pid;
	spin_unlock(&rs->wait.lock);
	return ret;
}

/*
 * ckpt_restore_task - current joins the restart and becomes a task of the image
 * @dev: the open /dev/ckpt, which current's table may soon not have any more
 *
 * Returns 0 on its way to being that task.  On error current is killed: it may
 * have nothing left to return to.
 */
long ckpt_restore_task(struct ckpt_restart *rs, struct file *dev,
		       struct ckpt_restore_task_args *args)
{
	struct ckpt_member *m;
	int ret;

	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	m->task = get_task_struct(current);
	m->pid = task_pid_vnr(current);
	m->rs = rs;
	m->dev = get_file(dev);
	kref_get(&rs->kref);
	ret = join(rs, m);
	if (ret) {
		put_task_struct(m->task);
		kfree(m);
	} else {
		ret = member_run(rs, m, args->scratch);
		if (!ret)
			return 0;
		if (fatal_signal_pending(current) || ret == -EINTR)
			ret = killed(rs, m);
		ckpt_restart_abort(rs, ret);
		send_sig(SIGKILL, current, 1);
	}
	ckpt_restart_put(rs);
	fput(dev);
	return ret;
}
