// SPDX-License-Identifier: GPL-2.0-only
/* The interval timers of a process, with the signals that wait for all its threads.  T3, T4. */
#include <linux/hrtimer.h>
#include <linux/posix-timers.h>
#include <linux/sched/signal.h>
#include <linux/time.h>

#include "part.h"
#include "task.h"

static bool among(const struct ckpt_image_siginfo *infos, u64 nr, int sig)
{
	u64 i;

	for (i = 0; i < nr; i++)
		if (((const struct kernel_siginfo *)infos[i].info)->si_signo == sig)
			return true;
	return false;
}

static const struct {
	int which, clock;
} cpu_timers[] = {
	{ ITIMER_VIRTUAL, CPUCLOCK_VIRT },
	{ ITIMER_PROF, CPUCLOCK_PROF },
};

/* siglock is held; a timer that runs has the kernel keep the sum */
static u64 cpu_time(const struct signal_struct *sig, int clock)
{
	const struct task_cputime_atomic *sum = &sig->cputimer.cputime_atomic;
	u64 utime = atomic64_read(&sum->utime);

	return clock == CPUCLOCK_VIRT ? utime : utime + atomic64_read(&sum->stime);
}

/* who stands still uses no time */
static void save_cpu(struct ckpt_held *h, struct ckpt_image_itimer *img)
{
	const struct signal_struct *sig = h->task->signal;
	int i;

	spin_lock_irq(&h->sighand->siglock);
	for (i = 0; i < ARRAY_SIZE(cpu_timers); i++) {
		const struct cpu_itimer *it = &sig->it[cpu_timers[i].clock];
		s64 left = it->expires - cpu_time(sig, cpu_timers[i].clock);

		img[cpu_timers[i].which].interval = it->incr;
		if (it->expires)
			img[cpu_timers[i].which].value = max_t(s64, 1, left);
	}
	spin_unlock_irq(&h->sighand->siglock);
}

/*
 * ITIMER_REAL runs on while the process is frozen.  Whether it did is looked at
 * before the pending signals: what it has sent since may not be among them, and
 * then it is saved as about to send it.
 */
static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_itimer *img = ckpt_put_nr(rec, PROCESS, ITIMERS, 3);
	struct signal_struct *sig = h->task->signal;
	bool armed = hrtimer_active(&sig->real_timer);
	struct ckpt_image_siginfo *infos;
	u64 nr;

	if (!img)
		return -ENOMEM;
	infos = ckpt_save_pending(h, true, rec, CKPT_TAG_PROCESS_PENDING, &nr);
	if (IS_ERR(infos))
		return PTR_ERR(infos);
	save_cpu(h, img);
	img += ITIMER_REAL;
	img->interval = ktime_to_ns(sig->it_real_incr);
	if (hrtimer_active(&sig->real_timer)) {
		s64 left = ktime_to_ns(hrtimer_get_remaining(&sig->real_timer));

		/* as counted from the clocks in SYSTEM */
		img->value = max_t(s64, 1, left + ktime_get_ns() - ckpt_save_clock(cp));
	} else if (armed && !among(infos, nr, SIGALRM)) {
		img->value = 1;
	}
	return 0;
}

/* the interval is here before any thread runs: the first that takes a SIGALRM starts it again */
static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_itimer *img = ckpt_get(buf, PROCESS, ITIMERS);
	struct signal_struct *sig = current->signal;
	int i;

	spin_lock_irq(&ckpt_sighand(current)->siglock);
	sig->it_real_incr = ns_to_ktime(min_t(u64, img[ITIMER_REAL].interval, KTIME_MAX));
	for (i = 0; i < ARRAY_SIZE(cpu_timers); i++)
		sig->it[cpu_timers[i].clock].incr = min_t(u64, img[cpu_timers[i].which].interval,
							  KTIME_MAX);
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
	return 0;
}

/* another thread may have set its own by now, or none, which takes the interval away */
static void start_cpu(const struct ckpt_image_itimer *img, int clock)
{
	struct cpu_itimer *it = &current->signal->it[clock];
	u64 value = min_t(u64, img->value, KTIME_MAX / 2), old = 0;

	spin_lock_irq(&ckpt_sighand(current)->siglock);
	if (value && !it->expires && it->incr == min_t(u64, img->interval, KTIME_MAX)) {
		k_set_process_cpu_timer(current, clock, &value, &old);
		it->expires = value;
	}
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
}

/* time that passed since the checkpoint counts, within one boot */
static void start_real(struct ckpt_restart *rs, const struct ckpt_image_itimer *img)
{
	s64 value = min_t(u64, img->value, KTIME_MAX / 2);

	if (!img->value)
		return;
	value = max_t(s64, 1, value + ckpt_restore_system(rs)->monotonic_ns +
		      ckpt_restore_shift(rs) - ktime_get_ns());
	spin_lock_irq(&ckpt_sighand(current)->siglock);
	hrtimer_start(&current->signal->real_timer, ns_to_ktime(value), HRTIMER_MODE_REL);
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
}

static void go(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_itimer *img = ckpt_get(buf, PROCESS, ITIMERS);
	int i;

	start_real(rs, &img[ITIMER_REAL]);
	for (i = 0; i < ARRAY_SIZE(cpu_timers); i++)
		start_cpu(&img[cpu_timers[i].which], cpu_timers[i].clock);
}

const struct ckpt_task_part ckpt_part_itimers = {
	.name = "interval timers",
	.process = true,
	.stage = CKPT_STAGE_PROCESS,
	.save = save,
	.restore = restore,
	.go = go,
};
