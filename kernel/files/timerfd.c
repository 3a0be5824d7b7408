// SPDX-License-Identifier: GPL-2.0-only
/* timerfd.  It is restored to its absolute expiry on its own clock.  C4, T4. */
#include <linux/delay.h>
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
	return ret;
}

/* when the timer expires, on this boot's clock */
static s64 expiry_ns(struct ckpt_restart *rs, const struct ckpt_image_file_timerfd *img)
{
	const struct ckpt_image_system *then = ckpt_restore_system(rs);

	switch (img->clockid) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
		return then->realtime_ns + img->value;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		if (ckpt_restore_shift(rs))
			return ktime_get_boottime_ns() + img->value;
		return then->boottime_ns + img->value;
	default:
		return then->monotonic_ns + ckpt_restore_shift(rs) + img->value;
	}
}

static int set_time(struct ckpt_restart *rs, int fd, const struct ckpt_image_file_timerfd *img,
		    unsigned long scratch)
{
	struct itimerspec64 its = {
		.it_value = ns_to_timespec64(max_t(s64, 1, expiry_ns(rs, img))),
		.it_interval = ns_to_timespec64(img->interval),
	};
	u32 flags = TFD_TIMER_ABSTIME;

	if (img->settime_flags & TFD_TIMER_CANCEL_ON_SET)
		flags |= TFD_TIMER_CANCEL_ON_SET;
	if (put_itimerspec64(&its, (struct __kernel_itimerspec __user *)scratch))
		return -EFAULT;
	return ckpt_syscall(timerfd_settime, fd, flags, scratch, 0);
}

/*
 * A timer with an interval that has expired stands still until it is read, and
 * counts from then on what it has missed.  Let it expire at the time of the
 * checkpoint, before its ticks are set.
 */
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

	return img && img->value <= S64_MAX / 2 && img->interval <= S64_MAX / 2 ?
		0 : ckpt_malformed(log, buf);
}

static struct file *timerfd_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
					    const struct cred *cred)
{
	const struct ckpt_image_file_timerfd *img = ckpt_get(buf, FILE, TIMERFD);
	bool unread = !img->value && img->interval && img->ticks;
	struct file *file;
	int ret = 0;
	long fd;

	fd = ckpt_syscall(timerfd_create, img->clockid, 0);
	if (fd < 0)
		return ERR_PTR(fd);
	if (img->value || unread)
		ret = set_time(rs, fd, img, ckpt_scratch(rs));
	file = ckpt_file_of_fd(fd);
	if (IS_ERR(file))
		return file;
	if (!ret && unread)
		await_expiry(file);
	if (!ret)
		ret = set_ticks(file, img->ticks, ckpt_scratch(rs));
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

const struct ckpt_file_ops ckpt_file_timerfd = {
	.name = "timerfd",
	.kind = CKPT_FILE_TIMERFD,
	.mine = timerfd_mine,
	.save = timerfd_save,
	.check = timerfd_check,
	.restore = timerfd_restore,
};
