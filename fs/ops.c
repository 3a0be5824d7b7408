// SPDX-License-Identifier: GPL-2.0-only
/* The requests of the kernel, given to what they are for. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "attr.h"
#include "dir.h"
#include "fs.h"
#include "handle.h"
#include "image.h"
#include "log.h"
#include "lookup.h"
#include "maintenance.h"
#include "restart.h"
#include "snapshots.h"
#include "status.h"
#include "xattr.h"

static void ckptfs_init(void *data, struct fuse_conn_info *conn)
{
	(void)data;
	conn->want |= conn->capable & (FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
	conn->max_background = 64;
	conn->congestion_threshold = 48;
}

/* ---- names and attributes ---- */

static void ckptfs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { 0 };
	int rc = node_lookup(parent, name, &e);

	if (rc)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_entry(req, &e);
}

static void ckptfs_forget(fuse_req_t req, fuse_ino_t ino, uint64_t times)
{
	node_forget(ino, times);
	fuse_reply_none(req);
}

static void ckptfs_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *what)
{
	for (size_t i = 0; i < count; i++)
		node_forget(what[i].ino, what[i].nlookup);
	fuse_reply_none(req);
}

static int get_attr(fuse_ino_t ino, struct stat *st, double *timeout)
{
	char place[CONTAINER_NAME_MAX + 1];
	enum node_kind kind = node_kind(ino);
	struct place_info info;
	int rc;

	*timeout = PLACE_TIMEOUT;
	if (kind == NODE_ROOT) {
		attr_root(st);
		return 0;
	}
	if (kind == NODE_MAINTENANCE) {
		maintenance_attr(ino, st);
		return 0;
	}
	if (kind == NODE_SNAPSHOT) {
		/* with a file that is being written the answer is old at once */
		*timeout = 0;
		return snapshot_attr(ino, st);
	}
	rc = place_name(ino, place);
	if (!rc)
		rc = place_look(place, &info);
	if (!rc)
		rc = attr_place(place, kind, &info, st);
	return rc;
}

static void reply_attr(fuse_req_t req, fuse_ino_t ino)
{
	struct stat st;
	double timeout;
	int rc = get_attr(ino, &st, &timeout);

	if (rc)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_attr(req, &st, timeout);
}

static void ckptfs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	reply_attr(req, ino);
}

/*
 * What the tools that copy do to a file or directory after writing it: times
 * are of no use here and are let pass, and so is what changes nothing.
 */
static int set_place_attr(fuse_ino_t ino, const struct stat *st, int changed)
{
	struct stat is;
	double timeout;
	int rc = get_attr(ino, &is, &timeout);

	if (rc)
		return rc;
	if (changed & FUSE_SET_ATTR_SIZE &&
	    (node_kind(ino) != NODE_RESTART || st->st_size != 0))
		return -EPERM;
	if ((changed & FUSE_SET_ATTR_MODE && (st->st_mode & 07777) != (is.st_mode & 07777)) ||
	    (changed & FUSE_SET_ATTR_UID && st->st_uid != is.st_uid) ||
	    (changed & FUSE_SET_ATTR_GID && st->st_gid != is.st_gid))
		return -EPERM;
	return 0;
}

static void ckptfs_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int changed,
			   struct fuse_file_info *fi)
{
	int rc;

	(void)fi;
	if (node_kind(ino) == NODE_SNAPSHOT)
		rc = snapshot_setattr(ino, st, changed);
	else
		rc = set_place_attr(ino, st, changed);
	if (rc)
		fuse_reply_err(req, -rc);
	else
		reply_attr(req, ino);
}

static void ckptfs_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char place[CONTAINER_NAME_MAX + 1], name[STORE_NAME_MAX + 1];
	int rc = node_kind(ino) == NODE_LATEST ? place_name(ino, place) : -EINVAL;

	if (!rc)
		rc = snapshot_latest(place, name);
	if (rc)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_readlink(req, name);
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

/* ---- places ---- */

static void ckptfs_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct fuse_entry_param e = { 0 };
	struct container c;
	struct store_error err;
	int rc;

	(void)mode;
	if (node_kind(parent) != NODE_ROOT)
		rc = -EPERM;
	else if (!container_find(name, &c))
		rc = -EEXIST;
	else
		rc = store_group_make(fs.store, name, &err);
	if (!rc)
		rc = node_lookup(parent, name, &e);
	if (rc)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_entry(req, &e);
}

static int remove_place(const char *name)
{
	struct container c;
	struct store_error err;
	int rc;

	if (!strcmp(name, MAINTENANCE))
		return -EPERM;
	if (!container_find(name, &c) || restart_busy(name))
		return -EBUSY;
	rc = store_group_remove(fs.store, name, &err);
	if (!rc)
		log_remove(name);
	return rc;
}

static void ckptfs_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_reply_err(req, node_kind(parent) == NODE_ROOT ? -remove_place(name) : EPERM);
}

/* ---- snapshots ---- */

/* the place whose history @dir is, or -EPERM where no file can be made */
static int history_of(fuse_ino_t dir, char place[CONTAINER_NAME_MAX + 1])
{
	return node_kind(dir) == NODE_SNAPSHOTS ? place_name(dir, place) : -EPERM;
}

static void ckptfs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	char place[CONTAINER_NAME_MAX + 1];
	int rc = history_of(parent, place);

	if (!rc)
		rc = strcmp(name, LATEST) ? snapshot_delete(place, name) : -EPERM;
	fuse_reply_err(req, -rc);
}

static void ckptfs_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
			  fuse_ino_t to_parent, const char *to_name, unsigned int flags)
{
	char place[CONTAINER_NAME_MAX + 1], to_place[CONTAINER_NAME_MAX + 1];
	int rc = history_of(parent, place);

	if (!rc)
		rc = history_of(to_parent, to_place);
	if (!rc && !strcmp(name, LATEST))
		rc = -EPERM;
	if (!rc && strlen(to_name) > STORE_NAME_MAX)
		rc = -ENAMETOOLONG;
	if (!rc)
		rc = snapshot_rename(place, name, to_place, to_name, flags);
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

static void ckptfs_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
			  struct fuse_file_info *fi)
{
	char place[CONTAINER_NAME_MAX + 1];
	struct fuse_entry_param e = { 0 };
	int rc = history_of(parent, place);

	/* an image holds secrets: who wants others to read it says so, by chmod */
	(void)mode;
	if (!rc)
		rc = snapshot_create(place, name, fi, &e);
	if (!rc)
		handle_of(fi)->opener = fuse_req_ctx(req)->pid;
	if (rc)
		fuse_reply_err(req, -rc);
	else if (fuse_reply_create(req, &e, fi) == -ENOENT)
		handle_release(fi);
}

/* ---- open files ---- */

static int open_log(const char *place, struct handle **h)
{
	int fd = log_open(place);

	if (fd == -ENOENT)
		*h = text_open(NULL, 0);
	else if (fd < 0)
		return fd;
	else
		*h = fd_open(fd);
	return *h ? 0 : -ENOMEM;
}

static int open_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct fuse_ctx *caller = fuse_req_ctx(req);
	char place[CONTAINER_NAME_MAX + 1];
	struct handle *h = NULL;
	int rc = place_name(ino, place);

	if (rc)
		return rc;
	switch (node_kind(ino)) {
	case NODE_IMAGE:
		rc = image_open(place, caller->uid, &h);
		break;
	case NODE_RESTART:
		rc = restart_open(place, caller->uid, fi->flags, &h);
		break;
	case NODE_STATUS:
		rc = status_open(place, caller->pid, &h);
		break;
	case NODE_LOG:
		rc = open_log(place, &h);
		break;
	default:
		return -EISDIR;
	}
	if (rc)
		return rc;
	fi->direct_io = 1;	/* its size is not known before it has been read */
	fi->nonseekable = node_kind(ino) == NODE_IMAGE || node_kind(ino) == NODE_RESTART;
	handle_set(fi, h, ino);
	return 0;
}

static int open_maintenance(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *h;
	int rc = maintenance_open(ino, fuse_req_ctx(req)->uid, &h);

	if (rc)
		return rc;
	fi->direct_io = 1;
	fi->nonseekable = 1;
	handle_set(fi, h, ino);
	return 0;
}

static void ckptfs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	int rc;

	if (node_kind(ino) == NODE_MAINTENANCE)
		rc = open_maintenance(req, ino, fi);
	else if (node_kind(ino) == NODE_SNAPSHOT)
		rc = snapshot_open(ino, fi);
	else
		rc = open_file(req, ino, fi);
	if (!rc)
		handle_of(fi)->opener = fuse_req_ctx(req)->pid;
	if (rc)
		fuse_reply_err(req, -rc);
	else if (fuse_reply_open(req, fi) == -ENOENT)	/* open(2) was interrupted */
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
