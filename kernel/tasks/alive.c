// SPDX-License-Identifier: GPL-2.0-only
/* Which task can be saved at this moment: it lives, stands still, and may be looked at.  S5. */
#include <linux/delay.h>
#include <linux/ptrace.h>

#include "call.h"
#include "part.h"
#include "task.h"

#define CKPT_FROZEN_TIMEOUT (5 * HZ)

/*
 * A cgroup that has both tasks and child cgroups says that it is frozen as soon
 * as its children are; its own tasks may need a moment.
 */
static int wait_frozen(struct ckpt_checkpoint *cp, struct task_struct *t)
{
	unsigned long end = jiffies + CKPT_FROZEN_TIMEOUT;

	while (!t->frozen) {
		if (READ_ONCE(t->flags) & PF_EXITING)
			return -EAGAIN;
		if (time_after(jiffies, end) || fatal_signal_pending(current) ||
		    ckpt_save_overdue(cp))
			return -EBUSY;
		usleep_range(50, 200);
	}
	return 0;
}

/* it runs, or is not the caller's to look at: no more of it is read */
static int pass_over(struct ckpt_checkpoint *cp, struct ckpt_held *h, int err, const char *why)
{
	h->passed_over = true;
	return ckpt_refuse(cp, err, "%s", why);
}

/* a stop or continue that its first thread has still to tell its parent; it does so at once */
static bool job_under_way(struct ckpt_held *h)
{
	bool under_way;

	spin_lock_irq(&h->sighand->siglock);
	under_way = h->task->signal->group_stop_count ||
		    h->task->signal->flags & SIGNAL_CLD_MASK;
	spin_unlock_irq(&h->sighand->siglock);
	return under_way;
}

/* S5.  What is refused with the task standing still has its parts looked at all the same. */
int ckpt_check_alive(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct task_struct *t = h->task;
	int ret;

	if (t->ptrace)
		return pass_over(cp, h, -EBUSY, "it is being traced; end the debugger first");
	if (!k_ptrace_may_access(t, PTRACE_MODE_ATTACH_REALCREDS))
		return pass_over(cp, h, -EPERM, "it may not be inspected by the caller");
	if (!ckpt_save_has(cp, t))
		return pass_over(cp, h, -EBUSY, "it is not in the cgroup of the container's root task, and child cgroups are not supported");
	/* its parent sleeps in vfork() and cannot be saved there: try again soon */
	if (READ_ONCE(t->vfork_done))
		return -EAGAIN;
	ret = wait_frozen(cp, t);
	if (ret == -EAGAIN)
		return ret;
	if (ret)
		return pass_over(cp, h, ret, "it is not frozen");
	/* it stops or dies as soon as it is let go; one that somebody else has frozen is not */
	if (ckpt_stop_pending(h) && ckpt_save_froze(cp))
		return -EAGAIN;
	if (ckpt_stop_pending(h))
		return ckpt_refuse(cp, -EBUSY, "SIGSTOP or SIGKILL has been sent to it and waits; try again");
	if (job_under_way(h))
		return -EAGAIN;
	h->stopped = READ_ONCE(t->signal->flags) & SIGNAL_STOP_STOPPED;
	/* off its processor, so that its registers are in memory */
	if (ckpt_save_overdue(cp) || !ckpt_wait_inactive(t))
		return -EAGAIN;
	if (!ckpt_save_froze(cp))
		return 0;
	/* its registers are changed: it must not be let go meanwhile */
	if (ckpt_save_pin(cp))
		ckpt_call_frozen(t);
	ckpt_save_unpin(cp);
	return 0;
}
