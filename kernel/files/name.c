// SPDX-License-Identifier: GPL-2.0-only
/*
 * The names of paths in the container.  It stands still meanwhile, so no name is
 * looked up: the server of a network file system or of FUSE would be asked, and
 * one that is dead never answers.  What this kernel knows of a name is enough to
 * see whether it still leads where it led.  C1, C2.
 */
#include <linux/dcache.h>
#include <linux/mount.h>
#include <linux/namei.h>

#include "file.h"

/* of a file that has many */
#define CKPT_NAMES_MAX 64

/* each look-up of a file below /proc/net makes it anew, and forgets who had the name */
static bool is_made_anew(const struct dentry *dentry)
{
	return dentry->d_op == kv_proc_net_dentry_ops;
}

bool ckpt_is_deleted(const struct dentry *dentry)
{
	if (is_made_anew(dentry))
		return false;
	/* NFS renames what is deleted and still open */
	return d_unlinked(dentry) || dentry->d_flags & DCACHE_NFSFS_RENAMED;
}

/*
 * Does its file system still have this under that name?  It is asked as a look-up
 * under RCU asks, which waits for nobody; where it would have to wait (-ECHILD)
 * nothing is known against it.
 */
static bool is_current(struct dentry *dentry)
{
	int ret;

	if (!(dentry->d_flags & DCACHE_OP_REVALIDATE) || is_made_anew(dentry))
		return true;
	rcu_read_lock();
	ret = dentry->d_op->d_revalidate(dentry, LOOKUP_RCU);
	rcu_read_unlock();
	if (ret == -ECHILD && ckpt_is_known_pseudo(dentry->d_sb))
		ret = dentry->d_op->d_revalidate(dentry, 0);
	return ret > 0 || ret == -ECHILD;
}

/* where does who comes to @path go on: in @mnt, or in what is mounted over it? */
static bool leads_to(const struct path *path, const struct vfsmount *mnt)
{
	struct path on = *path;
	bool same;

	path_get(&on);
	if (d_mountpoint(on.dentry))
		follow_down_one(&on);
	same = on.mnt == mnt;
	path_put(&on);
	return same;
}

/* from the root of a mount to the directory on which it is mounted */
static bool to_mountpoint(struct path *at)
{
	struct vfsmount *mnt = mntget(at->mnt);
	bool good = follow_up(at) && leads_to(at, mnt);

	mntput(mnt);
	return good;
}

static bool to_parent(struct path *at)
{
	struct dentry *dentry = at->dentry;

	if (IS_ROOT(dentry) || ckpt_is_deleted(dentry) || !is_current(dentry))
		return false;
	at->dentry = dget_parent(dentry);
	dput(dentry);
	return true;
}

/* would a look-up of its name from @root lead to @path? */
static bool leads_back(const struct path *path, const struct path *root)
{
	struct path at = *path;
	bool good = true;

	path_get(&at);
	if (!path_equal(&at, root))
		good = leads_to(&at, at.mnt);
	while (good && !path_equal(&at, root)) {
		if (at.dentry == at.mnt->mnt_root)
			good = to_mountpoint(&at);
		else
			good = to_parent(&at) && (path_equal(&at, root) || leads_to(&at, at.mnt));
	}
	path_put(&at);
	return good;
}

const char *ckpt_path_name_if(struct ckpt_checkpoint *cp, const struct path *path, char *buf)
{
	char *p = k___d_path(path, ckpt_save_root(cp), buf, PATH_MAX);

	if (IS_ERR_OR_NULL(p) || (ckpt_is_deleted(path->dentry) && path->dentry != path->mnt->mnt_root) ||
	    !leads_back(path, ckpt_save_root(cp)))
		return NULL;
	return p;
}

struct dentry *ckpt_nth_name(struct inode *inode, u32 n)
{
	struct dentry *dentry, *found = NULL;

	spin_lock(&inode->i_lock);
	hlist_for_each_entry(dentry, &inode->i_dentry, d_u.d_alias) {
		spin_lock(&dentry->d_lock);
		if (!d_unlinked(dentry) && !n--)
			found = dget_dlock(dentry);
		spin_unlock(&dentry->d_lock);
		if (found)
			break;
	}
	spin_unlock(&inode->i_lock);
	return found;
}

/* of a deleted one: another name of the same inode in the same mount, which lies in @buf, or NULL */
const char *ckpt_other_name(struct ckpt_checkpoint *cp, const struct path *path, char *buf)
{
	struct inode *inode = d_inode(path->dentry);
	struct path other = { .mnt = path->mnt };
	const char *name = NULL;
	u32 n;

	/* each is looked for from the first on, so not too many */
	for (n = 0; inode && inode->i_nlink && !name && n < CKPT_NAMES_MAX; n++) {
		other.dentry = ckpt_nth_name(inode, n);
		if (!other.dentry)
			break;
		if (is_subdir(other.dentry, other.mnt->mnt_root))
			name = ckpt_path_name_if(cp, &other, buf);
		dput(other.dentry);
	}
	return name;
}

/*
 * ckpt_path_name - the name of a path in the container
 * @buf: PATH_MAX bytes
 * @name: set to the name, which lies in @buf
 *
 * A path that is deleted, or that its name does not lead to from the container's
 * root, is refused.  Of a mount whose root was deleted whoever describes the mounts
 * has to say where it comes from, or refuse it.
 */
int ckpt_path_name(struct ckpt_checkpoint *cp, const struct path *path,
		   char *buf, const char **name)
{
	char *p;

	p = k___d_path(path, ckpt_save_root(cp), buf, PATH_MAX);
	if (IS_ERR(p))
		return ckpt_refuse(cp, PTR_ERR(p), "%pd: its path is too long", path->dentry);
	if (!p)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "%pd lies outside of the container's root directory", path->dentry);
	/* what is mounted by itself is there under its name: it is its mount that must come back */
	if (ckpt_is_deleted(path->dentry) && path->dentry != path->mnt->mnt_root)
		return ckpt_refuse(cp, -EOPNOTSUPP, "%s is deleted, which is not supported", p);
	if (!leads_back(path, ckpt_save_root(cp)))
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "%s is not found under its name any more: it was removed or replaced, or something is mounted over it, which is not supported",
				   p);
	*name = p;
	return 0;
}
