// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open terminals: the master of a pty, and any number of opens of its slave.  The
 * pair itself is in pair.c.  C9.
 */
#include <linux/major.h>
#include <linux/namei.h>
#include <linux/sched/signal.h>

#include "task.h"
#include "tty.h"

static bool is_tty_file(const struct file *file)
{
	return file->f_op == kv_tty_fops || file->f_op == kv_ptmx_fops ||
	       file->f_op == kv_hung_up_tty_fops;
}

bool ckpt_is_pty_file(const struct file *file)
{
	return is_tty_file(file) && ckpt_is_pty(ckpt_file_tty(file));
}

static bool tty_mine(struct file *file)
{
	return ckpt_is_pty_file(file);
}

static int tty_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_file_tty *img = ckpt_put(rec, FILE, TTY);
	struct tty_struct *tty = ckpt_file_tty(file), *master = ckpt_master_of(tty);
	char index[16];
	int ret;

	if (!img)
		return -ENOMEM;
	if (!ckpt_tty_known())
		return ckpt_refuse(cp, -EOPNOTSUPP, "terminals are not supported on this kernel");
	if (file->f_op == kv_hung_up_tty_fops && !ckpt_tty_is_hung_up(master))
		return ckpt_refuse(cp, -EOPNOTSUPP, "a terminal that was hung up (pts/%d), and whose master is still open, is not supported",
				   tty->index);
	img->end = ckpt_is_master(tty) ? 1 : 2;
	ret = ckpt_obj_save(cp, &ckpt_type_tty, master, &img->tty);
	if (ret)
		return ret;
	ckpt_obj_find(cp, &ckpt_type_tty, master)->ends[img->end - 1]++;
	if (ckpt_is_master(tty))
		return 0;
	if (!ckpt_tty_is_hung_up(master))
		return ckpt_save_tty_name(cp, file, rec, CKPT_TAG_FILE_NAME);
	snprintf(index, sizeof(index), "%d", tty->index);
	return ckpt_save_tty_name_in(cp, file, index, rec, CKPT_TAG_FILE_NAME);
}

static int tty_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_tty *img = ckpt_get(buf, FILE, TTY);

	return img && (img->end == 1 ? !ckpt_get(buf, FILE, NAME) :
		       img->end == 2 && ckpt_get(buf, FILE, NAME)) ? 0 : ckpt_malformed(log, buf);
}

/* the one of its ptmx, which is a description of its own already */
static struct file *claim_master(struct ckpt_restart *rs, struct ckpt_tty_made *made, u32 ref)
{
	if (made->claimed)
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), -EINVAL, "TTY %u has two masters", ref));
	made->claimed = true;
	return get_file(made->master);
}

/* as /dev/tty: for that moment it is current's controlling terminal */
static struct file *open_as_ctty(const struct path *path, u32 flags, const struct cred *cred,
				 struct tty_struct *slave)
{
	struct tty_struct *had;
	struct file *file;

	tty_kref_get(slave);
	spin_lock_irq(&ckpt_sighand(current)->siglock);
	had = current->signal->tty;
	current->signal->tty = slave;
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
	file = ckpt_tty_open(path, flags, cred);
	spin_lock_irq(&ckpt_sighand(current)->siglock);
	swap(current->signal->tty, had);
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
	/* NULL if somebody has hung it up meanwhile, who has put it */
	tty_kref_put(had);
	return file;
}

/* by its name, which must lead to this one; a device is not opened before it is known which it is */
static struct file *open_slave(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
			       const struct cred *cred, struct tty_struct *slave)
{
	u32 flags = (ckpt_get(buf, FILE, BASE)->flags & CKPT_OPEN_FLAGS & ~(O_NOFOLLOW | O_PATH)) | O_NOCTTY;
	const char *name = ckpt_get(buf, FILE, NAME);
	struct file *file = ERR_PTR(-EINVAL);
	struct inode *inode;
	struct path path;
	int ret;

	ret = ckpt_tty_path(name, cred, &path);
	if (ret)
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), ret, "%s is gone: error %d; put it back to restart",
					 name, -ret));
	inode = d_inode(path.dentry);
	if (path.dentry == slave->driver_data)
		file = ckpt_tty_open(&path, flags, cred);
	else if (S_ISCHR(inode->i_mode) && inode->i_rdev == MKDEV(TTYAUX_MAJOR, 0))
		file = open_as_ctty(&path, flags, cred, slave);
	else
		ckpt_log(ckpt_restore_log(rs), "%s is another terminal than it was", name);
	path_put(&path);
	if (IS_ERR(file))
		return file;
	return ckpt_file_or(file, ckpt_is_pty_file(file) && ckpt_file_tty(file) == slave ? 0 : -EINVAL);
}

static struct file *tty_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				const struct cred *cred)
{
	const struct ckpt_image_file_tty *img = ckpt_get(buf, FILE, TTY);
	struct ckpt_tty_made *made = ckpt_restore_obj(rs, img->tty, &ckpt_type_tty);

	if (IS_ERR(made))
		return ERR_CAST(made);
	if (img->end == 1)
		return claim_master(rs, made, img->tty);
	made->slaves++;
	return open_slave(rs, buf, cred, ckpt_file_tty(made->master)->link);
}

const struct ckpt_file_ops ckpt_file_tty_ops = {
	.name = "terminal",
	.kind = CKPT_FILE_TTY,
	.needs = CKPT_FOR_TTY,
	.saves_path = true,
	.has_cred = true,
	.mine = tty_mine,
	.save = tty_save,
	.check = tty_check,
	.restore = tty_restore,
};
