/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of a task, or of a process, a row each: tasks/parts.c has the
 * table.  A new part is a row of the format's table (uapi/ckpt_image_parts.h),
 * and one here.
 */
#ifndef _CKPT_PART_H
#define _CKPT_PART_H

#include "restore.h"
#include "save.h"

/*
 * A restarted task makes its parts in this order.  All have come to the end of
 * FILES before anybody begins with MEMORY.
 */
enum ckpt_stage {
	CKPT_STAGE_FILES,	/* with the lock of making; the old memory is still there */
	CKPT_STAGE_MEMORY,
	CKPT_STAGE_PROCESS,
	CKPT_STAGE_SIGNALS,	/* while all are blocked, so that none is dropped as ignored */
	CKPT_STAGE_TASK,
	CKPT_STAGE_CREDENTIALS,	/* everything before may need the restarter's rights */
};

struct ckpt_task_part {
	const char *name;
	bool process;		/* of the PROCESS record, and restored by the leader */
	bool dead;		/* a zombie has it, too, until it is reaped */
	enum ckpt_stage stage;
	/* has the task what cannot be saved?  ckpt_refuse() says it */
	int (*refuse)(struct ckpt_checkpoint *cp, struct ckpt_held *h);
	/* add to the record; objects are saved on the way */
	int (*save)(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec);
	/* are the numbers of the record right, as far as they are this part's? */
	int (*check)(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
	/* by the task itself, from its TASK or PROCESS */
	int (*restore)(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf);
	/* when everybody is complete: by the coordinator, while the task sleeps */
	void (*finish)(struct task_struct *t, const struct ckpt_rec_buf *buf);
	/* and by the task itself, on the way out */
	void (*go)(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf);
};

extern const struct ckpt_task_part ckpt_part_identity, ckpt_part_features, ckpt_part_shared,
	ckpt_part_namespaces, ckpt_part_files, ckpt_part_fs, ckpt_part_mapped, ckpt_part_memory,
	ckpt_part_sighand, ckpt_part_limits, ckpt_part_oom, ckpt_part_subreaper,
	ckpt_part_job, ckpt_part_ptracer, ckpt_part_autogroup,
	ckpt_part_itimers, ckpt_part_shared_pending, ckpt_part_pending, ckpt_part_signals, ckpt_part_attributes,
	ckpt_part_sched, ckpt_part_registered, ckpt_part_sleep, ckpt_part_registers,
	ckpt_part_posix_timers, ckpt_part_stop, ckpt_part_ctty,
	ckpt_part_sem_undo, ckpt_part_seccomp,
	ckpt_part_login, ckpt_part_born, ckpt_part_usage, ckpt_part_process_usage, ckpt_part_cred;

/* is it a zombie, which has few parts? */
static inline bool ckpt_is_zombie_rec(const struct ckpt_rec_buf *task)
{
	return ckpt_get(task, TASK, BASE)->flags & CKPT_TASK_ZOMBIE;
}

/* tasks/parts.c: all rows, one after the other */
int ckpt_refuse_parts(struct ckpt_checkpoint *cp, struct ckpt_held *h);
int ckpt_save_process(struct ckpt_checkpoint *cp, struct ckpt_held *leader);
int ckpt_save_task(struct ckpt_checkpoint *cp, struct ckpt_held *h);
int ckpt_check_task_rec(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
int ckpt_check_process_rec(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
int ckpt_restore_stage(struct ckpt_restart *rs, const struct ckpt_rec_buf *task,
		       const struct ckpt_rec_buf *process, enum ckpt_stage stage);
void ckpt_finish_parts(struct task_struct *t, const struct ckpt_rec_buf *task,
		       const struct ckpt_rec_buf *process);
/* by current, which is about to die as a zombie */
int ckpt_restore_dead(struct ckpt_restart *rs, const struct ckpt_rec_buf *task);
void ckpt_restore_go(struct ckpt_restart *rs, const struct ckpt_rec_buf *task,
		     const struct ckpt_rec_buf *process);

/* tasks/alive.c: S5 */
int ckpt_check_alive(struct ckpt_checkpoint *cp, struct ckpt_held *h);

#endif
