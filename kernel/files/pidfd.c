// SPDX-License-Identifier: GPL-2.0-only
/*
 * pidfd.  Every task of the image is there, if only as a helper, before the first
 * file is made, so one of the living is opened as ever.  Of a dead process there
 * is nothing left to open: it gets a number that no task has had.  C4.
 */
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/idr.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>

#include "file.h"

static bool pidfd_mine(struct file *file)
{
	/* a kernel without the function says -ENOSYS */
	return !IS_ERR(k_pidfd_pid(file));
}

static struct pid *pid_of(struct file *file)
{
	return k_pidfd_pid(file);
}

/* has it been reaped? */
static bool is_dead(struct pid *pid)
{
	bool dead;

	rcu_read_lock();
	dead = !pid_task(pid, PIDTYPE_PID);
	rcu_read_unlock();
	return dead;
}

/* does its number live on as that of its group or session? */
static bool is_kept(struct pid *pid)
{
	return pid_has_task(pid, PIDTYPE_PGID) || pid_has_task(pid, PIDTYPE_SID);
}

/*
 * The first FILE of the same dead process: on some kernels fstat(2) shows whether
 * it is.  What is looked for is rare, and so is the search.
 */
static u32 first_of(struct ckpt_checkpoint *cp, struct file *file)
{
	struct ckpt_obj *obj;

	ckpt_for_each_obj(obj, cp, &ckpt_type_file)
		if (!obj->refused && pidfd_mine(obj->ptr) && pid_of(obj->ptr) == pid_of(file))
			return obj->ptr == file ? 0 : obj->ref;
	return 0;
}

static int pidfd_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_file_pidfd *img = ckpt_put(rec, FILE, PIDFD);
	struct pid *pid = pid_of(file);

	if (!img)
		return -ENOMEM;
	img->flags = file->f_flags & CKPT_PIDFD_THREAD;
	if (is_dead(pid)) {
		if (is_kept(pid))
			return ckpt_refuse(cp, -EOPNOTSUPP,
					   "a pidfd of a process that has ended, and whose group or session has not, is not supported");
		img->same = first_of(cp, file);
		return 0;
	}
	img->pid = pid_nr_ns(pid, ckpt_save_pid_ns(cp));
	return img->pid ? 0 : ckpt_refuse(cp, -EOPNOTSUPP,
					  "a pidfd of a process outside of the container is not supported");
}

static int pidfd_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_pidfd *img = ckpt_get(buf, FILE, PIDFD);

	return img && img->pid >= 0 && !(img->pid && img->same) && img->same != ckpt_ref_of(buf) &&
	       (!img->flags || IS_ENABLED(CKPT_HAS_PIDFS)) ?
		0 : ckpt_malformed(log, buf);
}

/* as pidfd_open(2) makes one, which wants a task */
static struct file *open_dead(struct pid *pid, u32 flags)
{
#ifdef CKPT_HAS_PIDFS
	struct file *file = k_pidfs_alloc_file(pid, O_RDWR | flags);
#else
	struct file *file = anon_inode_getfile("[pidfd]", kv_pidfd_fops, get_pid(pid), O_RDWR | flags);

	if (IS_ERR(file))
		put_pid(pid);
#endif
	if (!IS_ERR(file))
		file->f_flags |= flags;
	return file;
}

/* the lock of making is held: nobody else of the restart takes a number meanwhile */
static struct file *open_new(u32 flags)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	unsigned int cursor = idr_get_cursor(&ns->idr);
	struct pid *pid = k_alloc_pid(ns, NULL, 0);
	struct file *file;

	if (IS_ERR(pid))
		return ERR_CAST(pid);
	file = open_dead(pid, flags);
	k_free_pid(pid);
	idr_set_cursor(&ns->idr, cursor);
	return file;
}

/* another one of the same dead process, which must be one itself: there is no longer way round */
static struct file *open_same(struct ckpt_restart *rs, u32 ref, u32 flags, const struct cred *cred)
{
	const struct cred *old;
	const struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_file);
	const struct ckpt_image_file_pidfd *img = buf ? ckpt_get(buf, FILE, PIDFD) : NULL;
	struct file *file;

	if (!img || img->pid || img->same || ckpt_get(buf, FILE, BASE)->kind != CKPT_FILE_PIDFD)
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), -EINVAL, "FILE %u is no pidfd of a dead process", ref));
	/* the other has credentials of its own, which the restarter gives it */
	file = ckpt_restore_obj(rs, ref, &ckpt_type_file);
	if (IS_ERR(file))
		return file;
	old = override_creds(cred);
	file = open_dead(pid_of(file), flags);
	revert_creds(old);
	return file;
}

static struct file *pidfd_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				  const struct cred *cred)
{
	const struct ckpt_image_file_pidfd *img = ckpt_get(buf, FILE, PIDFD);
	const struct cred *old;
	struct file *file;

	if (img->same)
		return open_same(rs, img->same, img->flags, cred);
	old = override_creds(cred);
	if (img->pid)
		file = ckpt_file_of_fd(ckpt_syscall(pidfd_open, img->pid, img->flags));
	else
		file = open_new(img->flags);
	revert_creds(old);
	return file;
}

const struct ckpt_file_ops ckpt_file_pidfd = {
	.name = "pidfd",
	.kind = CKPT_FILE_PIDFD,
	.needs = CKPT_FOR_PIDFD,
	.has_cred = true,
	.mine = pidfd_mine,
	.save = pidfd_save,
	.check = pidfd_check,
	.restore = pidfd_restore,
};
