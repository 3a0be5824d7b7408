/* SPDX-License-Identifier: GPL-2.0-only */
/* What file locks and leases have in common: locks.c, leases.c. */
#ifndef _CKPT_LOCKS_H
#define _CKPT_LOCKS_H

#include "file.h"

/* who took one: the kernel notes the machine's number; 0: nobody any more */
pid_t ckpt_lock_pid_in(pid_t nr, struct pid_namespace *ns);
/* the machine's number of a process of the image, in current's pid namespace */
pid_t ckpt_lock_pid_out(pid_t nr);

/* is it somebody else than this kernel who keeps those of @file, and does not tell? */
bool ckpt_locked_elsewhere(const struct file *file);
/* may one of @file be saved?  Else it is refused. */
int ckpt_check_lockable(struct ckpt_checkpoint *cp, struct file *file);

int ckpt_save_lease(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec);
int ckpt_restore_lease(struct ckpt_restart *rs, const char *name, struct file *file,
		       const struct ckpt_image_lease *img);

#endif
