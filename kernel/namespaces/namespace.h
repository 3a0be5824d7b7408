/* SPDX-License-Identifier: GPL-2.0-only */
/* The kinds of namespaces that have contents: a file each. */
#ifndef _CKPT_NAMESPACE_H
#define _CKPT_NAMESPACE_H

#include "restore.h"
#include "save.h"

int ckpt_save_uts(struct uts_namespace *ns, struct ckpt_rec_out *rec);
int ckpt_check_uts(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
void ckpt_restore_uts(struct uts_namespace *ns, const struct ckpt_rec_buf *buf);

int ckpt_save_ipc(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec);
int ckpt_check_ipc(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
/* @ns is current's; what is to be done when all is mapped is put down as restored */
int ckpt_restore_ipc(struct ckpt_restart *rs, struct ipc_namespace *ns,
		     const struct ckpt_rec_buf *buf);
/* is it the one that was filled?  @ipc: as restored */
bool ckpt_is_ipc(const void *ipc, const struct ipc_namespace *ns);
int ckpt_finish_ipc(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ipc);
void ckpt_put_ipc(void *ipc);

int ckpt_save_pid(struct ckpt_checkpoint *cp, struct pid_namespace *ns, struct ckpt_rec_out *rec);
int ckpt_check_pid(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
int ckpt_restore_pid(struct ckpt_restart *rs, struct pid_namespace *ns,
		     const struct ckpt_rec_buf *buf);

#endif
