// SPDX-License-Identifier: GPL-2.0-only
/* Leases of open files (F_SETLEASE), as long as nobody is breaking them.  C5. */
#include <linux/fcntl.h>

#include "file.h"
#include "locks.h"

struct lease {
	bool held;
	bool breaking;			/* somebody waits for it to go */
	bool strange;			/* not a program's */
	struct ckpt_image_lease img;
};

static struct lease find_lease(struct ckpt_checkpoint *cp, struct file *file)
{
	const unsigned int pending = FL_UNLOCK_PENDING | FL_DOWNGRADE_PENDING;
	struct file_lock_context *ctx = ckpt_lock_context(file_inode(file));
	struct lease lease = { 0 };
	struct ckpt_lease *fl;

	spin_lock(&ctx->flc_lock);
	ckpt_lock_entry(fl, &ctx->flc_lease) {
		if (ckpt_fl(fl, file) != file)
			continue;
		lease.strange = lease.held || !(ckpt_fl(fl, flags) & FL_LEASE) || !fl->fl_fasync;
		lease.held = true;
		lease.breaking = ckpt_fl(fl, flags) & pending;
		lease.img.exclusive = ckpt_fl(fl, type) == F_WRLCK;
		lease.img.fd = fl->fl_fasync ? fl->fl_fasync->fa_fd : -1;
		lease.img.pid = ckpt_lock_pid_in(ckpt_fl(fl, pid), ckpt_save_pid_ns(cp));
	}
	spin_unlock(&ctx->flc_lock);
	return lease;
}

int ckpt_save_lease(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct lease lease = find_lease(cp, file);
	struct ckpt_image_lease *img;
	int ret;

	if (!lease.held)
		return 0;
	ret = ckpt_check_lockable(cp, file);
	if (ret)
		return ret;
	if (lease.breaking)
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pD: a lease that somebody is breaking is not supported", file);
	if (lease.strange)
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pD: a lease of the kernel's own is not supported", file);
	img = ckpt_put(rec, FILE, LEASE);
	if (!img)
		return -ENOMEM;
	*img = lease.img;
	return 0;
}

static void set_lease_pid(struct file *file, pid_t pid)
{
	struct file_lock_context *ctx = ckpt_lock_context(file_inode(file));
	struct ckpt_lease *fl;

	spin_lock(&ctx->flc_lock);
	ckpt_lock_entry(fl, &ctx->flc_lease)
		if (ckpt_fl(fl, file) == file)
			ckpt_fl(fl, pid) = pid;
	spin_unlock(&ctx->flc_lock);
}

int ckpt_restore_lease(struct ckpt_restart *rs, const char *name, struct file *file,
		       const struct ckpt_image_lease *img)
{
	int ret = -EOPNOTSUPP;

	/* what has opened it to see whether it may would be somebody else's */
	ckpt_end_files();
	if (!ckpt_locked_elsewhere(file))
		ret = k_fcntl_setlease(img->fd, file, img->exclusive ? F_WRLCK : F_RDLCK);
	if (ret == -EAGAIN)
		return ckpt_fail(ckpt_restore_log(rs), -EBUSY, "%s: its lease cannot be taken again as long as somebody else has it open",
				 name);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, "%s: its lease cannot be taken again: error %d",
				 name, -ret);
	set_lease_pid(file, ckpt_lock_pid_out(img->pid));
	return 0;
}

/*
 * ckpt_check_leases - may a file be opened without a word to who has a lease of it?
 *
 * Else he would be told to give it up, and the restart would wait for him: the lease
 * is somebody else's, as the image's are taken by those who have the file open.
 */
int ckpt_check_leases(struct ckpt_restart *rs, const char *name, struct inode *inode, u32 flags)
{
	struct file_lock_context *ctx = ckpt_lock_context(inode);
	bool writes = (flags & O_ACCMODE) != O_RDONLY, broken = false;
	struct ckpt_lease *fl;

	if (!ctx || flags & O_PATH)
		return 0;
	spin_lock(&ctx->flc_lock);
	ckpt_lock_entry(fl, &ctx->flc_lease)
		if (writes || ckpt_fl(fl, type) == F_WRLCK)
			broken = true;
	spin_unlock(&ctx->flc_lock);
	return broken ? ckpt_fail(ckpt_restore_log(rs), -EBUSY, "%s: somebody has a lease of it, which he must give up before this can be restarted",
				  name) : 0;
}
