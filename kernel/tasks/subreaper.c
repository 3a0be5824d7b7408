// SPDX-License-Identifier: GPL-2.0-only
/* Whether a process takes the orphans below it, or another above it does.  T7. */
#include <linux/sched/signal.h>

#include "part.h"

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_subreaper *img = ckpt_put(rec, PROCESS, SUBREAPER);

	if (!img)
		return -ENOMEM;
	img->is = h->task->signal->is_child_subreaper;
	img->below = h->task->signal->has_child_subreaper;
	return 0;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_subreaper *img = ckpt_get(buf, PROCESS, SUBREAPER);

	return img->is <= 1 && img->below <= 1 ? 0 : ckpt_malformed(log, buf);
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_subreaper *img = ckpt_get(buf, PROCESS, SUBREAPER);

	current->signal->is_child_subreaper = img->is;
	current->signal->has_child_subreaper = img->below;
	return 0;
}

const struct ckpt_task_part ckpt_part_subreaper = {
	.name = "subreaper",
	.process = true,
	.stage = CKPT_STAGE_PROCESS,
	.save = save,
	.check = check,
	.restore = restore,
};
