// SPDX-License-Identifier: GPL-2.0-only
/* Queues of signals, of a thread and of its process.  T3. */
#include <linux/sched/signal.h>
#include <linux/signal.h>

#include "part.h"
#include "task.h"

static struct sigpending *queue_of(struct task_struct *t, bool shared)
{
	return shared ? &t->signal->shared_pending : &t->pending;
}

/*
 * Signals that wait in a queue.  A signal may be pending without an entry, when
 * memory was short; it counts, and is saved as what kill(2) sends.  Those of POSIX
 * timers are saved with these, in one moment (tasks/posix_timers.c).
 */
static int walk_pending(struct sigpending *pending, struct ckpt_image_siginfo *infos, int max)
{
	sigset_t rest = pending->signal;
	struct sigqueue *q;
	int sig, nr = 0;

	sigdelset(&rest, SIGSTOP);
	list_for_each_entry(q, &pending->list, list) {
		sigdelset(&rest, q->info.si_signo);
		if (q->flags & SIGQUEUE_PREALLOC || q->info.si_signo == SIGSTOP)
			continue;
		if (infos && nr < max)
			memcpy(infos[nr].info, &q->info, sizeof(q->info));
		nr++;
	}
	for (sig = 1; sig <= _NSIG; sig++) {
		if (!sigismember(&rest, sig))
			continue;
		if (infos && nr < max) {
			struct kernel_siginfo info;

			clear_siginfo(&info);
			info.si_signo = sig;
			info.si_code = SI_USER;
			memcpy(infos[nr].info, &info, sizeof(info));
		}
		nr++;
	}
	return nr;
}

/*
 * Put the signals that wait into a part of the record; also those that came
 * while there was room made for them, as long as it lasts.
 *
 * Returns the part, with @nr signals in it; or an error pointer, of -EAGAIN when
 * some are gone meanwhile, as SIGCONT takes those away that stop.
 */
struct ckpt_image_siginfo *ckpt_save_pending(struct ckpt_held *h, bool shared,
					     struct ckpt_rec_out *rec, u16 tag, u64 *nr)
{
	struct ckpt_image_siginfo *infos;
	int count, now;

	spin_lock_irq(&h->sighand->siglock);
	count = walk_pending(queue_of(h->task, shared), NULL, 0);
	spin_unlock_irq(&h->sighand->siglock);
	infos = ckpt_part_new(rec, tag, sizeof(*infos), count);
	if (!infos)
		return ERR_PTR(-ENOMEM);
	spin_lock_irq(&h->sighand->siglock);
	now = walk_pending(queue_of(h->task, shared), infos, count);
	spin_unlock_irq(&h->sighand->siglock);
	*nr = count;
	return now < count ? ERR_PTR(-EAGAIN) : infos;
}

/*
 * SIGSTOP or SIGKILL has come since the task was frozen, and waits.  Who is stopped
 * takes no SIGSTOP: it waits for nothing but SIGCONT, which takes it away.
 */
bool ckpt_stop_pending(struct ckpt_held *h)
{
	u64 waits = sigmask(SIGKILL);
	bool pending;

	spin_lock_irq(&h->sighand->siglock);
	if (!(h->task->signal->flags & SIGNAL_STOP_STOPPED))
		waits |= sigmask(SIGSTOP);
	pending = (h->task->pending.signal.sig[0] | h->task->signal->shared_pending.signal.sig[0]) & waits;
	spin_unlock_irq(&h->sighand->siglock);
	return pending;
}

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	u64 nr;

	return PTR_ERR_OR_ZERO(ckpt_save_pending(h, false, rec, CKPT_TAG_TASK_PENDING, &nr));
}

static bool infos_ok(const struct ckpt_image_siginfo *infos, u64 nr)
{
	u64 i;

	for (i = 0; i < nr; i++) {
		struct kernel_siginfo info;

		memcpy(&info, infos[i].info, sizeof(info));
		if (info.si_signo <= 0 || !valid_signal(info.si_signo) ||
		    sig_kernel_only(info.si_signo))
			return false;
	}
	return true;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_siginfo *infos;
	u64 nr;

	infos = ckpt_get_nr(buf, TASK, PENDING, &nr);
	return infos_ok(infos, nr) ? 0 : ckpt_malformed(log, buf);
}

static int check_shared(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_siginfo *infos;
	u64 nr;

	infos = ckpt_get_nr(buf, PROCESS, PENDING, &nr);
	return infos_ok(infos, nr) ? 0 : ckpt_malformed(log, buf);
}

/* to current, which is in the same pid namespace as the signals were */
static int queue(struct ckpt_restart *rs, const struct ckpt_image_siginfo *infos, u64 nr,
		 enum pid_type type)
{
	int ret = 0;
	u64 i;

	for (i = 0; i < nr && !ret; i++) {
		struct kernel_siginfo info;

		memcpy(&info, infos[i].info, sizeof(info));
		ret = k_do_send_sig_info(info.si_signo, &info, current, type);
	}
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret,
			       "task %d: its pending signals cannot be queued: error %d",
			       task_pid_vnr(current), -ret) : 0;
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_siginfo *infos;
	u64 nr;

	infos = ckpt_get_nr(buf, TASK, PENDING, &nr);
	return queue(rs, infos, nr, PIDTYPE_PID);
}

static int restore_shared(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_siginfo *infos;
	u64 nr;

	infos = ckpt_get_nr(buf, PROCESS, PENDING, &nr);
	return queue(rs, infos, nr, PIDTYPE_TGID);
}

const struct ckpt_task_part ckpt_part_pending = {
	.name = "pending signals",
	.stage = CKPT_STAGE_SIGNALS,
	.save = save,
	.check = check,
	.restore = restore,
};

/* saved with the interval timers, which send some of them */
const struct ckpt_task_part ckpt_part_shared_pending = {
	.name = "pending signals of the process",
	.process = true,
	.stage = CKPT_STAGE_SIGNALS,
	.check = check_shared,
	.restore = restore_shared,
};
