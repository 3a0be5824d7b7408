// SPDX-License-Identifier: GPL-2.0-only
/*
 * A restart: the coordinator reads the image, the tasks of the tree turn into
 * those of the image (members.c), and all meet in meeting.c.  S3, S15, S16.
 */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>

#include "arch.h"
#include "file.h"
#include "memory.h"
#include "operations.h"
#include "restart.h"

struct ckpt_restart *ckpt_restart_new(void)
{
	struct ckpt_restart *rs;

	rs = kzalloc(sizeof(*rs), GFP_KERNEL);
	if (!rs)
		return NULL;
	kref_init(&rs->kref);
	mutex_init(&rs->lock);
	mutex_init(&rs->log.lock);
	init_waitqueue_head(&rs->wait);
	init_waitqueue_head(&rs->turn);
	INIT_LIST_HEAD(&rs->records);
	INIT_LIST_HEAD(&rs->members);
	INIT_LIST_HEAD(&rs->made);
	INIT_LIST_HEAD(&rs->externals);
	xa_init(&rs->by_ref);
	xa_init(&rs->by_pid);
	xa_init(&rs->by_tgid);
	xa_init(&rs->epolls);
	xa_init(&rs->restored);
	rs->in.log = &rs->log;
	return rs;
}

static void restart_free(struct kref *kref)
{
	struct ckpt_restart *rs = container_of(kref, struct ckpt_restart, kref);
	struct ckpt_rec_buf *buf, *next_buf;
	struct ckpt_member *m, *next;

	ckpt_drop_restored(rs);
	ckpt_drop_externals(rs);
	ckpt_forget_made(rs);
	put_cred(rs->given.cred);
	put_cred(rs->given.by);
	list_for_each_entry_safe(m, next, &rs->members, list) {
		put_task_struct(m->task);
		kfree(m);
	}
	list_for_each_entry_safe(buf, next_buf, &rs->records, list)
		ckpt_rec_free(buf);
	xa_destroy(&rs->by_ref);
	xa_destroy(&rs->by_pid);
	xa_destroy(&rs->by_tgid);
	xa_destroy(&rs->epolls);
	xa_destroy(&rs->restored);
	if (rs->root)
		put_task_struct(rs->root);
	if (rs->in.file)
		fput(rs->in.file);
	if (rs->outside)
		ckpt_put_nsproxy(rs->outside);
	ckpt_log_close(&rs->log);
	kfree(rs);
}

void ckpt_restart_put(struct ckpt_restart *rs)
{
	kref_put(&rs->kref, restart_free);
}

static int count_live(struct ckpt_restart *rs)
{
	struct ckpt_member *m;
	int nr = 0;

	list_for_each_entry(m, &rs->members, list)
		nr += !ckpt_is_zombie(m);
	return nr;
}

static int wait_zombies(struct ckpt_restart *rs)
{
	struct ckpt_member *m;

	list_for_each_entry(m, &rs->members, list) {
		while (ckpt_is_zombie(m) && !READ_ONCE(m->task->exit_state)) {
			if (fatal_signal_pending(current))
				return -EINTR;
			usleep_range(100, 1000);
		}
		if (ckpt_is_zombie(m) && m->task->exit_state != EXIT_ZOMBIE)
			return ckpt_fail(&rs->log, -EBUSY, "zombie %d was reaped too early", m->pid);
	}
	return 0;
}

static int set_registers(struct ckpt_restart *rs)
{
	struct ckpt_member *m;
	int ret;

	list_for_each_entry(m, &rs->members, list) {
		if (ckpt_is_zombie(m))
			continue;
		/* it may have been killed, which fails the restart a little later */
		if (!try_get_task_stack(m->task))
			return -ESRCH;
		ret = ckpt_arch_restore(&rs->log, m->task, m->rec);
		k_put_task_stack(m->task);
		if (ret)
			return ret;
	}
	return 0;
}

/* under RCU, as it may die: its pid goes with it, and the pid namespace with that */
static bool is_init(struct task_struct *t)
{
	struct pid_namespace *ns = task_active_pid_ns(t);

	return ns && ns != task_active_pid_ns(current) && task_tgid_nr_ns(t, ns) == 1;
}

static int check_root(struct ckpt_restart *rs, pid_t nr)
{
	bool init = false;

	rcu_read_lock();
	rs->root = pid_task(find_vpid(nr), PIDTYPE_TGID);
	if (rs->root) {
		get_task_struct(rs->root);
		init = is_init(rs->root);
	}
	rcu_read_unlock();
	if (!rs->root)
		return ckpt_fail(&rs->log, -ESRCH, "there is no root task %d", nr);
	if (!init)
		return ckpt_fail(&rs->log, -EINVAL,
				 "root task %d is not the init of a pid namespace of its own", nr);
	return 0;
}

static int open_image(struct ckpt_restart *rs, struct ckpt_restart_args *args)
{
	int ret;

	ret = ckpt_log_open(&rs->log, args->logfd);
	if (ret)
		return ret;
	rs->outside = current->nsproxy;
	ckpt_get_nsproxy(rs->outside);
	rs->nr_tasks = args->nr_tasks;
	rs->in.pos = args->offset;
	rs->in.seq = args->seq;
	rs->in.file = fget(args->fd);
	if (!rs->in.file || !(rs->in.file->f_mode & FMODE_READ))
		return ckpt_fail(&rs->log, -EBADF, "descriptor %d cannot be read", args->fd);
	return 0;
}

static int prepare(struct ckpt_restart *rs, struct ckpt_restart_args *args)
{
	int ret = open_image(rs, args);

	return ret ? : check_root(rs, args->pid);
}

/* the open file's restart begins, once */
static int begin(struct ckpt_restart *rs)
{
	int ret = 0;

	spin_lock(&rs->wait.lock);
	if (rs->state == CKPT_RESTART_FAILED)
		ret = rs->err;
	else if (rs->state != CKPT_RESTART_NEW)
		ret = -EBUSY;
	else
		rs->state = CKPT_RESTART_LOADING;
	spin_unlock(&rs->wait.lock);
	return ret;
}

/*
 * ckpt_check_image - is the image whole, and can this machine restart it?
 *
 * Returns 0, or a negative errno with the reason in the log.  The open file is
 * good for nothing else afterwards.
 */
int ckpt_check_image(struct ckpt_restart *rs, struct ckpt_restart_args *args)
{
	int ret;

	ret = begin(rs);
	if (ret)
		return ret;
	ret = open_image(rs, args);
	if (!ret)
		ret = ckpt_load(rs);
	if (!ret)
		ret = ckpt_check_sessions(rs);
	if (!ret)
		ret = ckpt_verify_pages(rs);
	ckpt_restart_abort(rs, ret ? : -ECANCELED);
	return ret;
}

static int run(struct ckpt_restart *rs)
{
	int ret, live;

	ret = ckpt_load(rs);
	if (ret)
		return ret;
	ret = ckpt_wait_members(rs, &rs->nr_joined, rs->nr_tasks);
	if (ret)
		return ret;
	ckpt_set_state(rs, CKPT_RESTART_JOINED);
	ret = ckpt_set_sessions(rs);
	if (ret)
		return ret;
	live = rs->nr_live = count_live(rs);
	/* before their parents have the image's handlers and queues of signals */
	ckpt_set_state(rs, CKPT_RESTART_DYING);
	ret = wait_zombies(rs);
	if (ret)
		return ret;
	ckpt_set_state(rs, CKPT_RESTART_LOADED);
	ret = ckpt_wait_members(rs, &rs->nr_ready, live);
	if (ret)
		return ret;
	ret = ckpt_read_pages(rs);
	if (ret)
		return ret;
	ret = set_registers(rs);
	if (ret)
		return ret;
	ret = ckpt_finish_restored(rs);
	if (ret)
		return ret;
	ckpt_finish_members(rs);
	/* so that a pipe whose one end is gone has but the ends of the image, before anybody reads it */
	ret = ckpt_last_restored(rs);
	if (ret)
		return ret;
	ckpt_set_state(rs, CKPT_RESTART_RESTORED);
	return ckpt_restore_failed(rs);
}

static void give_up(struct ckpt_restart *rs, int err)
{
	ckpt_restart_abort(rs, err);
	ckpt_remove_made(rs);
	if (READ_ONCE(rs->killed))
		ckpt_log(&rs->log, "task %d was killed while it was restarted", rs->killed);
}

/*
 * ckpt_restart - read the image, and see all tasks restored
 *
 * Called by the coordinator, once for each open file.  Returns a positive id,
 * and the tasks wait for ckpt_restart_go(); or a negative errno: then every task
 * that has joined is being killed.
 */
int ckpt_restart(struct ckpt_restart *rs, struct ckpt_restart_args *args)
{
	int ret;

	ret = begin(rs);
	if (ret)
		return ret;
	ret = prepare(rs, args);
	if (!ret)
		ret = run(rs);
	if (ret) {
		give_up(rs, ret);
		return ret;
	}
	return ckpt_next_id();
}

/*
 * ckpt_restart_go - let all tasks run
 *
 * The coordinator's last call.  Returns 0, or a negative errno as ckpt_restart().
 */
int ckpt_restart_go(struct ckpt_restart *rs)
{
	enum ckpt_restart_state state;

	spin_lock(&rs->wait.lock);
	state = rs->state;
	if (state == CKPT_RESTART_RESTORED) {
		rs->state = CKPT_RESTART_GO;
		wake_up_all(&rs->turn);
	}
	spin_unlock(&rs->wait.lock);
	if (state == CKPT_RESTART_FAILED) {
		give_up(rs, rs->err);
		return rs->err;
	}
	if (state != CKPT_RESTART_RESTORED)
		return ckpt_fail(&rs->log, -EINVAL, "nothing is restored that could run");
	ckpt_forget_made(rs);
	return 0;
}

/*
 * ckpt_restart_end - its tasks do not run, if they do not yet
 *
 * By the coordinator, or at the end of its open file with the rights of who has
 * opened it.  While ckpt_restart() is at work that cleans up.
 */
void ckpt_restart_end(struct ckpt_restart *rs, int err)
{
	bool restored;

	spin_lock(&rs->wait.lock);
	restored = rs->state == CKPT_RESTART_RESTORED;
	spin_unlock(&rs->wait.lock);
	if (restored)
		give_up(rs, err);
	else
		ckpt_restart_abort(rs, err);
}

struct ckpt_log *ckpt_restore_log(struct ckpt_restart *rs)
{
	return &rs->log;
}

struct ckpt_in *ckpt_restore_in(struct ckpt_restart *rs)
{
	return &rs->in;
}

const struct ckpt_image_system *ckpt_restore_system(struct ckpt_restart *rs)
{
	return ckpt_get(rs->system, SYSTEM, BASE);
}

const struct ckpt_rec_buf *ckpt_restore_root(struct ckpt_restart *rs)
{
	return xa_load(&rs->by_pid, 1);
}

struct task_struct *ckpt_restore_root_task(struct ckpt_restart *rs)
{
	return rs->root;
}

const struct nsproxy *ckpt_restore_outside(struct ckpt_restart *rs)
{
	return rs->outside;
}

s64 ckpt_restore_shift(struct ckpt_restart *rs)
{
	return rs->shift_ns;
}

unsigned long ckpt_scratch(struct ckpt_restart *rs)
{
	return rs->scratch;
}
