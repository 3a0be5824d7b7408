/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a room can ask of the checkpoint that it works for.  The struct itself
 * is save/'s own.
 */
#ifndef _CKPT_SAVE_H
#define _CKPT_SAVE_H

#include <linux/path.h>
#include <linux/sched.h>

#include "compat.h"
#include "log.h"
#include "record.h"
#include "symbols.h"
#include "type.h"

struct ckpt_undos;
struct pid_namespace;

/* a task of the container, and its parts, kept while they are read: save/hold.c */
struct ckpt_held {
	struct task_struct *task;
	/* of the living only; a reference each */
	struct mm_struct *mm;
	struct files_struct *files;
	struct fs_struct *fs;
	struct nsproxy *nsproxy;
	struct sighand_struct *sighand;
	const struct cred *cred;
	bool stack;
	bool stopped;			/* by a signal, when it was looked at first */
	bool passed_over;		/* refused at first sight: nothing of it is read */
};

/*
 * ckpt_refuse - log what cannot be saved, with task and descriptor at work
 *
 * The checkpoint will fail with @err, but the look goes on, so that all reasons
 * come at once: returns CKPT_REFUSED, which whoever goes through several things
 * passes to ckpt_go_on() and then looks at the next.
 */
#define CKPT_REFUSED (-MAX_ERRNO)
__printf(3, 4) int ckpt_refuse(struct ckpt_checkpoint *cp, int err, const char *fmt, ...);

/* the same of the container as a whole */
__printf(3, 4) int ckpt_refuse_whole(struct ckpt_checkpoint *cp, int err, const char *fmt, ...);

/* for lack of a symbol, as ckpt_lacks() says */
static inline int ckpt_refuse_lack(struct ckpt_checkpoint *cp, enum ckpt_purpose purpose)
{
	return ckpt_refuse(cp, -EOPNOTSUPP, CKPT_LACK_FMT, ckpt_purpose_name(purpose),
			   ckpt_lacks(purpose));
}

static inline int ckpt_go_on(int ret)
{
	return ret == CKPT_REFUSED ? 0 : ret;
}

/* which descriptor is at work, for ckpt_refuse(), or -1 */
void ckpt_at_fd(struct ckpt_checkpoint *cp, int fd);
/* where that is: the number of the task in the container, or 0, and its descriptor, or -1 */
void ckpt_at(const struct ckpt_checkpoint *cp, pid_t *pid, int *fd);
struct ckpt_log *ckpt_save_log(struct ckpt_checkpoint *cp);

/* begin a record; it takes its place in the image with ckpt_done(), which returns 0 */
struct ckpt_rec_out *ckpt_rec(struct ckpt_checkpoint *cp, u16 type);
int ckpt_done(struct ckpt_checkpoint *cp, struct ckpt_rec_out *rec);
struct ckpt_out *ckpt_save_out(struct ckpt_checkpoint *cp);

/* the container's */
struct pid_namespace *ckpt_save_pid_ns(struct ckpt_checkpoint *cp);
const struct path *ckpt_save_root(struct ckpt_checkpoint *cp);
const struct ckpt_held *ckpt_save_root_task(struct ckpt_checkpoint *cp);
/* its tasks, leaders before their threads; NULL: there are not so many */
const struct ckpt_held *ckpt_save_task_at(struct ckpt_checkpoint *cp, int i);
/* where ipc/undo.c keeps what it has found; NULL: nothing.  Freed with kvfree() */
struct ckpt_undos **ckpt_save_undos(struct ckpt_checkpoint *cp);
/* is the task in the frozen cgroup? */
bool ckpt_save_has(struct ckpt_checkpoint *cp, struct task_struct *task);
/* is a table of descriptors of one process only, whose signals wake those who wait at @queue? */
bool ckpt_save_wakes(struct ckpt_checkpoint *cp, const struct files_struct *files,
		     const wait_queue_head_t *queue);
/* has the timer let the container go? */
bool ckpt_save_overdue(struct ckpt_checkpoint *cp);
/* the container does not go between these two; false: it has gone */
bool ckpt_save_pin(struct ckpt_checkpoint *cp);
void ckpt_save_unpin(struct ckpt_checkpoint *cp);
/* was it frozen by us alone, so that what was interrupted is ours to mend? */
bool ckpt_save_froze(struct ckpt_checkpoint *cp);

/* the monotonic clock as SYSTEM has it, in ns: what remains is counted from it */
u64 ckpt_save_clock(struct ckpt_checkpoint *cp);
void ckpt_save_set_clock(struct ckpt_checkpoint *cp, u64 monotonic_ns);

/*
 * ckpt_obj_save - the number of an object, which is saved if it is new
 * @ptr: the object, or NULL, whose number is 0
 */
int ckpt_obj_save(struct ckpt_checkpoint *cp, const struct ckpt_type *type, void *ptr,
		  u32 *ref);
struct ckpt_obj *ckpt_obj_find(struct ckpt_checkpoint *cp, const struct ckpt_type *type,
			       void *ptr);
/* a reference to an inode and to its file system, for types that are known by one */
void ckpt_take_inode(void *ptr);
void ckpt_drop_inode(void *ptr);
/* all objects that are known so far, in the order of discovery */
struct list_head *ckpt_objs(struct ckpt_checkpoint *cp);

#define ckpt_for_each_obj(obj, cp, kind)				\
	list_for_each_entry(obj, ckpt_objs(cp), list)			\
		if ((obj)->type == (kind))

/* off its processor, so that its registers are in memory; false: it dies */
bool ckpt_wait_inactive(struct task_struct *t);

#endif
