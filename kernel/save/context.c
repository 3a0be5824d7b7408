// SPDX-License-Identifier: GPL-2.0-only
/* What a checkpoint answers to the rooms that work for it. */
#include <linux/pid_namespace.h>

#include "checkpoint.h"
#include "memory.h"

struct ckpt_log *ckpt_save_log(struct ckpt_checkpoint *cp)
{
	return &cp->log;
}

struct ckpt_out *ckpt_save_out(struct ckpt_checkpoint *cp)
{
	return &cp->out;
}

struct ckpt_rec_out *ckpt_rec(struct ckpt_checkpoint *cp, u16 type)
{
	return ckpt_rec_new(&cp->out, type);
}

int ckpt_done(struct ckpt_checkpoint *cp, struct ckpt_rec_out *rec)
{
	ckpt_rec_done(&cp->out, rec);
	return 0;
}

struct pid_namespace *ckpt_save_pid_ns(struct ckpt_checkpoint *cp)
{
	return cp->pid_ns;
}

const struct path *ckpt_save_root(struct ckpt_checkpoint *cp)
{
	return &cp->root_path;
}

const struct ckpt_held *ckpt_save_root_task(struct ckpt_checkpoint *cp)
{
	return &cp->tasks[0];
}

const struct ckpt_held *ckpt_save_task_at(struct ckpt_checkpoint *cp, int i)
{
	return i < cp->nr_tasks ? &cp->tasks[i] : NULL;
}

struct ckpt_undos **ckpt_save_undos(struct ckpt_checkpoint *cp)
{
	return &cp->undos;
}

bool ckpt_save_has(struct ckpt_checkpoint *cp, struct task_struct *task)
{
	bool has;

	if (cp->freezer.cgrp)
		return ckpt_freezer_has(&cp->freezer, task);
	/* somebody else has frozen it */
	rcu_read_lock();
	has = task_dfl_cgroup(task) == task_dfl_cgroup(cp->root);
	rcu_read_unlock();
	return has;
}

bool ckpt_save_wakes(struct ckpt_checkpoint *cp, const struct files_struct *files,
		     const wait_queue_head_t *queue)
{
	bool found = false;
	int i;

	for (i = 0; i < cp->nr_tasks; i++) {
		const struct ckpt_held *h = &cp->tasks[i];

		if (h->files != files)
			continue;
		if (!h->sighand || &h->sighand->signalfd_wqh != queue)
			return false;
		found = true;
	}
	return found;
}

bool ckpt_save_froze(struct ckpt_checkpoint *cp)
{
	return cp->freezer.alone;
}

bool ckpt_save_overdue(struct ckpt_checkpoint *cp)
{
	return ckpt_freezer_overdue(&cp->freezer);
}

/* the timer waits while this is held; false: it has let the container go */
bool ckpt_save_pin(struct ckpt_checkpoint *cp)
{
	mutex_lock(&cp->freezer.lock);
	return !cp->freezer.overdue;
}

void ckpt_save_unpin(struct ckpt_checkpoint *cp)
{
	mutex_unlock(&cp->freezer.lock);
}

u64 ckpt_save_clock(struct ckpt_checkpoint *cp)
{
	return cp->clock_ns;
}

void ckpt_save_set_clock(struct ckpt_checkpoint *cp, u64 monotonic_ns)
{
	cp->clock_ns = monotonic_ns;
}

void ckpt_add_source(struct ckpt_checkpoint *cp, struct ckpt_source *src)
{
	list_add_tail(&src->list, &cp->sources);
}

struct list_head *ckpt_sources(struct ckpt_checkpoint *cp)
{
	return &cp->sources;
}

void ckpt_at_fd(struct ckpt_checkpoint *cp, int fd)
{
	cp->fd = fd;
}

void ckpt_at(const struct ckpt_checkpoint *cp, pid_t *pid, int *fd)
{
	*pid = cp->task ? task_pid_nr_ns(cp->task, cp->pid_ns) : 0;
	*fd = cp->task ? cp->fd : -1;
}

int ckpt_refuse_whole(struct ckpt_checkpoint *cp, int err, const char *fmt, ...)
{
	struct va_format vf = { .fmt = fmt };
	va_list ap;

	va_start(ap, fmt);
	vf.va = &ap;
	ckpt_log(&cp->log, "%pV", &vf);
	va_end(ap);
	if (!cp->refused)
		cp->refused = err;
	return CKPT_REFUSED;
}

int ckpt_refuse(struct ckpt_checkpoint *cp, int err, const char *fmt, ...)
{
	struct va_format vf = { .fmt = fmt };
	char where[64] = "";
	va_list ap;

	if (cp->task && cp->fd >= 0)
		snprintf(where, sizeof(where), "task %d (%s) fd %d: ",
			 task_pid_nr_ns(cp->task, cp->pid_ns), cp->task->comm, cp->fd);
	else if (cp->task)
		snprintf(where, sizeof(where), "task %d (%s): ",
			 task_pid_nr_ns(cp->task, cp->pid_ns), cp->task->comm);
	va_start(ap, fmt);
	vf.va = &ap;
	ckpt_log(&cp->log, "%s%pV", where, &vf);
	va_end(ap);
	if (!cp->refused)
		cp->refused = err;
	return CKPT_REFUSED;
}
