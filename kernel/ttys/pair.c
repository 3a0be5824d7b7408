// SPDX-License-Identifier: GPL-2.0-only
/*
 * Terminals: ptys whose master and slave are both in the container.  A pty is an
 * object, known by its master.  C9.
 */
#include <linux/magic.h>
#include <linux/major.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "tty.h"

/* numbers that a restart looks for: as many as the kernel makes, unless it was told otherwise */
#define CKPT_TTY_INDEX_MAX 4096

int ckpt_save_tty_name(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec, u16 tag)
{
	const char *name;
	char *buf;
	int ret;

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	ret = ckpt_path_name(cp, ckpt_file_user_path(file), buf, &name);
	if (!ret)
		ret = ckpt_string_new(rec, tag, name);
	kfree(buf);
	return ret;
}

/* @file has lost its own name */
int ckpt_save_tty_name_in(struct ckpt_checkpoint *cp, struct file *file, const char *last,
			  struct ckpt_rec_out *rec, u16 tag)
{
	struct path dir = { .mnt = file->f_path.mnt, .dentry = file->f_path.mnt->mnt_root };
	const char *name;
	char *buf, *full;
	int ret;

	if (dir.dentry != dir.mnt->mnt_sb->s_root || dir.dentry->d_sb->s_magic != DEVPTS_SUPER_MAGIC)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a terminal that was hung up, and was opened by another name than its devpts had, is not supported");
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	ret = ckpt_path_name(cp, &dir, buf, &name);
	if (!ret) {
		full = kasprintf(GFP_KERNEL, "%s/%s", name, last);
		ret = full ? ckpt_string_new(rec, tag, full) : -ENOMEM;
		kfree(full);
	}
	kfree(buf);
	return ret;
}

/* when all files are known, and so is who else has it: ckpt_save_ttys() */
static int save_nothing_yet(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	return 0;
}

/* how often it is open */
static unsigned int count_files(struct tty_struct *tty)
{
	struct list_head *pos;
	unsigned int nr = 0;

	spin_lock(&tty->files_lock);
	list_for_each(pos, &tty->tty_files)
		nr++;
	spin_unlock(&tty->files_lock);
	return nr;
}

/* has the container all that it is open with? */
static bool has_all(const struct ckpt_obj *obj)
{
	struct tty_struct *master = obj->ptr;

	return count_files(master) == obj->ends[0] && count_files(master->link) == obj->ends[1];
}

/* the first that an end is open with; the container has it, and stands still */
static struct file *first_file(struct tty_struct *master)
{
	struct file *file;

	spin_lock(&master->files_lock);
	file = list_first_entry(&master->tty_files, struct tty_file_private, list)->file;
	spin_unlock(&master->files_lock);
	return file;
}

static int save_base(struct ckpt_checkpoint *cp, struct ckpt_obj *obj, struct ckpt_rec_out *rec)
{
	struct tty_struct *master = obj->ptr, *slave = master->link;
	struct ckpt_image_tty *img = ckpt_put(rec, TTY, BASE);
	struct inode *inode = d_inode((struct dentry *)slave->driver_data);
	struct file *file = first_file(master);
	struct pid *session, *pgrp;
	int ret;

	if (!img)
		return -ENOMEM;
	img->ref = obj->ref;
	img->index = master->index;
	img->flags = file->f_flags;
	img->mode = inode->i_mode & 07777;
	img->uid = from_kuid(current_user_ns(), inode->i_uid);
	img->gid = from_kgid(current_user_ns(), inode->i_gid);
	spin_lock_irq(&slave->ctrl.lock);
	session = get_pid(slave->ctrl.session);
	pgrp = get_pid(slave->ctrl.pgrp);
	spin_unlock_irq(&slave->ctrl.lock);
	ret = ckpt_save_pgrp(cp, session, &img->session);
	if (!ret)
		ret = ckpt_save_pgrp(cp, pgrp, &img->pgrp);
	put_pid(session);
	put_pid(pgrp);
	if (!ret)
		ret = ckpt_obj_save(cp, &ckpt_type_cred, (void *)file->f_cred, &img->cred);
	return ret ? : ckpt_save_tty_name(cp, file, rec, CKPT_TAG_TTY_NAME);
}

/* @states: two, of zeroes */
static int save_ends(struct ckpt_checkpoint *cp, struct tty_struct *master, struct ckpt_rec_out *rec,
		     struct ckpt_tty_state *states)
{
	struct ckpt_image_tty_end *ends = ckpt_put_nr(rec, TTY, ENDS, 2);
	u16 *lines;
	u8 *bytes;
	int i, ret;

	if (!ends)
		return -ENOMEM;
	ret = ckpt_save_tty_end(cp, master, &states[0]);
	if (!ret)
		ret = ckpt_save_tty_end(cp, master->link, &states[1]);
	if (ret)
		return ret;
	lines = ckpt_put_nr(rec, TTY, LINES, states[0].img.lines + states[1].img.lines);
	bytes = ckpt_put_nr(rec, TTY, BYTES, states[0].len + states[1].len);
	if (!lines || !bytes)
		return -ENOMEM;
	for (i = 0; i < 2; i++) {
		ends[i] = states[i].img;
		memcpy(lines, states[i].lines, states[i].img.lines * sizeof(*lines));
		lines += states[i].img.lines;
		memcpy(bytes, states[i].bytes, states[i].len);
		bytes += states[i].len;
	}
	return 0;
}

/* nothing is left but that it is one, and its number and owner */
static int save_hung_up(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_TTY);
	struct ckpt_image_tty *img = ckpt_put(rec, TTY, BASE);
	struct file *file = first_file(((struct tty_struct *)obj->ptr)->link);
	struct inode *inode = file_inode(file);
	int ret;

	if (!img || !ckpt_put_nr(rec, TTY, ENDS, 2))
		return -ENOMEM;
	img->ref = obj->ref;
	img->index = ((struct tty_struct *)obj->ptr)->index;
	img->flags = O_RDWR;
	img->mode = inode->i_mode & 07777;
	img->uid = from_kuid(current_user_ns(), inode->i_uid);
	img->gid = from_kgid(current_user_ns(), inode->i_gid);
	img->hung_up = 1;
	ret = ckpt_obj_save(cp, &ckpt_type_cred, (void *)file->f_cred, &img->cred);
	if (!ret)
		ret = ckpt_save_tty_name_in(cp, file, "ptmx", rec, CKPT_TAG_TTY_NAME);
	return ret ? : ckpt_done(cp, rec);
}

static int save_tty(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct tty_struct *master = obj->ptr;
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_TTY);
	struct ckpt_tty_state *states;
	int ret;

	if (ckpt_tty_is_moving(master))
		return -EAGAIN;
	states = kvcalloc(2, sizeof(*states), GFP_KERNEL);
	if (!states)
		return -ENOMEM;
	ret = save_base(cp, obj, rec);
	/* the timer does not let it go meanwhile */
	if (!ret) {
		ret = ckpt_save_pin(cp) ? save_ends(cp, master, rec, states) : -ETIMEDOUT;
		ckpt_save_unpin(cp);
	}
	kvfree(states);
	if (!ret && !has_all(obj))
		ret = -EAGAIN;
	return ret ? : ckpt_done(cp, rec);
}

/* is all of it the container's?  Nobody outside can type, hang up, or hold its locks then */
static int check_ends(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct tty_struct *master = obj->ptr;

	if (master->index >= CKPT_TTY_INDEX_MAX)
		return ckpt_refuse_whole(cp, -EOPNOTSUPP, "the terminal pts/%d has a number that is too high: only those below %d are supported",
					 master->index, CKPT_TTY_INDEX_MAX);
	if (!obj->ends[0] && !ckpt_tty_is_hung_up(master))
		return ckpt_refuse_whole(cp, -EOPNOTSUPP, "the terminal pts/%d is one whose master is outside of the container, which is not supported; run it detached (ckpt run -d)",
					 master->index);
	if (!has_all(obj))
		return ckpt_refuse_whole(cp, -EBUSY, "the terminal pts/%d is open outside of the container, too",
					 master->index);
	return 0;
}

int ckpt_save_ttys(struct ckpt_checkpoint *cp)
{
	struct ckpt_obj *obj;
	int ret;

	ckpt_for_each_obj(obj, cp, &ckpt_type_tty) {
		ret = check_ends(cp, obj);
		if (!ret)
			ret = ckpt_tty_is_hung_up(obj->ptr) ? save_hung_up(cp, obj) : save_tty(cp, obj);
		if (ckpt_go_on(ret))
			return ret;
	}
	return 0;
}

static int check_tty(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tty *img = ckpt_get(buf, TTY, BASE);
	const char *name = ckpt_get(buf, TTY, NAME);

	if (ckpt_lacks(CKPT_FOR_TTY))
		return ckpt_fail_lack(log, CKPT_FOR_TTY);
	if (!ckpt_tty_known())
		return ckpt_fail(log, -EOPNOTSUPP, "terminals are not supported on this kernel");
	if (*name != '/' || img->index >= CKPT_TTY_INDEX_MAX || img->mode & ~07777 || img->session < 0 ||
	    img->pgrp < 0 || (img->pgrp && !img->session) || (img->hung_up && img->session))
		return ckpt_malformed(log, buf);
	return ckpt_check_tty_ends(log, buf);
}

/* who opened it may not get there any more; then the restarter must */
int ckpt_tty_path(const char *name, const struct cred *cred, struct path *path)
{
	const struct cred *old = override_creds(cred);
	int ret = kern_path(name, LOOKUP_FOLLOW, path);

	revert_creds(old);
	return ret == -EACCES ? kern_path(name, LOOKUP_FOLLOW, path) : ret;
}

/* the same of the file; it has the credentials that it had */
struct file *ckpt_tty_open(const struct path *path, u32 flags, const struct cred *cred)
{
	const struct cred *old = override_creds(cred);
	struct file *file = file_open_root(path, "", flags, 0);
	bool may;

	revert_creds(old);
	if (file != ERR_PTR(-EACCES) && file != ERR_PTR(-EPERM))
		return file;
	/* as may_open_dev() */
	may = !(path->mnt->mnt_flags & MNT_NODEV) && !(path->mnt->mnt_sb->s_iflags & SB_I_NODEV) &&
	      !inode_permission(ckpt_mnt_idmap(path->mnt), d_inode(path->dentry),
				ACC_MODE(flags));
	if (!may)
		return file;
	old = override_creds(cred);
	file = dentry_open(path, flags, cred);
	revert_creds(old);
	return file;
}

/* a ptmx, by its number, before it is opened */
static int find_ptmx(struct ckpt_restart *rs, const char *name, const struct cred *cred, struct path *path)
{
	int ret = ckpt_tty_path(name, cred, path);

	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, "%s, by which terminals are made, is gone: error %d; put it back to restart",
				 name, -ret);
	if (S_ISCHR(d_inode(path->dentry)->i_mode) && d_inode(path->dentry)->i_rdev == MKDEV(TTYAUX_MAJOR, 2))
		return 0;
	path_put(path);
	return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "%s, by which terminals are made, is something else than it was",
			 name);
}

struct spare {
	struct list_head list;
	struct file *file;
};

static void put_spares(struct list_head *spares)
{
	struct spare *s, *next;

	list_for_each_entry_safe(s, next, spares, list) {
		fput(s->file);
		kfree(s);
	}
	/*
	 * Their numbers are to be free for the next one.  Of what current has to close
	 * nothing makes anything, so that the lock of making may be held.
	 */
	ckpt_end_files();
}

/*
 * The one of the number that it had.  A devpts gives the lowest that is free: those
 * below are taken, and given back.
 */
static struct file *open_nr(struct ckpt_restart *rs, const struct path *path,
			    const struct ckpt_image_tty *img, const struct cred *cred)
{
	u32 flags = (img->flags & CKPT_OPEN_FLAGS & ~O_PATH) | O_NOCTTY;
	struct file *file;
	LIST_HEAD(spares);
	struct spare *s;
	u32 index;

	for (;;) {
		file = ckpt_tty_open(path, flags, cred);
		if (IS_ERR(file)) {
			ckpt_log(ckpt_restore_log(rs), "no terminal pts/%u can be made: error %ld",
				 img->index, -PTR_ERR(file));
			break;
		}
		index = ckpt_is_pty_file(file) ? ckpt_file_tty(file)->index : U32_MAX;
		if (index == img->index)
			break;
		s = index < img->index && !fatal_signal_pending(current) ?
			kmalloc(sizeof(*s), GFP_KERNEL) : NULL;
		if (!s) {
			fput(file);
			file = ERR_PTR(index < img->index ? -ENOMEM :
				       ckpt_fail(ckpt_restore_log(rs), -EBUSY, "the number of the terminal pts/%u is taken by another: end that to restart",
						 img->index));
			break;
		}
		s->file = file;
		list_add(&s->list, &spares);
	}
	put_spares(&spares);
	return file;
}

/* owner and mode, as chown(2) and chmod(2) set them */
static int set_owner(struct tty_struct *slave, u32 mode, kuid_t uid, kgid_t gid)
{
	struct dentry *dentry = slave->driver_data;
	struct iattr attr = {
		.ia_valid = ATTR_UID | ATTR_GID | ATTR_MODE,
		.ia_uid = uid,
		.ia_gid = gid,
		.ia_mode = S_IFCHR | mode,
	};
	int ret;

	if (!uid_valid(attr.ia_uid) || !gid_valid(attr.ia_gid))
		return -EINVAL;
	inode_lock(d_inode(dentry));
	ret = notify_change(ckpt_nop_idmap, dentry, &attr, NULL);
	inode_unlock(d_inode(dentry));
	return ret;
}

static void put_made(void *ptr)
{
	struct ckpt_tty_made *made = ptr;

	if (!IS_ERR_OR_NULL(made->master))
		fput(made->master);
	kfree(made);
}

/* open for slaves, until finish_tty() */
static void *restore_tty(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tty *img = ckpt_get(buf, TTY, BASE);
	const struct cred *cred = ckpt_file_cred(rs, img->cred);
	struct ckpt_tty_made *made;
	struct path path;
	int ret;

	if (IS_ERR(cred))
		return ERR_CAST(cred);
	made = kzalloc(sizeof(*made), GFP_KERNEL);
	ret = made ? find_ptmx(rs, ckpt_get(buf, TTY, NAME), cred, &path) : -ENOMEM;
	if (ret)
		goto out;
	made->master = open_nr(rs, &path, img, cred);
	path_put(&path);
	ret = PTR_ERR_OR_ZERO(made->master);
	if (!ret) {
		clear_bit(TTY_PTY_LOCK, &ckpt_file_tty(made->master)->flags);
		/* nobody else's until it is complete */
		ret = set_owner(ckpt_file_tty(made->master)->link, 0600, current_fsuid(), current_fsgid());
	}
out:
	put_cred(cred);
	if (ret && made)
		put_made(made);
	return ret ? ERR_PTR(ret) : made;
}

/* when everybody has it: settings and contents, which nobody reads or types before all run */
static int finish_tty(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr)
{
	const struct ckpt_image_tty *img = ckpt_get(buf, TTY, BASE);
	struct ckpt_tty_made *made = ptr;
	struct tty_struct *master = ckpt_file_tty(made->master);
	int ret;

	if (count_files(master->link) != made->slaves)
		return ckpt_fail(ckpt_restore_log(rs), -EBUSY, "somebody else has opened the terminal pts/%u while it was made",
				 img->index);
	ret = set_owner(master->link, img->mode, make_kuid(current_user_ns(), img->uid),
			make_kgid(current_user_ns(), img->gid));
	if (ret)
		return ret;
	if (img->hung_up && !made->claimed) {
		/* nobody is its session's; when current closes it, as ckpt_last_restored() does soon */
		fput(made->master);
		made->master = NULL;
		return 0;
	}
	if (!made->claimed || img->hung_up)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, img->hung_up ? "TTY %u is hung up, and has a master" :
				 "TTY %u has no master", img->ref);
	if (!img->session != !master->link->ctrl.session)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "TTY %u controls session %d, whose leader has it not",
				 img->ref, img->session);
	return ckpt_restore_tty_ends(buf, master);
}

static void take_tty(void *ptr)
{
	struct tty_struct *master = ptr;

	tty_kref_get(master);
	tty_kref_get(master->link);
}

static void drop_tty(void *ptr)
{
	struct tty_struct *master = ptr;

	tty_kref_put(master->link);
	tty_kref_put(master);
}

const struct ckpt_type ckpt_type_tty = {
	.name = "TTY",
	.record = CKPT_REC_TTY,
	.take = take_tty,
	.drop = drop_tty,
	.save = save_nothing_yet,
	.check = check_tty,
	.restore = restore_tty,
	.finish = finish_tty,
	.put = put_made,
};
