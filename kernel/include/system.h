/* SPDX-License-Identifier: GPL-2.0-only */
/* core/system.c: what a restart must find again, and the clocks. */
#ifndef _CKPT_SYSTEM_H
#define _CKPT_SYSTEM_H

#include "restore.h"
#include "save.h"

int ckpt_system_init(void);
int ckpt_save_system(struct ckpt_checkpoint *cp);
/* can this kernel run what that one ran?  @shift_ns: see ckpt_restore_shift() */
int ckpt_check_system(struct ckpt_log *log, const struct ckpt_rec_buf *system, s64 *shift_ns);

#endif
