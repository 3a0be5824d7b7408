// SPDX-License-Identifier: GPL-2.0-only
/*
 * The container's cgroup (version 2), stopped for the time of the collection.
 *
 * We add a freeze of our own to the cgroup's count (e_freeze) and leave the
 * setting that cgroup.freeze shows as it was: so nobody can thaw the container
 * meanwhile, a write to cgroup.freeze takes effect afterwards, and a container
 * that was frozen before stays so.
 */
#include <linux/cgroup.h>
#include <linux/delay.h>

#include "call.h"
#include "checkpoint.h"

/* those that stand and are alone; cgroup_mutex */
static LIST_HEAD(freezers);

/* cgroup_mutex is held */
static int count_ours(const struct cgroup *cgrp)
{
	struct ckpt_freezer *fz;
	int count = 0;

	list_for_each_entry(fz, &freezers, list)
		count += fz->cgrp == cgrp;
	return count;
}

/* takes cgroup_mutex */
static void freezer_count(struct ckpt_freezer *fz, bool freeze)
{
	struct cgroup *cgrp = fz->cgrp;
	bool setting;

	mutex_lock(kv_cgroup_mutex);
	if (freeze) {
		/* what was interrupted when somebody else froze it is not ours */
		fz->alone = cgrp->freezer.e_freeze == count_ours(cgrp);
		if (fz->alone)
			list_add(&fz->list, &freezers);
		if (!cgrp->freezer.e_freeze)
			ckpt_calls_mark(cgrp);
	} else if (fz->alone) {
		list_del(&fz->list);
		ckpt_calls_let_go(cgrp);
	}
	setting = cgrp->freezer.freeze;
	cgrp->freezer.freeze = !freeze;
	k_cgroup_freeze(cgrp, freeze);
	cgrp->freezer.freeze = setting;
	mutex_unlock(kv_cgroup_mutex);
}

static struct cgroup *cgroup_of(struct task_struct *task)
{
	struct cgroup *cgrp;

	rcu_read_lock();
	do {
		cgrp = task_dfl_cgroup(task);
	} while (!cgroup_tryget(cgrp));
	rcu_read_unlock();
	return cgrp;
}

/* is @task in the frozen cgroup itself? */
bool ckpt_freezer_has(struct ckpt_freezer *fz, struct task_struct *task)
{
	bool has;

	rcu_read_lock();
	has = task_dfl_cgroup(task) == fz->cgrp;
	rcu_read_unlock();
	return has;
}

/* a task that keeps the cgroup from being frozen; the caller gives the reference back, or NULL */
static struct task_struct *not_frozen(struct cgroup *cgrp)
{
	struct task_struct *t, *found = NULL;
	struct cgroup_subsys_state *css;
	struct css_task_iter it;

	mutex_lock(kv_cgroup_mutex);
	css_for_each_descendant_pre(css, &cgrp->self) {
		k_css_task_iter_start(css, 0, &it);
		while (!found && (t = k_css_task_iter_next(&it)))
			if (!t->frozen && !(t->flags & (PF_KTHREAD | PF_EXITING)))
				found = get_task_struct(t);
		k_css_task_iter_end(&it);
		if (found)
			break;
	}
	mutex_unlock(kv_cgroup_mutex);
	return found;
}

/* who it was that did not stop; nothing is frozen any more, as a log may make us wait */
static int timed_out(struct ckpt_freezer *fz, struct ckpt_log *log, struct task_struct *t)
{
	u64 ms = fz->timeout_ns / NSEC_PER_MSEC;

	if (!t)
		return ckpt_fail(log, -EBUSY, "the container does not freeze within %llu ms; see freeze-timeout", ms);
	ckpt_fail(log, -EBUSY,
		  "task %d (%s) sleeps in the kernel and cannot be stopped within %llu ms; see freeze-timeout",
		  task_pid_vnr(t), t->comm, ms);
	put_task_struct(t);
	return -EBUSY;
}

static int wait_frozen(struct ckpt_freezer *fz)
{
	ktime_t end = ktime_add_ns(ktime_get(), fz->timeout_ns);

	while (!test_bit(CGRP_FROZEN, &fz->cgrp->flags)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (ktime_after(ktime_get(), end) || ckpt_freezer_overdue(fz))
			return -ETIMEDOUT;
		usleep_range(50, 200);
	}
	return 0;
}

/* fz->lock is held */
static void thaw_locked(struct ckpt_freezer *fz, u64 *pause_ns)
{
	if (!fz->frozen)
		return;
	freezer_count(fz, false);
	fz->frozen = false;
	if (pause_ns)
		*pause_ns = ktime_to_ns(ktime_sub(ktime_get(), fz->since));
}

/* whatever our caller does, the container does not stand for longer */
static void time_is_up(struct work_struct *work)
{
	struct ckpt_freezer *fz = container_of(work, struct ckpt_freezer, timer.work);

	mutex_lock(&fz->lock);
	if (fz->frozen) {
		thaw_locked(fz, NULL);
		fz->overdue = true;
	}
	mutex_unlock(&fz->lock);
}

void ckpt_freezer_init(struct ckpt_freezer *fz)
{
	mutex_init(&fz->lock);
	INIT_DELAYED_WORK(&fz->timer, time_is_up);
}

void ckpt_freezer_exit(struct ckpt_freezer *fz)
{
	cancel_delayed_work_sync(&fz->timer);
}

bool ckpt_freezer_stands(struct ckpt_freezer *fz)
{
	bool stands;

	mutex_lock(&fz->lock);
	stands = fz->frozen;
	mutex_unlock(&fz->lock);
	return stands;
}

bool ckpt_freezer_overdue(struct ckpt_freezer *fz)
{
	return READ_ONCE(fz->overdue);
}

static int check_cgroup(struct cgroup *cgrp, struct ckpt_log *log)
{
	bool inside;

	if (!cgroup_parent(cgrp))
		return ckpt_fail(log, -EBUSY,
				 "the container is in the root cgroup, which cannot be frozen; give it a cgroup of its own");
	rcu_read_lock();
	inside = cgroup_is_descendant(task_dfl_cgroup(current), cgrp);
	rcu_read_unlock();
	return !inside ? 0 :
		ckpt_fail(log, -EBUSY,
			  "the caller is in the container's cgroup itself and would be frozen with it");
}

/*
 * ckpt_freeze - stop the cgroup of @root, and wait until it stands
 *
 * On error nothing is frozen.  The root cgroup, in which everything lives, is
 * refused.
 */
int ckpt_freeze(struct ckpt_freezer *fz, struct task_struct *root, struct ckpt_log *log)
{
	struct task_struct *t = NULL;
	int ret;

	fz->cgrp = cgroup_of(root);
	ret = check_cgroup(fz->cgrp, log);
	if (ret) {
		cgroup_put(fz->cgrp);
		fz->cgrp = NULL;
		return ret;
	}
	fz->since = ktime_get();
	fz->overdue = false;
	mutex_lock(&fz->lock);
	freezer_count(fz, true);
	fz->frozen = true;
	mutex_unlock(&fz->lock);
	if (fz->max_ns)
		queue_delayed_work(system_unbound_wq, &fz->timer,
				   nsecs_to_jiffies(fz->max_ns) + 1);
	ret = wait_frozen(fz);
	if (ret == -ETIMEDOUT)
		t = not_frozen(fz->cgrp);
	if (ret)
		ckpt_thaw(fz, NULL);
	return ret == -ETIMEDOUT ? timed_out(fz, log, t) : ret;
}

/* let go; harmless when nothing is frozen */
void ckpt_thaw(struct ckpt_freezer *fz, u64 *pause_ns)
{
	if (!fz->cgrp)
		return;
	cancel_delayed_work_sync(&fz->timer);
	mutex_lock(&fz->lock);
	thaw_locked(fz, pause_ns);
	fz->alone = false;
	fz->overdue = false;
	mutex_unlock(&fz->lock);
	cgroup_put(fz->cgrp);
	fz->cgrp = NULL;
}
