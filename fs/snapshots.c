// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "attr.h"
#include "damage.h"
#include "handle.h"
#include "import.h"
#include "listing.h"
#include "node.h"
#include "perm.h"
#include "place.h"
#include "readahead.h"
#include "snapshots.h"

/* the name of the link to the newest, which no snapshot may have */
#define LATEST "latest"

static int attr_snapshot(const struct store_info *info, struct stat *st)
{
	struct perm perm;
	int rc = perm_get(info->ino, &perm);

	if (rc)
		return rc;
	attr_base(st, inode_of_snapshot(info->ino), S_IFREG | perm.mode);
	st->st_uid = perm.uid;
	st->st_gid = perm.gid;
	st->st_nlink = info->name[0] ? 1 : 0;
	attr_size(st, info->size);
	attr_time(st, info->mtime_ns);
	if (perm.ctime_ns)
		attr_ctime(st, perm.ctime_ns);
	return 0;
}

/* one that the store has told of */
static int snapshot_entry(const void *what, struct fuse_entry_param *e)
{
	const struct store_info *info = what;

	e->ino = inode_of_snapshot(info->ino);
	e->attr_timeout = SNAPSHOT_TIMEOUT;
	e->entry_timeout = SNAPSHOT_TIMEOUT;
	return attr_snapshot(info, &e->attr);
}

static int history_lookup(const struct node_at *dir, const char *name, struct node_at *child,
			  struct fuse_entry_param *e)
{
	struct store_info info;
	struct store_error err;
	int rc = store_stat(fs.store, dir->place, name, &info, &err);

	(void)child;
	return rc ? rc : snapshot_entry(&info, e);
}

static int history_list(const struct node_at *dir, struct listing *l)
{
	struct store_info *list;
	struct store_error e;
	size_t count;
	int rc = store_list(fs.store, dir->place, &list, &count, &e);

	if (rc)
		return rc == -ENOENT ? 0 : rc;	/* a container that has no history yet */
	l->data = list;
	for (size_t i = 0; !rc && i < count; i++)
		rc = listing_add(l, list[i].name, inode_of_snapshot(list[i].ino), S_IFREG, &list[i]);
	if (!rc && count)
		rc = listing_add(l, LATEST, inode_of(dir->place, NODE_LATEST, 0), S_IFLNK, NULL);
	return rc;
}

/* not older than its last change */
static int history_attr(const struct node_at *at, const struct place_info *info, struct stat *st)
{
	(void)at;
	if (info->stored)
		attr_time(st, info->g.mtime_ns);
	return 0;
}

/* a number that is no more: the kernel looks the name up again at ESTALE */
static int stat_number(fuse_ino_t ino, struct store_info *info)
{
	struct store_error err;
	int rc = store_stat_ino(fs.store, inode_store_ino(ino), info, &err);

	return rc == -ENOENT ? -ESTALE : rc;
}

/* also of one that is being imported */
static int snapshot_attr(const struct node_at *at, const struct place_info *place, struct stat *st)
{
	struct store_info info;
	int rc;

	(void)place;
	if (import_attr(at->ino, st))
		return 0;
	rc = stat_number(at->ino, &info);
	return rc ? rc : attr_snapshot(&info, st);
}

static int set_perm(uint64_t number, const struct stat *st, int changed)
{
	struct perm perm;
	int rc = perm_get(number, &perm);

	if (rc)
		return rc;
	if (changed & FUSE_SET_ATTR_MODE)
		perm.mode = st->st_mode & 0777;
	if (changed & FUSE_SET_ATTR_UID)
		perm.uid = st->st_uid;
	if (changed & FUSE_SET_ATTR_GID)
		perm.gid = st->st_gid;
	return perm_set(number, &perm);
}

static int64_t new_mtime(const struct stat *st, int changed)
{
	struct timespec t = st->st_mtim;

	if (changed & FUSE_SET_ATTR_MTIME_NOW)
		clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int snapshot_setattr(const struct node_at *at, const struct stat *st, int changed)
{
	uint64_t number = inode_store_ino(at->ino);
	struct store_info info;
	struct store_error err;
	int rc;

	rc = import_setattr(at->ino, st, changed);
	if (rc != -ENOENT)
		return rc;
	rc = stat_number(at->ino, &info);
	if (rc)
		return rc;
	/* its contents never change */
	if (changed & FUSE_SET_ATTR_SIZE && (uint64_t)st->st_size != info.size)
		return -EPERM;
	rc = set_perm(number, st, changed);
	if (!rc && changed & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW))
		rc = store_set_mtime(fs.store, number, new_mtime(st, changed), &err);
	return rc;
}

struct snapshot {
	struct handle handle;
	struct store_reader *reader;
};

/*
 * All or an error: the kernel takes what is less for the end of the file, and keeps
 * zeros for the rest. When it gets an error it asks again, page by page.
 */
static ssize_t read_all(struct snapshot *s, char *buf, size_t size, off_t off,
			struct store_error *e)
{
	ssize_t n = store_pread(s->reader, buf, size, off, e), more;

	if (n < 0 || (size_t)n == size)
		return n;
	more = store_pread(s->reader, buf + n, size - n, off + n, e);
	return more < 0 ? more : n + more;
}

static void snapshot_read(struct handle *h, fuse_req_t req, size_t size, off_t off)
{
	struct snapshot *s = (struct snapshot *)h;
	char *buf = handle_buffer(size);
	struct store_error e;
	ssize_t n = buf ? read_all(s, buf, size, off, &e) : -ENOMEM;

	if (n == -EIO)
		damage_found(inode_store_ino(h->ino), e.text);
	if (n < 0)
		fuse_reply_err(req, -n);
	else
		fuse_reply_buf(req, buf, n);
}

static void snapshot_seek(struct handle *h, fuse_req_t req, off_t off, int whence)
{
	struct snapshot *s = (struct snapshot *)h;
	struct store_error e;
	uint64_t at;
	int rc;

	if (off < 0 || (whence != SEEK_DATA && whence != SEEK_HOLE)) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	rc = store_seek(s->reader, off, whence == SEEK_DATA, &at, &e);
	if (rc)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_lseek(req, at);
}

static void snapshot_release(struct handle *h)
{
	store_read_close(((struct snapshot *)h)->reader);
	free(h);
}

static const struct handle_ops snapshot_ops = {
	.read = snapshot_read,
	.seek = snapshot_seek,
	.release = snapshot_release,
};

static int open_to_read(fuse_ino_t ino, struct fuse_file_info *fi, struct handle **h)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	struct store_error e;
	int rc;

	if (!s)
		return -ENOMEM;
	s->handle.ops = &snapshot_ops;
	rc = store_read_open_ino(fs.store, inode_store_ino(ino), &s->reader, &e);
	if (rc == -EIO)
		damage_found(inode_store_ino(ino), e.text);
	if (rc) {
		free(s);
		return rc == -ENOENT ? -ESTALE : rc;
	}
	readahead_widen();
	fi->direct_io = 0;
	fi->keep_cache = 1;	/* one number, one content, for ever */
	*h = &s->handle;
	return 0;
}

static int open_to_replace(fuse_ino_t ino, struct handle **h)
{
	struct store_info info;
	fuse_ino_t fresh;
	int rc = stat_number(ino, &info);

	if (!rc && !info.name[0])
		rc = -ESTALE;
	return rc ? rc : import_begin(info.group, info.name, info.ino, h, &fresh);
}

/* with O_TRUNC and a way to write: to replace it at close */
static int snapshot_open(const struct node_at *at, const struct fuse_ctx *caller,
			 struct fuse_file_info *fi, struct handle **h)
{
	(void)caller;
	if ((fi->flags & O_ACCMODE) == O_RDONLY)
		return open_to_read(at->ino, fi, h);
	return fi->flags & O_TRUNC ? open_to_replace(at->ino, h) : -EPERM;
}

static int history_create(const struct node_at *dir, const char *name, struct fuse_file_info *fi,
			  struct fuse_entry_param *e, struct handle **h)
{
	int rc = import_begin(dir->place, name, 0, h, &e->ino);

	(void)fi;
	if (!rc)
		import_attr(e->ino, &e->attr);
	return rc;
}

static int history_unlink(const struct node_at *dir, const char *name)
{
	struct store_error e;

	return store_delete(fs.store, dir->place, name, &e);
}

static int make_group(const char *place)
{
	struct store_error e;
	int rc = store_group_make(fs.store, place, &e);

	return rc == -EEXIST ? 0 : rc;
}

static int history_rename(const struct node_at *dir, const char *name, const struct node_at *to,
			  const char *to_name, unsigned int flags)
{
	struct store_info info;
	struct store_error e;
	int rc;

	if (flags & ~RENAME_NOREPLACE)
		return -EINVAL;
	rc = make_group(to->place);	/* a running container may have none yet */
	if (!rc)
		rc = store_rename(fs.store, dir->place, name, to->place, to_name,
				  flags & RENAME_NOREPLACE ? 0 : STORE_REPLACE, &e);
	if (!rc && !store_stat(fs.store, to->place, to_name, &info, &e))
		perm_touch(info.ino);
	return rc;
}

static int latest_attr(const struct node_at *at, const struct place_info *info, struct stat *st)
{
	struct store_info newest;
	struct store_error e;
	int rc = store_latest(fs.store, at->place, &newest, &e);

	(void)info;
	if (rc)
		return rc;
	st->st_size = strlen(newest.name);
	attr_time(st, newest.mtime_ns);
	return 0;
}

static int latest_readlink(const struct node_at *at, char target[STORE_NAME_MAX + 1])
{
	struct store_info info;
	struct store_error e;
	int rc = store_latest(fs.store, at->place, &info, &e);

	if (!rc)
		strcpy(target, info.name);
	return rc;
}

int snapshots_statfs(struct statvfs *out)
{
	struct store_stats stats;
	struct store_error e;
	int rc;

	if (statvfs(fs.opt.store, out))
		return -errno;
	rc = store_stats(fs.store, NULL, &stats, &e);
	if (rc)
		return rc;
	/* what is free inside the file can be used as well */
	out->f_bfree += stats.unused / out->f_frsize;
	out->f_bavail += stats.unused / out->f_frsize;
	out->f_files = stats.snapshots + out->f_ffree;
	out->f_namemax = STORE_NAME_MAX;
	return 0;
}

const struct node history_node = {
	.name = "snapshots",
	.in = NODE_PLACE,
	.mode = S_IFDIR | 0755,
	.attr = history_attr,
	.lookup = history_lookup,
	.list = history_list,
	.entry = snapshot_entry,
	.create = history_create,
	.unlink = history_unlink,
	.rename = history_rename,
};

/* listed where there is one; the next checkpoint moves it */
const struct node latest_node = {
	.name = LATEST,
	.in = NODE_HISTORY,
	.mode = S_IFLNK | 0777,
	.flags = NODE_HIDDEN | NODE_FLEETING,
	.attr = latest_attr,
	.readlink = latest_readlink,
};

/* with a file that is being written what is said of it is old at once */
const struct node snapshot_node = {
	.mode = S_IFREG,
	.flags = NODE_FLEETING,
	.attr = snapshot_attr,
	.setattr = snapshot_setattr,
	.open = snapshot_open,
};
