// SPDX-License-Identifier: GPL-2.0-only
/* That a process was continued after a stop, as its parent may still ask by wait(2).  T3. */
#include <linux/sched/signal.h>

#include "part.h"
#include "task.h"

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_job *img = ckpt_put(rec, PROCESS, JOB);

	if (!img)
		return -ENOMEM;
	if (READ_ONCE(h->task->signal->flags) & SIGNAL_STOP_CONTINUED)
		img->flags = CKPT_JOB_CONTINUED;
	return 0;
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_job *img = ckpt_get(buf, PROCESS, JOB);
	struct signal_struct *sig = current->signal;

	if (!img || !(img->flags & CKPT_JOB_CONTINUED))
		return 0;
	spin_lock_irq(&ckpt_sighand(current)->siglock);
	if (!(sig->flags & SIGNAL_GROUP_EXIT))
		sig->flags |= SIGNAL_STOP_CONTINUED;
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
	return 0;
}

const struct ckpt_task_part ckpt_part_job = {
	.name = "job control",
	.process = true,
	.stage = CKPT_STAGE_PROCESS,
	.save = save,
	.restore = restore,
};
