/* SPDX-License-Identifier: GPL-2.0-only */
/* A checkpoint, as the rooms of save/ know it; others have include/save.h. */
#ifndef _CKPT_CHECKPOINT_H
#define _CKPT_CHECKPOINT_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "../uapi/ckpt.h"

#include "save.h"

struct cgroup;

/* objects.c: the shared objects, each saved once */
struct ckpt_objects {
	struct hlist_head *hash;	/* about as many buckets as there are objects */
	unsigned int bits;
	u32 grow_at;			/* when there are so many */
	struct list_head list;
	u32 last_ref;			/* there are as many */
};

void ckpt_objects_init(struct ckpt_objects *objs);
void ckpt_objects_free(struct ckpt_objects *objs);

/* freezer.c: the container's cgroup, stopped and let go */
#define CKPT_FREEZE_TIMEOUT_NS	NSEC_PER_SEC
#define CKPT_MAX_FROZEN_NS	(5 * NSEC_PER_SEC)

struct ckpt_freezer {
	struct mutex lock;		/* cgrp, frozen, overdue */
	struct cgroup *cgrp;		/* a reference is held */
	bool frozen;			/* by us */
	bool alone;			/* by nobody else before, but other checkpoints */
	struct list_head list;		/* of those; cgroup_mutex */
	bool overdue;			/* and let go by the timer */
	ktime_t since;
	u64 timeout_ns;			/* for the freeze itself */
	u64 max_ns;			/* the container stands no longer than this; 0: no limit */
	struct delayed_work timer;
};

void ckpt_freezer_init(struct ckpt_freezer *fz);
void ckpt_freezer_exit(struct ckpt_freezer *fz);
/* does it stand, by us? */
bool ckpt_freezer_stands(struct ckpt_freezer *fz);
/* has the timer let it go meanwhile? */
bool ckpt_freezer_overdue(struct ckpt_freezer *fz);

int ckpt_freeze(struct ckpt_freezer *fz, struct task_struct *root, struct ckpt_log *log);
void ckpt_thaw(struct ckpt_freezer *fz, u64 *pause_ns);
bool ckpt_freezer_has(struct ckpt_freezer *fz, struct task_struct *task);

/* hold.c */
int ckpt_hold(struct ckpt_held *h);
void ckpt_unhold(struct ckpt_held *h);
void ckpt_unhold_fs(struct ckpt_held *h);

enum ckpt_step {			/* what was done last */
	CKPT_STEP_NEW,
	CKPT_STEP_TARGET,
	CKPT_STEP_COLLECTED,
	CKPT_STEP_STREAMED,
};

struct ckpt_checkpoint {
	enum ckpt_step step;
	struct ckpt_log log;
	struct ckpt_out out;
	struct ckpt_objects objs;
	struct ckpt_freezer freezer;
	struct task_struct *root;
	struct pid_namespace *pid_ns;	/* the container's */
	struct path root_path;		/* the container's root directory */
	struct ckpt_held *tasks;	/* leaders before their threads */
	int nr_tasks;
	struct ckpt_undos *undos;	/* see ckpt_save_undos() */
	struct task_struct *task;	/* the one at work, for the log */
	int fd;				/* the descriptor at work, or -1 */
	int refused;			/* why the checkpoint will fail: the first refusal's error */
	u32 flags;
	u64 clock_ns;			/* monotonic, as SYSTEM has it */
	struct list_head sources;	/* struct ckpt_source */
};

/* collect.c */
int ckpt_collect(struct ckpt_checkpoint *cp, const char *desc, u32 desc_len);

/* tree.c: which tasks there are, and the TREE */
int ckpt_collect_tasks(struct ckpt_checkpoint *cp);
/* or was one passed over, and nobody knows what it shares with the others? */
bool ckpt_sees_all(struct ckpt_checkpoint *cp);
int ckpt_check_still_there(struct ckpt_checkpoint *cp);
int ckpt_save_tree(struct ckpt_checkpoint *cp);

#endif
