// SPDX-License-Identifier: GPL-2.0-only
/* Dispositions, masks and the alternate stack of signals.  T3. */
#include <linux/sched/signal.h>
#include <linux/signal.h>

#include "part.h"
#include "task.h"

static int save_sighand(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_SIGHAND);
	struct ckpt_image_sighand *img = ckpt_put(rec, SIGHAND, BASE);
	struct ckpt_image_sigaction *to = ckpt_put_nr(rec, SIGHAND, ACTIONS, _NSIG);
	struct sighand_struct *sighand = obj->ptr;
	int i;

	if (!img || !to)
		return -ENOMEM;
	img->ref = obj->ref;
	spin_lock_irq(&sighand->siglock);
	for (i = 0; i < _NSIG; i++) {
		const struct sigaction *sa = &sighand->action[i].sa;

		to[i].handler = (unsigned long)sa->sa_handler;
		to[i].flags = sa->sa_flags;
		to[i].restorer = (unsigned long)sa->sa_restorer;
		to[i].mask = sa->sa_mask.sig[0];
	}
	spin_unlock_irq(&sighand->siglock);
	return ckpt_done(cp, rec);
}

#define CKPT_SA_FLAGS (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | \
		       SA_NODEFER | SA_RESETHAND | SA_EXPOSE_TAGBITS | SA_RESTORER | SA_IMMUTABLE)

/* into current's own sighand, which it shares with nobody but its threads */
static int restore_sighand(struct ckpt_restart *rs, const struct ckpt_rec_buf *process)
{
	u32 ref = ckpt_get(process, PROCESS, BASE)->sighand;
	struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_sighand);
	struct sighand_struct *sighand = ckpt_sighand(current);
	const struct ckpt_image_sigaction *from;
	int i;

	if (!buf)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "the image has no SIGHAND %u", ref);
	from = ckpt_get(buf, SIGHAND, ACTIONS);
	spin_lock_irq(&sighand->siglock);
	for (i = 0; i < _NSIG; i++) {
		struct sigaction *sa = &sighand->action[i].sa;

		if (sig_kernel_only(i + 1))
			continue;
		sa->sa_handler = (__sighandler_t)(unsigned long)from[i].handler;
		/* SA_IMMUTABLE is the kernel's own, set when it forces a signal */
		sa->sa_flags = from[i].flags & CKPT_SA_FLAGS & ~SA_IMMUTABLE;
		sa->sa_restorer = (__sigrestore_t)(unsigned long)from[i].restorer;
		sa->sa_mask.sig[0] = from[i].mask & ~(sigmask(SIGKILL) | sigmask(SIGSTOP));
	}
	spin_unlock_irq(&sighand->siglock);
	return 0;
}

/* needs no reference while the tasks that hold it are frozen */
const struct ckpt_type ckpt_type_sighand = {
	.name = "SIGHAND",
	.record = CKPT_REC_SIGHAND,
	.save = save_sighand,
};

const struct ckpt_task_part ckpt_part_sighand = {
	.name = "signal actions",
	.process = true,
	.stage = CKPT_STAGE_PROCESS,
	.restore = restore_sighand,
};

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_signals *img = ckpt_put(rec, TASK, SIGNALS);
	struct task_struct *t = h->task;

	if (!img)
		return -ENOMEM;
	spin_lock_irq(&h->sighand->siglock);
	img->blocked = t->blocked.sig[0];
	img->saved_sigmask = t->saved_sigmask.sig[0];
	img->restore_sigmask = t->restore_sigmask;
	spin_unlock_irq(&h->sighand->siglock);
	img->sas_sp = t->sas_ss_sp;
	img->sas_size = t->sas_ss_size;
	img->sas_flags = t->sas_ss_flags;
	return 0;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return ckpt_get(buf, TASK, SIGNALS) ? 0 : ckpt_malformed(log, buf);
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_signals *img = ckpt_get(buf, TASK, SIGNALS);
	const u64 never = sigmask(SIGKILL) | sigmask(SIGSTOP);

	spin_lock_irq(&ckpt_sighand(current)->siglock);
	current->blocked.sig[0] = img->blocked & ~never;
	current->saved_sigmask.sig[0] = img->saved_sigmask & ~never;
	current->restore_sigmask = !!img->restore_sigmask;
	recalc_sigpending();
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
	current->sas_ss_sp = img->sas_sp;
	current->sas_ss_size = img->sas_size;
	current->sas_ss_flags = img->sas_flags & (SS_DISABLE | SS_AUTODISARM);
	return 0;
}

const struct ckpt_task_part ckpt_part_signals = {
	.name = "signal masks",
	.stage = CKPT_STAGE_TASK,
	.save = save,
	.check = check,
	.restore = restore,
};
