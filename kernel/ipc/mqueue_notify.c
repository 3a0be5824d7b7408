// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whom a POSIX message queue notifies.  mq_notify(2) names its caller, and any
 * descriptor of the queue that he closes takes that back: so he is put into the
 * queue when everybody has what he is to have.  C8.
 */
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/user_namespace.h>

#include "mqueue.h"
#include "private.h"

/* the process' count of execve(2); false: it is no process any more */
static bool exec_id_of(struct pid *pid, u32 *id)
{
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	if (task)
		*id = task->self_exec_id;
	rcu_read_unlock();
	return task;
}

const char *ckpt_save_mq_notify(struct ckpt_checkpoint *cp, struct inode *inode,
				struct ckpt_image_mqueue *img)
{
	struct ckpt_mq_notify n = ckpt_mq_notify(inode);
	u32 exec_id;

	if (!*n.owner)
		return NULL;
	img->notified = ckpt_pid_nr(cp, *n.owner);
	if (!img->notified)
		return "a process outside of it";
	if (!exec_id_of(*n.owner, &exec_id))
		return "a process that has ended";
	if (n.event->sigev_notify == SIGEV_THREAD)
		return "a process by SIGEV_THREAD";
	if (*n.user_ns != current_user_ns())
		return "a process of another user namespace";
	img->notify = n.event->sigev_notify;
	if (img->notify != SIGEV_SIGNAL)
		return NULL;
	img->signo = n.event->sigev_signo;
	img->value = (unsigned long)n.event->sigev_value.sival_ptr;
	if (exec_id != *n.exec_id)
		img->flags |= CKPT_MQ_EXECED;
	return NULL;
}

bool ckpt_mq_notify_ok(const struct ckpt_image_mqueue *img)
{
	const bool signal = img->notified && img->notify == SIGEV_SIGNAL;

	if (img->notified < 0 || (img->notify && !img->notified))
		return false;
	if (img->notified && img->notify != SIGEV_SIGNAL && img->notify != SIGEV_NONE)
		return false;
	return signal ? valid_signal(img->signo) :
	       !img->signo && !img->value && !(img->flags & CKPT_MQ_EXECED);
}

int ckpt_finish_mq_notify(struct inode *inode, const struct ckpt_image_mqueue *img,
			  struct pid *owner)
{
	struct ckpt_mq_notify n = ckpt_mq_notify(inode);
	int ret = 0;
	u32 exec_id;

	if (!exec_id_of(owner, &exec_id))
		return -ESRCH;
	spin_lock(ckpt_mq_lock(inode));
	if (*n.owner) {
		ret = -EBUSY;
	} else {
		n.event->sigev_notify = img->notify;
		n.event->sigev_signo = img->signo;
		n.event->sigev_value.sival_ptr = (void __user *)img->value;
		*n.exec_id = exec_id - !!(img->flags & CKPT_MQ_EXECED);
		*n.user_ns = get_user_ns(current_user_ns());
		*n.owner = get_pid(owner);
	}
	spin_unlock(ckpt_mq_lock(inode));
	return ret;
}
