// SPDX-License-Identifier: GPL-2.0-only
/*
 * A checkpoint as its caller leads it, step by step (uapi/ckpt.h): TARGET,
 * FREEZE, COLLECT, STREAM, END.  It belongs to an open file of /dev/ckpt, whose
 * release gives everything back, the freeze first.  S1, S5, S14, S15.
 */
#include <linux/path.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "checkpoint.h"
#include "file.h"
#include "memory.h"
#include "operations.h"

/*
 * Made for an open file; it belongs to whoever holds that file's lock of calls.
 * NULL: no memory.
 */
struct ckpt_checkpoint *ckpt_checkpoint_new(void)
{
	struct ckpt_checkpoint *cp;

	cp = kzalloc(sizeof(*cp), GFP_KERNEL);
	if (!cp)
		return NULL;
	cp->fd = -1;
	mutex_init(&cp->log.lock);
	ckpt_freezer_init(&cp->freezer);
	ckpt_objects_init(&cp->objs);
	ckpt_out_init(&cp->out);
	INIT_LIST_HEAD(&cp->sources);
	return cp;
}

/*
 * Give back what a program can see that somebody else has, too, while it stands:
 * as long as its directories are shared, setns(2) fails and a set-user-ID program
 * does not get its user; a port that it closes stays bound.  Tables and memory are
 * kept until afterwards: of who was killed meanwhile ours may be the last
 * reference, whose end can wait for somebody who stands.
 */
static void release_visible(struct ckpt_checkpoint *cp)
{
	int i;

	ckpt_objects_free(&cp->objs);
	ckpt_objects_init(&cp->objs);
	for (i = 0; i < cp->nr_tasks; i++)
		ckpt_unhold_fs(&cp->tasks[i]);
}

/* let go what is the container's: from here on it may close and end as it likes */
static void release_container(struct ckpt_checkpoint *cp)
{
	int i;

	release_visible(cp);
	for (i = 0; i < cp->nr_tasks; i++)
		ckpt_unhold(&cp->tasks[i]);
	kvfree(cp->undos);
	cp->undos = NULL;
	kvfree(cp->tasks);
	cp->tasks = NULL;
	cp->nr_tasks = 0;
	cp->task = NULL;
	cp->fd = -1;
}

/* and what is ours */
static void release(struct ckpt_checkpoint *cp)
{
	release_container(cp);
	ckpt_free_sources(cp, NULL);
	ckpt_out_free(&cp->out);
	cp->out.len = 0;
	cp->out.too_long = 0;
	cp->refused = 0;
}

/* put everything back, whatever there is; the freeze first: it must not wait for the rest */
void ckpt_checkpoint_free(struct ckpt_checkpoint *cp)
{
	ckpt_thaw(&cp->freezer, NULL);
	ckpt_freezer_exit(&cp->freezer);
	release(cp);
	if (cp->root_path.mnt)
		path_put(&cp->root_path);
	if (cp->pid_ns)
		put_pid_ns(cp->pid_ns);
	if (cp->root)
		put_task_struct(cp->root);
	if (cp->out.file)
		fput(cp->out.file);
	ckpt_log_close(&cp->log);
	kfree(cp);
}

/*
 * ckpt_let_go - the container runs on, or ends; a line of the log may wait for
 * its reader only now
 */
void ckpt_let_go(struct ckpt_checkpoint *cp)
{
	release_visible(cp);
	ckpt_thaw(&cp->freezer, NULL);
	release_container(cp);
	ckpt_end_files();
	ckpt_log_release(&cp->log);
}

/* S5: which root task is one */
static int find_root(struct ckpt_checkpoint *cp, pid_t nr)
{
	struct task_struct *t;

	rcu_read_lock();
	t = pid_task(find_vpid(nr), PIDTYPE_TGID);
	if (t)
		get_task_struct(t);
	rcu_read_unlock();
	if (!t)
		return ckpt_fail(&cp->log, -ESRCH, "there is no process %d", nr);
	cp->root = t;
	if (t->exit_state || !pid_alive(t))
		return ckpt_fail(&cp->log, -EBUSY, "process %d (%s) is dead", nr, t->comm);
	if (!k_ptrace_may_access(t, PTRACE_MODE_ATTACH_REALCREDS))
		return ckpt_fail(&cp->log, -EPERM,
				 "process %d (%s) may not be inspected by the caller", nr, t->comm);
	rcu_read_lock();
	cp->pid_ns = task_active_pid_ns(t);
	if (cp->pid_ns)
		get_pid_ns(cp->pid_ns);
	rcu_read_unlock();
	if (!cp->pid_ns)
		return ckpt_fail(&cp->log, -EBUSY, "process %d (%s) is dead", nr, t->comm);
	if (cp->pid_ns == task_active_pid_ns(current) || task_tgid_nr_ns(t, cp->pid_ns) != 1)
		return ckpt_fail(&cp->log, -EBUSY,
				 "process %d (%s) is not the init of a container (of a pid namespace of its own)",
				 nr, t->comm);
	return 0;
}

static int find_root_path(struct ckpt_checkpoint *cp)
{
	task_lock(cp->root);
	if (cp->root->fs)
		get_fs_root(cp->root->fs, &cp->root_path);
	task_unlock(cp->root);
	return cp->root_path.mnt ? 0 : -ESRCH;
}

/*
 * ckpt_target - which container, and how it is to be treated
 *
 * Returns a positive id, -ESRCH, -EBUSY or -EPERM if there is no such container
 * for the caller.
 */
int ckpt_target(struct ckpt_checkpoint *cp, const struct ckpt_target_args *args)
{
	int ret;

	cp->flags = args->flags;
	cp->freezer.timeout_ns = args->freeze_timeout_ns ? : CKPT_FREEZE_TIMEOUT_NS;
	if (!(args->flags & CKPT_FINAL))
		cp->freezer.max_ns = args->max_frozen_ns ? : CKPT_MAX_FROZEN_NS;
	ret = ckpt_log_open(&cp->log, args->logfd);
	if (!ret)
		ret = find_root(cp, args->pid);
	if (!ret)
		ret = find_root_path(cp);
	if (ret)
		return ret;
	cp->step = CKPT_STEP_TARGET;
	return ckpt_next_id();
}

/*
 * ckpt_freeze_target - stop the container, until COLLECT or END lets it go
 *
 * Returns 0 when it stands, or -EBUSY with the reason in the log.
 */
int ckpt_freeze_target(struct ckpt_checkpoint *cp)
{
	if (cp->step != CKPT_STEP_TARGET || cp->freezer.cgrp)
		return -EINVAL;
	return ckpt_freeze(&cp->freezer, cp->root, &cp->log);
}

/* without FREEZE the container must have been frozen by somebody else */
static int check_frozen(struct ckpt_checkpoint *cp)
{
	bool frozen;

	if (cp->freezer.cgrp)
		return 0;
	rcu_read_lock();
	frozen = test_bit(CGRP_FROZEN, &task_dfl_cgroup(cp->root)->flags);
	rcu_read_unlock();
	return frozen ? 0 : ckpt_fail(&cp->log, -EBUSY, "the container is not frozen");
}

/*
 * Nothing is kept of it.  Its cgroup pays for the copies of shared memory, so they go
 * before it runs.  Those of address spaces go afterwards: their end takes time, and
 * writes out what was mapped of FUSE or 9p, whose server may not answer.
 */
static int end_early(struct ckpt_checkpoint *cp, u64 *pause_ns, int ret)
{
	ckpt_free_shared(cp);
	ckpt_free_kept(cp);
	release_visible(cp);
	ckpt_thaw(&cp->freezer, pause_ns);
	release(cp);
	ckpt_end_files();
	return ret;
}

static int collect_target(struct ckpt_checkpoint *cp, struct ckpt_collect_args *args,
			  const char *desc)
{
	int ret;

	if (cp->step != CKPT_STEP_TARGET)
		return -EINVAL;
	if (cp->flags & CKPT_FINAL && !cp->freezer.cgrp)
		return -EINVAL;
	ret = check_frozen(cp);
	if (ret)
		return ret;
	ret = ckpt_freezer_overdue(&cp->freezer) ? -ETIMEDOUT : ckpt_collect(cp, desc, args->desc_len);
	/* let go in the middle: whatever was seen is not of one moment */
	if (ckpt_freezer_overdue(&cp->freezer))
		ret = ckpt_fail(&cp->log, -ETIMEDOUT,
				"the container would have stood still for longer than %llu ms; see max-frozen",
				cp->freezer.max_ns / NSEC_PER_MSEC);
	else if (ret == -EAGAIN && cp->refused)
		ret = cp->refused;
	if (ret || cp->flags & CKPT_CHECK)
		return end_early(cp, &args->pause_ns, ret);
	if (!(cp->flags & CKPT_FINAL)) {
		release_visible(cp);
		ckpt_thaw(&cp->freezer, &args->pause_ns);
		release_container(cp);
	}
	ret = ckpt_trim_copies(cp);
	if (ret)
		return end_early(cp, NULL, ret);
	/* no path is looked up any more, and its file system is not ours to keep */
	path_put(&cp->root_path);
	memset(&cp->root_path, 0, sizeof(cp->root_path));
	ckpt_end_files();
	cp->step = CKPT_STEP_COLLECTED;
	return 0;
}

/*
 * ckpt_collect_target - read the container's state, and let it go unless the
 * image is to be its last
 * @desc: the CONTAINER's text, args->desc_len bytes
 *
 * Returns 0; -EAGAIN if it was caught in the middle of a fork or exit, runs, and
 * should be frozen again; or another negative errno, the reasons in the log.
 */
int ckpt_collect_target(struct ckpt_checkpoint *cp, struct ckpt_collect_args *args,
			const char *desc)
{
	int ret;

	ckpt_log_hold(&cp->log);
	ret = collect_target(cp, args, desc);
	if (!ckpt_freezer_stands(&cp->freezer))
		ckpt_log_release(&cp->log);
	return ret;
}

static int stream(struct ckpt_checkpoint *cp)
{
	int ret;

	ret = ckpt_out_flush(&cp->out);
	if (ret)
		return ret;
	ret = ckpt_stream_sources(cp);
	if (ret)
		return ret;
	return ckpt_out_trailer(&cp->out);
}

/*
 * ckpt_stream_target - write the image
 *
 * Returns 0, or the errno of the descriptor, -EINTR if the caller was killed.
 */
int ckpt_stream_target(struct ckpt_checkpoint *cp, struct ckpt_stream_args *args)
{
	int ret;

	if (cp->step != CKPT_STEP_COLLECTED)
		return -EINVAL;
	cp->out.file = fget(args->fd);
	if (cp->out.file && !(cp->out.file->f_mode & FMODE_WRITE)) {
		fput(cp->out.file);
		cp->out.file = NULL;
	}
	if (!cp->out.file)
		return ckpt_fail(&cp->log, -EBADF, "descriptor %d cannot take the image", args->fd);
	/* what is written is gone: there is no second try */
	cp->step = CKPT_STEP_NEW;
	ret = stream(cp);
	args->bytes = cp->out.pos;
	args->pages = cp->out.pages;
	/* whoever waits for the image's end sees it now, and not with END */
	fput(cp->out.file);
	cp->out.file = NULL;
	if (!ret)
		cp->step = CKPT_STEP_STREAMED;
	else
		ckpt_let_go(cp);
	return ret;
}

/*
 * ckpt_kill_target - the last image is in good hands: end the container
 *
 * It still stands, and every process of it gets its SIGKILL before it is let go:
 * nothing of it runs once more.  The caller frees the checkpoint.
 */
int ckpt_kill_target(struct ckpt_checkpoint *cp)
{
	int i;

	if (cp->step != CKPT_STEP_STREAMED || !(cp->flags & CKPT_FINAL))
		return -EINVAL;
	if (!ckpt_freezer_stands(&cp->freezer)) {
		ckpt_log_release(&cp->log);
		return ckpt_fail(&cp->log, -EBUSY, "the container does not stand any more, and is newer than its image");
	}
	for (i = cp->nr_tasks - 1; i >= 0; i--)
		if (cp->tasks[i].mm && thread_group_leader(cp->tasks[i].task))
			k_do_send_sig_info(SIGKILL, SEND_SIG_PRIV, cp->tasks[i].task, PIDTYPE_TGID);
	return 0;
}
