// SPDX-License-Identifier: GPL-2.0-only
/* PROCESS: what the threads of a group share. */
#include <linux/hrtimer.h>
#include <linux/oom.h>
#include <linux/pid_namespace.h>
#include <linux/sched/mm.h>

#include "task.h"

static bool saved_pending(const struct ckpt_image_process *img, int sig)
{
	unsigned int i;

	for (i = 0; i < img->nr_pending; i++)
		if (((const struct kernel_siginfo *)img->pending[i].info)->si_signo == sig)
			return true;
	return false;
}

/*
 * The timer runs on while the process is frozen.  @armed: it did before the
 * pending signals were counted, so that what it has sent since may not be among
 * them; then it is saved as about to send it.
 */
static void save_itimer(struct ckpt_checkpoint *cp, struct signal_struct *sig, bool armed,
			struct ckpt_image_process *proc)
{
	struct ckpt_image_itimer *img = &proc->itimers[ITIMER_REAL];
	ktime_t rem;

	img->interval = ktime_to_ns(sig->it_real_incr);
	if (hrtimer_active(&sig->real_timer)) {
		rem = hrtimer_get_remaining(&sig->real_timer);
		/* as counted from the clocks in SYSTEM */
		img->value = max_t(s64, 1, ktime_to_ns(rem) + ktime_get_ns() - ckpt_save_clock(cp));
	} else if (armed && !saved_pending(proc, SIGALRM)) {
		img->value = 1;
	}
}

int ckpt_save_process(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct task_struct *t = h->task;
	struct signal_struct *sig = t->signal;
	bool armed = hrtimer_active(&sig->real_timer);
	int i, ret, nr = ckpt_count_pending(h, true);
	struct ckpt_image_process *img;
	u32 mm, sighand;

	ret = ckpt_obj_save(cp, &ckpt_type_sighand, h->sighand, &sighand);
	if (ret)
		return ret;
	ret = ckpt_obj_save(cp, &ckpt_type_mm, h->mm, &mm);
	if (ret)
		return ret;
	if (ckpt_obj_find(cp, &ckpt_type_mm, h->mm)->users > 1 ||
	    ckpt_obj_find(cp, &ckpt_type_sighand, h->sighand)->users > 1)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "it shares memory or signal handlers with another process (CLONE_VM), which is not supported");
	img = ckpt_rec(cp, CKPT_REC_PROCESS, struct_size(img, pending, nr));
	if (!img)
		return -ENOMEM;
	img->tgid = task_tgid_nr_ns(t, ckpt_save_pid_ns(cp));
	img->mm = mm;
	img->sighand = sighand;
	img->oom_score_adj = sig->oom_score_adj;
	img->oom_score_adj_min = sig->oom_score_adj_min;
	img->subreaper = sig->is_child_subreaper | sig->has_child_subreaper << 1;
	img->nr_pending = nr;
	task_lock(t);
	for (i = 0; i < RLIM_NLIMITS; i++) {
		img->rlimits[i].cur = sig->rlim[i].rlim_cur;
		img->rlimits[i].max = sig->rlim[i].rlim_max;
	}
	task_unlock(t);
	ckpt_save_pending(h, true, img->pending, nr);
	save_itimer(cp, sig, armed, img);
	return 0;
}

int ckpt_check_process_rec(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_process *img = ckpt_body(buf);

	if (buf->rec.len < sizeof(*img) ||
	    img->nr_pending > CKPT_REC_LEN_MAX / sizeof(struct ckpt_image_siginfo) ||
	    buf->rec.len != struct_size(img, pending, img->nr_pending) || img->tgid <= 0 ||
	    !ckpt_siginfos_ok(img->pending, img->nr_pending) ||
	    img->oom_score_adj < OOM_SCORE_ADJ_MIN || img->oom_score_adj > OOM_SCORE_ADJ_MAX ||
	    img->oom_score_adj_min < OOM_SCORE_ADJ_MIN ||
	    img->oom_score_adj_min > OOM_SCORE_ADJ_MAX)
		return ckpt_fail(log, -EINVAL, "the PROCESS in record %u is malformed",
				 buf->rec.seq);
	return 0;
}

static int restore_rlimits(struct ckpt_restart *rs, const struct ckpt_image_process *img)
{
	struct signal_struct *sig = current->signal;
	int i, ret = 0;

	task_lock(current->group_leader);
	for (i = 0; i < RLIM_NLIMITS && !ret; i++) {
		const struct ckpt_image_rlimit *r = &img->rlimits[i];

		if (r->cur > r->max)
			ret = -EINVAL;
		else if (r->max > sig->rlim[i].rlim_max && !capable(CAP_SYS_RESOURCE))
			ret = -EPERM;
		if (ret)
			break;
		sig->rlim[i].rlim_cur = r->cur;
		sig->rlim[i].rlim_max = r->max;
	}
	task_unlock(current->group_leader);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "process %d: limit %d of the image is not the caller's to give",
			       img->tgid, i) : 0;
}

/* what is the group's; by its leader, with the mm in place */
int ckpt_restore_process(struct ckpt_restart *rs, const struct ckpt_image_process *img)
{
	struct signal_struct *sig = current->signal;
	int ret;

	ret = ckpt_restore_sighand(rs, img->sighand);
	if (ret)
		return ret;
	ret = restore_rlimits(rs, img);
	if (ret)
		return ret;
	if ((img->oom_score_adj < sig->oom_score_adj_min ||
	     img->oom_score_adj_min < sig->oom_score_adj_min) && !capable(CAP_SYS_RESOURCE))
		return ckpt_fail(ckpt_restore_log(rs), -EPERM, "process %d: its oom_score_adj is not the caller's to give",
				 img->tgid);
	sig->oom_score_adj = img->oom_score_adj;
	sig->oom_score_adj_min = img->oom_score_adj_min;
	sig->is_child_subreaper = img->subreaper & 1;
	sig->has_child_subreaper = img->subreaper >> 1 & 1;

	/* here already: the first thread that takes a SIGALRM starts the timer again */
	spin_lock_irq(&ckpt_sighand(current)->siglock);
	sig->it_real_incr = ns_to_ktime(min_t(u64, img->itimers[ITIMER_REAL].interval, KTIME_MAX));
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
	return 0;
}

/* what starts when the process does */
void ckpt_go_process(struct ckpt_restart *rs, const struct ckpt_image_process *img)
{
	const struct ckpt_image_itimer *it = &img->itimers[ITIMER_REAL];
	const struct ckpt_image_system *then = ckpt_restore_system(rs);
	struct signal_struct *sig = current->signal;
	s64 value = min_t(u64, it->value, KTIME_MAX / 2);

	/* time that passed since the checkpoint counts, within one boot */
	value = max_t(s64, 1, value + then->monotonic_ns + ckpt_restore_shift(rs) - ktime_get_ns());

	if (it->value) {
		spin_lock_irq(&ckpt_sighand(current)->siglock);
		hrtimer_start(&sig->real_timer, ns_to_ktime(value), HRTIMER_MODE_REL);
		spin_unlock_irq(&ckpt_sighand(current)->siglock);
	}
}
