/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The structs of System V's objects, which are private to the kernel's ipc/.
 * ipc/layout.c holds their members against the kernel's type information: where
 * one is not as it is here, the objects are refused.
 */
#ifndef _CKPT_IPC_PRIVATE_H
#define _CKPT_IPC_PRIVATE_H

#include <linux/fs.h>
#include <linux/ipc.h>
#include <linux/ipc_namespace.h>
#include <linux/msg.h>
#include <linux/pid.h>
#include <linux/refcount.h>

#include "ipc.h"

enum { CKPT_SEM_IDS, CKPT_MSG_IDS, CKPT_SHM_IDS };	/* of ipc_namespace->ids[] */

#define CKPT_IPC_MODES 0777

/* of struct shmid_kernel: bits of its mode beside the permissions */
#define CKPT_KERNEL_SHM_DEST	01000
#define CKPT_KERNEL_SHM_LOCKED	02000

struct ckpt_shmid_kernel {
	struct kern_ipc_perm shm_perm;
	struct file *shm_file;		/* NULL: it is being destroyed */
	unsigned long shm_nattch;
	unsigned long shm_segsz;
	time64_t shm_atim;
	time64_t shm_dtim;
	time64_t shm_ctim;
	struct pid *shm_cprid;
	struct pid *shm_lprid;
	struct ucounts *mlock_ucounts;
	struct task_struct *shm_creator;
	struct list_head shm_clist;	/* empty: the creator is dead, and shm_creator nothing */
	struct ipc_namespace *ns;
};

/* private_data of what shmat(2) maps */
struct ckpt_shm_file_data {
	int id;
	struct ipc_namespace *ns;
	struct file *file;
	const struct vm_operations_struct *vm_ops;
};

struct ckpt_msg_queue {
	struct kern_ipc_perm q_perm;
	time64_t q_stime;
	time64_t q_rtime;
	time64_t q_ctime;
	unsigned long q_cbytes;
	unsigned long q_qnum;
	unsigned long q_qbytes;
	struct pid *q_lspid;
	struct pid *q_lrpid;
	struct list_head q_messages;
};

/* what does not fit into a page goes on behind this */
struct ckpt_msg_msgseg {
	struct ckpt_msg_msgseg *next;
};

struct ckpt_sem {
	int semval;
	struct pid *sempid;
	spinlock_t lock;
	struct list_head pending_alter;
	struct list_head pending_const;
	time64_t sem_otime;
} ____cacheline_aligned_in_smp;

struct ckpt_sem_array {
	struct kern_ipc_perm sem_perm;
	time64_t sem_ctime;
	struct list_head pending_alter;
	struct list_head pending_const;
	struct list_head list_id;
	int sem_nsems;
	int complex_count;
	unsigned int use_global_lock;
	struct ckpt_sem sems[];
};

struct ckpt_sem_undo {
	struct list_head list_proc;
	struct rcu_head rcu;
	struct ckpt_sem_undo_list *ulp;
	struct list_head list_id;
	int semid;			/* -1: its array is gone */
	short *semadj;			/* or, since 6.6, where they begin: ckpt_semadj_of() */
};

struct ckpt_sem_undo_list {
	refcount_t refcnt;
	spinlock_t lock;
	struct list_head list_proc;
};

short *ckpt_semadj_of(struct ckpt_sem_undo *un);

struct ckpt_sem_value {
	int val;
	struct pid *pid;		/* a reference, or NULL */
	time64_t otime;
};

/*
 * sem.c: a semaphore gets this, and what it had is in @v instead; false: it is gone.  A member
 * of the restart that is killed changes it, too, and does not wait for the lock of making.
 */
bool ckpt_swap_sem(struct ipc_namespace *ns, int id, u32 nr, struct ckpt_sem_value *v);

/* msg.c: the bytes of a message, of System V's queues as of POSIX ones */
void ckpt_copy_msg(const struct msg_msg *msg, u8 *to);

/* attach.c: the memory of a segment, with a reference; NULL: there is none of that id */
struct file *ckpt_segment_memory(struct ipc_namespace *ns, int id);

/* perm.c: what all three have */

/* An object by its id, or NULL.  The rwsem of its ids is held. */
struct kern_ipc_perm *ckpt_ipc_find(struct ipc_namespace *ns, int kind, int id);
/*
 * The same, and takes the rwsem for reading, in any case.  NULL: somebody has removed it, as
 * who is privileged can enter a namespace that is being filled.
 */
struct kern_ipc_perm *ckpt_ipc_hold(struct ipc_namespace *ns, int kind, int id);
void ckpt_ipc_unhold(struct ipc_namespace *ns, int kind);
int ckpt_ipc_nr(struct ipc_namespace *ns, int kind);
/* which number comes next; the rwsem of the ids is held */
void ckpt_save_ids(struct ipc_namespace *ns, int kind, struct ckpt_image_ipc_ids *img);
void ckpt_save_perm(const struct kern_ipc_perm *perm, struct ckpt_image_ipc_perm *img);
bool ckpt_perm_ok(const struct ckpt_image_ipc_perm *img, u32 mode);
/* the next one that is made in current's namespace gets this id */
void ckpt_ask_for_id(struct ipc_namespace *ns, int kind, int id);
/* what msgget(2) and its like have returned: 0 if it is the object that was asked for */
int ckpt_made_id(struct ckpt_restart *rs, const char *what, int id, long got);
/* -EIDRM, with a sentence */
int ckpt_was_removed(struct ckpt_restart *rs, const char *what, int id);
int ckpt_restore_perm(struct ckpt_restart *rs, const char *what, struct ipc_namespace *ns,
		      int kind, const struct ckpt_image_ipc_perm *img);
/* a process as the kernel keeps it for one, with a reference; 0: none, NULL.  -EINVAL */
int ckpt_ipc_pid(struct pid **pid, pid_t nr);
/* for a filed process: its number in the container, 0 if it was none of it */
pid_t ckpt_pid_nr(struct ckpt_checkpoint *cp, struct pid *pid);

#endif
