/* SPDX-License-Identifier: GPL-2.0-only */
/* A restart, as the rooms of restore/ know it; others have include/restore.h. */
#ifndef _CKPT_RESTART_H
#define _CKPT_RESTART_H

#include <linux/kref.h>
#include <linux/task_work.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "restore.h"

enum ckpt_restart_state {
	CKPT_RESTART_NEW,
	CKPT_RESTART_LOADING,
	CKPT_RESTART_JOINED,		/* all are here, nobody joins any more */
	CKPT_RESTART_DYING,		/* zombies die */
	CKPT_RESTART_LOADED,		/* the others restore themselves */
	CKPT_RESTART_RESTORED,		/* all wait for the coordinator's last word */
	CKPT_RESTART_GO,
	CKPT_RESTART_FAILED,
};

struct ckpt_member {
	struct list_head list;
	struct task_struct *task;	/* a reference is held */
	struct ckpt_rec_buf *rec;	/* its TASK */
	pid_t pid;			/* in the container */
	struct ckpt_restart *rs;	/* references until it is on its way */
	struct file *dev;
	struct callback_head work;
};

struct ckpt_restart {
	struct kref kref;
	struct mutex lock;		/* of making; state, together with wait.lock */
	unsigned long scratch;		/* of the task that holds it */
	wait_queue_head_t wait;		/* the coordinator; its lock: state, members, nr_*, awaited*, err, made */
	wait_queue_head_t turn;		/* members; its lock is taken within wait's */
	const int *awaited;		/* which of nr_* the coordinator waits for, */
	int awaited_nr;			/* and how many */
	enum ckpt_restart_state state;
	int err;			/* why it failed, negative */
	struct ckpt_log log;
	struct ckpt_in in;
	struct list_head records;	/* all but those in memory's part */
	struct xarray by_ref;		/* object records */
	struct xarray by_pid;		/* TASK records */
	struct xarray by_tgid;		/* PROCESS records */
	struct xarray epolls;		/* EPOLL records, by FILES */
	struct xarray restored;		/* struct ckpt_restored, by ref */
	struct list_head made;		/* files that go if it fails; wait.lock, until it has failed */
	struct list_head externals;	/* for the coordinator: ends that are outside; wait.lock */
	struct ckpt_given given;
	bool filled;			/* the container's own tmpfs has what was in it; lock */
	int fill_err;			/* or has not, for that reason */
	u64 cpu_ns;			/* of all tasks that are here so far */
	struct ckpt_rec_buf *system;
	struct list_head members;
	struct task_struct *root;
	struct nsproxy *outside;	/* the coordinator's, to compare with */
	int nr_joined;
	int nr_filed;			/* have their tables */
	int nr_ready;
	int nr_tasks;
	int nr_live;			/* but the zombies */
	pid_t killed;			/* the first member that somebody killed, or 0 */
	s64 shift_ns;			/* monotonic clock: here minus there */
};

static inline const struct ckpt_image_task *ckpt_image_of(const struct ckpt_member *m)
{
	return ckpt_get(m->rec, TASK, BASE);
}

static inline bool ckpt_is_zombie(const struct ckpt_member *m)
{
	return ckpt_image_of(m)->flags & CKPT_TASK_ZOMBIE;
}

/* restored.c: the objects that are here again */
int ckpt_finish_restored(struct ckpt_restart *rs);
int ckpt_last_restored(struct ckpt_restart *rs);
void ckpt_drop_restored(struct ckpt_restart *rs);

/* made.c: files that go if the restart fails */
void ckpt_remove_made(struct ckpt_restart *rs);
void ckpt_forget_made(struct ckpt_restart *rs);

/* externals.c: what was outside; and when nobody can take it any more */
int ckpt_check_externals(struct ckpt_restart *rs);
void ckpt_drop_externals(struct ckpt_restart *rs);

/* load.c: the small records, up to MEMORY */
int ckpt_load(struct ckpt_restart *rs);

/* members.c: the tasks */
void ckpt_finish_members(struct ckpt_restart *rs);

/* meeting.c: where coordinator and members wait for each other */
void ckpt_set_state(struct ckpt_restart *rs, enum ckpt_restart_state state);
int ckpt_wait_state(struct ckpt_restart *rs, enum ckpt_restart_state state);
int ckpt_wait_members(struct ckpt_restart *rs, const int *count, int nr);
int ckpt_wait_filed(struct ckpt_restart *rs);
void ckpt_count_up(struct ckpt_restart *rs, int *count);
void ckpt_count_up_locked(struct ckpt_restart *rs, int *count);

/* sessions.c */
int ckpt_check_sessions(struct ckpt_restart *rs);
int ckpt_set_sessions(struct ckpt_restart *rs);

#endif
