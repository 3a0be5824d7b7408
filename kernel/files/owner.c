// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is told of input and output on an open file, and by which signal: F_SETOWN,
 * F_SETSIG, O_ASYNC.  C5.
 */
#include <linux/cred.h>
#include <linux/fcntl.h>
#include <linux/net.h>
#include <linux/pid_namespace.h>
#include <linux/pipe_fs_i.h>
#include <linux/signal.h>

#include "file.h"

static const enum pid_type types[] = {
	[CKPT_OWNER_THREAD] = PIDTYPE_PID,
	[CKPT_OWNER_PROCESS] = PIDTYPE_TGID,
	[CKPT_OWNER_GROUP] = PIDTYPE_PGID,
};

static u32 type_of(enum pid_type type)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(types) - 1; i++)
		if (types[i] == type)
			break;
	return i;
}

struct seen {
	bool has;			/* there is anything to be saved */
	bool dir;			/* a directory whose owner is somebody */
	bool outside;			/* who is told is not of the container */
	struct ckpt_image_owner img;
};

/* as send_sigio() looks for it: of a process any thread; RCU is held */
static bool is_there(struct pid *pid, enum pid_type type)
{
	return pid_task(pid, type <= PIDTYPE_TGID ? PIDTYPE_PID : type);
}

/* an owner that has ended is none */
static void see_pid(struct ckpt_checkpoint *cp, const struct fown_struct *owner, struct seen *seen)
{
	seen->img.type = type_of(owner->pid_type);
	rcu_read_lock();
	if (owner->pid && is_there(owner->pid, owner->pid_type)) {
		seen->img.pid = pid_nr_ns(owner->pid, ckpt_save_pid_ns(cp));
		seen->outside = !seen->img.pid;
	}
	rcu_read_unlock();
}

static void see(struct ckpt_checkpoint *cp, struct file *file, struct seen *seen)
{
	struct fown_struct *owner = ckpt_file_owner(file);

	*seen = (struct seen){ 0 };
	if (!owner)
		return;
	read_lock_irq(&owner->lock);
	seen->dir = owner->pid && S_ISDIR(file_inode(file)->i_mode);
	see_pid(cp, owner, seen);
	seen->img.uid = from_kuid(current_user_ns(), owner->uid);
	seen->img.euid = from_kuid(current_user_ns(), owner->euid);
	seen->img.signum = owner->signum;
	seen->has = owner->pid || owner->pid_type != PIDTYPE_PID || owner->signum || owner->uid.val || owner->euid.val;
	read_unlock_irq(&owner->lock);
}

static int save_owner(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_owner *img;
	struct seen seen;

	see(cp, file, &seen);
	if (!seen.has)
		return 0;
	/* whether it watches is the kernel's own knowledge */
	if (seen.dir)
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pD: a directory that has an owner for signals, as F_NOTIFY gives it, is not supported",
				   file);
	if (seen.outside)
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pD: F_SETOWN with a process outside of the container is not supported",
				   file);
	img = ckpt_put(rec, FILE, OWNER);
	if (!img)
		return -ENOMEM;
	*img = seen.img;
	return 0;
}

/* the descriptor by which @file is in a list of those to be told, or -1 */
static int fd_in(struct fasync_struct **list, const struct file *file)
{
	struct fasync_struct *fa;
	int fd = -1;

	rcu_read_lock();
	for (fa = READ_ONCE(*list); fa; fa = READ_ONCE(fa->fa_next))
		if (fa->fa_file == file)
			fd = fa->fa_fd;
	rcu_read_unlock();
	return fd;
}

/* a new kind of file that has a list of its own is looked up here; -ENOENT: not known */
static int find_async(struct file *file)
{
	struct pipe_inode_info *pipe = file_inode(file)->i_pipe;
	struct socket *sock = sock_from_file(file);
	int fd;

	/* opened with O_ASYNC, which says so and does nothing; or of a lease */
	if (!file->f_op->fasync)
		return -1;
	if (sock)
		return fd_in(&sock->wq.fasync_list, file);
	if (!S_ISFIFO(file_inode(file)->i_mode))
		return -ENOENT;
	fd = fd_in(&pipe->fasync_readers, file);
	return fd >= 0 ? fd : fd_in(&pipe->fasync_writers, file);
}

static int save_async(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_async *img;
	int fd;

	if (!(file->f_flags & FASYNC))
		return 0;
	fd = find_async(file);
	if (fd == -ENOENT)
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pD: O_ASYNC of such a file is not supported", file);
	if (fd < 0)
		return 0;
	img = ckpt_put(rec, FILE, ASYNC);
	if (!img)
		return -ENOMEM;
	img->fd = fd;
	return 0;
}

int ckpt_save_file_owner(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	int ret, refused;

	refused = save_owner(cp, file, rec);
	if (ckpt_go_on(refused))
		return refused;
	ret = save_async(cp, file, rec);
	return ret ? : refused;
}

int ckpt_check_file_owner(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_owner *img = ckpt_get(buf, FILE, OWNER);
	const struct ckpt_image_async *async = ckpt_get(buf, FILE, ASYNC);

	if (img && (img->pid < 0 || img->type >= ARRAY_SIZE(types) || !valid_signal(img->signum)))
		return ckpt_malformed(log, buf);
	return async && async->fd < 0 ? ckpt_malformed(log, buf) : 0;
}

/*
 * Signals come with the rights of whoever named their receiver: current must be that
 * user, or may become him.
 */
static bool may_be(kuid_t uid)
{
	const struct cred *cred = current_cred();

	return uid_valid(uid) && (uid_eq(uid, cred->uid) || uid_eq(uid, cred->euid) ||
				  uid_eq(uid, cred->suid) ||
				  ns_capable(current_user_ns(), CAP_SETUID));
}

/* in the pid namespace of current, which is the container's */
static int set_pid(struct file *file, const struct ckpt_image_owner *img)
{
	enum pid_type type = types[img->type];
	struct pid *pid = NULL;
	int ret = 0;

	rcu_read_lock();
	if (img->pid)
		pid = find_vpid(img->pid);
	if (img->pid && !is_there(pid, type))
		ret = -ESRCH;
	else
		__f_setown(file, pid, type, 1);
	rcu_read_unlock();
	return ret;
}

static int restore_owner(struct ckpt_restart *rs, struct file *file,
			 const struct ckpt_image_owner *img)
{
	kuid_t uid = make_kuid(current_user_ns(), img->uid);
	kuid_t euid = make_kuid(current_user_ns(), img->euid);
	struct fown_struct *owner;
	int ret;

	if (!may_be(uid) || !may_be(euid))
		return ckpt_fail(ckpt_restore_log(rs), -EPERM, "a file's F_SETOWN was made by user %u (effective %u), whom the restarter may not become",
				 img->uid, img->euid);
	ret = ckpt_file_make_owner(file);
	if (ret)
		return ret;
	ret = set_pid(file, img);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, "a file's F_SETOWN names %d, which is no task, process or group of the image",
				 img->pid);
	owner = ckpt_file_owner(file);
	write_lock_irq(&owner->lock);
	owner->uid = uid;
	owner->euid = euid;
	owner->signum = img->signum;
	write_unlock_irq(&owner->lock);
	return 0;
}

/* before anybody has the file; a lease has made current its owner */
int ckpt_restore_file_owner(struct ckpt_restart *rs, struct file *file,
			    const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_owner *img = ckpt_get(buf, FILE, OWNER);

	if (ckpt_get(buf, FILE, BASE)->flags & FASYNC && !ckpt_get(buf, FILE, ASYNC)) {
		spin_lock(&file->f_lock);
		file->f_flags |= FASYNC;
		spin_unlock(&file->f_lock);
	}
	if (img)
		return restore_owner(rs, file, img);
	if (ckpt_get(buf, FILE, LEASE))
		__f_setown(file, NULL, PIDTYPE_TGID, 1);
	return 0;
}

/*
 * ckpt_restore_async - from now on somebody is told
 *
 * By the coordinator, the last: what the restart does to the file is nobody's to be
 * told of.
 */
int ckpt_restore_async(struct ckpt_restart *rs, struct file *file, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_async *img = ckpt_get(buf, FILE, ASYNC);
	int ret = -EINVAL;

	if (!img)
		return 0;
	if (file->f_op->fasync)
		ret = file->f_op->fasync(img->fd, file, 1);
	return ret < 0 ? ckpt_fail(ckpt_restore_log(rs), ret, "FILE %u cannot have O_ASYNC: error %d",
				   ckpt_ref_of(buf), -ret) : 0;
}
