// SPDX-License-Identifier: GPL-2.0-only
/*
 * A restart: the coordinator reads the image, the tasks of the tree turn into
 * those of the image (members.c), and all meet here.  S3, S15, S16.
 */
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/fs_struct.h>
#include <linux/pid_namespace.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>

#include "engine.h"

/* all small records of an image together */
#define CKPT_RECORDS_MAX (256U << 20)
/* no task came a step further for so long: one must have died */
#define CKPT_STALL (120 * HZ)

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
	INIT_LIST_HEAD(&rs->records);
	INIT_LIST_HEAD(&rs->members);
	xa_init(&rs->by_ref);
	xa_init(&rs->by_pid);
	xa_init(&rs->by_tgid);
	xa_init(&rs->restored);
	rs->in.log = &rs->log;
	return rs;
}

static void get_restored(struct ckpt_restored *r)
{
	switch (r->type) {
	case CKPT_OBJ_MM:
		mmget(r->ptr);
		break;
	case CKPT_OBJ_FILES:
		atomic_inc(&((struct files_struct *)r->ptr)->count);
		break;
	case CKPT_OBJ_FS:
		spin_lock(&((struct fs_struct *)r->ptr)->lock);
		((struct fs_struct *)r->ptr)->users++;
		spin_unlock(&((struct fs_struct *)r->ptr)->lock);
		break;
	default:
		get_file(r->ptr);
		if (r->extra)
			get_file(r->extra);
	}
}

static void put_restored(struct ckpt_restored *r)
{
	switch (r->type) {
	case CKPT_OBJ_MM:
		mmput(r->ptr);
		break;
	case CKPT_OBJ_FILES:
		k_put_files_struct(r->ptr);
		break;
	case CKPT_OBJ_FS:
		ckpt_put_fs(r->ptr);
		break;
	default:
		fput(r->ptr);
		if (r->extra)
			fput(r->extra);
	}
	kfree(r);
}

/* remember an object under its number, with a reference of our own */
int ckpt_add_restored(struct ckpt_restart *rs, u32 ref, enum ckpt_obj_type type,
		      void *ptr, void *extra)
{
	struct ckpt_restored *r;
	int ret;

	r = kmalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	r->type = type;
	r->ptr = ptr;
	r->extra = extra;
	get_restored(r);
	ret = xa_insert(&rs->restored, ref, r, GFP_KERNEL);
	if (ret)
		put_restored(r);
	return ret;
}

void *ckpt_find_restored(struct ckpt_restart *rs, u32 ref, enum ckpt_obj_type type)
{
	struct ckpt_restored *r = xa_load(&rs->restored, ref);

	return r && r->type == type ? r->ptr : NULL;
}

static void drop_restored(struct ckpt_restart *rs)
{
	struct ckpt_restored *r;
	unsigned long ref;

	xa_for_each(&rs->restored, ref, r) {
		xa_erase(&rs->restored, ref);
		put_restored(r);
	}
}

struct ckpt_rec_buf *ckpt_find_rec(struct ckpt_restart *rs, u32 ref, u16 type)
{
	struct ckpt_rec_buf *buf = xa_load(&rs->by_ref, ref);

	return buf && buf->rec.type == type ? buf : NULL;
}

static void restart_free(struct kref *kref)
{
	struct ckpt_restart *rs = container_of(kref, struct ckpt_restart, kref);
	struct ckpt_rec_buf *buf, *next_buf;
	struct ckpt_member *m, *next;

	drop_restored(rs);
	list_for_each_entry_safe(m, next, &rs->members, list) {
		put_task_struct(m->task);
		kfree(m);
	}
	list_for_each_entry_safe(buf, next_buf, &rs->records, list)
		ckpt_rec_free(buf);
	xa_destroy(&rs->by_ref);
	xa_destroy(&rs->by_pid);
	xa_destroy(&rs->by_tgid);
	xa_destroy(&rs->restored);
	if (rs->root)
		put_task_struct(rs->root);
	if (rs->in.file)
		fput(rs->in.file);
	ckpt_log_close(&rs->log);
	kfree(rs);
}

void ckpt_restart_put(struct ckpt_restart *rs)
{
	kref_put(&rs->kref, restart_free);
}

/*
 * The restart has failed: nobody goes on.  Every member gets SIGKILL, as it
 * may have lost the program that it was.  Harmless after success.
 */
void ckpt_restart_abort(struct ckpt_restart *rs, int err)
{
	struct ckpt_member *m;

	spin_lock(&rs->wait.lock);
	if (rs->state == CKPT_RESTART_GO || rs->state == CKPT_RESTART_FAILED) {
		spin_unlock(&rs->wait.lock);
		return;
	}
	rs->state = CKPT_RESTART_FAILED;
	rs->err = err;
	list_for_each_entry(m, &rs->members, list)
		send_sig(SIGKILL, m->task, 1);
	wake_up_all_locked(&rs->wait);
	spin_unlock(&rs->wait.lock);
}

static int add_system(struct ckpt_restart *rs, struct ckpt_rec_buf *buf,
		      struct ckpt_rec_buf **where, size_t len)
{
	if (*where || buf->rec.len != ALIGN(len, 8))
		return -EINVAL;
	*where = buf;
	return 0;
}

static int add_by(struct xarray *xa, unsigned long nr, struct ckpt_rec_buf *buf)
{
	if (!nr)
		return -EINVAL;
	return xa_insert(xa, nr, buf, GFP_KERNEL);
}

/* where a record is found again; what is checked where it is used is not here */
static int add_record(struct ckpt_restart *rs, struct ckpt_rec_buf *buf)
{
	const u32 *ref = ckpt_body(buf);
	int ret = 0;

	switch (buf->rec.type) {
	case CKPT_REC_SYSTEM:
		return add_system(rs, buf, &rs->system, sizeof(struct ckpt_image_system));
	case CKPT_REC_UTS:
		return add_system(rs, buf, &rs->uts, sizeof(struct ckpt_image_uts));
	case CKPT_REC_IPC:
		return add_system(rs, buf, &rs->ipc, sizeof(struct ckpt_image_ipc));
	case CKPT_REC_EPOLL:
		return 0;
	case CKPT_REC_TASK:
		ret = ckpt_check_task_rec(&rs->log, buf);
		return ret ? ret : add_by(&rs->by_pid, ((struct ckpt_image_task *)ref)->pid, buf);
	case CKPT_REC_PROCESS:
		ret = ckpt_check_process_rec(&rs->log, buf);
		return ret ? ret : add_by(&rs->by_tgid, ((struct ckpt_image_process *)ref)->tgid, buf);
	case CKPT_REC_MM:
		ret = ckpt_check_mm_rec(&rs->log, buf);
		fallthrough;
	case CKPT_REC_FILE:
	case CKPT_REC_PIPE:
	case CKPT_REC_SHMEM:
	case CKPT_REC_FILES:
	case CKPT_REC_FS:
	case CKPT_REC_SIGHAND:
	case CKPT_REC_CRED:
		if (!ret && buf->rec.len < sizeof(*ref))
			ret = -EINVAL;
		return ret ? ret : add_by(&rs->by_ref, *ref, buf);
	default:
		return -EINVAL;
	}
}

/* the small records, up to MEMORY */
static int load(struct ckpt_restart *rs)
{
	struct ckpt_rec_buf *buf;
	size_t total = 0;
	bool end = false;
	int ret;

	while (!end) {
		buf = ckpt_rec_read(&rs->in);
		if (IS_ERR(buf))
			return PTR_ERR(buf);
		list_add_tail(&buf->list, &rs->records);
		total += sizeof(*buf) + buf->rec.len;
		if (total > CKPT_RECORDS_MAX)
			return ckpt_fail(&rs->log, -E2BIG, "the image has more records than memory is given for");
		end = buf->rec.type == CKPT_REC_MEMORY;
		ret = end ? 0 : add_record(rs, buf);
		if (ret)
			return ckpt_fail(&rs->log, ret == -ENOMEM ? ret : -EINVAL,
					 "record %u (type %u) is malformed or out of place",
					 buf->rec.seq, buf->rec.type);
	}
	return 0;
}

/* every task has its process, and nothing that must be there is missing */
static int check_loaded(struct ckpt_restart *rs)
{
	struct ckpt_rec_buf *buf;
	unsigned long pid;
	int nr = 0;

	if (!rs->system || !rs->uts || !rs->ipc)
		return ckpt_fail(&rs->log, -EINVAL, "the image has no SYSTEM, UTS or IPC record");
	xa_for_each(&rs->by_pid, pid, buf) {
		const struct ckpt_image_task *img = ckpt_body(buf);

		nr++;
		if (!(img->flags & CKPT_TASK_ZOMBIE) && !xa_load(&rs->by_tgid, img->tgid))
			return ckpt_fail(&rs->log, -EINVAL, "task %d of the image has no PROCESS", img->pid);
		if (img->flags & CKPT_TASK_ZOMBIE &&
		    (!(img->flags & CKPT_TASK_LEADER) || xa_load(&rs->by_tgid, img->tgid)))
			return ckpt_fail(&rs->log, -EINVAL, "task %d of the image is a dead thread, or a dead leader of living ones",
					 img->pid);
	}
	if (nr != rs->nr_tasks)
		return ckpt_fail(&rs->log, -EINVAL, "the image has %d tasks and its tree %d",
				 nr, rs->nr_tasks);
	return ckpt_check_system(rs);
}

/*
 * Under the lock, so that whoever counted up last has finished to wake the
 * others: from here on members sleep undisturbed, and may be written to.
 */
static bool reached(struct ckpt_restart *rs, const int *count, int nr)
{
	bool yes;

	spin_lock(&rs->wait.lock);
	yes = rs->state == CKPT_RESTART_FAILED || *count >= nr;
	spin_unlock(&rs->wait.lock);
	return yes;
}

/*
 * The number of a helper that died before it could join, or 0: a dead child of
 * one that has joined.  Until all have none is meant to die.
 */
static pid_t dead_helper(struct ckpt_restart *rs)
{
	struct ckpt_member *m;
	pid_t dead = 0;

	spin_lock(&rs->wait.lock);
	read_lock(kv_tasklist_lock);
	list_for_each_entry(m, &rs->members, list) {
		struct task_struct *child;

		list_for_each_entry(child, &m->task->children, sibling)
			if (child->exit_state)
				dead = task_pid_nr_ns(child, task_active_pid_ns(rs->root));
	}
	read_unlock(kv_tasklist_lock);
	spin_unlock(&rs->wait.lock);
	return dead;
}

/* wait until @count reaches @nr */
static int wait_members(struct ckpt_restart *rs, const int *count, int nr)
{
	unsigned long stalled = jiffies + CKPT_STALL;
	int last = -1;
	pid_t dead;

	for (;;) {
		long ret = wait_event_killable_timeout(rs->wait, reached(rs, count, nr), HZ / 10);

		if (READ_ONCE(rs->state) == CKPT_RESTART_FAILED)
			return rs->err;
		if (ret < 0)
			return -EINTR;
		if (reached(rs, count, nr))
			return 0;
		if (rs->root->exit_state)
			return ckpt_fail(&rs->log, -ESRCH, "the root task died while it was restarted");
		dead = READ_ONCE(rs->state) == CKPT_RESTART_LOADING ? dead_helper(rs) : 0;
		if (dead)
			return ckpt_fail(&rs->log, -ESRCH, "task %d was killed before it could be restarted",
					 dead);
		if (READ_ONCE(*count) != last) {
			last = READ_ONCE(*count);
			stalled = jiffies + CKPT_STALL;
		} else if (time_after(jiffies, stalled)) {
			return ckpt_fail(&rs->log, -ETIMEDOUT,
					 "only %d of %d tasks came; one of them must have died", last, nr);
		}
	}
}

/*
 * A session or group by its number in the container; tasklist_lock is held for
 * writing.  Only a number that is some task's can be one.
 */
static int set_pid_of(struct ckpt_restart *rs, struct ckpt_member *m, enum pid_type type, int nr)
{
	struct pid *pid, *now;

	if (!nr)
		return 0;
	pid = find_pid_ns(nr, task_active_pid_ns(m->task));
	if (!pid)
		return -ESRCH;
	now = type == PIDTYPE_SID ? task_session(m->task) : task_pgrp(m->task);
	if (now != pid)
		k_change_pid(m->task, type, pid);
	return 0;
}

static int set_session(struct ckpt_restart *rs, struct ckpt_member *m)
{
	const struct ckpt_image_task *img = ckpt_body(m->rec);
	int ret;

	if (!(img->flags & CKPT_TASK_LEADER))
		return 0;
	write_lock_irq(kv_tasklist_lock);
	ret = pid_alive(m->task) ? set_pid_of(rs, m, PIDTYPE_SID, img->sid) : -ESRCH;
	if (!ret)
		ret = set_pid_of(rs, m, PIDTYPE_PGID, img->pgid);
	if (!ret)
		m->task->signal->leader = img->sid == img->pid;
	write_unlock_irq(kv_tasklist_lock);
	return ret ? ckpt_fail(&rs->log, ret, "task %d: session %d or group %d has no number here",
			       img->pid, img->sid, img->pgid) : 0;
}

/* a group lies within one session */
static int check_sessions(struct ckpt_restart *rs)
{
	struct ckpt_rec_buf *buf;
	struct xarray session;
	unsigned long pid;
	int ret = 0;

	xa_init(&session);
	xa_for_each(&rs->by_pid, pid, buf) {
		const struct ckpt_image_task *img = ckpt_body(buf);
		void *sid = xa_mk_value(img->sid), *had;

		/* its number would stay in use, and an init waits at its end until none is */
		if (img->pid == 1 && (img->pgid > 1 || img->sid > 1)) {
			ret = ckpt_fail(&rs->log, -EINVAL,
					"the root task of the image is in the group or session of another");
			break;
		}
		had = xa_store(&session, img->pgid, sid, GFP_KERNEL);
		ret = xa_err(had);
		if (!ret && had && had != sid && img->pgid)
			ret = ckpt_fail(&rs->log, -EINVAL, "group %d of the image is in two sessions",
					img->pgid);
		if (ret)
			break;
	}
	xa_destroy(&session);
	return ret;
}

static int set_sessions(struct ckpt_restart *rs)
{
	struct ckpt_member *m;
	int ret;

	ret = check_sessions(rs);
	if (ret)
		return ret;
	list_for_each_entry(m, &rs->members, list) {
		m->rec = xa_load(&rs->by_pid, m->pid);
		if (!m->rec || m->rec->used)
			return ckpt_fail(&rs->log, -EINVAL, "task %d joined and is not in the image, or twice",
					 m->pid);
		m->rec->used = true;
		ret = set_session(rs, m);
		if (ret)
			return ret;
	}
	return 0;
}

static bool is_zombie(const struct ckpt_member *m)
{
	return ((const struct ckpt_image_task *)ckpt_body(m->rec))->flags & CKPT_TASK_ZOMBIE;
}

static int count_live(struct ckpt_restart *rs)
{
	struct ckpt_member *m;
	int nr = 0;

	list_for_each_entry(m, &rs->members, list)
		nr += !is_zombie(m);
	return nr;
}

static int wait_zombies(struct ckpt_restart *rs)
{
	struct ckpt_member *m;

	list_for_each_entry(m, &rs->members, list) {
		while (is_zombie(m) && !READ_ONCE(m->task->exit_state)) {
			if (fatal_signal_pending(current))
				return -EINTR;
			usleep_range(100, 1000);
		}
		if (is_zombie(m) && m->task->exit_state != EXIT_ZOMBIE)
			return ckpt_fail(&rs->log, -EBUSY, "zombie %d was reaped too early", m->pid);
	}
	return 0;
}

static int set_registers(struct ckpt_restart *rs)
{
	struct ckpt_member *m;
	int ret;

	list_for_each_entry(m, &rs->members, list) {
		const struct ckpt_image_task *img = ckpt_body(m->rec);

		if (is_zombie(m))
			continue;
		/* it may have been killed, which fails the restart a little later */
		if (!try_get_task_stack(m->task))
			return -ESRCH;
		ret = ckpt_arch_restore(&rs->log, m->task, &img->x86, img->tail +
					img->nr_pending * sizeof(struct ckpt_image_siginfo));
		k_put_task_stack(m->task);
		if (ret)
			return ret;
	}
	return 0;
}

static void set_state(struct ckpt_restart *rs, enum ckpt_restart_state state)
{
	spin_lock(&rs->wait.lock);
	if (rs->state != CKPT_RESTART_FAILED)
		rs->state = state;
	wake_up_all_locked(&rs->wait);
	spin_unlock(&rs->wait.lock);
}

static int check_root(struct ckpt_restart *rs, pid_t nr)
{
	rcu_read_lock();
	rs->root = pid_task(find_vpid(nr), PIDTYPE_TGID);
	if (rs->root)
		get_task_struct(rs->root);
	rcu_read_unlock();
	if (!rs->root)
		return ckpt_fail(&rs->log, -ESRCH, "there is no root task %d", nr);
	if (task_active_pid_ns(rs->root) == task_active_pid_ns(current) ||
	    task_tgid_nr_ns(rs->root, task_active_pid_ns(rs->root)) != 1)
		return ckpt_fail(&rs->log, -EINVAL,
				 "root task %d is not the init of a pid namespace of its own", nr);
	return 0;
}

static int prepare(struct ckpt_restart *rs, struct ckpt_restart_args *args)
{
	int ret;

	ret = ckpt_log_open(&rs->log, args->logfd);
	if (ret)
		return ret;
	rs->uts_ns = current->nsproxy->uts_ns;
	rs->ipc_ns = current->nsproxy->ipc_ns;
	rs->nr_tasks = args->nr_tasks;
	rs->in.pos = args->offset;
	rs->in.seq = args->seq;
	rs->in.file = fget(args->fd);
	if (!rs->in.file || !(rs->in.file->f_mode & FMODE_READ))
		return ckpt_fail(&rs->log, -EBADF, "descriptor %d cannot be read", args->fd);
	return check_root(rs, args->pid);
}

static int run(struct ckpt_restart *rs)
{
	int ret, live;

	ret = load(rs);
	if (ret)
		return ret;
	ret = check_loaded(rs);
	if (ret)
		return ret;
	ret = wait_members(rs, &rs->nr_joined, rs->nr_tasks);
	if (ret)
		return ret;
	set_state(rs, CKPT_RESTART_JOINED);
	ret = set_sessions(rs);
	if (ret)
		return ret;
	live = rs->nr_live = count_live(rs);
	/* before their parents have the image's handlers and queues of signals */
	set_state(rs, CKPT_RESTART_DYING);
	ret = wait_zombies(rs);
	if (ret)
		return ret;
	set_state(rs, CKPT_RESTART_LOADED);
	ret = wait_members(rs, &rs->nr_ready, live);
	if (ret)
		return ret;
	ret = ckpt_read_pages(rs);
	if (ret)
		return ret;
	ret = set_registers(rs);
	if (ret)
		return ret;
	/* so that a pipe whose one end is gone has but the ends of the image */
	drop_restored(rs);
	set_state(rs, CKPT_RESTART_GO);
	return rs->state == CKPT_RESTART_GO ? 0 : rs->err;
}

/*
 * ckpt_restart - read the image, and see all tasks restored
 *
 * Called by the coordinator, once for each open file.  Returns a positive id,
 * or a negative errno: then every task that has joined is being killed.
 */
int ckpt_restart(struct ckpt_restart *rs, struct ckpt_restart_args *args)
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
	if (ret)
		return ret;
	ret = prepare(rs, args);
	if (!ret)
		ret = run(rs);
	if (ret) {
		ckpt_restart_abort(rs, ret);
		if (READ_ONCE(rs->killed))
			ckpt_log(&rs->log, "task %d was killed while it was restarted", rs->killed);
		return ret;
	}
	return ckpt_next_id();
}
