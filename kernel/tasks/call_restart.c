// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls that a freeze has interrupted, and that go on with the time that
 * is left: the list of them, and restart_syscall(2)'s way back into one.  N4.
 *
 * close() and connect() are never restarted.
 */
#include <linux/hrtimer.h>
#include <linux/restart_block.h>
#include <linux/seccomp.h>
#include <asm/unistd.h>

#include "arch.h"
#include "call.h"
#include "task.h"

/*
 * What answers EINTR to a wake-up without having done anything (and
 * io_pgetevents(), which begins its timeout again).
 */
static const struct ckpt_call calls[] = {
	{ __NR_epoll_wait, 0, CKPT_CALL_TIMED },
	{ __NR_epoll_pwait, 0, CKPT_CALL_TIMED },
	{ __NR_epoll_pwait2, 0, CKPT_CALL_TIMED },
	{ __NR_rt_sigtimedwait, -EAGAIN, CKPT_CALL_TIMED },
	{ __NR_semop, -EAGAIN, 0 },
	{ __NR_semtimedop, -EAGAIN, CKPT_CALL_TIMED },
	{ __NR_io_getevents, 0, CKPT_CALL_TIMED },
	{ __NR_io_pgetevents, 0, CKPT_CALL_TIMED },
	{ __NR_io_uring_enter, -ETIME, CKPT_CALL_TIMED },
	{ __NR_recvfrom, -EAGAIN, CKPT_CALL_TIMED },
	{ __NR_recvmsg, -EAGAIN, CKPT_CALL_TIMED },
	{ __NR_recvmmsg, -EAGAIN, CKPT_CALL_TIMED },
	{ __NR_accept, -EAGAIN, CKPT_CALL_TIMED },
	{ __NR_accept4, -EAGAIN, CKPT_CALL_TIMED },
	{ __NR_sendto, -EAGAIN, CKPT_CALL_TIMED },
	{ __NR_sendmsg, -EAGAIN, CKPT_CALL_TIMED },
	{ __NR_sendmmsg, -EAGAIN, CKPT_CALL_TIMED },
	{ __NR_read, -EAGAIN, CKPT_CALL_TIMED | CKPT_CALL_FD0 },
	{ __NR_readv, -EAGAIN, CKPT_CALL_TIMED | CKPT_CALL_FD0 },
	{ __NR_preadv2, -EAGAIN, CKPT_CALL_TIMED | CKPT_CALL_FD0 },
	{ __NR_write, -EAGAIN, CKPT_CALL_TIMED | CKPT_CALL_FD0 },
	{ __NR_writev, -EAGAIN, CKPT_CALL_TIMED | CKPT_CALL_FD0 },
	{ __NR_pwritev2, -EAGAIN, CKPT_CALL_TIMED | CKPT_CALL_FD0 },
	{ __NR_sendfile, -EAGAIN, CKPT_CALL_TIMED | CKPT_CALL_FD0 },
	{ __NR_splice, -EAGAIN, CKPT_CALL_TIMED | CKPT_CALL_FD0 | CKPT_CALL_FD2 },
	{ __NR_fallocate, 0, 0 },
	{ __NR_ioctl, 0, CKPT_CALL_DRAIN },
};

const struct ckpt_call *ckpt_find_call(int nr)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].nr == nr)
			return &calls[i];
	return NULL;
}

/* may an image have a task go on with system call @nr? */
bool ckpt_call_can_go_on(u32 nr)
{
	const struct ckpt_call *call = nr <= INT_MAX ? ckpt_find_call(nr) : NULL;

	return call && call->flags & CKPT_CALL_TIMED;
}

/* The restart block: none of these calls uses its own, so that we have futex's fields */

static long go_on(struct restart_block *rb);

void ckpt_set_call(struct restart_block *rb, u32 nr, u64 deadline_ns)
{
	/* no 32-bit call, whatever the last one was */
	rb->arch_data = 0;
	rb->futex.val = nr;
	rb->futex.time = deadline_ns;
	rb->fn = go_on;
}

bool ckpt_get_call(const struct restart_block *rb, u32 *nr, u64 *deadline_ns)
{
	if (rb->fn != go_on)
		return false;
	*nr = rb->futex.val;
	*deadline_ns = rb->futex.time;
	return true;
}

void ckpt_no_call(struct restart_block *rb)
{
	rb->fn = ka_do_no_restart_syscall;
}

/* The time that is left */

struct time_left {
	struct hrtimer timer;
	struct task_struct *task;
	bool up;
};

/*
 * Time is up: end the call as a signal would.  Again and again, as a call that
 * looks for signals itself forgets that there seemed to be one.
 */
static enum hrtimer_restart time_is_up(struct hrtimer *timer)
{
	struct time_left *left = container_of(timer, struct time_left, timer);
	struct sighand_struct *sighand;
	unsigned long flags;

	WRITE_ONCE(left->up, true);
	sighand = k___lock_task_sighand(left->task, &flags);
	if (__cond_lock(&sighand->siglock, sighand)) {
		k_signal_wake_up_state(left->task, 0);
		spin_unlock_irqrestore(&sighand->siglock, flags);
	}
	hrtimer_forward_now(timer, ms_to_ktime(1));
	return HRTIMER_RESTART;
}

/* is there a signal that @t would take now?  siglock of its handlers is held */
bool ckpt_has_signal(struct task_struct *t)
{
	sigset_t set;

	sigorsets(&set, &t->pending.signal, &t->signal->shared_pending.signal);
	sigandnsets(&set, &set, &t->blocked);
	return !sigisemptyset(&set);
}

static bool interrupted(long ret)
{
	return ret == -EINTR || ret == -ERESTARTSYS || ret == -ERESTARTNOHAND ||
	       ret == -ERESTARTNOINTR;
}

/*
 * A call that ended with its timeout has its caller's signal mask back, while
 * one that was interrupted leaves that to the delivery of the signal.
 */
static void restore_mask(void)
{
	sigset_t mask = current->saved_sigmask;

	if (!test_restore_sigmask())
		return;
	clear_restore_sigmask();
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* the call has been interrupted: what does it return? */
static long answer(const struct ckpt_call *call, bool up)
{
	bool signalled;

	spin_lock_irq(&ckpt_sighand(current)->siglock);
	signalled = ckpt_has_signal(current);
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
	if (!up || signalled) {
		/*
		 * EINTR if a handler runs; else it goes on, after another freeze,
		 * too.  Through the signal path, whoever has cleared the mark.
		 */
		set_tsk_thread_flag(current, TIF_SIGPENDING);
		return -ERESTART_RESTARTBLOCK;
	}
	restore_mask();
	return call->timeout;
}

/*
 * The call runs once more, from restart_syscall(2), with the arguments that are
 * still in current's registers.  Its own timeout begins again; ours ends before.
 */
static long run_call(const struct ckpt_call *call, u64 deadline_ns)
{
	struct time_left left = { .task = current };
	long ret;

	hrtimer_init_on_stack(&left.timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	left.timer.function = time_is_up;
	hrtimer_start(&left.timer, ns_to_ktime(min_t(u64, deadline_ns, KTIME_MAX)),
		      HRTIMER_MODE_ABS);
	ret = ckpt_arch_call_again(call->nr);
	hrtimer_cancel(&left.timer);
	destroy_hrtimer_on_stack(&left.timer);
	return interrupted(ret) ? answer(call, left.up) : ret;
}

/*
 * A call that a signal has ended in the end leaves us here until the next one that
 * has something to restart, as the kernel's own do.  Those run with what they had
 * kept; ours takes current's registers, which may be any by then.  So a filter
 * that was set since is not to be passed by.
 */
static long go_on(struct restart_block *rb)
{
	u64 deadline_ns = rb->futex.time;
	u32 nr = rb->futex.val;
	long ret = -EINTR;

	/* ckpt_calls_exit() waits until nobody is here any more */
	if (current->seccomp.mode == SECCOMP_MODE_DISABLED && try_module_get(THIS_MODULE)) {
		ret = run_call(ckpt_find_call(nr), deadline_ns);
		if (ret == -ERESTART_RESTARTBLOCK)
			ckpt_set_call(rb, nr, deadline_ns);
		module_put(THIS_MODULE);
	}
	if (ret != -ERESTART_RESTARTBLOCK)
		ckpt_no_call(rb);
	return ret;
}

static bool forget_calls(void)
{
	struct task_struct *p, *t;
	bool had = false;

	read_lock(kv_tasklist_lock);
	for_each_process_thread(p, t)
		had |= cmpxchg(&t->restart_block.fn, go_on, ka_do_no_restart_syscall) == go_on;
	read_unlock(kv_tasklist_lock);
	return had;
}

/*
 * The module goes: what has not gone on yet never will, and answers EINTR.  Who
 * sleeps in go_on() keeps the module.
 */
void ckpt_calls_exit(void)
{
	bool had;

	/* fork(2) copies the restart block, and is in no list before it is done */
	do {
		had = forget_calls();
		/* who has read it before has then also left our code, or begun another sleep */
		synchronize_rcu_tasks();
	} while (had);
}
