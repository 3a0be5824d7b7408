// SPDX-License-Identifier: GPL-2.0-only
/*
 * References to the parts of a task.  A frozen task can still be killed, and
 * takes its parts with it unless somebody holds them while they are read.
 */
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/fs_struct.h>
#include <linux/nsproxy.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>

#include "checkpoint.h"
#include "file.h"

/* what task_lock() keeps in place */
static void hold_locked(struct ckpt_held *h)
{
	struct task_struct *t = h->task;

	task_lock(t);
	if (t->mm && !(t->flags & PF_KTHREAD)) {
		h->mm = t->mm;
		mmget(h->mm);
	}
	if (t->files) {
		h->files = t->files;
		atomic_inc(&h->files->count);
	}
	if (t->fs) {
		h->fs = t->fs;
		spin_lock(&h->fs->lock);
		h->fs->users++;
		spin_unlock(&h->fs->lock);
	}
	if (t->nsproxy) {
		h->nsproxy = t->nsproxy;
		ckpt_get_nsproxy(h->nsproxy);
	}
	task_unlock(t);
}

/*
 * ckpt_hold - keep the parts of h->task, which lives
 *
 * Returns 0, or -EAGAIN if it is dying; ckpt_unhold() is due in both cases.
 */
int ckpt_hold(struct ckpt_held *h)
{
	unsigned long flags;

	hold_locked(h);
	h->sighand = k___lock_task_sighand(h->task, &flags);
	if (__cond_lock(&h->sighand->siglock, h->sighand)) {
		refcount_inc(&h->sighand->count);
		spin_unlock_irqrestore(&h->sighand->siglock, flags);
	}
	h->cred = get_task_cred(h->task);
	h->stack = try_get_task_stack(h->task);
	return h->mm && h->files && h->fs && h->nsproxy && h->sighand && h->stack ? 0 : -EAGAIN;
}

/* who sleeps is off its processor at once */
#define CKPT_INACTIVE_TIMEOUT (10 * HZ)

/*
 * ckpt_wait_inactive - wait until @t, which sleeps or is about to, is off its
 * processor, so that its registers are in memory
 *
 * Returns false if it dies or runs on instead, or if current is killed.
 */
bool ckpt_wait_inactive(struct task_struct *t)
{
	unsigned long end = jiffies + CKPT_INACTIVE_TIMEOUT;

	while (!k_wait_task_inactive(t, TASK_ANY)) {
		if (READ_ONCE(t->flags) & PF_EXITING || fatal_signal_pending(current) ||
		    time_after(jiffies, end))
			return false;
		usleep_range(20, 100);
	}
	return true;
}

void ckpt_unhold_fs(struct ckpt_held *h)
{
	if (h->fs)
		ckpt_put_fs(h->fs);
	h->fs = NULL;
}

void ckpt_unhold(struct ckpt_held *h)
{
	if (h->mm)
		mmput(h->mm);
	if (h->files)
		k_put_files_struct(h->files);
	ckpt_unhold_fs(h);
	if (h->nsproxy)
		ckpt_put_nsproxy(h->nsproxy);
	if (h->sighand)
		k___cleanup_sighand(h->sighand);
	if (h->cred)
		put_cred(h->cred);
	if (h->stack)
		k_put_task_stack(h->task);
	put_task_struct(h->task);
}

/*
 * ckpt_end_files - close what current was the last to hold
 *
 * Within a system call the last fput() only queues the end of a file, as task
 * work for the way back to user space, and ours is long: a slow reader of the
 * image would keep ports bound and pipes open.  Called without locks, and never
 * by a release(), which may be such work itself.
 */
void ckpt_end_files(void)
{
	might_sleep();
	k_task_work_run();
}
