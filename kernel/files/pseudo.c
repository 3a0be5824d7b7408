// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that the kernel makes up: proc, sysfs and their like.  Most say what they
 * have to say anew with each read, and keep nothing but a position; some keep
 * what was written to them, or what was read.  Here is which.  C1, C10.
 */
#include <linux/backing-dev.h>
#include <linux/kernfs.h>
#include <linux/magic.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "file.h"

#define UNKNOWN "state that the kernel does not show"

/*
 * Has it nothing behind it where files lie?  What has storage or a server has a
 * backing device; of those that have none, the listed hold files all the same.
 */
bool ckpt_is_pseudo(const struct super_block *sb)
{
	static const unsigned long holds_files[] = {
		TMPFS_MAGIC, RAMFS_MAGIC, HUGETLBFS_MAGIC, OVERLAYFS_SUPER_MAGIC,
	};
	int i;

	if (sb->s_bdi != &noop_backing_dev_info)
		return false;
	for (i = 0; i < ARRAY_SIZE(holds_files); i++)
		if (sb->s_magic == holds_files[i])
			return false;
	return true;
}

/* is @name one of the list, or below one of it that ends with a slash? */
static bool is_listed(const char *name, const char * const *list, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		size_t len = strlen(list[i]);

		if (list[i][len - 1] == '/' ? !strncmp(name, list[i], len) : !strcmp(name, list[i]))
			return true;
	}
	return false;
}

#define IS_LISTED(name, list) is_listed(name, list, ARRAY_SIZE(list))

/* of the whole machine, or of a namespace */
static const char * const of_proc[] = {
	"/buddyinfo", "/cgroups", "/cmdline", "/consoles", "/cpuinfo", "/crypto", "/devices",
	"/diskstats", "/dma", "/execdomains", "/fb", "/filesystems", "/interrupts", "/iomem",
	"/ioports", "/irq/", "/kallsyms", "/kcore", "/key-users", "/keys", "/kmsg",
	"/kpagecgroup", "/kpagecount", "/kpageflags", "/loadavg", "/locks", "/mdstat",
	"/meminfo", "/misc", "/modules", "/pagetypeinfo", "/partitions", "/schedstat",
	"/slabinfo", "/softirqs", "/stat", "/swaps", "/sys/", "/sysrq-trigger", "/sysvipc/",
	"/timer_list", "/uptime", "/version", "/vmallocinfo", "/vmstat", "/zoneinfo",
};

/* of a process or task */
static const char * const of_task[] = {
	"arch_status", "attr/", "autogroup", "auxv", "cgroup", "children", "clear_refs",
	"cmdline", "comm", "coredump_filter", "cpu_resctrl_groups", "cpuset", "environ",
	"gid_map", "io", "ksm_merging_pages", "ksm_stat", "latency", "limits", "loginuid",
	"maps", "mem", "mountinfo", "mounts", "mountstats", "net/dev_snmp6/", "net/stat/",
	"numa_maps", "oom_adj", "oom_score", "oom_score_adj", "pagemap", "patch_state",
	"personality", "projid_map", "sched", "schedstat", "seccomp_cache", "sessionid",
	"setgroups", "smaps", "smaps_rollup", "stack", "stack_depth", "stat", "statm",
	"status", "syscall", "timens_offsets", "timers", "timerslack_ns", "uid_map", "wchan",
};

/* these are of the address space that the process had when they were opened */
static const char * const of_mm[] = { "attr/", "auxv", "environ", "mem", "pagemap" };
static const char * const of_mm_by_seq[] = { "maps", "numa_maps", "smaps", "smaps_rollup" };

/* what follows the numbers of process and task in a name, or NULL */
static const char *below_task(const char *name, pid_t *nr)
{
	int len = 0, tgid;

	if (sscanf(name, "/%d/task/%d/%n", &tgid, nr, &len) == 2 && len)
		return name + len;
	len = 0;
	return sscanf(name, "/%d/%n", nr, &len) == 1 && len ? name + len : NULL;
}

/* of none that could be had nothing is kept */
static bool has_mm(struct pid_namespace *ns, pid_t nr, const struct mm_struct *mm)
{
	struct task_struct *t;
	bool has = false;

	if (!mm)
		return true;
	rcu_read_lock();
	t = pid_task(find_pid_ns(nr, ns), PIDTYPE_PID);
	if (t) {
		task_lock(t);
		has = t->mm == mm;
		task_unlock(t);
	}
	rcu_read_unlock();
	return has;
}

static const struct mm_struct *mm_of(struct file *file, const char *name)
{
	if (IS_LISTED(name, of_mm_by_seq)) {
		const struct seq_file *seq = file->private_data;

		return ((struct ckpt_proc_maps_private *)seq->private)->mm;
	}
	return file->private_data;
}

static const char *task_state(struct ckpt_checkpoint *cp, struct file *file, const char *name,
			      pid_t nr)
{
	struct pid_namespace *ns = proc_pid_ns(file_inode(file)->i_sb);
	bool plain_net = !strncmp(name, "net/", 4) && !strchr(name + 4, '/');

	if (ns != ckpt_save_pid_ns(cp))
		return "the number of a process of another pid namespace";
	if (!plain_net && !IS_LISTED(name, of_task))
		return UNKNOWN;
	if ((IS_LISTED(name, of_mm) || IS_LISTED(name, of_mm_by_seq)) &&
	    !has_mm(ns, nr, mm_of(file, name)))
		return "the memory that its process had before it executed another program";
	return NULL;
}

static const char *proc_state(struct ckpt_checkpoint *cp, struct file *file, const char *name)
{
	const char *rest;
	pid_t nr;

	rest = below_task(name, &nr);
	if (rest)
		return task_state(cp, file, rest, nr);
	if (!strncmp(name, "/pressure/", 10))
		return ((struct seq_file *)file->private_data)->private ? "a trigger" : NULL;
	return IS_LISTED(name, of_proc) ? NULL : UNKNOWN;
}

static const char *sysfs_state(struct ckpt_checkpoint *cp, struct file *file, const char *name)
{
	return NULL;
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len >= n && !strcmp(name + len - n, end);
}

/* what a control file keeps of who has it open begins like this in both versions */
static const char *cgroup_state(struct ckpt_checkpoint *cp, struct file *file, const char *name)
{
	const struct seq_file *seq = file->private_data;
	const struct kernfs_open_file *of = seq->private;
	const struct ckpt_cgroup_file_ctx *ctx = of->priv;

	if (ctx && ctx->psi_trigger)
		return "a trigger";
	/* since 6.12 a write begins a peak of its own */
	if (ends_with(name, ".peak") && file->f_mode & FMODE_WRITE)
		return "a peak of its own";
	/* of version 1 */
	return ends_with(name, "/cgroup.event_control") ? UNKNOWN : NULL;
}

static const char *tracefs_state(struct ckpt_checkpoint *cp, struct file *file, const char *name)
{
	return ends_with(name, "/trace_marker") || ends_with(name, "/trace_marker_raw") ||
	       ends_with(name, "/tracing_on") ? NULL : UNKNOWN;
}

static const struct pseudo {
	unsigned long magic;
	/* what the file keeps that cannot be saved, or NULL; @name: in its file system */
	const char *(*state)(struct ckpt_checkpoint *cp, struct file *file, const char *name);
} known[] = {
	{ PROC_SUPER_MAGIC, proc_state },
	{ SYSFS_MAGIC, sysfs_state },
	{ CGROUP2_SUPER_MAGIC, cgroup_state },
	{ CGROUP_SUPER_MAGIC, cgroup_state },
	{ TRACEFS_MAGIC, tracefs_state },
};

static const struct pseudo *find_pseudo(const struct super_block *sb)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].magic == sb->s_magic)
			return &known[i];
	return NULL;
}

/* one of which is known that nobody answers but the kernel */
bool ckpt_is_known_pseudo(const struct super_block *sb)
{
	return find_pseudo(sb);
}

/* ckpt_check_pseudo - refuse a file that keeps what cannot be saved */
int ckpt_check_pseudo(struct ckpt_checkpoint *cp, struct file *file)
{
	const struct super_block *sb = file_inode(file)->i_sb;
	const struct pseudo *fs = find_pseudo(sb);
	const char *name, *what = UNKNOWN;
	char *buf;
	int ret = 0;

	/* it was not opened itself */
	if (file->f_mode & FMODE_PATH)
		return 0;
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	name = dentry_path_raw(file->f_path.dentry, buf, PATH_MAX);
	if (IS_ERR(name))
		name = "a file";
	else if (fs)
		what = fs->state(cp, file, name);
	if (what)
		ret = ckpt_refuse(cp, -EOPNOTSUPP,
				  "%s of %s has %s, which is not supported; close it before",
				  name, sb->s_type->name, what);
	kfree(buf);
	return ret;
}

/*
 * ckpt_restored_pseudo - whoever waits for a change of it is told of one
 *
 * Mounts were made anew, and whether another change had not been told yet is not
 * known.  Files of kernfs do so by themselves.  Returns 0 or -ENOMEM.
 */
int ckpt_restored_pseudo(struct file *file)
{
	static const char * const by_seq[] = { "mounts", "mountinfo" };
	static const char * const by_seq_of_proc[] = { "/swaps", "/mdstat" };
	static const char * const by_value[] = { "/sys/kernel/hostname", "/sys/kernel/domainname" };
	char *buf, *name;
	const char *rest;
	pid_t nr;

	if (file_inode(file)->i_sb->s_magic != PROC_SUPER_MAGIC || file->f_mode & FMODE_PATH)
		return 0;
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	name = dentry_path_raw(file->f_path.dentry, buf, PATH_MAX);
	if (!IS_ERR(name)) {
		rest = below_task(name, &nr);
		if (rest ? IS_LISTED(rest, by_seq) : IS_LISTED(name, by_seq_of_proc))
			((struct seq_file *)file->private_data)->poll_event--;
		else if (IS_LISTED(name, by_value))
			file->private_data = (void *)((unsigned long)file->private_data - 1);
	}
	kfree(buf);
	return 0;
}
