// SPDX-License-Identifier: GPL-2.0-only
/* Limits of a process: setrlimit(2).  T7. */
#include <linux/posix-timers.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>

#include "part.h"

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_rlimit *img = ckpt_put_nr(rec, PROCESS, LIMITS, RLIM_NLIMITS);
	struct rlimit *rlim = h->task->signal->rlim;
	int i;

	if (!img)
		return -ENOMEM;
	task_lock(h->task);
	for (i = 0; i < RLIM_NLIMITS; i++) {
		img[i].cur = rlim[i].rlim_cur;
		img[i].max = rlim[i].rlim_max;
	}
	task_unlock(h->task);
	return 0;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_rlimit *img = ckpt_get(buf, PROCESS, LIMITS);
	int i;

	for (i = 0; i < RLIM_NLIMITS; i++)
		if (img[i].cur > img[i].max)
			return ckpt_malformed(log, buf);
	return 0;
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_rlimit *img = ckpt_get(buf, PROCESS, LIMITS);
	struct rlimit *rlim = current->signal->rlim;
	bool may = capable(CAP_SYS_RESOURCE);
	int i, ret = 0;

	task_lock(current->group_leader);
	for (i = 0; i < RLIM_NLIMITS; i++) {
		if (img[i].max > rlim[i].rlim_max && !may) {
			ret = -EPERM;
			break;
		}
		/* signals are still to be queued, more than it may allow by now */
		if (i == RLIMIT_SIGPENDING) {
			rlim[i].rlim_cur = max_t(u64, rlim[i].rlim_cur, img[i].cur);
			rlim[i].rlim_max = max_t(u64, rlim[i].rlim_max, img[i].max);
			continue;
		}
		rlim[i].rlim_cur = img[i].cur;
		rlim[i].rlim_max = img[i].max;
	}
	task_unlock(current->group_leader);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret,
			       "process %d: limit %d of the image is not the caller's to give",
			       task_tgid_vnr(current), i) : 0;
}

/*
 * Who restarts may have a RLIMIT_CPU, from which on a helper's clock of CPU time
 * counts by itself, without what tasks/usage.c adds later.  It begins anew, from
 * the tasks' sums, when somebody asks for it again.  All threads sleep.
 */
static void stop_cpu_clock(struct task_struct *leader)
{
	struct posix_cputimers *pct = &leader->signal->posix_cputimers;
	struct sighand_struct *sighand;
	unsigned long flags;

	sighand = k___lock_task_sighand(leader, &flags);
	if (!__cond_lock(&sighand->siglock, sighand))
		return;
	WRITE_ONCE(pct->timers_active, false);
	pct->bases[CPUCLOCK_PROF].nextevt = U64_MAX;
	spin_unlock_irqrestore(&sighand->siglock, flags);
}

/*
 * All signals are in their queues, and what the helpers had to compute is done.
 * RLIMIT_CPU takes effect by a timer only, which dies with a task that was killed.
 */
static void finish(struct task_struct *leader, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_rlimit *img = ckpt_get(buf, PROCESS, LIMITS);
	struct rlimit *pending = &leader->signal->rlim[RLIMIT_SIGPENDING];

	task_lock(leader);
	pending->rlim_cur = img[RLIMIT_SIGPENDING].cur;
	pending->rlim_max = img[RLIMIT_SIGPENDING].max;
	task_unlock(leader);
	stop_cpu_clock(leader);
	if (img[RLIMIT_CPU].cur != RLIM_INFINITY)
		k_update_rlimit_cpu(leader, img[RLIMIT_CPU].cur);
}

const struct ckpt_task_part ckpt_part_limits = {
	.name = "limits",
	.process = true,
	.stage = CKPT_STAGE_PROCESS,
	.save = save,
	.check = check,
	.restore = restore,
	.finish = finish,
};
