// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the coordinator and the members of a restart wait for each other.
 * rs->wait.lock is taken inside.
 *
 * The coordinator sleeps on rs->wait and is woken when the number that it waits
 * for is reached; members sleep on rs->turn and are woken when it is their turn.
 * What a member does wakes no other, but for the last of a stage: there may be
 * thousands of them.
 */
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>

#include "operations.h"
#include "restart.h"

/* no task came a step further for so long: one must have died */
#define CKPT_STALL (120 * HZ)

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
	rs->err = err;
	/* pairs with ckpt_restore_failed(), which is asked without the lock */
	smp_store_release(&rs->state, CKPT_RESTART_FAILED);
	list_for_each_entry(m, &rs->members, list)
		send_sig(SIGKILL, m->task, 1);
	wake_up_all_locked(&rs->wait);
	wake_up_all(&rs->turn);
	spin_unlock(&rs->wait.lock);
}

/* by the coordinator */
void ckpt_set_state(struct ckpt_restart *rs, enum ckpt_restart_state state)
{
	spin_lock(&rs->wait.lock);
	if (rs->state != CKPT_RESTART_FAILED)
		rs->state = state;
	/* nobody waits for the others */
	if (rs->state >= CKPT_RESTART_DYING && rs->state != CKPT_RESTART_RESTORED)
		wake_up_all(&rs->turn);
	spin_unlock(&rs->wait.lock);
}

/* one more has come so far; rs->wait.lock is held */
void ckpt_count_up_locked(struct ckpt_restart *rs, int *count)
{
	(*count)++;
	if (count == rs->awaited && *count >= rs->awaited_nr)
		wake_up_all_locked(&rs->wait);
	if (count == &rs->nr_filed && *count >= rs->nr_live)
		wake_up_all(&rs->turn);
}

void ckpt_count_up(struct ckpt_restart *rs, int *count)
{
	spin_lock(&rs->wait.lock);
	ckpt_count_up_locked(rs, count);
	spin_unlock(&rs->wait.lock);
}

/* by a member */
int ckpt_wait_state(struct ckpt_restart *rs, enum ckpt_restart_state state)
{
	if (wait_event_killable(rs->turn, READ_ONCE(rs->state) >= state))
		return -EINTR;
	return ckpt_restore_failed(rs);
}

/*
 * All tables are in place before the first address space goes: the page that
 * the making of files scribbles on is in it, and threads share it.
 */
int ckpt_wait_filed(struct ckpt_restart *rs)
{
	if (wait_event_killable(rs->turn, READ_ONCE(rs->nr_filed) >= rs->nr_live ||
				READ_ONCE(rs->state) == CKPT_RESTART_FAILED))
		return -EINTR;
	return ckpt_restore_failed(rs);
}

/*
 * Under the lock, so that whoever counted up last has finished to wake the
 * others: from here on members sleep undisturbed, and may be written to.
 */
static bool reached(struct ckpt_restart *rs, const int *count, int nr)
{
	bool yes;

	spin_lock(&rs->wait.lock);
	rs->awaited = count;
	rs->awaited_nr = nr;
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
int ckpt_wait_members(struct ckpt_restart *rs, const int *count, int nr)
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

int ckpt_restore_failed(struct ckpt_restart *rs)
{
	/* pairs with ckpt_restart_abort(): err is there */
	return smp_load_acquire(&rs->state) == CKPT_RESTART_FAILED ? rs->err : 0;
}

int ckpt_make_lock(struct ckpt_restart *rs, unsigned long scratch)
{
	if (mutex_lock_killable(&rs->lock))
		return -EINTR;
	rs->scratch = scratch;
	return 0;
}

void ckpt_make_unlock(struct ckpt_restart *rs)
{
	mutex_unlock(&rs->lock);
}
