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

#define CKPT_FREEZE_TIMEOUT (20 * HZ)

/* takes cgroup_mutex */
static void freezer_count(struct ckpt_freezer *fz, bool freeze)
{
	struct cgroup *cgrp = fz->cgrp;
	bool setting;

	mutex_lock(kv_cgroup_mutex);
	if (freeze) {
		/* what was interrupted when somebody else froze it is not ours */
		fz->alone = !cgrp->freezer.e_freeze;
		if (fz->alone)
			ckpt_calls_mark(cgrp);
	} else if (fz->alone) {
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

static int wait_frozen(struct ckpt_freezer *fz, struct ckpt_log *log)
{
	unsigned long end = jiffies + CKPT_FREEZE_TIMEOUT;

	while (!test_bit(CGRP_FROZEN, &fz->cgrp->flags)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (time_after(jiffies, end))
			return ckpt_fail(log, -EBUSY,
					 "the container does not freeze: a task sleeps in the kernel and cannot be stopped");
		usleep_range(50, 200);
	}
	return 0;
}

/*
 * ckpt_freeze - stop the cgroup of @root, and wait until it stands
 *
 * On error nothing is frozen.  The root cgroup, in which everything lives, is
 * refused.
 */
int ckpt_freeze(struct ckpt_freezer *fz, struct task_struct *root, struct ckpt_log *log)
{
	bool inside;
	int ret;

	fz->cgrp = cgroup_of(root);
	if (!cgroup_parent(fz->cgrp)) {
		cgroup_put(fz->cgrp);
		fz->cgrp = NULL;
		return ckpt_fail(log, -EBUSY,
				 "the container is in the root cgroup, which cannot be frozen; give it a cgroup of its own");
	}
	rcu_read_lock();
	inside = cgroup_is_descendant(task_dfl_cgroup(current), fz->cgrp);
	rcu_read_unlock();
	if (inside) {
		cgroup_put(fz->cgrp);
		fz->cgrp = NULL;
		return ckpt_fail(log, -EBUSY,
				 "the caller is in the container's cgroup itself and would be frozen with it");
	}
	fz->since = ktime_get();
	freezer_count(fz, true);
	fz->frozen = true;
	ret = wait_frozen(fz, log);
	if (ret)
		ckpt_thaw(fz, NULL);
	return ret;
}

/* let go; harmless when nothing is frozen */
void ckpt_thaw(struct ckpt_freezer *fz, u64 *pause_ns)
{
	if (!fz->cgrp)
		return;
	if (fz->frozen) {
		freezer_count(fz, false);
		if (pause_ns)
			*pause_ns = ktime_to_ns(ktime_sub(ktime_get(), fz->since));
	}
	fz->frozen = false;
	cgroup_put(fz->cgrp);
	fz->cgrp = NULL;
}
