/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of tasks/ have for each other and for the rooms around them. */
#ifndef _CKPT_TASK_H
#define _CKPT_TASK_H

#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "restore.h"
#include "save.h"

/* current's, or that of a task that is locked: it does not change */
static inline struct sighand_struct *ckpt_sighand(struct task_struct *t)
{
	return rcu_dereference_raw(t->sighand);
}

/* pending.c: signals that wait in a queue */
struct ckpt_image_siginfo *ckpt_save_pending(struct ckpt_held *h, bool shared,
					     struct ckpt_rec_out *rec, u16 tag, u64 *nr);
bool ckpt_stop_pending(struct ckpt_held *h);

#endif
