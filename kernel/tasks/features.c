// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a task can have and the engine knows no part for is refused here, by
 * name: nothing is dropped in silence.  C10.
 */
#include <linux/fdtable.h>
#include <linux/hrtimer.h>
#include <linux/io_uring_types.h>
#include <linux/magic.h>
#include <linux/pid_namespace.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/seccomp.h>
#include <linux/uprobes.h>

#include "arch.h"
#include "part.h"

#ifdef CONFIG_IO_URING
/* is a ring open?  The files refuse it then, by its descriptor */
static bool has_ring_open(struct task_struct *t)
{
	struct fdtable *fdt;
	unsigned int fd;
	bool found = false;

	rcu_read_lock();
	fdt = files_fdtable(t->files);
	for_each_set_bit(fd, fdt->open_fds, fdt->max_fds) {
		struct file *file = rcu_dereference(fdt->fd[fd]);
		struct dentry *dentry = file ? file->f_path.dentry : NULL;

		if (dentry && dentry->d_sb->s_magic == ANON_INODE_FS_MAGIC)
			found |= !strcmp(dentry->d_name.name, "[io_uring]");
	}
	rcu_read_unlock();
	return found;
}

/*
 * A ring needs no descriptor: one that is registered stays until the task ends.
 * Who has closed all that it had is as if it never had any.
 */
static bool has_ring(struct task_struct *t)
{
	return t->io_uring && !xa_empty(&t->io_uring->xa) && !(t->files && has_ring_open(t));
}
#else
static bool has_ring(struct task_struct *t)
{
	return false;
}
#endif

/* the strict mode of seccomp brings a trapped rdtsc, and whoever has it never gets rid of it */
static bool has_traps(struct task_struct *t)
{
	return ckpt_arch_traps_cpuid(t) ||
	       (ckpt_arch_traps_tsc(t) && t->seccomp.mode != SECCOMP_MODE_STRICT);
}

static bool has_io_flusher(struct task_struct *t)
{
	return t->flags & PF_LOCAL_THROTTLE;
}

static bool has_speculation_ctrl(struct task_struct *t)
{
	return task_spec_ssb_disable(t) || task_spec_ssb_noexec(t) || task_spec_ib_disable(t) ||
	       ckpt_arch_flushes_l1d(t);
}

static bool has_resctrl_group(struct task_struct *t)
{
#ifdef CONFIG_X86_CPU_RESCTRL
	return t->closid || t->rmid;
#else
	return false;
#endif
}

/*
 * What a task hands down to those that it forks.  At a restart the helpers must
 * not have got it from who restarts: the tasks that they become have not had it.
 */
static const struct {
	bool (*has)(struct task_struct *t);
	const char *name;
} handed_down[] = {
	{ has_io_flusher, "PR_SET_IO_FLUSHER" },
	{ has_speculation_ctrl, "PR_SET_SPECULATION_CTRL" },
	{ ckpt_arch_has_ports, "access to I/O ports" },
	{ has_traps, "a trapped rdtsc or cpuid instruction" },
	{ has_resctrl_group, "a group of /sys/fs/resctrl" },
};

static int check_task(struct ckpt_checkpoint *cp, struct task_struct *t)
{
	int i, ret = 0;

	if (task_active_pid_ns(t) != ckpt_save_pid_ns(cp))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "a nested pid namespace is not supported");
	for (i = 0; i < ARRAY_SIZE(handed_down); i++)
		if (handed_down[i].has(t))
			ret = ckpt_refuse(cp, -EOPNOTSUPP, "%s is not supported", handed_down[i].name);
	/* System V undo lists are empty: namespaces.c refuses semaphore sets */
#ifdef CONFIG_FUTEX
	if (!list_empty(&t->pi_state_list))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "it holds priority-inheriting futexes, which is not supported");
#ifdef CONFIG_COMPAT
	if (t->compat_robust_list)
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "a 32-bit robust list is not supported");
#endif
#endif
#ifdef CONFIG_NUMA
	if (t->mempolicy)
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "a NUMA memory policy is not supported");
#endif
	if (t->flags & PF_IO_WORKER || has_ring(t))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "io_uring is not supported");
#ifdef CONFIG_UPROBES
	if (t->utask && (t->utask->state != UTASK_RUNNING || t->utask->return_instances))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "it is in a function that somebody traces from outside (uretprobe), which is not supported");
#endif
	if (test_task_syscall_work(t, SYSCALL_USER_DISPATCH))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "system call user dispatch is not supported");
	return ret;
}

static int refuse(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	return check_task(cp, h->task);
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const char *name = NULL;
	int i;

	/* what the image has of it comes later: that of the restarter cannot be taken off */
	if (current->seccomp.mode != SECCOMP_MODE_DISABLED)
		name = "seccomp";
	for (i = 0; i < ARRAY_SIZE(handed_down) && !name; i++)
		if (handed_down[i].has(current))
			name = handed_down[i].name;
	if (!name && ckpt_mm_has_extras(current->mm))
		name = "PR_SET_MDWE or PR_SET_MEMORY_MERGE";
	return name ? ckpt_fail(ckpt_restore_log(rs), -EPERM,
				"who restarts has %s, which the tasks would have from it, and had not",
				name) : 0;
}

const struct ckpt_task_part ckpt_part_features = {
	.name = "features",
	.stage = CKPT_STAGE_FILES,
	.refuse = refuse,
	.restore = restore,
};
