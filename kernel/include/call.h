/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls that a freeze interrupts, and that go on with the time that is
 * left: save/calls.c, tasks/call_restart.c.
 */
#ifndef _CKPT_CALL_H
#define _CKPT_CALL_H

#include <linux/restart_block.h>
#include <linux/sched.h>

#include "symbols.h"

enum {
	CKPT_CALL_TIMED	= 0x01,		/* a timer on its stack is its timeout */
	CKPT_CALL_FD0	= 0x02,		/* ... if argument 0, or 2, is a socket */
	CKPT_CALL_FD2	= 0x04,
	CKPT_CALL_DRAIN	= 0x08,		/* ioctl() that waits for a terminal's output */
};

struct ckpt_call {
	int nr;
	int timeout;			/* what it returns when its time is up */
	int flags;
};

const struct ckpt_call *ckpt_find_call(int nr);
bool ckpt_call_can_go_on(u32 nr);
void ckpt_set_call(struct restart_block *rb, u32 nr, u64 deadline_ns);
bool ckpt_get_call(const struct restart_block *rb, u32 *nr, u64 *deadline_ns);
void ckpt_no_call(struct restart_block *rb);
bool ckpt_has_signal(struct task_struct *t);
void ckpt_calls_exit(void);

/* before the freeze, when a task is frozen, and before the thaw */
void ckpt_calls_mark(struct cgroup *cgrp);
void ckpt_call_frozen(struct task_struct *t);
void ckpt_calls_let_go(struct cgroup *cgrp);

#endif
