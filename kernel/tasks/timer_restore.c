// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timers of timer_create(2) in a restart, in three steps.  T4.
 *
 * They are made by the system call, each with its id, and get what the kernel
 * keeps of them, but stand still.  When everybody is complete the signals that
 * have waited are in their queues again.  At last, when the process is about to
 * run, those that ran are started.
 */
#include <linux/overflow.h>
#include <linux/posix-timers.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include <linux/signalfd.h>
#include <linux/tick.h>
#include <linux/time64.h>
#include <linux/uaccess.h>

#include "part.h"
#include "task.h"

/* what the system calls are given, in a page of the helper's */
struct arguments {
	sigevent_t event;
	struct __kernel_itimerspec its;
	int id;
};

/*
 * A timer of @t's process with its lock held, and interrupts off, which were as
 * @flags says.  That lock is taken outside of siglock, without which no timer may
 * be looked at: so it is tried only.  NULL: it is gone.
 */
static struct k_itimer *__lock_timer(struct task_struct *t, int id, unsigned long *flags)
{
	struct sighand_struct *sighand;
	struct k_itimer *timer;
	bool found, locked;

	do {
		found = false;
		locked = false;
		sighand = k___lock_task_sighand(t, flags);
		if (!__cond_lock(&sighand->siglock, sighand))
			return NULL;
		ckpt_for_each_posix_timer(timer, t->signal) {
			found = timer->it_id == id;
			if (found)
				break;
		}
		if (found)
			locked = spin_trylock(&timer->it_lock);
		if (locked) {
			/* interrupts stay off; lock_timer() tells sparse that the other lock is held */
			spin_unlock(&sighand->siglock);
			__release(&timer->it_lock);
			return timer;
		}
		spin_unlock_irqrestore(&sighand->siglock, *flags);
		cpu_relax();
	} while (found);
	return NULL;
}

#define lock_timer(t, id, flags)						\
({									\
	struct k_itimer *__timer;					\
									\
	__cond_lock(&__timer->it_lock, __timer = __lock_timer(t, id, flags)); \
	__timer;							\
})

static void unlock_timer(struct k_itimer *timer, unsigned long flags)
	__releases(&timer->it_lock)
{
	spin_unlock_irqrestore(&timer->it_lock, flags);
}

/* First step */

/*
 * ckpt_expiry_here - when what expires at @expires, in ns on clock @clockid of the
 * image, does so here
 *
 * Time that passed since the checkpoint counts, within one boot.
 */
u64 ckpt_expiry_here(struct ckpt_restart *rs, clockid_t clockid, u64 expires)
{
	s64 shift = ckpt_restore_shift(rs), here;

	switch (clockid) {
	case CLOCK_MONOTONIC:
		break;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		if (shift)
			shift = ktime_get_boottime_ns() - ckpt_restore_system(rs)->boottime_ns;
		break;
	default:
		/* wall clocks, and the CPU time of the tasks, which goes on */
		return expires;
	}
	if (check_add_overflow((s64)expires, shift, &here))
		return KTIME_MAX;
	return max_t(s64, 0, here);
}

/* for whom the clock counts is named, as who makes the timer may be another */
static clockid_t clock_of(const struct ckpt_image_timer *img)
{
	if (img->clockid >= 0)
		return img->clockid;
	return (~(clockid_t)img->clock_pid * 8) |
	       (img->clockid & (CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_CLOCK_MASK));
}

/* the next timer that is made gets that id, unless it is another timer's */
static int create(struct arguments __user *args, const struct ckpt_image_timer *img)
{
	sigevent_t event = {
		.sigev_value.sival_ptr = (void __user *)(unsigned long)img->value,
		.sigev_signo = img->signo,
		.sigev_notify = img->notify,
	};
	long ret;
	int id;

	if (img->notify & SIGEV_THREAD_ID)
		event.sigev_notify_thread_id = img->thread;
	if (copy_to_user(&args->event, &event, sizeof(event)))
		return -EFAULT;
	current->signal->next_posix_timer_id = img->id;
	ret = ckpt_syscall(timer_create, clock_of(img), (unsigned long)&args->event,
			   (unsigned long)&args->id);
	if (ret)
		return ret;
	if (get_user(id, &args->id))
		return -EFAULT;
	return id == img->id ? 0 : -EEXIST;
}

/*
 * How a timer counts, and what it does then, is decided when it is set; so it is
 * set to a time that will never come.
 */
static int set_never(struct arguments __user *args, const struct ckpt_image_timer *img)
{
	struct itimerspec64 its = { .it_value = { .tv_sec = KTIME_SEC_MAX } };
	int flags = img->flags & CKPT_TIMER_RELATIVE ? 0 : TIMER_ABSTIME;

	if (put_itimerspec64(&its, &args->its))
		return -EFAULT;
	return ckpt_syscall(timer_settime, img->id, flags, (unsigned long)&args->its, 0);
}

static void set_expiry(struct k_itimer *timer, u64 expires)
{
	if (ckpt_is_cpu_timer(timer)) {
		cpu_timer_setexpires(&timer->it.cpu, expires);
	} else if (ckpt_is_alarm_timer(timer)) {
		timer->it.alarm.alarmtimer.node.expires = expires;
	} else {
		hrtimer_try_to_cancel(&timer->it.real.timer);
		hrtimer_set_expires(&timer->it.real.timer, expires);
	}
}

/* as it was, but that it stands still: "active" already, so that it is not taken for expired */
static int fill(struct ckpt_restart *rs, const struct ckpt_image_timer *img)
{
	clockid_t counted_on = img->flags & CKPT_TIMER_RELATIVE ? CLOCK_MONOTONIC : img->clockid;
	u64 expires = ckpt_expiry_here(rs, counted_on, img->expires);
	struct k_itimer *timer;
	unsigned long flags;

	timer = lock_timer(current, img->id, &flags);
	if (!timer)
		return -EINVAL;
	if (ckpt_is_cpu_timer(timer) != (img->clockid < 0)) {
		unlock_timer(timer, flags);
		return -EINVAL;
	}
	set_expiry(timer, expires);
	timer->it_interval = img->interval;
	timer->it_overrun = img->overrun;
	timer->it_overrun_last = img->overrun_last;
	timer->it_requeue_pending = img->requeue;
	timer->it_active = !!(img->flags & CKPT_TIMER_ACTIVE);
	/* of the same kind, as clock_of() says */
	if (ckpt_is_cpu_timer(timer))
		timer->it_clock = img->clockid;
	unlock_timer(timer, flags);
	return 0;
}

static int make(struct ckpt_restart *rs, const struct ckpt_image_timer *img)
{
	struct arguments __user *args = (void __user *)ckpt_scratch(rs);
	int ret;

	ret = create(args, img);
	if (!ret && img->clockid >= 0 && img->clockid != CLOCK_REALTIME_ALARM &&
	    img->clockid != CLOCK_BOOTTIME_ALARM)
		ret = set_never(args, img);
	return ret ? : fill(rs, img);
}

static int not_made(struct ckpt_restart *rs, const struct ckpt_image_timer *img, int err)
{
	const char *why = "";

	if (err == -EPERM)
		why = " (an alarm clock wants CAP_WAKE_ALARM)";
	else if (err == -EAGAIN)
		why = " (it counts for the RLIMIT_SIGPENDING of who restarts)";
	else if (err == -EOPNOTSUPP)
		why = " (an alarm clock wants a real-time clock that wakes the machine)";
	if (img->clockid < 0)
		return ckpt_fail(ckpt_restore_log(rs), err, "process %d: its POSIX timer %d on a clock of CPU time cannot be made: error %d%s",
				 task_tgid_vnr(current), img->id, -err, why);
	return ckpt_fail(ckpt_restore_log(rs), err, "process %d: its POSIX timer %d on clock %d cannot be made: error %d%s",
			 task_tgid_vnr(current), img->id, img->clockid, -err, why);
}

int ckpt_restore_timers(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_next_timer *next = ckpt_get(buf, PROCESS, NEXT_TIMER);
	const struct ckpt_image_timer *timers;
	int ret = 0;
	u64 i, nr;

	timers = ckpt_get_nr(buf, PROCESS, TIMERS, &nr);
	for (i = 0; i < nr && !ret; i++) {
		ret = make(rs, &timers[i]);
		if (ret)
			ret = not_made(rs, &timers[i], ret);
	}
	current->signal->next_posix_timer_id = next ? next->id : 0;
	return ret;
}

/* Second step */

/* siglock of who has the queue is held */
static void insert(struct sigpending *pending, struct sigqueue *q, u32 place)
{
	struct list_head *at = pending->list.next;

	/* an image may have one twice */
	if (!list_empty(&q->list))
		return;
	while (place-- && at != &pending->list)
		at = at->next;
	list_add_tail(&q->list, at);
	sigaddset(&pending->signal, q->info.si_signo);
}

/*
 * The timer's own entry, and not a copy: when it is taken out the timer starts
 * again, and until then it counts what it misses.
 */
static void queue(struct k_itimer *timer, const struct ckpt_image_timer_signal *img)
{
	enum pid_type type = timer->it_sigev_notify & SIGEV_THREAD_ID ? PIDTYPE_PID : PIDTYPE_TGID;
	struct sighand_struct *sighand;
	struct task_struct *t;
	unsigned long flags;

	rcu_read_lock();
	t = pid_task(timer->it_pid, type);
	sighand = t ? k___lock_task_sighand(t, &flags) : NULL;
	if (__cond_lock(&sighand->siglock, sighand)) {
		timer->sigq->info.si_sys_private = img->sys_private;
		timer->sigq->info.si_overrun = img->overrun;
		insert(type == PIDTYPE_PID ? &t->pending : &t->signal->shared_pending,
		       timer->sigq, img->place);
		/* an epoll file that watches a signalfd was here before it */
		signalfd_notify(t, timer->sigq->info.si_signo);
		spin_unlock_irqrestore(&sighand->siglock, flags);
	}
	rcu_read_unlock();
}

/* the other signals are in the queues, and all threads sleep */
void ckpt_finish_timers(struct task_struct *leader, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_timer *timers = ckpt_get(buf, PROCESS, TIMERS);
	const struct ckpt_image_timer_signal *signals;
	struct k_itimer *timer;
	unsigned long flags;
	u64 i, nr;

	signals = ckpt_get_nr(buf, PROCESS, TIMER_SIGNALS, &nr);
	for (i = 0; i < nr; i++) {
		timer = lock_timer(leader, timers[signals[i].timer].id, &flags);
		if (!timer)
			continue;
		queue(timer, &signals[i]);
		unlock_timer(timer, flags);
	}
}

/* Third step: other threads run by now, and may have set or deleted what they like */

/* siglock of @t, whose CPU time it is, is held */
static void enqueue_cpu(struct k_itimer *timer, struct task_struct *t)
{
	bool thread = CPUCLOCK_PERTHREAD(timer->it_clock);
	struct posix_cputimers *pct = thread ? &t->posix_cputimers : &t->signal->posix_cputimers;
	struct posix_cputimer_base *base = &pct->bases[CPUCLOCK_WHICH(timer->it_clock)];
	u64 expires = cpu_timer_getexpires(&timer->it.cpu);
	u64 never = U64_MAX;

	/* the sum of a process is only kept while somebody wants it */
	if (!thread)
		k_set_process_cpu_timer(t, CPUCLOCK_PROF, &never, NULL);
	if (cpu_timer_enqueue(&base->tqhead, &timer->it.cpu) && expires < base->nextevt)
		base->nextevt = expires;
	if (thread)
		tick_dep_set_task(t, TICK_DEP_BIT_POSIX_TIMER);
}

static void start_cpu(struct k_itimer *timer, u64 expires)
{
	struct cpu_timer *ctmr = &timer->it.cpu;
	struct sighand_struct *sighand;
	struct task_struct *t;
	unsigned long flags;

	if (timer->it_sigev_notify == SIGEV_NONE && !CKPT_CPU_TIMER_NONE_QUEUED)
		return;
	rcu_read_lock();
	do {
		/* an execve() of a thread gives it another leader */
		t = pid_task(ctmr->pid, ckpt_cpu_timer_type(timer));
		sighand = t ? k___lock_task_sighand(t, &flags) : NULL;
	} while (t && !sighand);
	if (__cond_lock(&sighand->siglock, sighand)) {
		if (!cpu_timer_queued(ctmr) && !ctmr->firing &&
		    cpu_timer_getexpires(ctmr) == expires)
			enqueue_cpu(timer, t);
		spin_unlock_irqrestore(&sighand->siglock, flags);
	}
	rcu_read_unlock();
}

/* one that is active and not queued is as we have left it; its lock is held */
static void start(struct k_itimer *timer, u64 cpu_expires)
{
	struct alarm *alarm = &timer->it.alarm.alarmtimer;
	struct hrtimer *real = &timer->it.real.timer;

	if (!timer->it_active)
		return;
	if (ckpt_is_cpu_timer(timer)) {
		start_cpu(timer, cpu_expires);
	} else if (ckpt_is_alarm_timer(timer)) {
		if (!(alarm->state & ALARMTIMER_STATE_ENQUEUED) && !hrtimer_active(&alarm->timer))
			alarm_start(alarm, alarm->node.expires);
	} else if (!hrtimer_active(real)) {
		hrtimer_start_expires(real, HRTIMER_MODE_ABS);
	}
}

static void start_one(const struct ckpt_image_timer *img)
{
	struct k_itimer *timer;
	unsigned long flags;

	timer = lock_timer(current, img->id, &flags);
	if (!timer)
		return;
	start(timer, img->expires);
	unlock_timer(timer, flags);
}

void ckpt_start_timers(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_timer *timers;
	u64 i, nr;

	timers = ckpt_get_nr(buf, PROCESS, TIMERS, &nr);
	for (i = 0; i < nr; i++)
		if (timers[i].flags & CKPT_TIMER_ACTIVE)
			start_one(&timers[i]);
}
