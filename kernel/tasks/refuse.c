// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever a task can have and the engine cannot save is refused here, by
 * name: nothing is dropped in silence.  S5, C10.
 */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/sched/cputime.h>
#include <linux/seccomp.h>

#include "arch.h"
#include "task.h"

#define CKPT_FROZEN_TIMEOUT (5 * HZ)

/*
 * A cgroup that has both tasks and child cgroups says that it is frozen as soon
 * as its children are; its own tasks may need a moment.
 */
static int wait_frozen(struct task_struct *t)
{
	unsigned long end = jiffies + CKPT_FROZEN_TIMEOUT;

	while (!t->frozen) {
		if (READ_ONCE(t->flags) & PF_EXITING)
			return -EAGAIN;
		if (time_after(jiffies, end) || fatal_signal_pending(current))
			return -EBUSY;
		usleep_range(50, 200);
	}
	return 0;
}

/* S5 */
static int check_alive(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct task_struct *t = h->task;
	int ret;

	if (t->ptrace)
		return ckpt_refuse(cp, -EBUSY, "it is being traced; end the debugger first");
	if (!k_ptrace_may_access(t, PTRACE_MODE_ATTACH_REALCREDS))
		return ckpt_refuse(cp, -EPERM, "it may not be inspected by the caller");
	if (!ckpt_save_has(cp, t))
		return ckpt_refuse(cp, -EBUSY, "it is not in the cgroup of the container's root task, and child cgroups are not supported");
	/* its parent sleeps in vfork() and cannot be saved there: try again soon */
	if (READ_ONCE(t->vfork_done))
		return -EAGAIN;
	ret = wait_frozen(t);
	if (ret == -EAGAIN)
		return ret;
	if (ret)
		return ckpt_refuse(cp, -EBUSY, "it is not frozen");
	if (t->signal->flags & SIGNAL_STOP_STOPPED)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "it is stopped by a signal, which is not supported; continue it first (kill -CONT)");
	if (ckpt_stop_pending(h))
		return ckpt_refuse(cp, -EBUSY, "SIGSTOP or SIGKILL has been sent to it and waits; try again");
	/* off its processor, so that its registers are in memory */
	return ckpt_wait_inactive(t) ? 0 : -EAGAIN;
}

static int check_features(struct ckpt_checkpoint *cp, struct task_struct *t)
{
	if (task_active_pid_ns(t) != ckpt_save_pid_ns(cp))
		return ckpt_refuse(cp, -EOPNOTSUPP, "a nested pid namespace is not supported");
	if (t->seccomp.mode != SECCOMP_MODE_DISABLED)
		return ckpt_refuse(cp, -EOPNOTSUPP, "seccomp is not supported");
	/* System V undo lists are empty: namespaces.c refuses semaphore sets */
#ifdef CONFIG_FUTEX
	if (!list_empty(&t->pi_state_list))
		return ckpt_refuse(cp, -EOPNOTSUPP, "it holds priority-inheriting futexes, which is not supported");
#ifdef CONFIG_COMPAT
	if (t->compat_robust_list)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a 32-bit robust list is not supported");
#endif
#endif
#ifdef CONFIG_NUMA
	if (t->mempolicy)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a NUMA memory policy is not supported");
#endif
	if (t->flags & (PF_IO_WORKER | PF_LOCAL_THROTTLE))
		return ckpt_refuse(cp, -EOPNOTSUPP, "%s is not supported",
				   t->flags & PF_IO_WORKER ? "io_uring" : "PR_SET_IO_FLUSHER");
	if (task_spec_ssb_disable(t) || task_spec_ssb_noexec(t) || task_spec_ib_disable(t))
		return ckpt_refuse(cp, -EOPNOTSUPP, "PR_SET_SPECULATION_CTRL is not supported");
	if (!ckpt_policy_ok(t->policy))
		return ckpt_refuse(cp, -EOPNOTSUPP, "scheduling policy %u is not supported", t->policy);
	if (test_task_syscall_work(t, SYSCALL_USER_DISPATCH))
		return ckpt_refuse(cp, -EOPNOTSUPP, "system call user dispatch is not supported");
	return ckpt_arch_check_task(cp, t);
}

static int check_process(struct ckpt_checkpoint *cp, struct task_struct *t)
{
	struct signal_struct *sig = t->signal;

	if (sig->tty)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a controlling terminal is not supported; run it detached (ckpt run -d)");
	if (ckpt_has_posix_timers(sig))
		return ckpt_refuse(cp, -EOPNOTSUPP, "POSIX timers are not supported");
	if (sig->it[CPUCLOCK_VIRT].expires || sig->it[CPUCLOCK_PROF].expires)
		return ckpt_refuse(cp, -EOPNOTSUPP, "ITIMER_VIRTUAL and ITIMER_PROF are not supported");
	return 0;
}

int ckpt_check_task(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct task_struct *t = h->task;
	int ret;

	if (!h->mm) {
		if (!thread_group_leader(t) || thread_group_empty(t))
			return 0;
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "its first thread has exited and others run on, which is not supported");
	}
	ret = check_alive(cp, h);
	if (ret)
		return ret;
	ret = check_features(cp, t);
	if (ret)
		return ret;
	ret = ckpt_check_namespaces(cp, h);
	if (ret)
		return ret;
	return thread_group_leader(t) ? check_process(cp, t) : 0;
}
