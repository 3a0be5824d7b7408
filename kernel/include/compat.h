/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that the engine runs on.  No other file
 * asks for the version, but compat_sock.h for what is about sockets and
 * compat_tmpfs.h for what is about a tmpfs.
 */
#ifndef _CKPT_COMPAT_H
#define _CKPT_COMPAT_H

#include <linux/alarmtimer.h>
#include <linux/eventfd.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/nsproxy.h>
#include <linux/pagewalk.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>
#include <linux/sched/signal.h>
#include <linux/timer.h>
#include <linux/tty_buffer.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#include <linux/filelock.h>
#endif

/* 6.5: get_user_pages_remote() lost its array of vmas */
static inline long ckpt_get_user_pages(struct mm_struct *mm, unsigned long addr,
				       unsigned long nr, unsigned int flags,
				       struct page **pages)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return get_user_pages_remote(mm, addr, nr, flags, pages, NULL);
#else
	return get_user_pages_remote(mm, addr, nr, flags, pages, NULL, NULL);
#endif
}

/* 6.3: vm_flags is written through functions only */
static inline void ckpt_vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

static inline void ckpt_vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

/* 6.2: a name has a place of its own; before, it is that of the node in a file's tree */
static inline void ckpt_vma_has_no_name(struct vm_area_struct *vma)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0) && defined(CONFIG_ANON_VMA_NAME)
	vma->anon_name = NULL;
#endif
}

/* 6.5: a walk says how it locks vmas */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define CKPT_WALK_RDLOCK .walk_lock = PGWALK_RDLOCK,
#else
#define CKPT_WALK_RDLOCK
#endif

/* 6.10: memory sealing; 6.6: shadow stacks */
#ifdef VM_SEALED
#define CKPT_VM_SEALED VM_SEALED
#else
#define CKPT_VM_SEALED 0
#endif
#ifdef VM_SHADOW_STACK
#define CKPT_VM_SHADOW_STACK VM_SHADOW_STACK
#else
#define CKPT_VM_SHADOW_STACK 0
#endif

/* 6.3: what ids mean on a mount is a struct of its own */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define ckpt_mnt_idmap(mnt) mnt_idmap(mnt)
#else
#define ckpt_mnt_idmap(mnt) mnt_user_ns(mnt)
#endif

/* 6.11: memory that the kernel may drop at any time */
#ifdef VM_DROPPABLE
#define CKPT_VM_DROPPABLE VM_DROPPABLE
#else
#define CKPT_VM_DROPPABLE 0
#endif
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif

/* 6.6: shadow stacks, which a program may not switch on or off any more */
static inline bool ckpt_shstk_locked(struct task_struct *t)
{
#ifdef CONFIG_X86_USER_SHADOW_STACK
	return t->thread.features_locked;
#else
	return false;
#endif
}

/* 6.12: f_owner is allocated when it is needed */
static inline struct fown_struct *ckpt_file_owner(struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return file_f_owner(file);
#else
	return &file->f_owner;
#endif
}

static inline int ckpt_file_make_owner(struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return file_f_owner_allocate(file);
#else
	return 0;
#endif
}

/* 6.12: what a file of a named pipe remembers of its writers has a name of its own */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define ckpt_fifo_writers(file) ((file)->f_pipe)
#else
#define ckpt_fifo_writers(file) ((file)->f_version)
#endif

/* 6.12: posix_timers became an hlist; the newest comes first, and siglock is held */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define ckpt_for_each_posix_timer(timer, sig)				\
	hlist_for_each_entry(timer, &(sig)->posix_timers, list)
#else
#define ckpt_for_each_posix_timer(timer, sig)				\
	list_for_each_entry(timer, &(sig)->posix_timers, list)
#endif

/* 6.12: a timer of CPU time without a signal is never queued; before, it is, and ends when it expires */
#define CKPT_CPU_TIMER_NONE_QUEUED (LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0))

/*
 * 6.2: beside the processors that a task has got, it keeps those that it has
 * asked for.  Before, one that has not got all that its cpuset allows must have
 * asked.  @allowed may be @cpus.
 */
static inline bool ckpt_asked_cpus(struct task_struct *t, const struct cpumask *allowed,
				   struct cpumask *cpus)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	unsigned long flags;
	bool asked;

	raw_spin_lock_irqsave(&t->pi_lock, flags);
	asked = t->user_cpus_ptr && !cpumask_subset(cpu_possible_mask, t->user_cpus_ptr);
	if (asked)
		cpumask_copy(cpus, t->user_cpus_ptr);
	raw_spin_unlock_irqrestore(&t->pi_lock, flags);
	return asked;
#else
	bool asked = !cpumask_subset(allowed, &t->cpus_mask);

	if (asked)
		cpumask_copy(cpus, &t->cpus_mask);
	return asked;
#endif
}

/* 6.12: a slice of its own choice, in ns, or 0 */
static inline u64 ckpt_custom_slice(const struct task_struct *t)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return t->se.custom_slice ? t->se.slice : 0;
#else
	return 0;
#endif
}

/* 6.3: rseq areas have a length that the task chose */
static inline u32 ckpt_rseq_len(struct task_struct *t)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return t->rseq_len;
#else
	return sizeof(struct rseq);
#endif
}

static inline void ckpt_set_rseq_len(struct task_struct *t, u32 len)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	t->rseq_len = len;
#endif
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
typedef int ckpt_lease_arg;	/* fcntl_setlease()'s */
typedef const struct net ckpt_lookup_net; /* __inet6_lookup_established()'s */
#else
typedef long ckpt_lease_arg;
typedef struct net ckpt_lookup_net;
#endif

/* 6.3: i_flctx is read through a function; 6.9: what locks and leases share is in a core of theirs */
static inline struct file_lock_context *ckpt_lock_context(struct inode *inode)
{
	/* pairs with the cmpxchg() in locks_get_lock_context() */
	return smp_load_acquire(&inode->i_flctx);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define ckpt_lock_entry(pos, head)					\
	list_for_each_entry(pos, head, c.flc_list)
#define ckpt_fl(fl, field) ((fl)->c.flc_##field)
#define ckpt_lease file_lease
#else
#define ckpt_lock_entry(pos, head) list_for_each_entry(pos, head, fl_list)
#define ckpt_fl(fl, field) ((fl)->fl_##field)
#define ckpt_lease file_lock
#endif

/* 6.10: close_fd_get_file() has another name.  The file leaves current's table, whose locks stay. */
static inline struct file *ckpt_take_fd(unsigned int fd)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	return file_close_fd(fd);
#else
	return close_fd_get_file(fd);
#endif
}

/* the futex code's own flags, which restart blocks keep */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#define CKPT_FLAGS_SIZE_32	0x0002
#define CKPT_FLAGS_SHARED	0x0010
#define CKPT_FLAGS_CLOCKRT	0x0020
#define CKPT_FLAGS_HAS_TIMEOUT	0x0040
#else
#define CKPT_FLAGS_SIZE_32	0
#define CKPT_FLAGS_SHARED	0x01
#define CKPT_FLAGS_CLOCKRT	0x02
#define CKPT_FLAGS_HAS_TIMEOUT	0x04
#endif

/* 6.6: access to times of inodes goes through functions */
static inline u64 ckpt_inode_mtime_ns(struct inode *inode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	struct timespec64 ts = inode_get_mtime(inode);
#else
	struct timespec64 ts = inode->i_mtime;
#endif
	return (u64)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static inline u64 ckpt_inode_atime_ns(struct inode *inode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	struct timespec64 ts = inode_get_atime(inode);
#else
	struct timespec64 ts = inode->i_atime;
#endif
	return (u64)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* 6.5: a mapping of an overlay's file has the lower file, which knows its user's path */
static inline const struct path *ckpt_file_user_path(struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return file_user_path(file);
#else
	return &file->f_path;
#endif
}

/* 6.10: where mmap(2) looks first is a flag, and no function; @upwards, @downwards: these functions */
static inline bool ckpt_mm_is_legacy(const struct mm_struct *mm, const void *upwards)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	return !test_bit(MMF_TOPDOWN, &mm->flags);
#else
	return mm->get_unmapped_area == upwards;
#endif
}

static inline void ckpt_mm_set_legacy(struct mm_struct *mm, bool legacy, void *upwards,
				      void *downwards)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	assign_bit(MMF_TOPDOWN, &mm->flags, !legacy);
#else
	mm->get_unmapped_area = legacy ? upwards : downwards;
#endif
}

/* 6.3: the sysctl vm.memfd_noexec, of each pid namespace; older kernels have none */
static inline u32 ckpt_memfd_noexec(const struct pid_namespace *ns)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0) && defined(CONFIG_SYSCTL) && defined(CONFIG_MEMFD_CREATE)
	return READ_ONCE(ns->memfd_noexec_scope);
#else
	return 0;
#endif
}

/* false: this kernel cannot do so */
static inline bool ckpt_set_memfd_noexec(struct pid_namespace *ns, u32 scope)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0) && defined(CONFIG_SYSCTL) && defined(CONFIG_MEMFD_CREATE)
	WRITE_ONCE(ns->memfd_noexec_scope, scope);
	return true;
#else
	return !scope;
#endif
}

/* 6.3: PR_SET_MDWE; 6.4: PR_SET_MEMORY_MERGE and linear address masking */
static inline bool ckpt_mm_has_extras(struct mm_struct *mm)
{
	bool has = false;

#ifdef MMF_HAS_MDWE
	has |= test_bit(MMF_HAS_MDWE, &mm->flags);
#endif
#ifdef MMF_VM_MERGE_ANY
	has |= test_bit(MMF_VM_MERGE_ANY, &mm->flags);
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0) && defined(CONFIG_ADDRESS_MASKING)
	has |= mm->context.lam_cr3_mask != 0;
#endif
	return has;
}

/* 6.7: nsproxy's count is a refcount_t */
static inline void ckpt_get_nsproxy(struct nsproxy *ns)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	refcount_inc(&ns->count);
#else
	atomic_inc(&ns->count);
#endif
}

static inline bool ckpt_nsproxy_last(struct nsproxy *ns)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return refcount_dec_and_test(&ns->count);
#else
	return atomic_dec_and_test(&ns->count);
#endif
}

/* 6.8: declared in a header, exported long before */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
int vfs_path_lookup(struct dentry *dentry, struct vfsmount *mnt, const char *name,
		    unsigned int flags, struct path *path);
#endif

/*
 * 6.1 does not tell an eventfd's flags in fdinfo; its context is private and
 * has been laid out like this since flags were added in 2.6.30.
 */
struct ckpt_eventfd_ctx {
	struct kref kref;
	wait_queue_head_t wqh;
	__u64 count;
	unsigned int flags;
};

static inline bool ckpt_eventfd_is_semaphore(struct file *file)
{
	return ((struct ckpt_eventfd_ctx *)file->private_data)->flags & EFD_SEMAPHORE;
}

/*
 * A timerfd's context is private; all versions have it like this.  Whoever uses
 * it sees first whether its clock and flags are those that fdinfo tells.
 */
struct ckpt_timerfd_ctx {
	union {
		struct hrtimer tmr;
		struct alarm alarm;
	} t;
	ktime_t tintv;
	ktime_t moffs;
	wait_queue_head_t wqh;
	u64 ticks;
	int clockid;
	unsigned short expired;
	unsigned short settime_flags;
	struct rcu_head rcu;
	struct list_head clist;
	spinlock_t cancel_lock;
	bool might_cancel;
};

/* 6.10: what a mark is on is known itself, and not where it points to its marks */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define ckpt_conn_inode(conn) ((struct inode *)(conn)->obj)
#else
#define ckpt_conn_inode(conn) container_of((conn)->obj, struct inode, i_fsnotify_marks)
#endif

/* 6.9: pidfds are files of a file system of their own, and may be of a thread */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#include <linux/pidfs.h>
#define CKPT_HAS_PIDFS 1
#endif

/* 6.12: a terminal's buffer says that it has flags beside its bytes, and not that it has none */
static inline bool ckpt_tty_buffer_has_flags(const struct tty_buffer *b)
{
#ifdef TTYB_NORMAL
	return !(b->flags & TTYB_NORMAL);
#else
	return b->flags;
#endif
}

/* 6.3: of a file system that is on no idmapped mount */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define ckpt_nop_idmap (&nop_mnt_idmap)
#else
#define ckpt_nop_idmap (&init_user_ns)
#endif

/* how what proc keeps for a file of mappings, and cgroup for a control file, begins */
struct ckpt_proc_maps_private {
	struct inode *inode;
	struct task_struct *task;
	struct mm_struct *mm;
};

struct ckpt_cgroup_file_ctx {
	struct cgroup_namespace *ns;
	void *psi_trigger;
};
/* 6.9: busy polling of an epoll file's own */
#include <uapi/linux/eventpoll.h>
#ifndef EPIOCSPARAMS
struct epoll_params {
	__u32 busy_poll_usecs;
	__u16 busy_poll_budget;
	__u8 prefer_busy_poll;
	__u8 __pad;
};
#define EPIOCSPARAMS _IOW(0x8A, 0x01, struct epoll_params)
#endif

/* 6.7: files are found under RCU with the address of their pointer */
static inline struct file *ckpt_get_file_rcu(struct file __rcu **f)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return get_file_rcu(f);
#else
	struct file *file;

	do {
		file = rcu_dereference_raw(*f);
	} while (file && !get_file_rcu(file));
	return file;
#endif
}

/* schedule_timeout()'s, private to timer.c and the same in all versions */
struct ckpt_process_timer {
	struct timer_list timer;
	struct task_struct *task;
};

/* 6.3: a memfd's seal of its x bits; older kernels have none to keep */
#include <linux/fcntl.h>
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0
#endif

#endif
