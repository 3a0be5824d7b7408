// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task that was frozen in a sleep with a timeout goes on with it: it returns
 * to user space with -ERESTART_RESTARTBLOCK, and restart_syscall(2) finds here
 * what is left.  Those of call_restart.c are the engine's own.  S4, T4.
 */
#include <linux/alarmtimer.h>
#include <linux/capability.h>
#include <linux/posix-timers.h>
#include <linux/restart_block.h>
#include <linux/time64.h>

#include "arch.h"
#include "call.h"
#include "part.h"
#include "task.h"

static void save_futex(const struct restart_block *rb, struct ckpt_image_restart_block *img)
{
	img->kind = CKPT_RESTART_FUTEX;
	img->uaddr = (unsigned long)rb->futex.uaddr;
	img->val = rb->futex.val;
	img->bitset = rb->futex.bitset;
	img->expires_ns = rb->futex.time;
	if (rb->futex.flags & CKPT_FLAGS_SHARED)
		img->flags |= CKPT_FUTEX_SHARED;
	if (rb->futex.flags & CKPT_FLAGS_CLOCKRT)
		img->flags |= CKPT_FUTEX_CLOCKRT;
	if (rb->futex.flags & CKPT_FLAGS_HAS_TIMEOUT)
		img->flags |= CKPT_FUTEX_TIMEOUT;
}

static void save_poll(const struct restart_block *rb, struct ckpt_image_restart_block *img)
{
	img->kind = CKPT_RESTART_POLL;
	img->uaddr = (unsigned long)rb->poll.ufds;
	img->nfds = rb->poll.nfds;
	img->has_timeout = rb->poll.has_timeout;
	if (rb->poll.has_timeout)
		img->expires_ns = rb->poll.tv_sec * NSEC_PER_SEC + rb->poll.tv_nsec;
}

/* the sleeps of nanosleep(2) and clock_nanosleep(2) keep the same, each for a function of its own */
static void save_nanosleep(const struct restart_block *rb, struct ckpt_image_restart_block *img,
			   u32 kind)
{
	img->kind = kind;
	img->clockid = rb->nanosleep.clockid;
	img->type = rb->nanosleep.type;
	img->uaddr = (unsigned long)rb->nanosleep.rmtp;
	img->expires_ns = rb->nanosleep.expires;
}

/* alarm clocks have numbers of their own there */
static void save_alarm(const struct restart_block *rb, struct ckpt_image_restart_block *img)
{
	save_nanosleep(rb, img, CKPT_RESTART_ALARM);
	img->clockid = rb->nanosleep.clockid == ALARM_BOOTTIME ? CLOCK_BOOTTIME_ALARM :
		       CLOCK_REALTIME_ALARM;
}

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	const struct restart_block *rb = &h->task->restart_block;
	struct ckpt_image_restart_block *img;

	if (!ckpt_arch_in_restart_block(h->task))
		return 0;
	if (ckpt_arch_in_compat_restart(h->task))
		return ckpt_refuse(cp, -EOPNOTSUPP, "it sleeps in a 32-bit system call (int 0x80), which cannot be resumed");
	img = ckpt_put(rec, TASK, RESTART);
	if (!img)
		return -ENOMEM;
	if (rb->fn == ka_hrtimer_nanosleep_restart)
		save_nanosleep(rb, img, CKPT_RESTART_NANOSLEEP);
	else if (rb->fn == ka_posix_cpu_nsleep_restart)
		save_nanosleep(rb, img, CKPT_RESTART_CPU);
	else if (rb->fn == ka_alarm_timer_nsleep_restart)
		save_alarm(rb, img);
	else if (rb->fn == ka_do_restart_poll)
		save_poll(rb, img);
	else if (rb->fn == ka_futex_wait_restart)
		save_futex(rb, img);
	else if (ckpt_get_call(rb, &img->val, &img->expires_ns))
		img->kind = CKPT_RESTART_CALL;
	else if (rb->fn != ka_do_no_restart_syscall)
		return ckpt_refuse(cp, -EOPNOTSUPP, "it sleeps in a system call that cannot be resumed (%ps)",
				   rb->fn);
	return 0;
}

/* whose function has been found; 0 or -EOPNOTSUPP */
static int check_symbol(struct ckpt_log *log, u32 kind)
{
	enum ckpt_purpose purpose = CKPT_FOR_ALL;

	if (kind == CKPT_RESTART_NANOSLEEP)
		purpose = CKPT_FOR_NANOSLEEP;
	else if (kind == CKPT_RESTART_CPU)
		purpose = CKPT_FOR_CPU_NANOSLEEP;
	else if (kind == CKPT_RESTART_ALARM)
		purpose = CKPT_FOR_ALARM_NANOSLEEP;
	else if (kind == CKPT_RESTART_POLL)
		purpose = CKPT_FOR_POLL;
	else if (kind == CKPT_RESTART_FUTEX)
		purpose = CKPT_FOR_FUTEX;
	return ckpt_lacks(purpose) ? ckpt_fail_lack(log, purpose) : 0;
}

static bool can_sleep_on(u32 kind, s32 clockid)
{
	if (kind == CKPT_RESTART_CPU)
		return clockid < 0 && CPUCLOCK_WHICH(clockid) < CPUCLOCK_MAX;
	if (kind == CKPT_RESTART_ALARM)
		return clockid == CLOCK_REALTIME_ALARM || clockid == CLOCK_BOOTTIME_ALARM;
	return clockid == CLOCK_REALTIME || clockid == CLOCK_MONOTONIC ||
	       clockid == CLOCK_BOOTTIME || clockid == CLOCK_TAI;
}

static bool is_nanosleep(u32 kind)
{
	return kind == CKPT_RESTART_NANOSLEEP || kind == CKPT_RESTART_CPU ||
	       kind == CKPT_RESTART_ALARM;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_restart_block *img = ckpt_get(buf, TASK, RESTART);

	if (!img)
		return 0;
	if (img->kind > CKPT_RESTART_ALARM ||
	    (img->kind == CKPT_RESTART_CALL && !ckpt_call_can_go_on(img->val)) ||
	    (is_nanosleep(img->kind) &&
	     (!can_sleep_on(img->kind, img->clockid) || img->expires_ns > KTIME_MAX ||
	      (img->type != TT_NONE && img->type != TT_NATIVE))))
		return ckpt_malformed(log, buf);
	return check_symbol(log, img->kind);
}

static u64 shifted(struct ckpt_restart *rs, u64 ns, bool realtime)
{
	return realtime ? ns : ns + ckpt_restore_shift(rs);
}

static void restore_futex(struct ckpt_restart *rs, const struct ckpt_image_restart_block *img,
			  struct restart_block *rb)
{
	u32 flags = CKPT_FLAGS_SIZE_32;

	if (img->flags & CKPT_FUTEX_SHARED)
		flags |= CKPT_FLAGS_SHARED;
	if (img->flags & CKPT_FUTEX_CLOCKRT)
		flags |= CKPT_FLAGS_CLOCKRT;
	if (img->flags & CKPT_FUTEX_TIMEOUT)
		flags |= CKPT_FLAGS_HAS_TIMEOUT;
	rb->futex.uaddr = (u32 __user *)(unsigned long)img->uaddr;
	rb->futex.val = img->val;
	rb->futex.bitset = img->bitset;
	rb->futex.flags = flags;
	rb->futex.time = shifted(rs, img->expires_ns, img->flags & CKPT_FUTEX_CLOCKRT);
	rb->fn = ka_futex_wait_restart;
}

static void restore_poll(struct ckpt_restart *rs, const struct ckpt_image_restart_block *img,
			 struct restart_block *rb)
{
	u64 expires = shifted(rs, img->expires_ns, false);

	rb->poll.ufds = (void __user *)(unsigned long)img->uaddr;
	rb->poll.nfds = img->nfds;
	rb->poll.has_timeout = !!img->has_timeout;
	rb->poll.tv_sec = div_u64(expires, NSEC_PER_SEC);
	rb->poll.tv_nsec = expires - rb->poll.tv_sec * NSEC_PER_SEC;
	rb->fn = ka_do_restart_poll;
}

static void restore_nanosleep(struct ckpt_restart *rs,
			      const struct ckpt_image_restart_block *img,
			      struct restart_block *rb)
{
	rb->nanosleep.clockid = img->clockid;
	rb->nanosleep.type = img->type;
	rb->nanosleep.rmtp = (void __user *)(unsigned long)img->uaddr;
	rb->nanosleep.expires = ckpt_expiry_here(rs, img->clockid, img->expires_ns);
	rb->fn = ka_hrtimer_nanosleep_restart;
}

static void restore_cpu(struct ckpt_restart *rs, const struct ckpt_image_restart_block *img,
			struct restart_block *rb)
{
	restore_nanosleep(rs, img, rb);
	rb->fn = ka_posix_cpu_nsleep_restart;
}

/* what clock_nanosleep(2) asks for */
static int restore_alarm(struct ckpt_restart *rs, const struct ckpt_image_restart_block *img,
			 struct restart_block *rb)
{
	if (!capable(CAP_WAKE_ALARM))
		return ckpt_fail(ckpt_restore_log(rs), -EPERM,
				 "task %d sleeps on an alarm clock, for which who restarts has no CAP_WAKE_ALARM",
				 task_pid_vnr(current));
	restore_nanosleep(rs, img, rb);
	rb->nanosleep.clockid = img->clockid == CLOCK_BOOTTIME_ALARM ? ALARM_BOOTTIME : ALARM_REALTIME;
	rb->fn = ka_alarm_timer_nsleep_restart;
	return 0;
}

/* into current's; addresses are checked by the system calls when they use them */
static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_restart_block *img = ckpt_get(buf, TASK, RESTART);
	struct restart_block *rb = &current->restart_block;

	rb->arch_data = 0;
	rb->fn = ka_do_no_restart_syscall;
	switch (img ? img->kind : CKPT_RESTART_NONE) {
	case CKPT_RESTART_FUTEX:
		restore_futex(rs, img, rb);
		break;
	case CKPT_RESTART_POLL:
		restore_poll(rs, img, rb);
		break;
	case CKPT_RESTART_NANOSLEEP:
		restore_nanosleep(rs, img, rb);
		break;
	case CKPT_RESTART_CPU:
		restore_cpu(rs, img, rb);
		break;
	case CKPT_RESTART_ALARM:
		return restore_alarm(rs, img, rb);
	case CKPT_RESTART_CALL:
		ckpt_set_call(rb, img->val, shifted(rs, img->expires_ns, false));
		break;
	}
	return 0;
}

const struct ckpt_task_part ckpt_part_sleep = {
	.name = "sleep",
	.stage = CKPT_STAGE_TASK,
	.save = save,
	.check = check,
	.restore = restore,
};
