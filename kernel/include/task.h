/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of tasks/ have for each other and for the rooms around them. */
#ifndef _CKPT_TASK_H
#define _CKPT_TASK_H

#include <linux/posix-timers.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "restore.h"
#include "save.h"

/* current's, or that of a task that is locked: it does not change */
static inline struct sighand_struct *ckpt_sighand(struct task_struct *t)
{
	return rcu_dereference_raw(t->sighand);
}

/* pending.c: signals that wait in a queue */
struct ckpt_image_siginfo *ckpt_save_pending(struct ckpt_held *h, bool shared,
					     struct ckpt_rec_out *rec, u16 tag, u64 *nr);
bool ckpt_stop_pending(struct ckpt_held *h);

/* filters.c: is the kernel's struct as we know it?  When the module is loaded */
void ckpt_filters_init(void);

/* posix_timers.c: what a timer counts */
static inline bool ckpt_is_cpu_timer(const struct k_itimer *timer)
{
	return timer->it_clock < 0;
}

static inline bool ckpt_is_alarm_timer(const struct k_itimer *timer)
{
	return timer->it_clock == CLOCK_REALTIME_ALARM || timer->it_clock == CLOCK_BOOTTIME_ALARM;
}

static inline enum pid_type ckpt_cpu_timer_type(const struct k_itimer *timer)
{
	return CPUCLOCK_PERTHREAD(timer->it_clock) ? PIDTYPE_PID : PIDTYPE_TGID;
}

bool ckpt_timer_clock_ok(const struct ckpt_image_timer *img);

/* timer_restore.c */
u64 ckpt_expiry_here(struct ckpt_restart *rs, clockid_t clockid, u64 expires);
int ckpt_restore_timers(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf);
void ckpt_finish_timers(struct task_struct *leader, const struct ckpt_rec_buf *buf);
void ckpt_start_timers(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf);

#endif
