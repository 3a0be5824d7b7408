/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects of an ipc namespace: ipc/ has a file each.  They are parts of
 * its NAMESPACE, saved and made again with it (namespaces/ipc.c).
 */
#ifndef _CKPT_IPC_H
#define _CKPT_IPC_H

#include "restore.h"
#include "save.h"

struct ckpt_mqueues;
struct file;
struct ipc_namespace;
struct vm_area_struct;

/* ipc/layout.c: when the module is loaded; and are the kernel's structs as we know them? */
void ckpt_ipc_init(void);
bool ckpt_ipc_known(void);

/*
 * The container is frozen; who is not of it may still be in its namespace, so the
 * rwsem of the ids is taken.  @img: one for each kind, of which which number comes
 * next is put into the right one.  -EAGAIN: somebody has changed it meanwhile.
 */
int ckpt_save_shms(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec,
		   struct ckpt_image_ipc_ids *img);
int ckpt_save_msgs(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec,
		   struct ckpt_image_ipc_ids *img);
int ckpt_save_sems(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec,
		   struct ckpt_image_ipc_ids *img);

/* are the numbers right? */
int ckpt_check_shms(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
int ckpt_check_msgs(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
int ckpt_check_sems(struct ckpt_log *log, const struct ckpt_rec_buf *buf);

/* by a task of the container, in its new namespace @ns, which has no limits yet */
int ckpt_restore_shms(struct ckpt_restart *rs, struct ipc_namespace *ns,
		      const struct ckpt_rec_buf *buf);
int ckpt_restore_msgs(struct ckpt_restart *rs, struct ipc_namespace *ns,
		      const struct ckpt_rec_buf *buf);
int ckpt_restore_sems(struct ckpt_restart *rs, struct ipc_namespace *ns,
		      const struct ckpt_rec_buf *buf);
/* by the coordinator, when all segments are mapped, which has changed their times */
struct pid **ckpt_get_shm_pids(const struct ckpt_rec_buf *buf, u64 *nr);
void ckpt_finish_shms(struct ipc_namespace *ns, const struct ckpt_rec_buf *buf,
		      struct pid **lpids);

/* POSIX message queues: ipc/mqueue_layout.c, when the module is loaded; are their structs as we know them? */
void ckpt_mqueue_init(void);
bool ckpt_mqueue_known(void);
/* ipc/mqueue.c, as those of System V */
int ckpt_save_mqueues(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec);
int ckpt_check_mqueues(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
/*
 * ipc/mqueue_restore.c: likewise, and what of them is kept until the coordinator has finished
 * them, when nobody closes a descriptor any more; or an error pointer
 */
struct ckpt_mqueues *ckpt_restore_mqueues(struct ckpt_restart *rs, struct ipc_namespace *ns,
					  const struct ckpt_rec_buf *buf);
int ckpt_finish_mqueues(struct ckpt_restart *rs, struct ipc_namespace *ns, const struct ckpt_rec_buf *buf,
			struct ckpt_mqueues *all);
void ckpt_put_mqueues(struct ckpt_mqueues *all);
/* namespaces/ipc.c: those of a NAMESPACE that is current's, or NULL */
const struct ckpt_mqueues *ckpt_find_mqueues(struct ckpt_restart *rs, u32 ref);
/*
 * ipc/mqueue_file.c, when all files are known: a queue that somebody outside has open, too, is
 * refused, and queues that are not the container's in its mounts
 */
int ckpt_check_mqueue_users(struct ckpt_checkpoint *cp);

/*
 * ipc/undo.c, when all tasks are known: what all of them, and others, have done to semaphores
 * with SEM_UNDO, for whoever saves a process.  Some is refused.  -EAGAIN: somebody is dying.
 */
int ckpt_find_undos(struct ckpt_checkpoint *cp);

/*
 * ipc/attach.c, when all mappings are known: a segment that somebody outside has attached,
 * too, is refused, as a copy would not be his any more
 */
int ckpt_check_attached(struct ckpt_checkpoint *cp);
/* is it a file that shmat(2) maps? */
bool ckpt_is_shm(const struct file *file);
/* ipc/shm.c: is it a file of kind SHMEM on the memory of a segment? */
bool ckpt_is_segment(const struct file *file);

#endif
