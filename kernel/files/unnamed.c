// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file or directory that has no name is made: by O_TMPFILE, or where the file system has
 * none under a name that is taken from it before anybody can look it up.  C2.
 */
#include <linux/dcache.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "file.h"

/*
 * The directory of @name, or the nearest above it that is there; whoever has deleted it
 * has made sure that nobody finds the file by it.
 */
static int find_dir(const char *name, struct path *dir)
{
	char *slash, *up = kstrdup(name, GFP_KERNEL);
	int ret;

	if (!up)
		return -ENOMEM;
	do {
		slash = strrchr(up, '/');
		*slash = 0;
		ret = kern_path(slash == up ? "/" : up, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, dir);
	} while ((ret == -ENOENT || ret == -ENOTDIR) && slash != up);
	kfree(up);
	/* who is asked there is a disk; of an overlay it is seen when the file is made */
	if (!ret && !ckpt_is_local(dir->mnt->mnt_sb) &&
	    dir->mnt->mnt_sb->s_magic != OVERLAYFS_SUPER_MAGIC) {
		path_put(dir);
		ret = -EOPNOTSUPP;
	}
	return ret;
}

/* is it where it can be read again? */
static struct file *if_local(struct file *file)
{
	return IS_ERR(file) ? file :
		ckpt_file_or(file, ckpt_is_local(d_real_inode(file->f_path.dentry)->i_sb) ? 0 : -EOPNOTSUPP);
}

/*
 * Nobody else has the dentry, which is in no hash: it gets the name that was deleted, in
 * the place where d_tmpfile() has put one of its own.  A long name has no room there.
 */
static void give_name(struct dentry *dentry, const char *name)
{
	size_t len = strlen(name);

	if (len >= DNAME_INLINE_LEN || dentry->d_name.name != dentry->d_iname || !d_unlinked(dentry))
		return;
	spin_lock(&dentry->d_parent->d_lock);
	spin_lock_nested(&dentry->d_lock, DENTRY_D_LOCK_NESTED);
	memcpy(dentry->d_iname, name, len + 1);
	dentry->d_name.len = len;
	spin_unlock(&dentry->d_lock);
	spin_unlock(&dentry->d_parent->d_lock);
}

/* a name that nobody has, and that nobody waits for, with a reference; the directory is locked */
static struct dentry *free_name(const struct path *dir)
{
	struct dentry *dentry;
	char name[24];

	/* it could not be taken away again */
	if (IS_APPEND(d_inode(dir->dentry)))
		return ERR_PTR(-EPERM);
	for (;;) {
		snprintf(name, sizeof(name), ".ckpt-%016llx", get_random_u64());
		dentry = lookup_one_len(name, dir->dentry, strlen(name));
		if (IS_ERR(dentry) || d_is_negative(dentry))
			return dentry;
		dput(dentry);
	}
}

/* a file, directory or named pipe */
static int make(const struct path *dir, struct dentry *dentry, u32 type)
{
	struct inode *inode = d_inode(dir->dentry);

	if (S_ISDIR(type))
		return vfs_mkdir(ckpt_mnt_idmap(dir->mnt), inode, dentry, 0700);
	if (S_ISFIFO(type))
		return vfs_mknod(ckpt_mnt_idmap(dir->mnt), inode, dentry, S_IFIFO | 0600, 0);
	return vfs_create(ckpt_mnt_idmap(dir->mnt), inode, dentry, S_IFREG | 0600, true);
}

/* make one and take its name away; @dir is locked.  A dentry with a reference */
static struct dentry *make_and_remove(struct ckpt_restart *rs, const struct path *dir, u32 type)
{
	struct inode *inode = d_inode(dir->dentry);
	struct dentry *dentry = free_name(dir);
	int ret;

	if (IS_ERR(dentry))
		return dentry;
	ret = make(dir, dentry, type);
	if (ret)
		goto out_put;
	/* with one reference more it keeps its inode */
	dget(dentry);
	if (S_ISDIR(type))
		ret = vfs_rmdir(ckpt_mnt_idmap(dir->mnt), inode, dentry);
	else
		ret = vfs_unlink(ckpt_mnt_idmap(dir->mnt), inode, dentry, NULL);
	dput(dentry);
	if (!ret && !d_unlinked(dentry))
		ret = -EBUSY;
	if (!ret)
		return dentry;
	ckpt_log(ckpt_restore_log(rs), "%pd2, which this restart has made, cannot be removed again: error %d",
		 dentry, -ret);
out_put:
	dput(dentry);
	return ERR_PTR(ret);
}

static struct file *make_named(struct ckpt_restart *rs, const struct path *dir, const char *name,
			       u32 type)
{
	u32 flags = S_ISDIR(type) ? O_RDONLY | O_DIRECTORY : S_ISFIFO(type) ? O_PATH : O_RDWR;
	struct path path = { .mnt = dir->mnt };
	struct file *file;
	int ret;

	ret = mnt_want_write(dir->mnt);
	if (ret)
		return ERR_PTR(ret);
	inode_lock_nested(d_inode(dir->dentry), I_MUTEX_PARENT);
	path.dentry = make_and_remove(rs, dir, type);
	inode_unlock(d_inode(dir->dentry));
	if (IS_ERR(path.dentry)) {
		file = ERR_CAST(path.dentry);
	} else {
		give_name(path.dentry, name);
		file = dentry_open(&path, flags | O_LARGEFILE, current_cred());
		dput(path.dentry);
	}
	mnt_drop_write(dir->mnt);
	return file;
}

/*
 * ckpt_make_unnamed - a file for reading and writing that nobody finds by a name
 * @name: a path from current's root, whose directory it is made in, and whose last part
 *	/proc shows; if the directory is gone, in the nearest above it
 * @linkable: linkat(2) may give it a name
 *
 * By current's rights.  Returns the file or an error pointer; nothing stays when it is closed.
 */
struct file *ckpt_make_unnamed(struct ckpt_restart *rs, const char *name, bool linkable)
{
	const char *last = strrchr(name, '/') + 1;
	struct file *file;
	struct path dir;
	int ret;

	ret = find_dir(name, &dir);
	if (ret)
		return ERR_PTR(ret);
	file = file_open_root(&dir, "", O_TMPFILE | O_RDWR | O_LARGEFILE | (linkable ? 0 : O_EXCL), 0600);
	if (!IS_ERR(file))
		give_name(file->f_path.dentry, last);
	else if (file == ERR_PTR(-EOPNOTSUPP) && !linkable)
		file = make_named(rs, &dir, last, S_IFREG);
	path_put(&dir);
	return if_local(file);
}

/*
 * ckpt_make_unnamed_empty - the same of an empty directory, for reading, in which nothing can be
 * made any more; or of a named pipe, as its O_PATH
 */
struct file *ckpt_make_unnamed_empty(struct ckpt_restart *rs, const char *name, u32 type)
{
	struct file *file;
	struct path dir;
	int ret;

	ret = find_dir(name, &dir);
	if (ret)
		return ERR_PTR(ret);
	file = make_named(rs, &dir, strrchr(name, '/') + 1, type);
	path_put(&dir);
	return file;
}
