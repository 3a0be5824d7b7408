// SPDX-License-Identifier: GPL-2.0-only
/* oom_score_adj of a process.  T7. */
#include <linux/oom.h>
#include <linux/sched/signal.h>

#include "part.h"

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_oom *img = ckpt_put(rec, PROCESS, OOM);

	if (!img)
		return -ENOMEM;
	img->score_adj = h->task->signal->oom_score_adj;
	img->score_adj_min = h->task->signal->oom_score_adj_min;
	return 0;
}

static bool ok(s32 adj)
{
	return adj >= OOM_SCORE_ADJ_MIN && adj <= OOM_SCORE_ADJ_MAX;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_oom *img = ckpt_get(buf, PROCESS, OOM);

	return ok(img->score_adj) && ok(img->score_adj_min) ? 0 : ckpt_malformed(log, buf);
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_oom *img = ckpt_get(buf, PROCESS, OOM);
	struct signal_struct *sig = current->signal;

	if ((img->score_adj < sig->oom_score_adj_min ||
	     img->score_adj_min < sig->oom_score_adj_min) && !capable(CAP_SYS_RESOURCE))
		return ckpt_fail(ckpt_restore_log(rs), -EPERM,
				 "process %d: its oom_score_adj is not the caller's to give",
				 task_tgid_vnr(current));
	sig->oom_score_adj = img->score_adj;
	sig->oom_score_adj_min = img->score_adj_min;
	return 0;
}

const struct ckpt_task_part ckpt_part_oom = {
	.name = "oom_score_adj",
	.process = true,
	.stage = CKPT_STAGE_PROCESS,
	.save = save,
	.check = check,
	.restore = restore,
};
