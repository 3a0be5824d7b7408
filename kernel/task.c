// SPDX-License-Identifier: GPL-2.0-only
/*
 * One thread (TASK) and what the threads of a group share (PROCESS).
 *
 * Whatever a task can have and the engine cannot save is refused here, by
 * name: nothing is dropped in silence.  C10.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/fs_struct.h>
#include <linux/hrtimer.h>
#include <linux/iocontext.h>
#include <linux/ioprio.h>
#include <linux/oom.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/rseq.h>
#include <linux/sched/cputime.h>
#include <linux/sched/mm.h>
#include <linux/sched/rt.h>
#include <linux/sched/prio.h>
#include <linux/seccomp.h>
#include <uapi/linux/futex.h>
#include <uapi/linux/sched/types.h>

#include "engine.h"

#define CKPT_FROZEN_TIMEOUT (5 * HZ)
#define CKPT_CPUS_MAX (sizeof_field(struct ckpt_image_task, cpus) * 8)

/*
 * A cgroup that has both tasks and child cgroups says that it is frozen as soon
 * as its children are; its own tasks may need a moment.
 */
static int wait_frozen(struct task_struct *t)
{
	unsigned long end = jiffies + CKPT_FROZEN_TIMEOUT;

	while (!t->frozen) {
		if (READ_ONCE(t->flags) & PF_EXITING)
			return -EAGAIN;
		if (time_after(jiffies, end) || fatal_signal_pending(current))
			return -EBUSY;
		usleep_range(50, 200);
	}
	return 0;
}

/* S5 */
static int check_alive(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct task_struct *t = h->task;
	int ret;

	if (t->ptrace)
		return ckpt_refuse(cp, -EBUSY, "it is being traced; end the debugger first");
	if (!k_ptrace_may_access(t, PTRACE_MODE_ATTACH_REALCREDS))
		return ckpt_refuse(cp, -EPERM, "it may not be inspected by the caller");
	if (!ckpt_freezer_has(&cp->freezer, t))
		return ckpt_refuse(cp, -EBUSY, "it is not in the cgroup of the container's root task, and child cgroups are not supported");
	/* its parent sleeps in vfork() and cannot be saved there: try again soon */
	if (READ_ONCE(t->vfork_done))
		return -EAGAIN;
	ret = wait_frozen(t);
	if (ret == -EAGAIN)
		return ret;
	if (ret)
		return ckpt_refuse(cp, -EBUSY, "it is not frozen");
	if (t->signal->flags & SIGNAL_STOP_STOPPED)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "it is stopped by a signal, which is not supported; continue it first (kill -CONT)");
	if (ckpt_stop_pending(h))
		return ckpt_refuse(cp, -EBUSY, "SIGSTOP or SIGKILL has been sent to it and waits; try again");
	/* off its processor, so that its registers are in memory */
	return ckpt_wait_inactive(t) ? 0 : -EAGAIN;
}

static bool policy_ok(int policy)
{
	return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE ||
	       policy == SCHED_FIFO || policy == SCHED_RR;
}

static int check_features(struct ckpt_checkpoint *cp, struct task_struct *t)
{
	if (task_active_pid_ns(t) != cp->pid_ns)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a nested pid namespace is not supported");
	if (t->seccomp.mode != SECCOMP_MODE_DISABLED)
		return ckpt_refuse(cp, -EOPNOTSUPP, "seccomp is not supported");
	/* System V undo lists are empty: namespaces.c refuses semaphore sets */
#ifdef CONFIG_FUTEX
	if (!list_empty(&t->pi_state_list))
		return ckpt_refuse(cp, -EOPNOTSUPP, "it holds priority-inheriting futexes, which is not supported");
#ifdef CONFIG_COMPAT
	if (t->compat_robust_list)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a 32-bit robust list is not supported");
#endif
#endif
#ifdef CONFIG_NUMA
	if (t->mempolicy)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a NUMA memory policy is not supported");
#endif
	if (t->flags & (PF_IO_WORKER | PF_LOCAL_THROTTLE))
		return ckpt_refuse(cp, -EOPNOTSUPP, "%s is not supported",
				   t->flags & PF_IO_WORKER ? "io_uring" : "PR_SET_IO_FLUSHER");
	if (task_spec_ssb_disable(t) || task_spec_ssb_noexec(t) || task_spec_ib_disable(t))
		return ckpt_refuse(cp, -EOPNOTSUPP, "PR_SET_SPECULATION_CTRL is not supported");
	if (!policy_ok(t->policy))
		return ckpt_refuse(cp, -EOPNOTSUPP, "scheduling policy %u is not supported", t->policy);
	if (test_task_syscall_work(t, SYSCALL_USER_DISPATCH))
		return ckpt_refuse(cp, -EOPNOTSUPP, "system call user dispatch is not supported");
	return ckpt_arch_check_task(cp, t);
}

static int check_process(struct ckpt_checkpoint *cp, struct task_struct *t)
{
	struct signal_struct *sig = t->signal;

	if (sig->tty)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a controlling terminal is not supported; run it detached (ckpt run -d)");
	if (ckpt_has_posix_timers(sig))
		return ckpt_refuse(cp, -EOPNOTSUPP, "POSIX timers are not supported");
	if (sig->it[CPUCLOCK_VIRT].expires || sig->it[CPUCLOCK_PROF].expires)
		return ckpt_refuse(cp, -EOPNOTSUPP, "ITIMER_VIRTUAL and ITIMER_PROF are not supported");
	return 0;
}

int ckpt_check_task(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct task_struct *t = h->task;
	int ret;

	if (!h->mm) {
		if (!thread_group_leader(t) || thread_group_empty(t))
			return 0;
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "its first thread has exited and others run on, which is not supported");
	}
	ret = check_alive(cp, h);
	if (ret)
		return ret;
	ret = check_features(cp, t);
	if (ret)
		return ret;
	ret = ckpt_check_namespaces(cp, h);
	if (ret)
		return ret;
	return thread_group_leader(t) ? check_process(cp, t) : 0;
}

static bool saved_pending(const struct ckpt_image_process *img, int sig)
{
	unsigned int i;

	for (i = 0; i < img->nr_pending; i++)
		if (((const struct kernel_siginfo *)img->pending[i].info)->si_signo == sig)
			return true;
	return false;
}

/*
 * The timer runs on while the process is frozen.  @armed: it did before the
 * pending signals were counted, so that what it has sent since may not be among
 * them; then it is saved as about to send it.
 */
static void save_itimer(struct ckpt_checkpoint *cp, struct signal_struct *sig, bool armed,
			struct ckpt_image_process *proc)
{
	struct ckpt_image_itimer *img = &proc->itimers[ITIMER_REAL];
	ktime_t rem;

	img->interval = ktime_to_ns(sig->it_real_incr);
	if (hrtimer_active(&sig->real_timer)) {
		rem = hrtimer_get_remaining(&sig->real_timer);
		/* as counted from the clocks in SYSTEM */
		img->value = max_t(s64, 1, ktime_to_ns(rem) + ktime_get_ns() - cp->clock_ns);
	} else if (armed && !saved_pending(proc, SIGALRM)) {
		img->value = 1;
	}
}

int ckpt_save_process(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct task_struct *t = h->task;
	struct signal_struct *sig = t->signal;
	bool armed = hrtimer_active(&sig->real_timer);
	int i, ret, nr = ckpt_count_pending(h, true);
	struct ckpt_image_process *img;
	u32 mm, sighand;

	ret = ckpt_obj_save(cp, CKPT_OBJ_SIGHAND, h->sighand, &sighand);
	if (ret)
		return ret;
	ret = ckpt_obj_save(cp, CKPT_OBJ_MM, h->mm, &mm);
	if (ret)
		return ret;
	if (ckpt_obj_find(&cp->objs, CKPT_OBJ_MM, h->mm)->users > 1 ||
	    ckpt_obj_find(&cp->objs, CKPT_OBJ_SIGHAND, h->sighand)->users > 1)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "it shares memory or signal handlers with another process (CLONE_VM), which is not supported");
	img = ckpt_rec_new(&cp->out, CKPT_REC_PROCESS, struct_size(img, pending, nr));
	if (!img)
		return -ENOMEM;
	img->tgid = task_tgid_nr_ns(t, cp->pid_ns);
	img->mm = mm;
	img->sighand = sighand;
	img->oom_score_adj = sig->oom_score_adj;
	img->oom_score_adj_min = sig->oom_score_adj_min;
	img->subreaper = sig->is_child_subreaper | sig->has_child_subreaper << 1;
	img->nr_pending = nr;
	task_lock(t);
	for (i = 0; i < RLIM_NLIMITS; i++) {
		img->rlimits[i].cur = sig->rlim[i].rlim_cur;
		img->rlimits[i].max = sig->rlim[i].rlim_max;
	}
	task_unlock(t);
	ckpt_save_pending(h, true, img->pending, nr);
	save_itimer(cp, sig, armed, img);
	return 0;
}

static int save_zombie(struct ckpt_checkpoint *cp, struct task_struct *t,
		       struct ckpt_image_task *img)
{
	struct signal_struct *sig = t->signal;

	img->exit_code = sig->flags & SIGNAL_GROUP_EXIT ? sig->group_exit_code : t->exit_code;
	return 0;
}

static void save_ids(struct ckpt_checkpoint *cp, struct ckpt_held *h,
		     struct ckpt_image_task *img)
{
	struct task_struct *t = h->task;
	struct pid_namespace *ns = cp->pid_ns;

	rcu_read_lock();
	img->pid = task_pid_nr_ns(t, ns);
	img->tgid = task_tgid_nr_ns(t, ns);
	img->ppid = task_tgid_nr_ns(rcu_dereference(t->real_parent), ns);
	img->pgid = task_pgrp_nr_ns(t, ns);
	img->sid = task_session_nr_ns(t, ns);
	rcu_read_unlock();
	img->flags = (thread_group_leader(t) ? CKPT_TASK_LEADER : 0) |
		     (h->mm ? 0 : CKPT_TASK_ZOMBIE);
	img->exit_signal = thread_group_leader(t) ? t->exit_signal : -1;
	get_task_comm(img->comm, t);
}

static void save_sched(struct task_struct *t, struct ckpt_image_task *img)
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

static void save_signals(struct ckpt_held *h, struct ckpt_image_task *img)
{
	struct task_struct *t = h->task;

	spin_lock_irq(&h->sighand->siglock);
	img->blocked = t->blocked.sig[0];
	img->saved_sigmask = t->saved_sigmask.sig[0];
	img->restore_sigmask = t->restore_sigmask;
	spin_unlock_irq(&h->sighand->siglock);
	img->sas_sp = t->sas_ss_sp;
	img->sas_size = t->sas_ss_size;
	img->sas_flags = t->sas_ss_flags;
}

static void save_registered(struct task_struct *t, struct ckpt_image_task *img)
{
	img->rseq = (unsigned long)t->rseq;
	img->rseq_len = t->rseq ? ckpt_rseq_len(t) : 0;
	img->rseq_sig = t->rseq_sig;
	img->robust_list = (unsigned long)t->robust_list;
	img->robust_len = sizeof(struct robust_list_head);
	img->clear_child_tid = (unsigned long)t->clear_child_tid;
}

int ckpt_save_task(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct task_struct *t = h->task;
	u32 files = 0, fs = 0, cred = 0;
	struct ckpt_image_task *img;
	size_t xstate_len = 0;
	int nr = 0, ret;

	if (h->mm) {
		nr = ckpt_count_pending(h, false);
		xstate_len = ckpt_arch_xstate_len(t);
		ret = ckpt_obj_save(cp, CKPT_OBJ_FILES, h->files, &files);
		if (!ret)
			ret = ckpt_obj_save(cp, CKPT_OBJ_FS, h->fs, &fs);
		if (!ret)
			ret = ckpt_obj_save(cp, CKPT_OBJ_CRED, (void *)h->cred, &cred);
		if (ret)
			return ret;
	}
	img = ckpt_rec_new(&cp->out, CKPT_REC_TASK, sizeof(*img) +
			   nr * sizeof(struct ckpt_image_siginfo) + ALIGN(xstate_len, 8));
	if (!img)
		return -ENOMEM;
	save_ids(cp, h, img);
	if (!h->mm)
		return save_zombie(cp, t, img);
	img->files = files;
	img->fs = fs;
	img->cred = cred;
	img->real_cred = cred;
	img->personality = t->personality;
	img->pdeath_signal = t->pdeath_signal;
	img->no_new_privs = task_no_new_privs(t);
	save_sched(t, img);
	save_signals(h, img);
	save_registered(t, img);
	img->nr_pending = nr;
	ckpt_save_pending(h, false, (void *)img->tail, nr);
	img->x86.xstate_len = xstate_len;
	ret = ckpt_arch_save(t, &img->x86, img->tail + nr * sizeof(struct ckpt_image_siginfo));
	if (ret)
		return ckpt_refuse(cp, ret, "its registers cannot be read: error %d", -ret);
	return ckpt_save_restart_block(cp, t, &img->restart);
}

/* is the record as long as it says, and are its numbers numbers of tasks? */
int ckpt_check_task_rec(struct ckpt_log *log, struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_task *img = ckpt_body(buf);
	size_t want;

	if (buf->rec.len < sizeof(*img))
		goto bad;
	if (img->nr_pending > CKPT_REC_LEN_MAX / sizeof(struct ckpt_image_siginfo) ||
	    img->x86.xstate_len > CKPT_REC_LEN_MAX)
		goto bad;
	want = sizeof(*img) + img->nr_pending * sizeof(struct ckpt_image_siginfo) +
	       ALIGN(img->x86.xstate_len, 8);
	if (buf->rec.len != want || img->pid <= 0 || img->tgid <= 0 || img->pgid < 0 ||
	    img->sid < 0 || strnlen(img->comm, sizeof(img->comm)) == sizeof(img->comm))
		goto bad;
	if (img->flags & ~(CKPT_TASK_LEADER | CKPT_TASK_ZOMBIE) ||
	    !(img->flags & CKPT_TASK_LEADER) == (img->pid == img->tgid) ||
	    !ckpt_siginfos_ok((const void *)img->tail, img->nr_pending))
		goto bad;
	if ((img->flags & CKPT_TASK_LEADER && !valid_signal(img->exit_signal)) ||
	    !valid_signal(img->pdeath_signal))
		goto bad;
	return 0;
bad:
	return ckpt_fail(log, -EINVAL, "the TASK in record %u is malformed", buf->rec.seq);
}

int ckpt_check_process_rec(struct ckpt_log *log, struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_process *img = ckpt_body(buf);

	if (buf->rec.len < sizeof(*img) ||
	    img->nr_pending > CKPT_REC_LEN_MAX / sizeof(struct ckpt_image_siginfo) ||
	    buf->rec.len != struct_size(img, pending, img->nr_pending) || img->tgid <= 0 ||
	    !ckpt_siginfos_ok(img->pending, img->nr_pending) ||
	    img->oom_score_adj < OOM_SCORE_ADJ_MIN || img->oom_score_adj > OOM_SCORE_ADJ_MAX ||
	    img->oom_score_adj_min < OOM_SCORE_ADJ_MIN ||
	    img->oom_score_adj_min > OOM_SCORE_ADJ_MAX)
		return ckpt_fail(log, -EINVAL, "the PROCESS in record %u is malformed",
				 buf->rec.seq);
	return 0;
}

static int restore_rlimits(struct ckpt_restart *rs, const struct ckpt_image_process *img)
{
	struct signal_struct *sig = current->signal;
	int i, ret = 0;

	task_lock(current->group_leader);
	for (i = 0; i < RLIM_NLIMITS && !ret; i++) {
		const struct ckpt_image_rlimit *r = &img->rlimits[i];

		if (r->cur > r->max)
			ret = -EINVAL;
		else if (r->max > sig->rlim[i].rlim_max && !capable(CAP_SYS_RESOURCE))
			ret = -EPERM;
		if (ret)
			break;
		sig->rlim[i].rlim_cur = r->cur;
		sig->rlim[i].rlim_max = r->max;
	}
	task_unlock(current->group_leader);
	return ret ? ckpt_fail(&rs->log, ret, "process %d: limit %d of the image is not the caller's to give",
			       img->tgid, i) : 0;
}

/* what is the group's; by its leader, with the mm in place */
int ckpt_restore_process(struct ckpt_restart *rs, const struct ckpt_image_process *img)
{
	struct signal_struct *sig = current->signal;
	int ret;

	ret = ckpt_restore_sighand(rs, img->sighand);
	if (ret)
		return ret;
	ret = restore_rlimits(rs, img);
	if (ret)
		return ret;
	if ((img->oom_score_adj < sig->oom_score_adj_min ||
	     img->oom_score_adj_min < sig->oom_score_adj_min) && !capable(CAP_SYS_RESOURCE))
		return ckpt_fail(&rs->log, -EPERM, "process %d: its oom_score_adj is not the caller's to give",
				 img->tgid);
	sig->oom_score_adj = img->oom_score_adj;
	sig->oom_score_adj_min = img->oom_score_adj_min;
	sig->is_child_subreaper = img->subreaper & 1;
	sig->has_child_subreaper = img->subreaper >> 1 & 1;

	/* here already: the first thread that takes a SIGALRM starts the timer again */
	spin_lock_irq(&ckpt_sighand(current)->siglock);
	sig->it_real_incr = ns_to_ktime(min_t(u64, img->itimers[ITIMER_REAL].interval, KTIME_MAX));
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
	return 0;
}

/* what starts when the process does */
void ckpt_go_process(struct ckpt_restart *rs, const struct ckpt_image_process *img)
{
	const struct ckpt_image_itimer *it = &img->itimers[ITIMER_REAL];
	const struct ckpt_image_system *then = ckpt_body(rs->system);
	struct signal_struct *sig = current->signal;
	s64 value = min_t(u64, it->value, KTIME_MAX / 2);

	/* time that passed since the checkpoint counts, within one boot */
	value = max_t(s64, 1, value + then->monotonic_ns + rs->shift_ns - ktime_get_ns());

	if (it->value) {
		spin_lock_irq(&ckpt_sighand(current)->siglock);
		hrtimer_start(&sig->real_timer, ns_to_ktime(value), HRTIMER_MODE_REL);
		spin_unlock_irq(&ckpt_sighand(current)->siglock);
	}
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
	return ret ? ckpt_fail(&rs->log, ret, "task %d is bound to processors that this machine has not",
			       img->pid) : 0;
}

static bool is_rt(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static int restore_sched(struct ckpt_restart *rs, const struct ckpt_image_task *img)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = img->policy,
		.sched_flags = img->reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0,
		.sched_nice = img->nice,
		.sched_priority = img->rt_priority,
	};
	int ret;

	if (!policy_ok(img->policy) || img->nice < MIN_NICE || img->nice > MAX_NICE ||
	    IOPRIO_PRIO_CLASS(img->ioprio) > IOPRIO_CLASS_IDLE || img->ioprio >> 16)
		return ckpt_fail(&rs->log, -EINVAL, "task %d: its priority is not one", img->pid);
	if ((is_rt(img->policy) || img->nice < task_nice(current)) && !capable(CAP_SYS_NICE))
		return ckpt_fail(&rs->log, -EPERM, "task %d: its priority is not the caller's to give",
				 img->pid);
	if (IOPRIO_PRIO_CLASS(img->ioprio) == IOPRIO_CLASS_RT && !capable(CAP_SYS_NICE))
		return -EPERM;
	ret = sched_setattr_nocheck(current, &attr);
	if (ret)
		return ckpt_fail(&rs->log, ret, "task %d: its scheduling policy %d cannot be set: error %d",
				 img->pid, img->policy, -ret);
	if (img->ioprio != IOPRIO_DEFAULT) {
		ret = set_task_ioprio(current, img->ioprio);
		if (ret)
			return ret;
	}
	current->timer_slack_ns = img->timer_slack_ns;
	return restore_affinity(rs, img);
}

static bool user_ptr_ok(u64 addr, u64 len)
{
	return !addr || access_ok((void __user *)(unsigned long)addr, len);
}

/* addresses that the kernel writes to at exit or at each return to user space */
static int restore_registered(struct ckpt_restart *rs, const struct ckpt_image_task *img)
{
	if (!user_ptr_ok(img->rseq, max_t(u32, img->rseq_len, sizeof(struct rseq))) ||
	    !user_ptr_ok(img->robust_list, sizeof(struct robust_list_head)) ||
	    !user_ptr_ok(img->clear_child_tid, sizeof(int)) ||
	    (img->rseq && (img->rseq_len < 32 || img->rseq_len > PAGE_SIZE)))
		return ckpt_fail(&rs->log, -EINVAL, "task %d: an address of the image is not one", img->pid);
	current->rseq = (void __user *)(unsigned long)img->rseq;
	ckpt_set_rseq_len(current, img->rseq_len);
	current->rseq_sig = img->rseq_sig;
	current->robust_list = (void __user *)(unsigned long)img->robust_list;
	current->clear_child_tid = (void __user *)(unsigned long)img->clear_child_tid;
	current->sas_ss_sp = img->sas_sp;
	current->sas_ss_size = img->sas_size;
	current->sas_ss_flags = img->sas_flags & (SS_DISABLE | SS_AUTODISARM);
	return 0;
}

static void restore_mask(const struct ckpt_image_task *img)
{
	const u64 never = sigmask(SIGKILL) | sigmask(SIGSTOP);

	spin_lock_irq(&ckpt_sighand(current)->siglock);
	current->blocked.sig[0] = img->blocked & ~never;
	current->saved_sigmask.sig[0] = img->saved_sigmask & ~never;
	current->restore_sigmask = !!img->restore_sigmask;
	recalc_sigpending();
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
}

/* the task's own part, but for registers and pending signals */
int ckpt_restore_task_state(struct ckpt_restart *rs, const struct ckpt_image_task *img)
{
	int ret;

	task_lock(current);
	strscpy_pad(current->comm, img->comm, sizeof(current->comm));
	task_unlock(current);
	current->personality = img->personality;
	if (img->flags & CKPT_TASK_LEADER)
		current->exit_signal = img->exit_signal;
	if (img->no_new_privs)
		task_set_no_new_privs(current);
	restore_mask(img);
	ret = restore_sched(rs, img);
	if (ret)
		return ret;
	ret = restore_registered(rs, img);
	if (ret)
		return ret;
	ret = ckpt_restore_restart_block(rs, &img->restart);
	if (ret)
		return ret;
	ret = ckpt_arch_restore_tls(&img->x86);
	if (ret)
		return ret;
	ret = ckpt_restore_cred(rs, img->cred);
	if (ret)
		return ret;
	/* cleared by a change of credentials */
	current->pdeath_signal = img->pdeath_signal;
	return 0;
}
