// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of the parts of tasks and processes, in the order in which a stage
 * restores them.
 */
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>

#include "part.h"

static const struct ckpt_task_part * const parts[] = {
	&ckpt_part_identity,
	&ckpt_part_features,
	&ckpt_part_born,
	&ckpt_part_usage,
	&ckpt_part_shared,
	&ckpt_part_namespaces,
	&ckpt_part_files,
	&ckpt_part_fs,
	&ckpt_part_mapped,
	&ckpt_part_memory,		/* the BASE of PROCESS */
	&ckpt_part_sem_undo,
	&ckpt_part_process_usage,
	&ckpt_part_autogroup,
	&ckpt_part_posix_timers,
	&ckpt_part_seccomp,
	&ckpt_part_sighand,
	&ckpt_part_limits,
	&ckpt_part_oom,
	&ckpt_part_subreaper,
	&ckpt_part_job,
	&ckpt_part_stop,
	&ckpt_part_ctty,
	&ckpt_part_ptracer,
	&ckpt_part_itimers,
	&ckpt_part_shared_pending,
	&ckpt_part_pending,
	&ckpt_part_signals,
	&ckpt_part_attributes,
	&ckpt_part_sched,
	&ckpt_part_registered,
	&ckpt_part_sleep,
	&ckpt_part_registers,
	&ckpt_part_login,
	&ckpt_part_cred,
};

#define for_each_part(p)						\
	for (const struct ckpt_task_part * const *p = parts; p < parts + ARRAY_SIZE(parts); p++)

/* everything that stands in the way of a living task */
int ckpt_refuse_parts(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	int ret, refused = 0;

	for_each_part(p) {
		if (!(*p)->refuse || ((*p)->process && !thread_group_leader(h->task)))
			continue;
		ret = (*p)->refuse(cp, h);
		if (ckpt_go_on(ret))
			return ret;
		refused = ret ? : refused;
	}
	return refused;
}

static int save_parts(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec,
		      bool process)
{
	int ret, refused = 0;

	if (!rec)
		return -ENOMEM;
	for_each_part(p) {
		if (!(*p)->save || (*p)->process != process)
			continue;
		if (!h->mm && !(*p)->dead)
			continue;
		ret = (*p)->save(cp, h, rec);
		if (ckpt_go_on(ret))
			return ret;
		refused = ret ? : refused;
	}
	ckpt_done(cp, rec);
	return refused;
}

int ckpt_save_process(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_PROCESS);

	return save_parts(cp, h, rec, true);
}

int ckpt_save_task(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_TASK);

	return save_parts(cp, h, rec, false);
}

static int check_parts(struct ckpt_log *log, const struct ckpt_rec_buf *buf, bool process,
		       bool zombie)
{
	int ret;

	for_each_part(p) {
		if (!(*p)->check || (*p)->process != process || (zombie && !(*p)->dead))
			continue;
		ret = (*p)->check(log, buf);
		if (ret)
			return ret;
	}
	return 0;
}

int ckpt_check_task_rec(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return check_parts(log, buf, false, ckpt_is_zombie_rec(buf));
}

int ckpt_check_process_rec(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return check_parts(log, buf, true, false);
}

/* by current, whose records these are */
int ckpt_restore_stage(struct ckpt_restart *rs, const struct ckpt_rec_buf *task,
		       const struct ckpt_rec_buf *process, enum ckpt_stage stage)
{
	bool leader = ckpt_get(task, TASK, BASE)->flags & CKPT_TASK_LEADER;
	int ret;

	for_each_part(p) {
		if (!(*p)->restore || (*p)->stage != stage || ((*p)->process && !leader))
			continue;
		ret = (*p)->restore(rs, (*p)->process ? process : task);
		if (ret)
			return ret;
	}
	return 0;
}

int ckpt_restore_dead(struct ckpt_restart *rs, const struct ckpt_rec_buf *task)
{
	int ret;

	for_each_part(p) {
		if (!(*p)->dead || !(*p)->restore)
			continue;
		ret = (*p)->restore(rs, task);
		if (ret)
			return ret;
	}
	return 0;
}

/* of a task that sleeps, when everybody is complete */
void ckpt_finish_parts(struct task_struct *t, const struct ckpt_rec_buf *task,
		       const struct ckpt_rec_buf *process)
{
	bool leader = ckpt_get(task, TASK, BASE)->flags & CKPT_TASK_LEADER;

	for_each_part(p)
		if ((*p)->finish && (!(*p)->process || leader))
			(*p)->finish(t, (*p)->process ? process : task);
}

/* by current, when everybody is complete */
void ckpt_restore_go(struct ckpt_restart *rs, const struct ckpt_rec_buf *task,
		     const struct ckpt_rec_buf *process)
{
	bool leader = ckpt_get(task, TASK, BASE)->flags & CKPT_TASK_LEADER;

	for_each_part(p)
		if ((*p)->go && (!(*p)->process || leader))
			(*p)->go(rs, (*p)->process ? process : task);
}
