// SPDX-License-Identifier: GPL-2.0-only
/* Dispositions and queues of signals.  T3. */
#include <linux/sched/signal.h>
#include <linux/signal.h>

#include "task.h"
#include "arch.h"

static int save_sighand(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct sighand_struct *sighand = obj->ptr;
	struct ckpt_image_sighand *img;
	int i;

	img = ckpt_rec(cp, CKPT_REC_SIGHAND, sizeof(*img));
	if (!img)
		return -ENOMEM;
	img->ref = obj->ref;
	img->nr = _NSIG;
	spin_lock_irq(&sighand->siglock);
	for (i = 0; i < _NSIG; i++) {
		const struct sigaction *sa = &sighand->action[i].sa;

		img->actions[i].handler = (unsigned long)sa->sa_handler;
		img->actions[i].flags = sa->sa_flags;
		img->actions[i].restorer = (unsigned long)sa->sa_restorer;
		img->actions[i].mask = sa->sa_mask.sig[0];
	}
	spin_unlock_irq(&sighand->siglock);
	return 0;
}

#define CKPT_SA_FLAGS (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | \
		       SA_NODEFER | SA_RESETHAND | SA_EXPOSE_TAGBITS | SA_RESTORER | SA_IMMUTABLE)

/* into current's own sighand, which it shares with nobody but its threads */
int ckpt_restore_sighand(struct ckpt_restart *rs, u32 ref)
{
	struct sighand_struct *sighand = ckpt_sighand(current);
	const struct ckpt_image_sighand *img;
	struct ckpt_rec_buf *buf;
	int i;

	buf = ckpt_find_rec(rs, ref, &ckpt_type_sighand);
	if (!buf)
		return -EINVAL;
	img = ckpt_body(buf);
	spin_lock_irq(&sighand->siglock);
	for (i = 0; i < _NSIG; i++) {
		struct sigaction *sa = &sighand->action[i].sa;

		if (sig_kernel_only(i + 1))
			continue;
		sa->sa_handler = (__sighandler_t)(unsigned long)img->actions[i].handler;
		/* SA_IMMUTABLE is the kernel's own, set when it forces a signal */
		sa->sa_flags = img->actions[i].flags & CKPT_SA_FLAGS & ~SA_IMMUTABLE;
		sa->sa_restorer = (__sigrestore_t)(unsigned long)img->actions[i].restorer;
		sa->sa_mask.sig[0] = img->actions[i].mask &
			~(sigmask(SIGKILL) | sigmask(SIGSTOP));
	}
	spin_unlock_irq(&sighand->siglock);
	return 0;
}

static struct sigpending *queue_of(struct task_struct *t, bool shared)
{
	return shared ? &t->signal->shared_pending : &t->pending;
}

/*
 * Signals that wait in a queue.  A signal may be pending without an entry, when
 * memory was short; it counts, and is saved as what kill(2) sends.
 */
static int walk_pending(struct sigpending *pending, struct ckpt_image_siginfo *infos, int max)
{
	sigset_t rest = pending->signal;
	struct sigqueue *q;
	int sig, nr = 0;

	list_for_each_entry(q, &pending->list, list) {
		if (infos && nr < max)
			memcpy(infos[nr].info, &q->info, sizeof(q->info));
		sigdelset(&rest, q->info.si_signo);
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

int ckpt_count_pending(struct ckpt_held *h, bool shared)
{
	int nr;

	spin_lock_irq(&h->sighand->siglock);
	nr = walk_pending(queue_of(h->task, shared), NULL, 0);
	spin_unlock_irq(&h->sighand->siglock);
	return nr;
}

void ckpt_save_pending(struct ckpt_held *h, bool shared,
		       struct ckpt_image_siginfo *infos, int nr)
{
	spin_lock_irq(&h->sighand->siglock);
	walk_pending(queue_of(h->task, shared), infos, nr);
	spin_unlock_irq(&h->sighand->siglock);
}

/* SIGSTOP or SIGKILL has come since the task was frozen, and waits */
bool ckpt_stop_pending(struct ckpt_held *h)
{
	const u64 both = sigmask(SIGSTOP) | sigmask(SIGKILL);
	bool pending;

	spin_lock_irq(&h->sighand->siglock);
	pending = (h->task->pending.signal.sig[0] | h->task->signal->shared_pending.signal.sig[0]) & both;
	spin_unlock_irq(&h->sighand->siglock);
	return pending;
}

bool ckpt_siginfos_ok(const struct ckpt_image_siginfo *infos, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		struct kernel_siginfo info;

		memcpy(&info, infos[i].info, sizeof(info));
		if (info.si_signo <= 0 || !valid_signal(info.si_signo) ||
		    sig_kernel_only(info.si_signo))
			return false;
	}
	return true;
}

/*
 * To current, which is in the same pid namespace as the signals were.  The
 * numbers were checked when the record was loaded.
 */
int ckpt_queue_pending(const struct ckpt_image_siginfo *infos, int nr, bool shared)
{
	int i, ret;

	for (i = 0; i < nr; i++) {
		struct kernel_siginfo info;

		memcpy(&info, infos[i].info, sizeof(info));
		ret = k_do_send_sig_info(info.si_signo, &info, current,
					 shared ? PIDTYPE_TGID : PIDTYPE_PID);
		if (ret)
			return ret;
	}
	return 0;
}

static int check_sighand(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_sighand *img = ckpt_body(buf);

	if (buf->rec.len != sizeof(*img) || img->nr != _NSIG)
		return ckpt_fail(log, -EINVAL, "the SIGHAND in record %u is malformed", buf->rec.seq);
	return 0;
}

/* needs no reference while the tasks that hold it are frozen */
const struct ckpt_type ckpt_type_sighand = {
	.name = "sighand",
	.record = CKPT_REC_SIGHAND,
	.save = save_sighand,
	.check = check_sighand,
};
