// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a task can have and the engine knows no part for is refused here, by
 * name: nothing is dropped in silence.  C10.
 */
#include <linux/hrtimer.h>
#include <linux/pid_namespace.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/seccomp.h>

#include "part.h"

static int check_task(struct ckpt_checkpoint *cp, struct task_struct *t)
{
	int ret = 0;

	if (task_active_pid_ns(t) != ckpt_save_pid_ns(cp))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "a nested pid namespace is not supported");
	if (t->seccomp.mode != SECCOMP_MODE_DISABLED)
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "seccomp is not supported");
	/* System V undo lists are empty: namespaces.c refuses semaphore sets */
#ifdef CONFIG_FUTEX
	if (!list_empty(&t->pi_state_list))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "it holds priority-inheriting futexes, which is not supported");
#ifdef CONFIG_COMPAT
	if (t->compat_robust_list)
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "a 32-bit robust list is not supported");
#endif
#endif
#ifdef CONFIG_NUMA
	if (t->mempolicy)
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "a NUMA memory policy is not supported");
#endif
	if (t->flags & (PF_IO_WORKER | PF_LOCAL_THROTTLE))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "%s is not supported",
				   t->flags & PF_IO_WORKER ? "io_uring" : "PR_SET_IO_FLUSHER");
	if (task_spec_ssb_disable(t) || task_spec_ssb_noexec(t) || task_spec_ib_disable(t))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "PR_SET_SPECULATION_CTRL is not supported");
	if (test_task_syscall_work(t, SYSCALL_USER_DISPATCH))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "system call user dispatch is not supported");
	return ret;
}

static int check_process(struct ckpt_checkpoint *cp, struct task_struct *t)
{
	struct signal_struct *sig = t->signal;
	int ret = 0;

	if (sig->tty)
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "a controlling terminal is not supported; run it detached (ckpt run -d)");
	if (ckpt_has_posix_timers(sig))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "POSIX timers are not supported");
	if (sig->it[CPUCLOCK_VIRT].expires || sig->it[CPUCLOCK_PROF].expires)
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "ITIMER_VIRTUAL and ITIMER_PROF are not supported");
	return ret;
}

static int refuse(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	int ret = check_task(cp, h->task);

	if (ckpt_go_on(ret) || !thread_group_leader(h->task))
		return ret;
	return check_process(cp, h->task) ? : ret;
}

const struct ckpt_task_part ckpt_part_features = {
	.name = "features",
	.refuse = refuse,
};
