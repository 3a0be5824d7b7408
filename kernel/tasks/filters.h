/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of tasks/ know of seccomp filters: filters.c. */
#ifndef _CKPT_FILTERS_H
#define _CKPT_FILTERS_H

#include "restore.h"
#include "save.h"

struct seccomp_filter;

/* the number of a task's last filter, which is saved with those before it */
int ckpt_save_filters(struct ckpt_checkpoint *cp, struct task_struct *t, u32 *ref);
/* current, which has none, has it and those before it from now on; the lock of making is held */
int ckpt_restore_filters(struct ckpt_restart *rs, u32 ref);

#endif
