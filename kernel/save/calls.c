// SPDX-License-Identifier: GPL-2.0-only
/*
 * A freeze that programs cannot see.  It wakes every task like a signal, and
 * some system calls answer EINTR to that, or begin their timeout again.  Here
 * they go on where they were, with the time that is left, in the container that
 * runs on and in the restarted one.  N4.
 *
 * Before the freeze each task that sleeps is marked, so that it can't leave the
 * kernel any more, and in the same moment the timer of its sleep is looked up,
 * which lies on its kernel stack.  When it is frozen and nothing but the freeze
 * has ended its call, the call is restarted: as if by the kernel, if it had no
 * timeout; else through the task's restart block, with the timer's expiry
 * (tasks/call_restart.c).
 */
#include <linux/cgroup.h>
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/restart_block.h>
#include <linux/sched/task_stack.h>
#include <linux/seccomp.h>
#include <linux/termios.h>
#include <asm/syscall.h>

#include "arch.h"
#include "call.h"
#include "task.h"

/* a task that is on a processor is looked for so often, as it may be about to sleep */
#define CKPT_MARK_PASSES	3

/* words of the stack in which the timer of a sleep that has just ended may be */
#define CKPT_NEAR_WORDS		64

/* Before the freeze */

/* some words of another task's stack, which KASAN may think are nobody's */
static void peek(void *to, const unsigned long *from, size_t len)
{
	unsigned long *words = to;
	size_t i;

	for (i = 0; i < len / sizeof(*words); i++)
		words[i] = READ_ONCE_NOCHECK(from[i]);
}

struct ckpt_stack {
	const unsigned long *from, *end;
};

/*
 * The struct of @size bytes whose member at @offset is at @p, copied to @to;
 * false if it does not lie on the stack.
 */
static bool peek_around(const struct ckpt_stack *stack, const unsigned long *p, size_t offset,
			void *to, size_t size)
{
	const unsigned long *start = p - offset / sizeof(*p);

	if (start < stack->from || start + size / sizeof(*p) > stack->end)
		return false;
	peek(to, start, size);
	return true;
}

/*
 * @p points to hrtimer_wakeup(): the timer of schedule_hrtimeout() and its
 * like?  @near: one that has just expired counts, too.
 */
static bool is_sleeper(struct task_struct *t, const struct ckpt_stack *stack,
		       const unsigned long *p, bool near, u64 *deadline_ns)
{
	struct hrtimer_sleeper s;

	if (!peek_around(stack, p, offsetof(struct hrtimer_sleeper, timer.function), &s, sizeof(s)))
		return false;
	*deadline_ns = ktime_to_ns(hrtimer_get_expires(&s.timer));
	if (hrtimer_is_queued(&s.timer))
		return s.task == t;
	return near && !s.task && *deadline_ns <= ktime_get_ns();
}

/* the same of process_timeout(), schedule_timeout()'s, which counts in ticks */
static bool is_process_timer(struct task_struct *t, const struct ckpt_stack *stack,
			     const unsigned long *p, bool near, u64 *deadline_ns)
{
	struct ckpt_process_timer s;
	long left;

	if (!peek_around(stack, p, offsetof(struct ckpt_process_timer, timer.function), &s,
			 sizeof(s)))
		return false;
	/* it expires with the tick after that, in order not to be early */
	left = max(0L, (long)(s.timer.expires + 1 - jiffies));
	*deadline_ns = ktime_get_ns() + jiffies64_to_nsecs(left);
	if (timer_pending(&s.timer))
		return s.task == t;
	return near && s.task == t && left <= 1;
}

/* when does the sleep of @t end, which is off its processor and stays so? */
static bool find_deadline(struct task_struct *t, u64 *deadline_ns)
{
	const struct ckpt_stack stack = {
		.from = (const void *)ckpt_arch_kernel_sp(t),
		.end = (const void *)task_pt_regs(t),
	};
	const unsigned long *p;

	if ((const void *)stack.from < task_stack_page(t))
		return false;
	for (p = stack.from; p < stack.end; p++) {
		bool near = p - stack.from < CKPT_NEAR_WORDS;
		const void *word = (const void *)READ_ONCE_NOCHECK(*p);

		if (word == ka_hrtimer_wakeup && is_sleeper(t, &stack, p, near, deadline_ns))
			return true;
		if (word == ka_process_timeout &&
		    is_process_timer(t, &stack, p, near, deadline_ns))
			return true;
	}
	return false;
}

/*
 * With siglock held, and with @t neither woken nor scheduled meanwhile; 0: it is
 * on a processor.
 */
static int mark_pinned(struct task_struct *t, void *unused)
{
	const struct ckpt_call *call;
	u64 deadline_ns;

	/* before it is cleared the stack is switched */
	if (smp_load_acquire(&t->on_cpu))
		return 0;
	/* what the freeze will do, but nobody is woken: it can't return to user space now */
	t->jobctl |= JOBCTL_TRAP_FREEZE;
	set_tsk_thread_flag(t, TIF_SIGPENDING);
	call = ckpt_find_call(ckpt_arch_call(t));
	if (call && call->flags & CKPT_CALL_TIMED && find_deadline(t, &deadline_ns))
		ckpt_set_call(&t->restart_block, call->nr, deadline_ns);
	return 1;
}

/* true: it is on a processor, look again */
static bool mark(struct task_struct *t)
{
	struct sighand_struct *sighand;
	bool running = false;
	unsigned long flags;

	sighand = k___lock_task_sighand(t, &flags);
	if (!__cond_lock(&sighand->siglock, sighand))
		return false;
	if (!(t->jobctl & JOBCTL_TRAP_FREEZE) && try_get_task_stack(t)) {
		running = !k_task_call_func(t, mark_pinned, NULL);
		k_put_task_stack(t);
	}
	spin_unlock_irqrestore(&sighand->siglock, flags);
	return running;
}

/* how many tasks in and below @cgrp are such that @look says true?  cgroup_mutex is held */
static int each_task(struct cgroup *cgrp, bool (*look)(struct task_struct *t))
{
	struct cgroup_subsys_state *css;
	struct css_task_iter it;
	struct task_struct *t;
	int count = 0;

	css_for_each_descendant_pre(css, &cgrp->self) {
		k_css_task_iter_start(css, 0, &it);
		while ((t = k_css_task_iter_next(&it)))
			if (!(t->flags & PF_KTHREAD))
				count += look(t);
		k_css_task_iter_end(&it);
	}
	return count;
}

/*
 * ckpt_calls_mark - see in what calls the tasks of @cgrp sleep, and keep them there
 *
 * To be followed by cgroup_freeze() at once; cgroup_mutex is held.  Who still runs
 * then has begun any call that the freeze interrupts just before.
 */
void ckpt_calls_mark(struct cgroup *cgrp)
{
	int pass;

	for (pass = 0; pass < CKPT_MARK_PASSES && each_task(cgrp, mark); pass++)
		usleep_range(20, 50);
}

/* When it is frozen */

static bool is_socket(struct task_struct *t, unsigned int fd)
{
	struct file *file = NULL;
	bool is = false;

	task_lock(t);
	if (t->files) {
		spin_lock(&t->files->file_lock);
		file = files_lookup_fd_locked(t->files, fd);
		is = file && sock_from_file(file);
		spin_unlock(&t->files->file_lock);
	}
	task_unlock(t);
	return is;
}

/* a timer was on its stack: was it the call's? */
static bool is_timed(struct task_struct *t, const struct ckpt_call *call,
		     const unsigned long *args)
{
	if (!(call->flags & (CKPT_CALL_FD0 | CKPT_CALL_FD2)))
		return true;
	return (call->flags & CKPT_CALL_FD0 && is_socket(t, args[0])) ||
	       (call->flags & CKPT_CALL_FD2 && is_socket(t, args[2]));
}

static bool is_drain(const unsigned long *args)
{
	switch ((unsigned int)args[1]) {
	case TCSBRK:
		/* 0 sends a break, which may have been */
		return args[2];
	case TCSETSW:
	case TCSETSF:
	case TCSETSW2:
	case TCSETSF2:
	case TCSETAW:
	case TCSETAF:
		return true;
	default:
		return false;
	}
}

/* no signal has ended its call, nor will */
static bool undisturbed(struct task_struct *t)
{
	struct sighand_struct *sighand;
	unsigned long flags;
	bool ret;

	sighand = k___lock_task_sighand(t, &flags);
	if (!__cond_lock(&sighand->siglock, sighand))
		return false;
	ret = !ckpt_has_signal(t) && !(t->signal->flags & (SIGNAL_STOP_STOPPED | SIGNAL_CLD_MASK));
	spin_unlock_irqrestore(&sighand->siglock, flags);
	return ret;
}

/* true: through the restart block */
static bool restart_frozen(struct task_struct *t, struct pt_regs *regs, bool timed)
{
	const struct ckpt_call *call = ckpt_find_call(ckpt_arch_call(t));
	long err = syscall_get_error(t, regs);
	unsigned long args[6];

	if (!call || !(err == -EINTR || (timed && err == -ERESTARTNOHAND)) || !undisturbed(t))
		return false;
	syscall_get_arguments(t, regs, args);
	if (call->flags & CKPT_CALL_DRAIN && !is_drain(args))
		return false;
	timed = timed && is_timed(t, call, args);
	/* a filter may not know restart_syscall(2), which the kernel takes for this */
	if (timed && t->seccomp.mode != SECCOMP_MODE_DISABLED)
		return false;
	syscall_set_return_value(t, regs, timed ? -ERESTART_RESTARTBLOCK : -ERESTARTNOHAND, 0);
	return timed;
}

/* two checkpoints at once look at the same task */
static DEFINE_MUTEX(frozen_lock);

/*
 * ckpt_call_frozen - let the call of @t go on that our freeze has interrupted
 *
 * @t may not be frozen yet; then nothing happens.  Before its registers are saved,
 * and again before it is let go; once is enough.
 */
void ckpt_call_frozen(struct task_struct *t)
{
	struct restart_block *rb = &t->restart_block;
	u64 deadline_ns;
	bool timed;
	u32 nr;

	if (!t->frozen || !try_get_task_stack(t))
		return;
	mutex_lock(&frozen_lock);
	if (!t->frozen)
		goto out;
	timed = ckpt_get_call(rb, &nr, &deadline_ns);
	if (!ckpt_arch_in_restart_block(t) && !restart_frozen(t, task_pt_regs(t), timed) && timed)
		ckpt_no_call(rb);
out:
	mutex_unlock(&frozen_lock);
	k_put_task_stack(t);
}

static bool let_go(struct task_struct *t)
{
	ckpt_call_frozen(t);
	return true;
}

/* before the thaw; cgroup_mutex is held */
void ckpt_calls_let_go(struct cgroup *cgrp)
{
	each_task(cgrp, let_go);
}
