// SPDX-License-Identifier: GPL-2.0-only
/* TASK: one thread. */
#include <linux/pid_namespace.h>
#include <linux/rseq.h>
#include <uapi/linux/futex.h>

#include "arch.h"
#include "task.h"

static int save_zombie(struct ckpt_checkpoint *cp, struct task_struct *t,
		       struct ckpt_image_task *img)
{
	struct signal_struct *sig = t->signal;

	img->exit_code = sig->flags & SIGNAL_GROUP_EXIT ? sig->group_exit_code : t->exit_code;
	return 0;
}

static void save_ids(struct ckpt_checkpoint *cp, struct ckpt_held *h,
		     struct ckpt_image_task *img)
{
	struct task_struct *t = h->task;
	struct pid_namespace *ns = ckpt_save_pid_ns(cp);

	rcu_read_lock();
	img->pid = task_pid_nr_ns(t, ns);
	img->tgid = task_tgid_nr_ns(t, ns);
	img->ppid = task_tgid_nr_ns(rcu_dereference(t->real_parent), ns);
	img->pgid = task_pgrp_nr_ns(t, ns);
	img->sid = task_session_nr_ns(t, ns);
	rcu_read_unlock();
	img->flags = (thread_group_leader(t) ? CKPT_TASK_LEADER : 0) |
		     (h->mm ? 0 : CKPT_TASK_ZOMBIE);
	img->exit_signal = thread_group_leader(t) ? t->exit_signal : -1;
	get_task_comm(img->comm, t);
}

static void save_signals(struct ckpt_held *h, struct ckpt_image_task *img)
{
	struct task_struct *t = h->task;

	spin_lock_irq(&h->sighand->siglock);
	img->blocked = t->blocked.sig[0];
	img->saved_sigmask = t->saved_sigmask.sig[0];
	img->restore_sigmask = t->restore_sigmask;
	spin_unlock_irq(&h->sighand->siglock);
	img->sas_sp = t->sas_ss_sp;
	img->sas_size = t->sas_ss_size;
	img->sas_flags = t->sas_ss_flags;
}

static void save_registered(struct task_struct *t, struct ckpt_image_task *img)
{
	img->rseq = (unsigned long)t->rseq;
	img->rseq_len = t->rseq ? ckpt_rseq_len(t) : 0;
	img->rseq_sig = t->rseq_sig;
	img->robust_list = (unsigned long)t->robust_list;
	img->robust_len = sizeof(struct robust_list_head);
	img->clear_child_tid = (unsigned long)t->clear_child_tid;
}

int ckpt_save_task(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct task_struct *t = h->task;
	u32 files = 0, fs = 0, cred = 0;
	struct ckpt_image_task *img;
	size_t xstate_len = 0;
	int nr = 0, ret;

	if (h->mm) {
		nr = ckpt_count_pending(h, false);
		xstate_len = ckpt_arch_xstate_len(t);
		ret = ckpt_obj_save(cp, &ckpt_type_files, h->files, &files);
		if (!ret)
			ret = ckpt_obj_save(cp, &ckpt_type_fs, h->fs, &fs);
		if (!ret)
			ret = ckpt_obj_save(cp, &ckpt_type_cred, (void *)h->cred, &cred);
		if (ret)
			return ret;
	}
	img = ckpt_rec(cp, CKPT_REC_TASK, sizeof(*img) +
			   nr * sizeof(struct ckpt_image_siginfo) + ALIGN(xstate_len, 8));
	if (!img)
		return -ENOMEM;
	save_ids(cp, h, img);
	if (!h->mm)
		return save_zombie(cp, t, img);
	img->files = files;
	img->fs = fs;
	img->cred = cred;
	img->real_cred = cred;
	img->personality = t->personality;
	img->pdeath_signal = t->pdeath_signal;
	img->no_new_privs = task_no_new_privs(t);
	ckpt_save_sched(t, img);
	save_signals(h, img);
	save_registered(t, img);
	img->nr_pending = nr;
	ckpt_save_pending(h, false, (void *)img->tail, nr);
	img->x86.xstate_len = xstate_len;
	ret = ckpt_arch_save(t, &img->x86, img->tail + nr * sizeof(struct ckpt_image_siginfo));
	if (ret)
		return ckpt_refuse(cp, ret, "its registers cannot be read: error %d", -ret);
	return ckpt_save_restart_block(cp, t, &img->restart);
}

/* is the record as long as it says, and are its numbers numbers of tasks? */
int ckpt_check_task_rec(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_task *img = ckpt_body(buf);
	size_t want;

	if (buf->rec.len < sizeof(*img))
		goto bad;
	if (img->nr_pending > CKPT_REC_LEN_MAX / sizeof(struct ckpt_image_siginfo) ||
	    img->x86.xstate_len > CKPT_REC_LEN_MAX)
		goto bad;
	want = sizeof(*img) + img->nr_pending * sizeof(struct ckpt_image_siginfo) +
	       ALIGN(img->x86.xstate_len, 8);
	if (buf->rec.len != want || img->pid <= 0 || img->tgid <= 0 || img->pgid < 0 ||
	    img->sid < 0 || strnlen(img->comm, sizeof(img->comm)) == sizeof(img->comm))
		goto bad;
	if (img->flags & ~(CKPT_TASK_LEADER | CKPT_TASK_ZOMBIE) ||
	    !(img->flags & CKPT_TASK_LEADER) == (img->pid == img->tgid) ||
	    !ckpt_siginfos_ok((const void *)img->tail, img->nr_pending))
		goto bad;
	if ((img->flags & CKPT_TASK_LEADER && !valid_signal(img->exit_signal)) ||
	    !valid_signal(img->pdeath_signal))
		goto bad;
	return 0;
bad:
	return ckpt_fail(log, -EINVAL, "the TASK in record %u is malformed", buf->rec.seq);
}

static bool user_ptr_ok(u64 addr, u64 len)
{
	return !addr || access_ok((void __user *)(unsigned long)addr, len);
}

/* addresses that the kernel writes to at exit or at each return to user space */
static int restore_registered(struct ckpt_restart *rs, const struct ckpt_image_task *img)
{
	if (!user_ptr_ok(img->rseq, max_t(u32, img->rseq_len, sizeof(struct rseq))) ||
	    !user_ptr_ok(img->robust_list, sizeof(struct robust_list_head)) ||
	    !user_ptr_ok(img->clear_child_tid, sizeof(int)) ||
	    (img->rseq && (img->rseq_len < 32 || img->rseq_len > PAGE_SIZE)))
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "task %d: an address of the image is not one", img->pid);
	current->rseq = (void __user *)(unsigned long)img->rseq;
	ckpt_set_rseq_len(current, img->rseq_len);
	current->rseq_sig = img->rseq_sig;
	current->robust_list = (void __user *)(unsigned long)img->robust_list;
	current->clear_child_tid = (void __user *)(unsigned long)img->clear_child_tid;
	current->sas_ss_sp = img->sas_sp;
	current->sas_ss_size = img->sas_size;
	current->sas_ss_flags = img->sas_flags & (SS_DISABLE | SS_AUTODISARM);
	return 0;
}

static void restore_mask(const struct ckpt_image_task *img)
{
	const u64 never = sigmask(SIGKILL) | sigmask(SIGSTOP);

	spin_lock_irq(&ckpt_sighand(current)->siglock);
	current->blocked.sig[0] = img->blocked & ~never;
	current->saved_sigmask.sig[0] = img->saved_sigmask & ~never;
	current->restore_sigmask = !!img->restore_sigmask;
	recalc_sigpending();
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
}

/* the task's own part, but for registers and pending signals */
int ckpt_restore_task_state(struct ckpt_restart *rs, const struct ckpt_image_task *img)
{
	int ret;

	task_lock(current);
	strscpy_pad(current->comm, img->comm, sizeof(current->comm));
	task_unlock(current);
	current->personality = img->personality;
	if (img->flags & CKPT_TASK_LEADER)
		current->exit_signal = img->exit_signal;
	if (img->no_new_privs)
		task_set_no_new_privs(current);
	restore_mask(img);
	ret = ckpt_restore_sched(rs, img);
	if (ret)
		return ret;
	ret = restore_registered(rs, img);
	if (ret)
		return ret;
	ret = ckpt_restore_restart_block(rs, &img->restart);
	if (ret)
		return ret;
	ret = ckpt_arch_restore_tls(&img->x86);
	if (ret)
		return ret;
	ret = ckpt_restore_cred(rs, img->cred);
	if (ret)
		return ret;
	/* cleared by a change of credentials */
	current->pdeath_signal = img->pdeath_signal;
	return 0;
}
