// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions and process groups, set directly: no order of setsid() calls leads
 * to every tree.  S13.
 */
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>

#include "restart.h"

/*
 * A session or group by its number in the container; tasklist_lock is held for
 * writing.  Only a number that is some task's can be one.
 */
static int set_pid_of(struct ckpt_restart *rs, struct ckpt_member *m, enum pid_type type, int nr)
{
	struct pid *pid, *now;

	if (!nr)
		return 0;
	pid = find_pid_ns(nr, task_active_pid_ns(m->task));
	if (!pid)
		return -ESRCH;
	now = type == PIDTYPE_SID ? task_session(m->task) : task_pgrp(m->task);
	if (now != pid)
		k_change_pid(m->task, type, pid);
	return 0;
}

static int set_session(struct ckpt_restart *rs, struct ckpt_member *m)
{
	const struct ckpt_image_task *img = ckpt_image_of(m);
	int ret;

	if (!(img->flags & CKPT_TASK_LEADER))
		return 0;
	write_lock_irq(kv_tasklist_lock);
	ret = pid_alive(m->task) ? set_pid_of(rs, m, PIDTYPE_SID, img->sid) : -ESRCH;
	if (!ret)
		ret = set_pid_of(rs, m, PIDTYPE_PGID, img->pgid);
	if (!ret)
		m->task->signal->leader = img->sid == img->pid;
	write_unlock_irq(kv_tasklist_lock);
	return ret ? ckpt_fail(&rs->log, ret, "task %d: session %d or group %d has no number here",
			       img->pid, img->sid, img->pgid) : 0;
}

/* a group lies within one session */
int ckpt_check_sessions(struct ckpt_restart *rs)
{
	struct ckpt_rec_buf *buf;
	struct xarray session;
	unsigned long pid;
	int ret = 0;

	xa_init(&session);
	xa_for_each(&rs->by_pid, pid, buf) {
		const struct ckpt_image_task *img = ckpt_get(buf, TASK, BASE);
		void *sid = xa_mk_value(img->sid), *had;

		/* its number would stay in use, and an init waits at its end until none is */
		if (img->pid == 1 && (img->pgid > 1 || img->sid > 1)) {
			ret = ckpt_fail(&rs->log, -EINVAL,
					"the root task of the image is in the group or session of another");
			break;
		}
		had = xa_store(&session, img->pgid, sid, GFP_KERNEL);
		ret = xa_err(had);
		if (!ret && had && had != sid && img->pgid)
			ret = ckpt_fail(&rs->log, -EINVAL, "group %d of the image is in two sessions",
					img->pgid);
		if (ret)
			break;
	}
	xa_destroy(&session);
	return ret;
}

int ckpt_set_sessions(struct ckpt_restart *rs)
{
	struct ckpt_member *m;
	int ret;

	ret = ckpt_check_sessions(rs);
	if (ret)
		return ret;
	list_for_each_entry(m, &rs->members, list) {
		m->rec = xa_load(&rs->by_pid, m->pid);
		if (!m->rec || m->rec->used)
			return ckpt_fail(&rs->log, -EINVAL, "task %d joined and is not in the image, or twice",
					 m->pid);
		m->rec->used = true;
		ret = set_session(rs, m);
		if (ret)
			return ret;
	}
	return 0;
}
