/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a room can ask of the restart that it works for.  The struct itself is
 * restore/'s own.
 */
#ifndef _CKPT_RESTORE_H
#define _CKPT_RESTORE_H

#include <linux/sched.h>

#include "compat.h"
#include "log.h"
#include "record.h"
#include "symbols.h"
#include "type.h"

/* the image has what cannot be made for lack of a symbol, as ckpt_lacks() says; -EOPNOTSUPP */
static inline int ckpt_fail_lack(struct ckpt_log *log, enum ckpt_purpose purpose)
{
	return ckpt_fail(log, -EOPNOTSUPP, CKPT_LACK_FMT, ckpt_purpose_name(purpose),
			 ckpt_lacks(purpose));
}

struct ckpt_log *ckpt_restore_log(struct ckpt_restart *rs);
struct ckpt_in *ckpt_restore_in(struct ckpt_restart *rs);
/* 0, or why the restart has failed meanwhile */
int ckpt_restore_failed(struct ckpt_restart *rs);

/* the clocks of the image, and how much later its monotonic clock is here, in ns */
const struct ckpt_image_system *ckpt_restore_system(struct ckpt_restart *rs);
s64 ckpt_restore_shift(struct ckpt_restart *rs);

/* the TASK of the root task, that task itself, and the coordinator's namespaces */
const struct ckpt_rec_buf *ckpt_restore_root(struct ckpt_restart *rs);
struct task_struct *ckpt_restore_root_task(struct ckpt_restart *rs);
const struct nsproxy *ckpt_restore_outside(struct ckpt_restart *rs);

/* the credentials that a file was made with last; the lock of making is held */
struct ckpt_given {
	const struct cred *cred;	/* or NULL; a reference each */
	const struct cred *by;		/* who was asked whether they may be given */
	u32 ref;
};

struct ckpt_given *ckpt_restore_given(struct ckpt_restart *rs);

/* count the CPU time of the image's tasks, in ns; false: too much to be true.  The same lock */
bool ckpt_restore_time(struct ckpt_restart *rs, u64 ns);

/*
 * The lock of making: one task at a time makes what tasks share.  Also takes
 * the page of user memory that system calls may be given arguments in; -EINTR
 * if current was killed.
 */
int ckpt_make_lock(struct ckpt_restart *rs, unsigned long scratch);
void ckpt_make_unlock(struct ckpt_restart *rs);
/* that page; the lock of making is held */
unsigned long ckpt_scratch(struct ckpt_restart *rs);

/* a file that was made where there was none, and goes if the restart fails */
int ckpt_note_made(struct ckpt_restart *rs, const struct path *path);

/* a record by its object's number, or NULL */
struct ckpt_rec_buf *ckpt_find_rec(struct ckpt_restart *rs, u32 ref,
				   const struct ckpt_type *type);
/* the first EPOLL of a FILES, or NULL; the others are behind its 'next' */
struct ckpt_rec_buf *ckpt_epolls_of(struct ckpt_restart *rs, u32 files);

/* the first record of a type behind @buf, or of all if that is NULL; or NULL */
struct ckpt_rec_buf *ckpt_next_rec(struct ckpt_restart *rs, struct ckpt_rec_buf *buf, u16 type);

/* an object that is here again, or NULL; the restart keeps its reference */
void *ckpt_find_restored(struct ckpt_restart *rs, u32 ref, const struct ckpt_type *type);
/* remember it; @ptr's reference is taken over, also on error */
int ckpt_add_restored(struct ckpt_restart *rs, u32 ref, const struct ckpt_type *type,
		      void *ptr);
/*
 * One of two ends, for reading and for writing, is for somebody outside: the other one than the
 * EXTERNAL's side.  Its reference is taken over, and it is NULL then.
 */
int ckpt_hand_out(struct ckpt_restart *rs, u32 external, u32 kind, struct file **ends);
/* find it, or make it by its type's restore; the lock of making is held */
void *ckpt_restore_obj(struct ckpt_restart *rs, u32 ref, const struct ckpt_type *type);

#endif
