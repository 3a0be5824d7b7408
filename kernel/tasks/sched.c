// SPDX-License-Identifier: GPL-2.0-only
/* How a task is scheduled: policy, nice, processors, I/O priority.  T7. */
#include <linux/cpumask.h>
#include <linux/iocontext.h>
#include <linux/ioprio.h>
#include <linux/sched/rt.h>
#include <linux/sched/prio.h>
#include <uapi/linux/sched/types.h>

#include "task.h"

#define CKPT_CPUS_MAX (sizeof_field(struct ckpt_image_task, cpus) * 8)


bool ckpt_policy_ok(int policy)
{
	return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE ||
	       policy == SCHED_FIFO || policy == SCHED_RR;
}

void ckpt_save_sched(struct task_struct *t, struct ckpt_image_task *img)
{
	int cpu;

	img->policy = t->policy;
	img->nice = task_nice(t);
	img->rt_priority = t->rt_priority;
	img->reset_on_fork = t->sched_reset_on_fork;
	img->ioprio = t->io_context ? t->io_context->ioprio : IOPRIO_DEFAULT;
	img->timer_slack_ns = t->timer_slack_ns;
	if (cpumask_subset(cpu_possible_mask, t->cpus_ptr))
		return;
	img->nr_cpus = min_t(u32, nr_cpu_ids, CKPT_CPUS_MAX);
	for_each_cpu(cpu, t->cpus_ptr)
		if (cpu < CKPT_CPUS_MAX)
			img->cpus[cpu / 64] |= 1ULL << cpu % 64;
}

static int restore_affinity(struct ckpt_restart *rs, const struct ckpt_image_task *img)
{
	cpumask_var_t mask;
	int cpu, ret;

	if (!img->nr_cpus)
		return 0;
	if (!zalloc_cpumask_var(&mask, GFP_KERNEL))
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		if (cpu < CKPT_CPUS_MAX && img->cpus[cpu / 64] >> cpu % 64 & 1)
			cpumask_set_cpu(cpu, mask);
	ret = set_cpus_allowed_ptr(current, mask);
	free_cpumask_var(mask);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "task %d is bound to processors that this machine has not",
			       img->pid) : 0;
}

static bool is_rt(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

int ckpt_restore_sched(struct ckpt_restart *rs, const struct ckpt_image_task *img)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = img->policy,
		.sched_flags = img->reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0,
		.sched_nice = img->nice,
		.sched_priority = img->rt_priority,
	};
	int ret;

	if (!ckpt_policy_ok(img->policy) || img->nice < MIN_NICE || img->nice > MAX_NICE ||
	    IOPRIO_PRIO_CLASS(img->ioprio) > IOPRIO_CLASS_IDLE || img->ioprio >> 16)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "task %d: its priority is not one", img->pid);
	if ((is_rt(img->policy) || img->nice < task_nice(current)) && !capable(CAP_SYS_NICE))
		return ckpt_fail(ckpt_restore_log(rs), -EPERM, "task %d: its priority is not the caller's to give",
				 img->pid);
	if (IOPRIO_PRIO_CLASS(img->ioprio) == IOPRIO_CLASS_RT && !capable(CAP_SYS_NICE))
		return -EPERM;
	ret = sched_setattr_nocheck(current, &attr);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, "task %d: its scheduling policy %d cannot be set: error %d",
				 img->pid, img->policy, -ret);
	if (img->ioprio != IOPRIO_DEFAULT) {
		ret = set_task_ioprio(current, img->ioprio);
		if (ret)
			return ret;
	}
	current->timer_slack_ns = img->timer_slack_ns;
	return restore_affinity(rs, img);
}
