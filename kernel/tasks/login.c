// SPDX-License-Identifier: GPL-2.0-only
/* The login that audit has noted: /proc/PID/loginuid and sessionid.  T6. */
#include <linux/audit.h>
#include <linux/sched/signal.h>

#include "part.h"

#ifdef CONFIG_AUDIT

static int save_login(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_login *img = ckpt_put(rec, TASK, LOGIN);

	if (!img)
		return -ENOMEM;
	img->uid = from_kuid(current_user_ns(), audit_get_loginuid(h->task));
	img->session = audit_get_sessionid(h->task);
	img->tty = READ_ONCE(h->task->signal->audit_tty);
	return 0;
}

static int check_login(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_login *img = ckpt_get(buf, TASK, LOGIN);

	return !img || !(img->tty & ~(AUDIT_TTY_ENABLE | AUDIT_TTY_LOG_PASSWD)) ?
		0 : ckpt_malformed(log, buf);
}

static int not_to_give(struct ckpt_restart *rs)
{
	return ckpt_fail(ckpt_restore_log(rs), -EPERM,
			 "task %d: its login, as audit has noted it, is not the caller's to give",
			 task_pid_vnr(current));
}

/*
 * By the kernel's own rules: who has no login yet may get one, else CAP_AUDIT_CONTROL
 * is asked for.  A session of another boot is no more: the kernel gives a new one.
 */
static int restore_login(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_login *img = ckpt_get(buf, TASK, LOGIN);
	kuid_t uid;

	if (!img)
		return 0;
	uid = make_kuid(current_user_ns(), img->uid);
	if (!uid_eq(uid, audit_get_loginuid(current)) && k_audit_set_loginuid(uid))
		return not_to_give(rs);
	if (!ckpt_restore_shift(rs) && img->session != audit_get_sessionid(current)) {
		if (!capable(CAP_AUDIT_CONTROL))
			return not_to_give(rs);
		current->sessionid = img->session;
	}
	if (!thread_group_leader(current) || img->tty == READ_ONCE(current->signal->audit_tty))
		return 0;
	if (!capable(CAP_AUDIT_CONTROL))
		return not_to_give(rs);
	WRITE_ONCE(current->signal->audit_tty, img->tty);
	return 0;
}

#else
static int check_login(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_login *img = ckpt_get(buf, TASK, LOGIN);

	return !img || (img->uid == (u32)-1 && !img->tty) ? 0 :
		ckpt_fail(log, -EOPNOTSUPP, "the image has a login that audit has noted, and this kernel has no audit");
}

#define save_login NULL
#define restore_login NULL
#endif

const struct ckpt_task_part ckpt_part_login = {
	.name = "login",
	.stage = CKPT_STAGE_TASK,
	.save = save_login,
	.check = check_login,
	.restore = restore_login,
};
