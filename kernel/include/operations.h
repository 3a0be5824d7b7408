/* SPDX-License-Identifier: GPL-2.0-only */
/* What /dev/ckpt can begin: save/checkpoint.c, restore/restart.c. */
#ifndef _CKPT_OPERATIONS_H
#define _CKPT_OPERATIONS_H

#include <linux/fs.h>

#include "../uapi/ckpt.h"

struct ckpt_checkpoint;
struct ckpt_restart;

/* a positive number, unique since the module was loaded */
int ckpt_next_id(void);

struct ckpt_checkpoint *ckpt_checkpoint_new(void);
void ckpt_checkpoint_free(struct ckpt_checkpoint *cp);
int ckpt_target(struct ckpt_checkpoint *cp, const struct ckpt_target_args *args);
int ckpt_freeze_target(struct ckpt_checkpoint *cp);
int ckpt_collect_target(struct ckpt_checkpoint *cp, struct ckpt_collect_args *args,
			const char *desc);
int ckpt_stream_target(struct ckpt_checkpoint *cp, struct ckpt_stream_args *args);
int ckpt_kill_target(struct ckpt_checkpoint *cp);
void ckpt_let_go(struct ckpt_checkpoint *cp);

struct ckpt_restart *ckpt_restart_new(void);
void ckpt_restart_put(struct ckpt_restart *rs);
int ckpt_restart(struct ckpt_restart *rs, struct ckpt_restart_args *args);
/* the tasks run; what it has handed out and nobody took is closed with the open file */
int ckpt_restart_go(struct ckpt_restart *rs);
/* load and check an image, and nothing more */
int ckpt_check_image(struct ckpt_restart *rs, struct ckpt_restart_args *args);
/* what it has handed out, one at a call; -ENOENT: nothing */
int ckpt_take_external(struct ckpt_restart *rs, struct ckpt_external_args __user *uargs);
void ckpt_restart_abort(struct ckpt_restart *rs, int err);
void ckpt_restart_end(struct ckpt_restart *rs, int err);
long ckpt_restore_task(struct ckpt_restart *rs, struct file *dev,
		       struct ckpt_restore_task_args *args);

#endif
