// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timers that a process has made with timer_create(2), how they are saved.
 * T4.
 *
 * They run on while the process is frozen.  So all of them, and the signals of
 * theirs that wait, are looked at in one moment, with siglock held: a timer then
 * has its expiry ahead, or a signal in a queue, and never both or neither.
 * tasks/timer_restore.c has the way back.
 */
#include <linux/delay.h>
#include <linux/pid_namespace.h>
#include <linux/posix-timers.h>
#include <linux/sched/signal.h>

#include "part.h"
#include "task.h"

/* how often one that is just expiring is let go first */
#define CKPT_TIMER_PASSES 100

struct snapshot {
	struct pid_namespace *ns;
	struct ckpt_image_timer *timers;
	/* .timer is the id, until the timers are known */
	struct ckpt_image_timer_signal *signals;
	u64 nr, nr_signals;
};

/* 0: its task is gone */
static pid_t pid_of(struct pid *pid, enum pid_type type, struct pid_namespace *ns)
{
	pid_t nr = 0;

	rcu_read_lock();
	if (pid_task(pid, type))
		nr = pid_nr_ns(pid, ns);
	rcu_read_unlock();
	return nr;
}

/* the timer's lock is held; false: it is about to send its signal */
static bool save_cpu(struct k_itimer *timer, struct ckpt_image_timer *img, struct pid_namespace *ns)
{
	img->expires = cpu_timer_getexpires(&timer->it.cpu);
	img->clock_pid = pid_of(timer->it.cpu.pid, ckpt_cpu_timer_type(timer), ns);
	if (cpu_timer_queued(&timer->it.cpu))
		img->flags |= CKPT_TIMER_ACTIVE;
	return !timer->it.cpu.firing;
}

/* both locks are held */
static bool save_timer(struct k_itimer *timer, struct ckpt_image_timer *img,
		       struct pid_namespace *ns)
{
	const struct kernel_siginfo *info = &timer->sigq->info;

	*img = (struct ckpt_image_timer) {
		.id = timer->it_id,
		.clockid = timer->it_clock,
		.notify = timer->it_sigev_notify,
		.signo = info->si_signo,
		.value = (unsigned long)info->si_value.sival_ptr,
		.interval = timer->it_interval,
		.overrun = timer->it_overrun,
		.overrun_last = timer->it_overrun_last,
		.requeue = timer->it_requeue_pending,
	};
	if (timer->it_sigev_notify & SIGEV_THREAD_ID)
		img->thread = pid_of(timer->it_pid, PIDTYPE_PID, ns);
	if (ckpt_is_cpu_timer(timer))
		return save_cpu(timer, img, ns);
	if (timer->it_active)
		img->flags |= CKPT_TIMER_ACTIVE;
	if (ckpt_is_alarm_timer(timer)) {
		img->expires = timer->it.alarm.alarmtimer.node.expires;
		return true;
	}
	img->expires = hrtimer_get_expires(&timer->it.real.timer);
	/* a time of the wall clock that is not absolute is counted on another */
	if (timer->it_clock == CLOCK_REALTIME &&
	    timer->it.real.timer.base->clockid == CLOCK_MONOTONIC)
		img->flags |= CKPT_TIMER_RELATIVE;
	return true;
}

/*
 * In the order in which they were made; the list has the newest first.  siglock is
 * held, within which nobody may wait for a timer's lock: whoever has that may be
 * waiting for us.
 */
static bool take_timers(struct signal_struct *sig, struct snapshot *s)
{
	struct k_itimer *timer;
	u64 i = s->nr;
	bool ok;

	ckpt_for_each_posix_timer(timer, sig) {
		if (!i || !spin_trylock(&timer->it_lock))
			return false;
		ok = save_timer(timer, &s->timers[--i], s->ns);
		spin_unlock(&timer->it_lock);
		if (!ok)
			return false;
	}
	return !i;
}

/* siglock is held */
static void take_signals(const struct sigpending *pending, struct snapshot *s)
{
	struct sigqueue *q;
	u32 place = 0;

	list_for_each_entry(q, &pending->list, list) {
		/* tasks/pending.c leaves it out, too */
		if (q->info.si_signo == SIGSTOP)
			continue;
		if (q->flags & SIGQUEUE_PREALLOC && s->nr_signals < s->nr)
			s->signals[s->nr_signals++] = (struct ckpt_image_timer_signal) {
				.timer = q->info.si_tid,
				.sys_private = q->info.si_sys_private,
				.overrun = q->info.si_overrun,
				.place = place,
			};
		place++;
	}
}

/* all in one moment; -EAGAIN when that cannot be had, as when the process dies */
static int take_all(struct ckpt_held *h, struct snapshot *s)
{
	struct task_struct *t;
	bool ok = false;
	int i;

	for (i = 0; i < CKPT_TIMER_PASSES && !ok; i++) {
		if (i)
			usleep_range(10, 50);
		s->nr_signals = 0;
		rcu_read_lock();
		spin_lock_irq(&h->sighand->siglock);
		ok = take_timers(h->task->signal, s);
		if (ok) {
			take_signals(&h->task->signal->shared_pending, s);
			for_each_thread(h->task, t)
				take_signals(&t->pending, s);
		}
		spin_unlock_irq(&h->sighand->siglock);
		rcu_read_unlock();
	}
	return ok ? 0 : -EAGAIN;
}

static u64 count_timers(struct ckpt_held *h)
{
	struct k_itimer *timer;
	u64 nr = 0;

	spin_lock_irq(&h->sighand->siglock);
	ckpt_for_each_posix_timer(timer, h->task->signal)
		nr++;
	spin_unlock_irq(&h->sighand->siglock);
	return nr;
}

/* which of the timers has that id? */
static u64 index_of(const struct snapshot *s, s32 id)
{
	u64 i;

	for (i = 0; i < s->nr && s->timers[i].id != id; i++)
		;
	return i;
}

static int put_signals(struct snapshot *s, struct ckpt_rec_out *rec)
{
	struct ckpt_image_timer_signal *img;
	u64 i, timer;

	if (!s->nr_signals)
		return 0;
	img = ckpt_put_nr(rec, PROCESS, TIMER_SIGNALS, s->nr_signals);
	if (!img)
		return -ENOMEM;
	for (i = 0; i < s->nr_signals; i++) {
		timer = index_of(s, s->signals[i].timer);
		if (timer == s->nr)
			return -EAGAIN;
		img[i] = s->signals[i];
		img[i].timer = timer;
	}
	return 0;
}

/* what timer_create(2) could not make again */
static int refuse_gone(struct ckpt_checkpoint *cp, const struct snapshot *s)
{
	int ret = 0;
	u64 i;

	for (i = 0; i < s->nr; i++) {
		const struct ckpt_image_timer *img = &s->timers[i];

		if (img->notify & SIGEV_THREAD_ID && !img->thread)
			ret = ckpt_refuse(cp, -EOPNOTSUPP, "its POSIX timer %d is for a thread that has ended, which is not supported",
					  img->id);
		else if (img->clockid < 0 && !ckpt_timer_clock_ok(img))
			ret = ckpt_refuse(cp, -EOPNOTSUPP, "its POSIX timer %d counts the CPU time of a task that is gone, which is not supported",
					  img->id);
	}
	return ret;
}

static int save_timers(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec,
		       u64 nr)
{
	struct snapshot s = { .ns = ckpt_save_pid_ns(cp), .nr = nr };
	int ret;

	if (ckpt_lacks(CKPT_FOR_POSIX_TIMERS))
		return ckpt_refuse_lack(cp, CKPT_FOR_POSIX_TIMERS);
	s.timers = ckpt_put_nr(rec, PROCESS, TIMERS, nr);
	s.signals = kvcalloc(nr, sizeof(*s.signals), GFP_KERNEL);
	ret = s.timers && s.signals ? take_all(h, &s) : -ENOMEM;
	if (!ret)
		ret = put_signals(&s, rec);
	if (!ret)
		ret = refuse_gone(cp, &s);
	kvfree(s.signals);
	return ret;
}

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	u32 next = READ_ONCE(h->task->signal->next_posix_timer_id);
	u64 nr = count_timers(h);

	if (next) {
		struct ckpt_image_next_timer *img = ckpt_put(rec, PROCESS, NEXT_TIMER);

		if (!img)
			return -ENOMEM;
		img->id = next;
	}
	return nr ? save_timers(cp, h, rec, nr) : 0;
}

static bool clock_known(s32 clockid)
{
	return clockid == CLOCK_REALTIME || clockid == CLOCK_MONOTONIC ||
	       clockid == CLOCK_BOOTTIME || clockid == CLOCK_TAI ||
	       clockid == CLOCK_REALTIME_ALARM || clockid == CLOCK_BOOTTIME_ALARM;
}

/* a clock of CPU time says whose, by number, or that it is that of who has made the timer */
bool ckpt_timer_clock_ok(const struct ckpt_image_timer *img)
{
	if (img->clockid >= 0)
		return clock_known(img->clockid) && !img->clock_pid;
	return CPUCLOCK_WHICH(img->clockid) < CPUCLOCK_MAX &&
	       img->clock_pid > 0 && img->clock_pid <= PID_MAX_LIMIT &&
	       (!CPUCLOCK_PID(img->clockid) || CPUCLOCK_PID(img->clockid) == img->clock_pid);
}

/*
 * The kernel trusts what it keeps of a timer, so that no more may be in an image
 * than it would have there.  Notification and signal are timer_create(2)'s to judge.
 */
static bool timer_ok(const struct ckpt_image_timer *img)
{
	const s64 most = S64_MAX / 2;

	return img->id >= 0 && img->interval <= KTIME_MAX && img->expires <= KTIME_MAX &&
	       img->overrun >= -1 && img->overrun <= most &&
	       img->overrun_last >= -1 && img->overrun_last <= most &&
	       /* without a signal it is never queued */
	       (img->notify != SIGEV_NONE || img->clockid < 0 ||
		!(img->flags & CKPT_TIMER_ACTIVE)) &&
	       (img->clockid == CLOCK_REALTIME || !(img->flags & CKPT_TIMER_RELATIVE)) &&
	       /* one that runs does not wait for its signal to be taken */
	       (!(img->flags & CKPT_TIMER_ACTIVE) || !(img->requeue & REQUEUE_PENDING)) &&
	       ckpt_timer_clock_ok(img);
}

static bool signal_ok(const struct ckpt_image_timer *timers, u64 nr,
		      const struct ckpt_image_timer_signal *img)
{
	int signo;

	if (img->timer >= nr || img->overrun < 0 || timers[img->timer].notify == SIGEV_NONE)
		return false;
	/* with others the timer is started again, even if it runs */
	if (img->sys_private && !(img->sys_private & REQUEUE_PENDING))
		return false;
	signo = timers[img->timer].signo;
	return signo > 0 && valid_signal(signo) && !sig_kernel_only(signo);
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_next_timer *next = ckpt_get(buf, PROCESS, NEXT_TIMER);
	const struct ckpt_image_timer_signal *signals;
	const struct ckpt_image_timer *timers;
	bool ok = !next || next->id <= INT_MAX;
	u64 i, nr, nr_signals;

	timers = ckpt_get_nr(buf, PROCESS, TIMERS, &nr);
	for (i = 0; i < nr && ok; i++)
		ok = timer_ok(&timers[i]);
	signals = ckpt_get_nr(buf, PROCESS, TIMER_SIGNALS, &nr_signals);
	for (i = 0; i < nr_signals && ok; i++)
		ok = signal_ok(timers, nr, &signals[i]);
	if (!ok)
		return ckpt_malformed(log, buf);
	return nr && ckpt_lacks(CKPT_FOR_POSIX_TIMERS) ?
		ckpt_fail_lack(log, CKPT_FOR_POSIX_TIMERS) : 0;
}

const struct ckpt_task_part ckpt_part_posix_timers = {
	.name = "POSIX timers",
	.process = true,
	/* while there is the helper's memory, through which timer_create(2) is asked */
	.stage = CKPT_STAGE_FILES,
	.save = save,
	.check = check,
	.restore = ckpt_restore_timers,
	.finish = ckpt_finish_timers,
	.go = ckpt_start_timers,
};
