// SPDX-License-Identifier: GPL-2.0-only
/* timerfd.  It is restored to its absolute expiry on its own clock.  C4, T4. */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/time64.h>
#include <linux/timerfd.h>
#include <linux/uaccess.h>

#include "file.h"

static bool timerfd_mine(struct file *file)
{
	return file->f_op == kv_timerfd_fops;
}

static int parse_pair(const char *info, const char *key, u64 *ns)
{
	const char *p = strstr(info, key);
	unsigned long long sec, nsec;

	if (!p || sscanf(p + strlen(key), "%llu, %llu", &sec, &nsec) != 2)
		return -EINVAL;
	*ns = sec * NSEC_PER_SEC + nsec;
	return 0;
}

static int parse(const char *info, struct ckpt_image_file_timerfd *img)
{
	u64 clockid, flags;

	if (ckpt_fdinfo_u64(info, "clockid:", 10, &clockid) ||
	    ckpt_fdinfo_u64(info, "ticks:", 10, &img->ticks) ||
	    ckpt_fdinfo_u64(info, "settime flags:", 8, &flags) ||
	    parse_pair(info, "it_value: (", &img->value) ||
	    parse_pair(info, "it_interval: (", &img->interval))
		return -EINVAL;
	img->clockid = clockid;
	img->settime_flags = flags;
	return 0;
}

/* what fdinfo does not tell */
static int save_state(struct ckpt_checkpoint *cp, struct file *file,
		      struct ckpt_image_file_timerfd *img)
{
	struct ckpt_timerfd_ctx *ctx = file->private_data;

	if (ctx->clockid != img->clockid || ctx->settime_flags != img->settime_flags)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a timerfd is not what it is in the kernels that are supported");
	spin_lock_irq(&ctx->wqh.lock);
	if (ctx->might_cancel && ctx->moffs == KTIME_MAX)
		img->state |= CKPT_TIMERFD_CANCELED;
	spin_unlock_irq(&ctx->wqh.lock);
	return 0;
}

static int timerfd_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_file_timerfd *img = ckpt_put(rec, FILE, TIMERFD);
	char *info;
	int ret;

	if (!img)
		return -ENOMEM;
	info = ckpt_fdinfo(file);
	if (!info)
		return -ENOMEM;
	ret = parse(info, img);
	kvfree(info);
	/* what remains is counted from the clocks in SYSTEM, which were read before */
	if (!ret && img->value)
		img->value += ktime_get_ns() - ckpt_save_clock(cp);
	return ret ? : save_state(cp, file, img);
}

/* a time that is not absolute is counted on a clock that nobody sets; an alarm's is absolute */
static bool is_relative(const struct ckpt_image_file_timerfd *img)
{
	return !(img->settime_flags & TFD_TIMER_ABSTIME) &&
	       img->clockid != CLOCK_REALTIME_ALARM && img->clockid != CLOCK_BOOTTIME_ALARM;
}

/*
 * A timer with an interval that has expired stands still until it is read, and
 * counts from then on what it has missed.
 */
static bool is_unread(const struct ckpt_image_file_timerfd *img)
{
	return !img->value && img->interval && img->ticks;
}

static bool is_armed(const struct ckpt_image_file_timerfd *img)
{
	return img->value || is_unread(img);
}

/* when the timer expires, on this boot's clock */
static s64 expiry_ns(struct ckpt_restart *rs, const struct ckpt_image_file_timerfd *img)
{
	const struct ckpt_image_system *then = ckpt_restore_system(rs);

	switch (img->clockid) {
	case CLOCK_REALTIME:
		if (is_relative(img))
			break;
		fallthrough;
	case CLOCK_REALTIME_ALARM:
		return then->realtime_ns + img->value;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		if (ckpt_restore_shift(rs))
			return ktime_get_boottime_ns() + img->value;
		return then->boottime_ns + img->value;
	}
	return then->monotonic_ns + ckpt_restore_shift(rs) + img->value;
}

static int set_time(struct ckpt_restart *rs, int fd, const struct ckpt_image_file_timerfd *img)
{
	unsigned long scratch = ckpt_scratch(rs);
	struct itimerspec64 its = { .it_interval = ns_to_timespec64(img->interval) };
	u32 flags = img->settime_flags;

	if (is_armed(img))
		its.it_value = ns_to_timespec64(max_t(s64, 1, expiry_ns(rs, img)));
	if (!is_relative(img))
		flags |= TFD_TIMER_ABSTIME;
	else if (is_armed(img))
		/* some time, until set_exactly() */
		its.it_value = (struct timespec64){ .tv_sec = 3600 };
	if (put_itimerspec64(&its, (struct __kernel_itimerspec __user *)scratch))
		return -EFAULT;
	return ckpt_syscall(timerfd_settime, fd, flags, scratch, 0);
}

/* so that a relative time expires when it would have, and not some moments later */
static void set_exactly(struct ckpt_restart *rs, struct ckpt_timerfd_ctx *ctx,
			const struct ckpt_image_file_timerfd *img)
{
	if (is_relative(img) && is_armed(img))
		hrtimer_start(&ctx->t.tmr, ns_to_ktime(expiry_ns(rs, img)), HRTIMER_MODE_ABS);
	ctx->settime_flags = img->settime_flags;
}

/*
 * Was the wall clock set, and the owner has not been told?  A restart in another
 * boot sets it, too, as a resume from suspend does.
 */
static void set_canceled(struct ckpt_restart *rs, struct ckpt_timerfd_ctx *ctx,
			 const struct ckpt_image_file_timerfd *img)
{
	const struct ckpt_image_system *then = ckpt_restore_system(rs);
	bool told = img->state & CKPT_TIMERFD_CANCELED;

	spin_lock_irq(&ctx->wqh.lock);
	if (ctx->might_cancel && (told || ktime_to_ns(ktime_mono_to_real(0)) !=
					  then->realtime_ns - then->monotonic_ns)) {
		ctx->moffs = KTIME_MAX;
		ctx->ticks += !told;
		wake_up_locked_poll(&ctx->wqh, EPOLLIN);
	}
	spin_unlock_irq(&ctx->wqh.lock);
}

/* let it expire at the time of the checkpoint, before its ticks are set */
static void await_expiry(struct file *file)
{
	u64 ticks = 0;
	char *info;
	int i;

	for (i = 0; i < 1000 && !ticks; i++) {
		usleep_range(50, 100);
		info = ckpt_fdinfo(file);
		if (!info || ckpt_fdinfo_u64(info, "ticks:", 10, &ticks))
			i = 1000;
		kvfree(info);
	}
}

static int set_ticks(struct file *file, u64 ticks, unsigned long scratch)
{
	if (!ticks)
		return 0;
	if (put_user(ticks, (u64 __user *)scratch))
		return -EFAULT;
	return file->f_op->unlocked_ioctl(file, TFD_IOC_SET_TICKS, scratch);
}

static int timerfd_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_timerfd *img = ckpt_get(buf, FILE, TIMERFD);

	return img && img->value <= S64_MAX / 2 && img->interval <= S64_MAX / 2 &&
	       !(img->settime_flags & ~TFD_SETTIME_FLAGS) && !(img->state & ~CKPT_TIMERFD_CANCELED) ?
		0 : ckpt_malformed(log, buf);
}

static int set_up(struct ckpt_restart *rs, struct file *file,
		  const struct ckpt_image_file_timerfd *img)
{
	struct ckpt_timerfd_ctx *ctx = file->private_data;
	int ret;

	if (ctx->clockid != img->clockid)
		return -EOPNOTSUPP;
	set_exactly(rs, ctx, img);
	if (is_unread(img))
		await_expiry(file);
	ret = set_ticks(file, img->ticks, ckpt_scratch(rs));
	set_canceled(rs, ctx, img);
	return ret;
}

static struct file *timerfd_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
					    const struct cred *cred)
{
	const struct ckpt_image_file_timerfd *img = ckpt_get(buf, FILE, TIMERFD);
	struct file *file;
	int ret;
	long fd;

	fd = ckpt_syscall(timerfd_create, img->clockid, 0);
	if (fd < 0)
		return ERR_PTR(fd);
	ret = set_time(rs, fd, img);
	file = ckpt_file_of_fd(fd);
	return IS_ERR(file) ? file : ckpt_file_or(file, ret ? : set_up(rs, file, img));
}

const struct ckpt_file_ops ckpt_file_timerfd = {
	.name = "timerfd",
	.kind = CKPT_FILE_TIMERFD,
	.needs = CKPT_FOR_TIMERFD,
	.mine = timerfd_mine,
	.save = timerfd_save,
	.check = timerfd_check,
	.restore = timerfd_restore,
};
