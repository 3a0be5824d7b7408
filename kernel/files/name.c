// SPDX-License-Identifier: GPL-2.0-only
/* The names of paths in the container. */
#include <linux/namei.h>

#include "file.h"

/* does the name still lead there, or was the file replaced? */
static int check_name(struct ckpt_checkpoint *cp, const struct path *path, const char *name)
{
	struct path found;
	bool same;
	int ret;

	ret = vfs_path_lookup(ckpt_save_root(cp)->dentry, ckpt_save_root(cp)->mnt, name, 0, &found);
	if (ret)
		return ckpt_refuse(cp, ret, "%s cannot be found again under its name: error %d",
				   name, -ret);
	same = d_inode(found.dentry) == d_inode(path->dentry);
	path_put(&found);
	return same ? 0 : ckpt_refuse(cp, -EOPNOTSUPP,
				      "%s was replaced by another file of that name, which is not supported",
				      name);
}

/*
 * ckpt_path_name - the name of a path in the container
 * @buf: PATH_MAX bytes
 * @name: set to the name, which lies in @buf
 *
 * A path that is deleted, or that cannot be reached from the container's root,
 * is refused.  Of a mount whose root was deleted whoever describes the mounts
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
	if (d_unlinked(path->dentry) && path->dentry != path->mnt->mnt_root)
		return ckpt_refuse(cp, -EOPNOTSUPP, "%s is deleted, which is not supported", p);
	*name = p;
	return check_name(cp, path, p);
}
