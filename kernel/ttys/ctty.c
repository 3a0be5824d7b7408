// SPDX-License-Identifier: GPL-2.0-only
/*
 * The controlling terminal of a process; its leader's also makes it that of the
 * session, with the group that is in the foreground.  Nothing is taken from anybody:
 * the pty is the restart's own, and nobody's until then.  C9.
 */
#include <linux/delay.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>

#include "part.h"
#include "task.h"
#include "tty.h"

#define CKPT_TTY_WAITS 5000		/* of 100 us and more */

/* a pipe's worth of bytes may be on its way to the other end, and a key among them sends a signal */
static int let_move(struct ckpt_checkpoint *cp, struct tty_struct *tty, int *waits)
{
	for (; ckpt_tty_is_moving(tty); ++*waits) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (*waits >= CKPT_TTY_WAITS || ckpt_save_overdue(cp))
			return ckpt_refuse(cp, -EBUSY, "the terminal pts/%d does not come to rest", tty->index);
		usleep_range(100, 200);
	}
	return 0;
}

/* before anything is read of any task: signals that come of it are saved like others */
static int let_all_move(struct ckpt_checkpoint *cp, struct files_struct *files)
{
	unsigned int fd, max;
	struct file *file;
	bool cloexec;
	int ret = 0, waits = 0;

	rcu_read_lock();
	max = files_fdtable(files)->max_fds;
	rcu_read_unlock();
	for (fd = 0; fd < max && !ckpt_go_on(ret); fd++) {
		file = ckpt_file_at(files, fd, &cloexec);
		if (!file)
			continue;
		if (ckpt_is_pty_file(file) && file->f_op != kv_hung_up_tty_fops)
			ret = let_move(cp, ckpt_file_tty(file), &waits);
		fput(file);
	}
	return ret;
}

/* with a reference, or NULL */
static struct tty_struct *tty_of(struct ckpt_held *h)
{
	struct tty_struct *tty;

	spin_lock_irq(&h->sighand->siglock);
	tty = tty_kref_get(h->task->signal->tty);
	spin_unlock_irq(&h->sighand->siglock);
	return tty;
}

/* the image has a terminal's session once: a process of another could not have it again */
static bool is_its_sessions(struct ckpt_held *h, struct tty_struct *tty)
{
	bool its;

	spin_lock_irq(&tty->ctrl.lock);
	its = tty->ctrl.session == task_session(h->task);
	spin_unlock_irq(&tty->ctrl.lock);
	return its;
}

static int refuse(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct tty_struct *tty;
	int ret = 0;

	if (!h->mm)
		return 0;
	tty = tty_of(h);
	if (tty && (!ckpt_is_pty(tty) || !ckpt_tty_known()))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "a controlling terminal that is no pty is not supported; run it detached (ckpt run -d)");
	else if (tty && !is_its_sessions(h, tty))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "a controlling terminal (pts/%d) that is another session's is not supported",
				  tty->index);
	tty_kref_put(tty);
	if (ckpt_lacks(CKPT_FOR_TTY) && !ret && tty)
		ret = ckpt_refuse_lack(cp, CKPT_FOR_TTY);
	return ret ? : let_all_move(cp, h->files);
}

int ckpt_save_pgrp(struct ckpt_checkpoint *cp, struct pid *pid, s32 *nr)
{
	struct pid_namespace *ns = ckpt_save_pid_ns(cp);
	struct pid *now;

	if (!pid)
		return 0;
	*nr = pid_nr_ns(pid, ns);
	if (!*nr)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a terminal of a session outside of the container is not supported");
	rcu_read_lock();
	now = find_pid_ns(*nr, ns);
	rcu_read_unlock();
	/* a group that has ended keeps its number here, and nowhere else */
	if (now && now != pid)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a terminal with a group that has ended, whose number %d another has, is not supported",
				   *nr);
	return 0;
}

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct tty_struct *tty = tty_of(h);
	struct ckpt_image_ctty *img = NULL;
	struct pid *old;
	int ret = 0;

	spin_lock_irq(&h->sighand->siglock);
	old = get_pid(h->task->signal->tty_old_pgrp);
	spin_unlock_irq(&h->sighand->siglock);
	if (tty || old) {
		img = ckpt_put(rec, PROCESS, CTTY);
		ret = img ? 0 : -ENOMEM;
	}
	/* refuse() has said what is no pty */
	if (img && tty && ckpt_is_pty(tty))
		ret = ckpt_obj_save(cp, &ckpt_type_tty, ckpt_master_of(tty), &img->tty);
	if (img && !ret)
		ret = ckpt_save_pgrp(cp, old, &img->old_pgrp);
	tty_kref_put(tty);
	put_pid(old);
	return ret;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_ctty *img = ckpt_get(buf, PROCESS, CTTY);

	return !img || img->old_pgrp >= 0 ? 0 : ckpt_malformed(log, buf);
}

/* a group of current's namespace, with a reference; of one that has ended the number alone */
static struct pid *group_of(s32 nr)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	struct pid *pid;
	pid_t want = nr;

	if (!nr)
		return NULL;
	rcu_read_lock();
	pid = get_pid(find_vpid(nr));
	rcu_read_unlock();
	if (pid)
		return pid;
	pid = k_alloc_pid(ns, &want, 1);
	if (IS_ERR(pid))
		return pid;
	get_pid(pid);
	k_free_pid(pid);
	return pid;
}

/* as tiocspgrp(): a group is of the session, or of nobody */
static bool group_ok(struct pid *pgrp)
{
	struct task_struct *t;
	bool ok;

	rcu_read_lock();
	t = pgrp ? pid_task(pgrp, PIDTYPE_PGID) : NULL;
	if (pgrp && !t)
		t = pid_task(pgrp, PIDTYPE_PID);
	ok = !t || task_session(t) == task_session(current);
	rcu_read_unlock();
	return ok;
}

/* by the leader of the session that the pty's record names */
static int control(struct tty_struct *slave, s32 nr)
{
	struct pid *pgrp = group_of(nr);
	int ret = 0;

	if (IS_ERR(pgrp))
		return PTR_ERR(pgrp);
	if (!group_ok(pgrp)) {
		put_pid(pgrp);
		return -EINVAL;
	}
	mutex_lock(&slave->legacy_mutex);
	spin_lock_irq(&slave->ctrl.lock);
	if (slave->ctrl.session) {
		ret = -EBUSY;
	} else {
		swap(slave->ctrl.pgrp, pgrp);
		slave->ctrl.session = get_pid(task_session(current));
	}
	spin_unlock_irq(&slave->ctrl.lock);
	mutex_unlock(&slave->legacy_mutex);
	put_pid(pgrp);
	return ret;
}

/* the slave, with a reference; an error pointer if it is not its session's */
static struct tty_struct *take_tty(struct ckpt_restart *rs, u32 ref)
{
	const struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_tty);
	struct ckpt_tty_made *made = ckpt_find_restored(rs, ref, &ckpt_type_tty);
	const struct ckpt_image_tty *img;
	struct tty_struct *slave;
	int ret;

	if (!buf || !made)
		return ERR_PTR(-EINVAL);
	img = ckpt_get(buf, TTY, BASE);
	slave = ckpt_file_tty(made->master)->link;
	if (!img->session || img->session != task_session_vnr(current))
		return ERR_PTR(-EINVAL);
	if (current->signal->leader) {
		ret = control(slave, img->pgrp);
		if (ret)
			return ERR_PTR(ret);
	}
	return tty_kref_get(slave);
}

/* nor has it the restarter's */
static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_ctty *img = ckpt_get(buf, PROCESS, CTTY);
	struct pid *old = group_of(img ? img->old_pgrp : 0);
	struct tty_struct *tty = NULL;

	/* only a leader has one, of its session */
	if (!IS_ERR_OR_NULL(old) && (!current->signal->leader || !group_ok(old))) {
		put_pid(old);
		old = ERR_PTR(-EINVAL);
	}
	if (!IS_ERR(old) && img && img->tty)
		tty = take_tty(rs, img->tty);
	if (IS_ERR(old) || IS_ERR(tty)) {
		long err = IS_ERR(old) ? PTR_ERR(old) : PTR_ERR(tty);

		if (!IS_ERR(old))
			put_pid(old);
		return ckpt_fail(ckpt_restore_log(rs), err, "process %d cannot have TTY %u as its controlling terminal: error %ld",
				 task_tgid_vnr(current), img ? img->tty : 0, -err);
	}
	spin_lock_irq(&ckpt_sighand(current)->siglock);
	swap(current->signal->tty, tty);
	swap(current->signal->tty_old_pgrp, old);
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
	tty_kref_put(tty);
	put_pid(old);
	return 0;
}

const struct ckpt_task_part ckpt_part_ctty = {
	.name = "controlling terminal",
	.process = true,
	.stage = CKPT_STAGE_PROCESS,
	.refuse = refuse,
	.save = save,
	.check = check,
	.restore = restore,
};
