// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a task is scheduled: policy, nice, processors, I/O priority, NUMA policy.
 * Everything is set, also what is as in a new task: who restarts it may have it
 * otherwise.  T7.
 */
#include <linux/cgroup.h>
#include <linux/cpumask.h>
#include <linux/cpuset.h>
#include <linux/iocontext.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
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

/* clone(CLONE_IO): an I/O priority that is set for one is then the other's, too */
static bool shares_io(struct task_struct *t)
{
	bool shares;

	task_lock(t);
	shares = t->io_context && atomic_read(&t->io_context->active_ref) > 1;
	task_unlock(t);
	return shares;
}

static int refuse(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	int ret = 0;

	if (!policy_ok(h->task->policy))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "scheduling policy %u is not supported",
				  h->task->policy);
	if (shares_io(h->task))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "an I/O context that it shares with another task (CLONE_IO) is not supported");
	return ret;
}

static s32 ioprio_of(struct task_struct *t)
{
	s32 ioprio;

	task_lock(t);
	ioprio = t->io_context ? t->io_context->ioprio : IOPRIO_DEFAULT;
	task_unlock(t);
	return ioprio;
}

/*
 * Has it asked for some of the processors?  @cpus: for which; what its cpuset
 * takes away of them is the cgroup's.
 */
static bool bound(struct task_struct *t, struct cpumask *cpus)
{
	struct cpumask *allowed = cpus;

	k_cpuset_cpus_allowed(t, allowed);
	return ckpt_asked_cpus(t, allowed, cpus);
}

/* a bit for each; no part: it is bound to none */
static int put_cpus(const struct cpumask *cpus, struct ckpt_rec_out *rec)
{
	u64 *img = ckpt_put_nr(rec, TASK, CPUS, DIV_ROUND_UP(nr_cpu_ids, 64));
	int cpu;

	if (!img)
		return -ENOMEM;
	for_each_cpu(cpu, cpus)
		img[cpu / 64] |= 1ULL << cpu % 64;
	return 0;
}

static int save_cpus(struct task_struct *t, struct ckpt_rec_out *rec)
{
	cpumask_var_t cpus;
	int ret;

	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	ret = bound(t, cpus) ? put_cpus(cpus, rec) : 0;
	free_cpumask_var(cpus);
	return ret;
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
	img->dl_runtime = ckpt_custom_slice(t);
	img->ioprio = ioprio_of(t);
	img->timer_slack_ns = t->timer_slack_ns;
	img->default_slack_ns = t->default_timer_slack_ns;
	return save_cpus(t, rec);
}

/* A machine with fewer processors is one to which a container may move. */
static void look_at_cpus(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_task *task = ckpt_get(buf, TASK, BASE);
	u64 nr, i, has = 0, present = 0;
	const u64 *img = ckpt_get_nr(buf, TASK, CPUS, &nr);
	int cpu;

	if (!img || !task)
		return;
	for (i = 0; i < nr; i++)
		has += hweight64(img[i]);
	for_each_present_cpu(cpu)
		present += cpu / 64 < nr && img[cpu / 64] >> cpu % 64 & 1;
	if (present && present < has)
		ckpt_log(log, "task %d was also bound to processors that this machine does not have", task->pid);
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_sched *img = ckpt_get(buf, TASK, SCHED);

	if (!img || !policy_ok(img->policy) || img->nice < MIN_NICE || img->nice > MAX_NICE ||
	    img->ioprio < 0 || img->ioprio >> 16 ||
	    IOPRIO_PRIO_CLASS(img->ioprio) > IOPRIO_CLASS_IDLE)
		return ckpt_malformed(log, buf);
	look_at_cpus(log, buf);
	return 0;
}

/* no cpuset but the first, to which processors belong that are not there yet */
static bool in_top_cpuset(void)
{
	bool top = true;

#ifdef CONFIG_CPUSETS
	rcu_read_lock();
	top = !task_css(current, cpuset_cgrp_id)->parent;
	rcu_read_unlock();
#endif
	return top;
}

/* the restarter was bound to some */
static int unbind(struct cpumask *cpus)
{
	long ret;

	if (!bound(current, cpus))
		return 0;
	ret = k_sched_setaffinity(0, cpu_possible_mask);
	return ret || !in_top_cpuset() ? ret : set_cpus_allowed_ptr(current, cpu_possible_mask);
}

/* as sched_setaffinity(2), which gives none that the cpuset does not allow */
static int bind(struct ckpt_restart *rs, const u64 *img, u64 nr, struct cpumask *cpus)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (cpu / 64 < nr && img[cpu / 64] >> cpu % 64 & 1)
			cpumask_set_cpu(cpu, cpus);
	return k_sched_setaffinity(0, cpus);
}

static int restore_cpus(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	cpumask_var_t cpus;
	const u64 *img;
	int ret;
	u64 nr;

	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	img = ckpt_get_nr(buf, TASK, CPUS, &nr);
	ret = img ? bind(rs, img, nr, cpus) : unbind(cpus);
	free_cpumask_var(cpus);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret,
			       "task %d is bound to processors that this machine or the container's cgroup has not",
			       task_pid_vnr(current)) : 0;
}

/* a policy of the restarter's; a task that has one of its own is refused at the checkpoint */
static int default_mempolicy(void)
{
#ifdef CONFIG_NUMA
	return current->mempolicy ? ckpt_syscall(set_mempolicy, MPOL_DEFAULT, 0, 0) : 0;
#else
	return 0;
#endif
}

static bool is_rt(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* as sched_setscheduler(2), for which to leave SCHED_IDLE is to become less nice */
static int check_rights(struct ckpt_restart *rs, const struct ckpt_image_sched *img)
{
	bool less_idle = current->policy == SCHED_IDLE && img->policy != SCHED_IDLE;

	if ((is_rt(img->policy) || less_idle || img->nice < task_nice(current) ||
	     IOPRIO_PRIO_CLASS(img->ioprio) == IOPRIO_CLASS_RT) && !capable(CAP_SYS_NICE))
		return ckpt_fail(ckpt_restore_log(rs), -EPERM, "task %d: its priority is not the caller's to give",
				 task_pid_vnr(current));
	return 0;
}

/* nice and slice are there for a real-time task, too: they count when it is none any more */
static int restore_policy(const struct ckpt_image_sched *img)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = is_rt(img->policy) ? SCHED_NORMAL : img->policy,
		.sched_flags = img->reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0,
		.sched_nice = img->nice,
		.sched_runtime = img->dl_runtime,
	};
	int ret;

	ret = sched_setattr_nocheck(current, &attr);
	if (ret || !is_rt(img->policy))
		return ret;
	attr.sched_policy = img->policy;
	attr.sched_priority = img->rt_priority;
	return sched_setattr_nocheck(current, &attr);
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_sched *img = ckpt_get(buf, TASK, SCHED);
	int ret;

	ret = check_rights(rs, img);
	if (ret)
		return ret;
	ret = restore_policy(img);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, "task %d: its scheduling policy %d cannot be set: error %d",
				 task_pid_vnr(current), img->policy, -ret);
	if (img->ioprio != ioprio_of(current)) {
		ret = set_task_ioprio(current, img->ioprio);
		if (ret)
			return ret;
	}
	ret = default_mempolicy();
	if (ret)
		return ret;
	current->timer_slack_ns = img->timer_slack_ns;
	if (img->default_slack_ns)
		current->default_timer_slack_ns = img->default_slack_ns;
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
