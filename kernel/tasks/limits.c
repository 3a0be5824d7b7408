// SPDX-License-Identifier: GPL-2.0-only
/* Limits of a process: setrlimit(2).  T7. */
#include <linux/resource.h>
#include <linux/sched/signal.h>

#include "part.h"

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_rlimit *img = ckpt_put_nr(rec, PROCESS, LIMITS, RLIM_NLIMITS);
	struct rlimit *rlim = h->task->signal->rlim;
	int i;

	if (!img)
		return -ENOMEM;
	task_lock(h->task);
	for (i = 0; i < RLIM_NLIMITS; i++) {
		img[i].cur = rlim[i].rlim_cur;
		img[i].max = rlim[i].rlim_max;
	}
	task_unlock(h->task);
	return 0;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_rlimit *img = ckpt_get(buf, PROCESS, LIMITS);
	int i;

	for (i = 0; i < RLIM_NLIMITS; i++)
		if (img[i].cur > img[i].max)
			return ckpt_malformed(log, buf);
	return 0;
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_rlimit *img = ckpt_get(buf, PROCESS, LIMITS);
	struct rlimit *rlim = current->signal->rlim;
	bool may = capable(CAP_SYS_RESOURCE);
	int i, ret = 0;

	task_lock(current->group_leader);
	for (i = 0; i < RLIM_NLIMITS; i++) {
		if (img[i].max > rlim[i].rlim_max && !may) {
			ret = -EPERM;
			break;
		}
		rlim[i].rlim_cur = img[i].cur;
		rlim[i].rlim_max = img[i].max;
	}
	task_unlock(current->group_leader);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret,
			       "process %d: limit %d of the image is not the caller's to give",
			       task_tgid_vnr(current), i) : 0;
}

const struct ckpt_task_part ckpt_part_limits = {
	.name = "limits",
	.process = true,
	.stage = CKPT_STAGE_PROCESS,
	.save = save,
	.check = check,
	.restore = restore,
};
