// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a task began: with its number it tells it from a later one of the same
 * number, as in /proc/PID/stat.  T7.
 */
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "part.h"

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_born *img = ckpt_put(rec, TASK, BORN);

	if (!img)
		return -ENOMEM;
	img->monotonic_ns = h->task->start_time;
	img->boottime_ns = h->task->start_boottime;
	return 0;
}

/*
 * As long ago as it was at the checkpoint, on a clock that read @then there and
 * reads @now here; but not before the machine began.
 */
static u64 ago(u64 began, u64 then, u64 now)
{
	u64 age = began < then ? then - began : 0;

	return age < now ? now - age : 0;
}

/* within one boot nothing changes: the clocks went on */
static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_born *img = ckpt_get(buf, TASK, BORN);
	const struct ckpt_image_system *sys = ckpt_restore_system(rs);

	if (!img)
		return 0;
	if (ckpt_restore_shift(rs)) {
		current->start_time = ago(img->monotonic_ns, sys->monotonic_ns, ktime_get_ns());
		current->start_boottime = ago(img->boottime_ns, sys->boottime_ns,
					      ktime_get_boottime_ns());
	} else {
		current->start_time = min_t(u64, img->monotonic_ns, ktime_get_ns());
		current->start_boottime = min_t(u64, img->boottime_ns, ktime_get_boottime_ns());
	}
	return 0;
}

const struct ckpt_task_part ckpt_part_born = {
	.name = "beginning",
	.dead = true,
	.stage = CKPT_STAGE_FILES,
	.save = save,
	.restore = restore,
};
