// SPDX-License-Identifier: GPL-2.0-only
/*
 * A copy of an address space, on write, for the price of a fork.
 *
 * dup_mm() is not to be had by itself, and fork(2) copies current's mm.  So a
 * kernel thread borrows the container's mm and forks a child without CLONE_VM;
 * the child hands its mm over and exits, and the mm stays with us alone.  The
 * child is the kernel thread's, in no namespace of the container's.
 */
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <uapi/linux/wait.h>

#include "arch.h"
#include "ipc.h"
#include "memory.h"

/* mappings that fork leaves out or wipes: madvise(2) DONTFORK, WIPEONFORK */
#define CKPT_NOT_COPIED (VM_DONTCOPY | VM_WIPEONFORK)

struct hidden {
	struct list_head list;
	unsigned long start, end;
	unsigned long flags;		/* to be set again */
	unsigned long extra;		/* to be taken away again */
};

/*
 * The copy has no owner from here on, as it would have none after the child's
 * end; but an owner's end looks for the next one among all processes of the
 * machine, and that for each copy, while the container stands.
 */
static int copy_child(void *data)
{
	struct ckpt_mm_copy *copy = data;

	mmget(current->mm);
	copy->copy = current->mm;
#ifdef CONFIG_MEMCG
	RCU_INIT_POINTER(current->mm->owner, NULL);
#endif
	k_do_exit(0);
	return 0;
}

/* a segment of System V counts its mappings and who has made the last one, which would be ours */
static bool is_shm(const struct vm_area_struct *vma)
{
	return vma->vm_file && ckpt_is_shm(vma->vm_file);
}

/* not wanted: what may be dropped at any time, and what is not the program's */
static bool is_changed(struct vm_area_struct *vma)
{
	if (is_shm(vma))
		return true;
	return vma->vm_flags & CKPT_NOT_COPIED && !ckpt_arch_vma_is_vdso(vma) &&
	       !(vma->vm_flags & CKPT_VM_DROPPABLE) && !ckpt_vma_is_uprobes(vma);
}

/*
 * Take the flags off for the time of the copy, and remember them in @hidden.
 * The mm's tasks are frozen: nobody forks or looks meanwhile.
 */
static int unhide(struct mm_struct *mm, struct list_head *hidden)
{
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);
	int ret = 0;

	mmap_write_lock(mm);
	for_each_vma(vmi, vma) {
		struct hidden *h;

		if (!is_changed(vma))
			continue;
		h = kmalloc(sizeof(*h), GFP_KERNEL);
		if (!h) {
			ret = -ENOMEM;
			break;
		}
		h->start = vma->vm_start;
		h->end = vma->vm_end;
		h->flags = vma->vm_flags & CKPT_NOT_COPIED;
		h->extra = is_shm(vma) ? VM_DONTCOPY & ~h->flags : 0;
		if (is_shm(vma))
			ckpt_vm_flags_set(vma, VM_DONTCOPY);
		else
			ckpt_vm_flags_clear(vma, CKPT_NOT_COPIED);
		list_add(&h->list, hidden);
	}
	mmap_write_unlock(mm);
	return ret;
}

static void hide(struct mm_struct *mm, struct list_head *hidden)
{
	struct vm_area_struct *vma;
	struct hidden *h, *next;

	if (list_empty(hidden))
		return;
	mmap_write_lock(mm);
	list_for_each_entry_safe(h, next, hidden, list) {
		vma = vma_lookup(mm, h->start);
		if (vma && vma->vm_start == h->start && vma->vm_end == h->end) {
			ckpt_vm_flags_set(vma, h->flags);
			ckpt_vm_flags_clear(vma, h->extra);
		}
		kfree(h);
	}
	mmap_write_unlock(mm);
}

/* by the kernel thread */
static int copy_one(struct ckpt_mm_copy *copy)
{
	struct kernel_clone_args args = {
		.flags = CLONE_FS | CLONE_FILES,
		.exit_signal = SIGCHLD,
		.fn = copy_child,
		.fn_arg = copy,
	};
	LIST_HEAD(hidden);
	pid_t pid;
	int ret;

	ret = unhide(copy->mm, &hidden);
	if (!ret) {
		kthread_use_mm(copy->mm);
		pid = k_kernel_clone(&args);
		kthread_unuse_mm(copy->mm);
		/* the child runs our code until it is gone */
		if (pid > 0)
			k_kernel_wait4(pid, NULL, __WALL, NULL);
		ret = pid < 0 ? pid : 0;
	}
	hide(copy->mm, &hidden);
	return ret;
}

struct copy_job {
	struct ckpt_checkpoint *cp;
	struct completion done;
	int ret;
};

static int copier(void *data)
{
	struct copy_job *job = data;
	struct ckpt_source *src;

	/* a kernel thread ignores SIGCHLD, and its children then reap themselves */
	kernel_sigaction(SIGCHLD, SIG_DFL);
	ckpt_for_each_mm(src, job->cp) {
		/* the flags that are off meanwhile are nobody's business */
		job->ret = ckpt_save_pin(job->cp) ? copy_one(ckpt_mm_copy_of(src)) : -ETIMEDOUT;
		ckpt_save_unpin(job->cp);
		if (job->ret)
			break;
	}
	kthread_complete_and_exit(&job->done, 0);
}

/* the copies are made: the container's own memory is not ours to keep */
static void put_originals(struct ckpt_checkpoint *cp)
{
	struct ckpt_source *src;

	ckpt_for_each_mm(src, cp) {
		struct ckpt_mm_copy *copy = ckpt_mm_copy_of(src);

		mmput(copy->mm);
		copy->mm = NULL;
	}
}

/* make all copies; the container is frozen */
int ckpt_copy_mms(struct ckpt_checkpoint *cp)
{
	struct copy_job job = { .cp = cp };
	struct task_struct *kt;

	init_completion(&job.done);
	kt = kthread_run(copier, &job, "ckpt_copy");
	if (IS_ERR(kt))
		return PTR_ERR(kt);
	wait_for_completion(&job.done);
	put_originals(cp);
	return job.ret ? ckpt_fail(ckpt_save_log(cp), job.ret, "the container's memory cannot be copied: error %d",
				   -job.ret) : 0;
}
