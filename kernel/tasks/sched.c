// SPDX-License-Identifier: GPL-2.0-only
/* How a task is scheduled: policy, nice, processors, I/O priority.  T7. */
#include <linux/cpumask.h>
#include <linux/iocontext.h>
#include <linux/ioprio.h>
#include <linux/sched/rt.h>
#include <linux/sched/prio.h>
#include <uapi/linux/sched/types.h>

#include "part.h"

/* SCHED_DEADLINE's parameters are not saved yet */
static bool policy_ok(int policy)
{
	return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE ||
	       policy == SCHED_FIFO || policy == SCHED_RR;
}

static int refuse(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	return policy_ok(h->task->policy) ? 0 :
		ckpt_refuse(cp, -EOPNOTSUPP, "scheduling policy %u is not supported",
			    h->task->policy);
}

/* the processors that it may run on, a bit each; none: it is bound to none */
static int save_cpus(struct task_struct *t, struct ckpt_rec_out *rec)
{
	u64 *cpus;
	int cpu;

	if (cpumask_subset(cpu_possible_mask, t->cpus_ptr))
		return 0;
	cpus = ckpt_put_nr(rec, TASK, CPUS, DIV_ROUND_UP(nr_cpu_ids, 64));
	if (!cpus)
		return -ENOMEM;
	for_each_cpu(cpu, t->cpus_ptr)
		cpus[cpu / 64] |= 1ULL << cpu % 64;
	return 0;
}

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_sched *img = ckpt_put(rec, TASK, SCHED);
	struct task_struct *t = h->task;

	if (!img)
		return -ENOMEM;
	img->policy = t->policy;
	img->nice = task_nice(t);
	img->rt_priority = t->rt_priority;
	img->reset_on_fork = t->sched_reset_on_fork;
	task_lock(t);
	img->ioprio = t->io_context ? t->io_context->ioprio : IOPRIO_DEFAULT;
	task_unlock(t);
	img->timer_slack_ns = t->timer_slack_ns;
	return save_cpus(t, rec);
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_sched *img = ckpt_get(buf, TASK, SCHED);

	if (!img || !policy_ok(img->policy) || img->nice < MIN_NICE || img->nice > MAX_NICE ||
	    img->ioprio < 0 || img->ioprio >> 16 ||
	    IOPRIO_PRIO_CLASS(img->ioprio) > IOPRIO_CLASS_IDLE)
		return ckpt_malformed(log, buf);
	return 0;
}

static int restore_cpus(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	cpumask_var_t mask;
	const u64 *cpus;
	int cpu, ret;
	u64 nr;

	cpus = ckpt_get_nr(buf, TASK, CPUS, &nr);
	if (!cpus)
		return 0;
	if (!zalloc_cpumask_var(&mask, GFP_KERNEL))
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		if (cpu / 64 < nr && cpus[cpu / 64] >> cpu % 64 & 1)
			cpumask_set_cpu(cpu, mask);
	ret = set_cpus_allowed_ptr(current, mask);
	free_cpumask_var(mask);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "task %d is bound to processors that this machine has not",
			       task_pid_vnr(current)) : 0;
}

static bool is_rt(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static int check_rights(struct ckpt_restart *rs, const struct ckpt_image_sched *img)
{
	if ((is_rt(img->policy) || img->nice < task_nice(current) ||
	     IOPRIO_PRIO_CLASS(img->ioprio) == IOPRIO_CLASS_RT) && !capable(CAP_SYS_NICE))
		return ckpt_fail(ckpt_restore_log(rs), -EPERM, "task %d: its priority is not the caller's to give",
				 task_pid_vnr(current));
	return 0;
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_sched *img = ckpt_get(buf, TASK, SCHED);
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = img->policy,
		.sched_flags = img->reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0,
		.sched_nice = img->nice,
		.sched_priority = img->rt_priority,
	};
	int ret;

	ret = check_rights(rs, img);
	if (ret)
		return ret;
	ret = sched_setattr_nocheck(current, &attr);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, "task %d: its scheduling policy %d cannot be set: error %d",
				 task_pid_vnr(current), img->policy, -ret);
	if (img->ioprio != IOPRIO_DEFAULT) {
		ret = set_task_ioprio(current, img->ioprio);
		if (ret)
			return ret;
	}
	current->timer_slack_ns = img->timer_slack_ns;
	return restore_cpus(rs, buf);
}

const struct ckpt_task_part ckpt_part_sched = {
	.name = "scheduling",
	.stage = CKPT_STAGE_TASK,
	.refuse = refuse,
	.save = save,
	.check = check,
	.restore = restore,
};
