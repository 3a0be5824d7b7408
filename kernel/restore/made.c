// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a restart has made in file systems, such as the file of a socket's name:
 * it outlives its maker, so one that fails takes it away.  S16.
 */
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/slab.h>

#include "restart.h"

struct made {
	struct list_head list;
	struct path path;		/* a reference is held */
};

/*
 * Is it still what has its name?  A file system of others is asked, as unlink(2) asks:
 * it takes away what has that name with them.  The directory is locked.  Returns 1, 0,
 * or a negative errno.
 */
static int has_its_name(struct dentry *dentry, const struct dentry *dir)
{
	if (dentry->d_parent != dir || d_unhashed(dentry) || d_is_negative(dentry))
		return 0;
	return dentry->d_flags & DCACHE_OP_REVALIDATE ? dentry->d_op->d_revalidate(dentry, 0) : 1;
}

/* who has its name by now may have another file */
static int unlink_made(const struct path *path)
{
	struct dentry *dir;
	int ret;

	ret = mnt_want_write(path->mnt);
	if (ret)
		return ret;
	dir = dget_parent(path->dentry);
	inode_lock_nested(d_inode(dir), I_MUTEX_PARENT);
	ret = has_its_name(path->dentry, dir);
	if (ret > 0)
		ret = vfs_unlink(ckpt_mnt_idmap(path->mnt), d_inode(dir), path->dentry, NULL);
	inode_unlock(d_inode(dir));
	dput(dir);
	mnt_drop_write(path->mnt);
	return ret;
}

static void remove(struct ckpt_restart *rs, const struct path *path)
{
	int ret = unlink_made(path);

	if (ret)
		ckpt_log(&rs->log, "%pd, which this restart has made, cannot be removed again: error %d",
			 path->dentry, -ret);
}

/*
 * ckpt_note_made - a file was made under this name, where there was none
 *
 * On error, which is that of a restart that has failed meanwhile or -ENOMEM, the
 * file is gone again.
 */
int ckpt_note_made(struct ckpt_restart *rs, const struct path *path)
{
	struct made *made = kmalloc(sizeof(*made), GFP_KERNEL);
	int ret;

	if (!made) {
		remove(rs, path);
		return -ENOMEM;
	}
	made->path = *path;
	spin_lock(&rs->wait.lock);
	ret = ckpt_restore_failed(rs);
	if (!ret) {
		path_get(path);
		list_add(&made->list, &rs->made);
	}
	spin_unlock(&rs->wait.lock);
	if (ret) {
		kfree(made);
		remove(rs, path);
	}
	return ret;
}

static void forget(struct list_head *list)
{
	struct made *made, *next;

	list_for_each_entry_safe(made, next, list, list) {
		path_put(&made->path);
		kfree(made);
	}
}

/*
 * When the restart has failed: what comes now removes itself.  The lock of making is
 * not asked for, as who has it may be waiting for the server of a file, which not even
 * SIGKILL ends.
 */
void ckpt_remove_made(struct ckpt_restart *rs)
{
	struct made *made;
	LIST_HEAD(list);

	spin_lock(&rs->wait.lock);
	list_splice_init(&rs->made, &list);
	spin_unlock(&rs->wait.lock);
	list_for_each_entry(made, &list, list)
		remove(rs, &made->path);
	forget(&list);
}

/* nobody makes anything any more; the files stay as they are */
void ckpt_forget_made(struct ckpt_restart *rs)
{
	forget(&rs->made);
	INIT_LIST_HEAD(&rs->made);
}
