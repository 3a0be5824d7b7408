// SPDX-License-Identifier: GPL-2.0-only
/* The requests of the kernel, given to what they are for. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "dir.h"
#include "fs.h"
#include "handle.h"
#include "node.h"
#include "snapshots.h"
#include "xattr.h"

static void ckptfs_init(void *data, struct fuse_conn_info *conn)
{
	(void)data;
	conn->want |= conn->capable & (FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
	conn->max_background = 64;
	conn->congestion_threshold = 48;
}

/* ---- names and attributes ---- */

static void reply_entry(fuse_req_t req, int rc, const struct fuse_entry_param *e)
{
	if (rc)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_entry(req, e);
}

static void ckptfs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { 0 };
	struct node_at dir;
	int rc = node_find(parent, &dir);

	if (!rc)
		rc = node_lookup(&dir, name, &e);
	reply_entry(req, rc, &e);
}

static void ckptfs_forget(fuse_req_t req, fuse_ino_t ino, uint64_t times)
{
	inode_forget(ino, times);
	fuse_reply_none(req);
}

static void ckptfs_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *what)
{
	for (size_t i = 0; i < count; i++)
		inode_forget(what[i].ino, what[i].nlookup);
	fuse_reply_none(req);
}

static void reply_attr(fuse_req_t req, const struct node_at *at)
{
	struct stat st;
	int rc = node_attr(at, &st);

	if (rc)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_attr(req, &st, node_timeout(at));
}

static void ckptfs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct node_at at;
	int rc = node_find(ino, &at);

	(void)fi;
	if (rc)
		fuse_reply_err(req, -rc);
	else
		reply_attr(req, &at);
}

/*
 * What the tools that copy do to a file or directory after writing it: times
 * are of no use here and are let pass, and so is what changes nothing.
 */
static int let_pass(const struct node_at *at, const struct stat *st, int changed,
		    struct handle *h)
{
	struct stat is;
	int rc = node_attr(at, &is);

	if (!rc && changed & FUSE_SET_ATTR_SIZE)
		rc = at->node->truncate ? at->node->truncate(at, h, st->st_size) : -EPERM;
	if (rc)
		return rc;
	if ((changed & FUSE_SET_ATTR_MODE && (st->st_mode & 07777) != (is.st_mode & 07777)) ||
	    (changed & FUSE_SET_ATTR_UID && st->st_uid != is.st_uid) ||
	    (changed & FUSE_SET_ATTR_GID && st->st_gid != is.st_gid))
		return -EPERM;
	return 0;
}

static void ckptfs_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int changed,
			   struct fuse_file_info *fi)
{
	struct node_at at;
	int rc = node_find(ino, &at);

	if (!rc && at.node->setattr)
		rc = at.node->setattr(&at, st, changed);
	else if (!rc)
		rc = let_pass(&at, st, changed, fi ? handle_of(fi) : NULL);
	if (rc)
		fuse_reply_err(req, -rc);
	else
		reply_attr(req, &at);
}

static void ckptfs_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char target[STORE_NAME_MAX + 1];
	struct node_at at;
	int rc = node_find(ino, &at);

	if (!rc)
		rc = at.node->readlink ? at.node->readlink(&at, target) : -EINVAL;
	if (rc)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_readlink(req, target);
}

static void ckptfs_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st;
	int rc = snapshots_statfs(&st);

	(void)ino;
	if (rc)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_statfs(req, &st);
}

/* ---- what comes and goes ---- */

/* a directory in which @name is none of those that are there for ever: 0, -EPERM or -ESTALE */
static int find_dir(fuse_ino_t ino, const char *name, struct node_at *dir)
{
	struct node_at child;
	int rc = node_find(ino, dir);

	if (!rc && node_child(dir, name, &child))
		rc = -EPERM;
	return rc;
}

static void ckptfs_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct fuse_entry_param e = { 0 };
	struct node_at dir;
	int rc = find_dir(parent, name, &dir);

	(void)mode;
	if (!rc)
		rc = dir.node->mkdir ? dir.node->mkdir(&dir, name) : -EPERM;
	if (!rc)
		rc = node_lookup(&dir, name, &e);
	reply_entry(req, rc, &e);
}

static void ckptfs_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct node_at dir;
	int rc = find_dir(parent, name, &dir);

	if (!rc)
		rc = dir.node->rmdir ? dir.node->rmdir(&dir, name) : -EPERM;
	fuse_reply_err(req, -rc);
}

static void ckptfs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct node_at dir;
	int rc = find_dir(parent, name, &dir);

	if (!rc)
		rc = dir.node->unlink ? dir.node->unlink(&dir, name) : -EPERM;
	fuse_reply_err(req, -rc);
}

static void ckptfs_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
			  fuse_ino_t to_parent, const char *to_name, unsigned int flags)
{
	struct node_at dir, to;
	int rc = find_dir(parent, name, &dir);

	if (!rc)
		rc = find_dir(to_parent, to_name, &to);
	if (!rc && (!dir.node->rename || to.kind != dir.kind))
		rc = -EPERM;
	if (!rc && strlen(to_name) > STORE_NAME_MAX)
		rc = -ENAMETOOLONG;
	if (!rc)
		rc = dir.node->rename(&dir, name, &to, to_name, flags);
	fuse_reply_err(req, -rc);
}

/* Nothing but snapshots: as mknod(2) and symlink(2) want it said of a file system that has none. */
static void ckptfs_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
			 dev_t rdev)
{
	(void)parent;
	(void)name;
	(void)mode;
	(void)rdev;
	fuse_reply_err(req, EPERM);
}

static void ckptfs_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
			   const char *name)
{
	(void)target;
	(void)parent;
	(void)name;
	fuse_reply_err(req, EPERM);
}

/* ---- open files ---- */

static void ckptfs_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
			  struct fuse_file_info *fi)
{
	const struct fuse_ctx *caller = fuse_req_ctx(req);
	struct fuse_entry_param e = { 0 };
	struct node_at dir;
	struct handle *h;
	int rc = find_dir(parent, name, &dir);

	/* an image holds secrets: who wants others to read it says so, by chmod */
	(void)mode;
	fi->direct_io = 1;
	if (!rc && !dir.node->create)
		rc = -EPERM;
	if (!rc)
		rc = handle_admit(caller->uid);
	if (!rc) {
		rc = dir.node->create(&dir, name, fi, &e, &h);
		if (rc)
			handle_refuse(caller->uid);
	}
	if (rc) {
		fuse_reply_err(req, -rc);
		return;
	}
	handle_set(fi, h, e.ino, caller);
	if (fuse_reply_create(req, &e, fi) == -ENOENT)
		handle_release(fi);
}

/* what nobody can read, or write, root can't either: to open it may already do something */
static int check_access(const struct node *node, int flags)
{
	bool reads = (flags & O_ACCMODE) == O_RDONLY;

	if (!(node->mode & 0777))
		return 0;	/* each has its own */
	return node->mode & (reads ? 0444 : 0222) ? 0 : -EACCES;
}

static int open_node(const struct node_at *at, const struct fuse_ctx *caller,
		     struct fuse_file_info *fi, struct handle **h)
{
	int rc = node_may_open(at, caller->uid);

	if (!rc && !S_ISDIR(at->node->mode))
		rc = check_access(at->node, fi->flags);
	if (rc)
		return rc;
	fi->direct_io = 1;	/* its size is not known before it has been read */
	fi->nonseekable = !!(at->node->flags & NODE_STREAM);
	if (!at->node->open)
		return S_ISDIR(at->node->mode) ? -EISDIR : -ELOOP;
	rc = handle_admit(caller->uid);
	if (rc)
		return rc;
	rc = at->node->open(at, caller, fi, h);
	if (rc)
		handle_refuse(caller->uid);
	return rc;
}

static void ckptfs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct fuse_ctx *caller = fuse_req_ctx(req);
	struct node_at at;
	struct handle *h;
	int rc = node_find(ino, &at);

	if (!rc)
		rc = open_node(&at, caller, fi, &h);
	if (rc) {
		fuse_reply_err(req, -rc);
		return;
	}
	handle_set(fi, h, ino, caller);
	if (fuse_reply_open(req, fi) == -ENOENT)	/* open(2) was interrupted */
		handle_release(fi);
}

static void ckptfs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			struct fuse_file_info *fi)
{
	struct handle *h = handle_of(fi);

	(void)ino;
	if (h->ops->read)
		h->ops->read(h, req, size, off);
	else
		fuse_reply_err(req, EBADF);
}

static void ckptfs_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size,
			 off_t off, struct fuse_file_info *fi)
{
	struct handle *h = handle_of(fi);

	(void)ino;
	if (h->ops->write)
		h->ops->write(h, req, data, size, off);
	else
		fuse_reply_err(req, EBADF);
}

static void ckptfs_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
			 struct fuse_file_info *fi)
{
	struct handle *h = handle_of(fi);

	(void)ino;
	if (h->ops->seek)
		h->ops->seek(h, req, off, whence);
	else
		fuse_reply_err(req, EINVAL);
}

static void ckptfs_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *h = handle_of(fi);

	(void)ino;
	if (h->ops->flush)
		h->ops->flush(h, req);
	else
		fuse_reply_err(req, 0);
}

static void ckptfs_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	handle_release(fi);
	fuse_reply_err(req, 0);
}

const struct fuse_lowlevel_ops ckptfs_ops = {
	.init = ckptfs_init,
	.lookup = ckptfs_lookup,
	.forget = ckptfs_forget,
	.forget_multi = ckptfs_forget_multi,
	.getattr = ckptfs_getattr,
	.setattr = ckptfs_setattr,
	.readlink = ckptfs_readlink,
	.mknod = ckptfs_mknod,
	.symlink = ckptfs_symlink,
	.mkdir = ckptfs_mkdir,
	.rmdir = ckptfs_rmdir,
	.unlink = ckptfs_unlink,
	.rename = ckptfs_rename,
	.create = ckptfs_create,
	.open = ckptfs_open,
	.read = ckptfs_read,
	.write = ckptfs_write,
	.lseek = ckptfs_lseek,
	.flush = ckptfs_flush,
	.release = ckptfs_release,
	.statfs = ckptfs_statfs,
	.getxattr = xattr_get,
	.listxattr = xattr_list,
	.setxattr = xattr_set,
	.removexattr = xattr_remove,
	.opendir = dir_open,
	.readdir = dir_read,
	.readdirplus = dir_read_plus,
	.releasedir = dir_release,
};
