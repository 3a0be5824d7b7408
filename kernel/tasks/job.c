// SPDX-License-Identifier: GPL-2.0-only
/*
 * Job control: that a process is stopped by a signal or was continued after that,
 * and what of it its parent may still ask by wait(2).  T3.
 */
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>

#include "part.h"
#include "task.h"

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_job *img = ckpt_put(rec, PROCESS, JOB);
	const struct signal_struct *sig = h->task->signal;

	if (!img)
		return -ENOMEM;
	spin_lock_irq(&h->sighand->siglock);
	if (sig->flags & SIGNAL_STOP_CONTINUED)
		img->flags = CKPT_JOB_CONTINUED;
	if (sig->flags & SIGNAL_STOP_STOPPED) {
		img->flags = CKPT_JOB_STOPPED;
		img->stop_signal = h->task->jobctl & JOBCTL_STOP_SIGMASK;
		/* a parent that has asked has taken the code away */
		if (!sig->group_exit_code)
			img->flags |= CKPT_JOB_ASKED;
	}
	spin_unlock_irq(&h->sighand->siglock);
	return 0;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_job *img = ckpt_get(buf, PROCESS, JOB);
	bool stopped = img && img->flags & CKPT_JOB_STOPPED;
	bool ok = true;

	if (stopped)
		ok = !(img->flags & CKPT_JOB_CONTINUED) && img->stop_signal &&
		     valid_signal(img->stop_signal);
	else if (img)
		ok = !(img->flags & CKPT_JOB_ASKED) && !img->stop_signal;
	return ok ? 0 : ckpt_malformed(log, buf);
}

/* siglock of @leader is held */
static void set_stopped(struct task_struct *leader, const struct ckpt_image_job *img)
{
	struct task_struct *t;

	signal_set_stop_flags(leader->signal, SIGNAL_STOP_STOPPED);
	leader->signal->group_exit_code = img->flags & CKPT_JOB_ASKED ? 0 : img->stop_signal;
	for_each_thread(leader, t)
		t->jobctl = (t->jobctl & ~JOBCTL_STOP_SIGMASK) | img->stop_signal;
}

/*
 * Before anybody runs, as the parent may ask at once.  Nobody is told: the parent
 * has been, and what it has not read of that is among its own signals.
 */
static void finish(struct task_struct *leader, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_job *img = ckpt_get(buf, PROCESS, JOB);
	struct sighand_struct *sighand;
	unsigned long flags;

	if (!img || !img->flags)
		return;
	rcu_read_lock();
	sighand = k___lock_task_sighand(leader, &flags);
	if (__cond_lock(&sighand->siglock, sighand)) {
		if (leader->signal->flags & SIGNAL_GROUP_EXIT)
			;	/* somebody has killed it */
		else if (img->flags & CKPT_JOB_STOPPED)
			set_stopped(leader, img);
		else
			signal_set_stop_flags(leader->signal, SIGNAL_STOP_CONTINUED);
		spin_unlock_irqrestore(&sighand->siglock, flags);
	}
	rcu_read_unlock();
}

const struct ckpt_task_part ckpt_part_job = {
	.name = "job control",
	.process = true,
	.save = save,
	.check = check,
	.finish = finish,
};

/*
 * A thread of a stopped process stops on its way out, where signals are delivered,
 * as one does that joins a group which has stopped.  Unless somebody who runs
 * already has sent SIGCONT.
 */
static void go(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	spin_lock_irq(&ckpt_sighand(current)->siglock);
	if (current->signal->flags & SIGNAL_STOP_STOPPED) {
		current->jobctl |= JOBCTL_STOP_PENDING;
		set_thread_flag(TIF_SIGPENDING);
	}
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
}

const struct ckpt_task_part ckpt_part_stop = {
	.name = "stop",
	.go = go,
};
