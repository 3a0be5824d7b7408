// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses that a task has given to the kernel, which writes to them at exit
 * or at each return to user space: rseq, robust list, clear_child_tid.  T5.
 */
#include <linux/mm.h>
#include <linux/rseq.h>
#include <linux/uaccess.h>
#include <uapi/linux/futex.h>

#include "part.h"

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_registered *img = ckpt_put(rec, TASK, REGISTERED);
	struct task_struct *t = h->task;

	if (!img)
		return -ENOMEM;
	img->rseq = (unsigned long)t->rseq;
	img->rseq_len = t->rseq ? ckpt_rseq_len(t) : 0;
	img->rseq_sig = t->rseq_sig;
	img->robust_list = (unsigned long)t->robust_list;
	img->clear_child_tid = (unsigned long)t->clear_child_tid;
	return 0;
}

static bool user_ptr_ok(u64 addr, u64 len)
{
	return !addr || access_ok((void __user *)(unsigned long)addr, len);
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_registered *img = ckpt_get(buf, TASK, REGISTERED);

	if (!img || !user_ptr_ok(img->rseq, max_t(u32, img->rseq_len, sizeof(struct rseq))) ||
	    !user_ptr_ok(img->robust_list, sizeof(struct robust_list_head)) ||
	    !user_ptr_ok(img->clear_child_tid, sizeof(int)) ||
	    (img->rseq && (img->rseq_len < 32 || img->rseq_len > PAGE_SIZE)))
		return ckpt_malformed(log, buf);
	return 0;
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_registered *img = ckpt_get(buf, TASK, REGISTERED);

	current->rseq = (void __user *)(unsigned long)img->rseq;
	ckpt_set_rseq_len(current, img->rseq_len);
	current->rseq_sig = img->rseq_sig;
	current->robust_list = (void __user *)(unsigned long)img->robust_list;
	current->clear_child_tid = (void __user *)(unsigned long)img->clear_child_tid;
	return 0;
}

const struct ckpt_task_part ckpt_part_registered = {
	.name = "registered addresses",
	.stage = CKPT_STAGE_TASK,
	.save = save,
	.check = check,
	.restore = restore,
};
