// SPDX-License-Identifier: GPL-2.0-only
/* What prctl(2) and personality(2) set: personality, pdeath_signal, no_new_privs.  T3, T6, T7. */
#include <linux/sched/signal.h>
#include <linux/signal.h>

#include "part.h"

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_attributes *img = ckpt_put(rec, TASK, ATTRIBUTES);

	if (!img)
		return -ENOMEM;
	img->personality = h->task->personality;
	img->pdeath_signal = h->task->pdeath_signal;
	img->no_new_privs = task_no_new_privs(h->task);
	return 0;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_attributes *img = ckpt_get(buf, TASK, ATTRIBUTES);

	return img && valid_signal(img->pdeath_signal) ? 0 : ckpt_malformed(log, buf);
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_attributes *img = ckpt_get(buf, TASK, ATTRIBUTES);

	current->personality = img->personality;
	if (img->no_new_privs)
		task_set_no_new_privs(current);
	return 0;
}

/* a change of credentials clears it */
static void go(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	current->pdeath_signal = ckpt_get(buf, TASK, ATTRIBUTES)->pdeath_signal;
}

const struct ckpt_task_part ckpt_part_attributes = {
	.name = "attributes",
	.stage = CKPT_STAGE_TASK,
	.save = save,
	.check = check,
	.restore = restore,
	.go = go,
};
