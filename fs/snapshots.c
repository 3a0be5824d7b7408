// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "attr.h"
#include "import.h"
#include "perm.h"
#include "readahead.h"
#include "snapshots.h"

int snapshot_entry(const struct store_info *info, struct fuse_entry_param *e)
{
	e->ino = snapshot_node(info->ino);
	e->attr_timeout = SNAPSHOT_TIMEOUT;
	e->entry_timeout = SNAPSHOT_TIMEOUT;
	return attr_snapshot(info, &e->attr);
}

int snapshot_lookup(const char *place, const char *name, struct fuse_entry_param *e)
{
	struct store_info info;
	struct store_error err;
	int rc = store_stat(fs.store, place, name, &info, &err);

	return rc ? rc : snapshot_entry(&info, e);
}

/* a number that is no more: the kernel looks the name up again at ESTALE */
static int stat_number(fuse_ino_t ino, struct store_info *info)
{
	struct store_error err;
	int rc = store_stat_ino(fs.store, snapshot_store_ino(ino), info, &err);

	return rc == -ENOENT ? -ESTALE : rc;
}

int snapshot_attr(fuse_ino_t ino, struct stat *st)
{
	struct store_info info;
	int rc;

	if (import_attr(ino, st))
		return 0;
	rc = stat_number(ino, &info);
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

int snapshot_setattr(fuse_ino_t ino, const struct stat *st, int changed)
{
	uint64_t number = snapshot_store_ino(ino);
	struct store_info info;
	struct store_error err;
	int rc;

	rc = import_setattr(ino, st, changed);
	if (rc != -ENOENT)
		return rc;
	rc = stat_number(ino, &info);
	if (rc)
		return rc;
	/* its contents never change */
	if (changed & FUSE_SET_ATTR_SIZE && (uint64_t)st->st_size != info.size)
		return -EPERM;
	if (changed & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
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
static ssize_t read_all(struct snapshot *s, char *buf, size_t size, off_t off)
{
	struct store_error e;
	ssize_t n = store_pread(s->reader, buf, size, off, &e), more;

	if (n < 0 || (size_t)n == size)
		return n;
	more = store_pread(s->reader, buf + n, size - n, off + n, &e);
	return more < 0 ? more : n + more;
}

static void snapshot_read(struct handle *h, fuse_req_t req, size_t size, off_t off)
{
	struct snapshot *s = (struct snapshot *)h;
	char *buf = handle_buffer(size);
	ssize_t n = buf ? read_all(s, buf, size, off) : -ENOMEM;

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

static int open_to_read(fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	struct store_error e;
	int rc;

	if (!s)
		return -ENOMEM;
	s->handle.ops = &snapshot_ops;
	rc = store_read_open_ino(fs.store, snapshot_store_ino(ino), &s->reader, &e);
	if (rc) {
		free(s);
		return rc == -ENOENT ? -ESTALE : rc;
	}
	readahead_widen();
	fi->keep_cache = 1;	/* one number, one content, for ever */
	handle_set(fi, &s->handle, ino);
	return 0;
}

static int open_to_replace(fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct store_info info;
	struct handle *h;
	fuse_ino_t fresh;
	int rc = stat_number(ino, &info);

	if (!rc && !info.name[0])
		rc = -ESTALE;
	if (!rc)
		rc = import_begin(info.group, info.name, info.ino, &h, &fresh);
	if (rc)
		return rc;
	fi->direct_io = 1;
	handle_set(fi, h, ino);
	return 0;
}

int snapshot_open(fuse_ino_t ino, struct fuse_file_info *fi)
{
	if ((fi->flags & O_ACCMODE) == O_RDONLY)
		return open_to_read(ino, fi);
	if (fi->flags & O_TRUNC)
		return open_to_replace(ino, fi);
	return -EPERM;
}

int snapshot_create(const char *place, const char *name, struct fuse_file_info *fi,
		    struct fuse_entry_param *e)
{
	struct handle *h;
	int rc;

	if (!strcmp(name, LATEST))
		return -EPERM;
	rc = import_begin(place, name, 0, &h, &e->ino);
	if (rc)
		return rc;
	import_attr(e->ino, &e->attr);
	fi->direct_io = 1;
	handle_set(fi, h, e->ino);
	return 0;
}

int snapshot_delete(const char *place, const char *name)
{
	struct store_error e;

	return store_delete(fs.store, place, name, &e);
}

static int make_group(const char *place)
{
	struct store_error e;
	int rc = store_group_make(fs.store, place, &e);

	return rc == -EEXIST ? 0 : rc;
}

int snapshot_rename(const char *place, const char *name, const char *to_place,
		    const char *to_name, unsigned int flags)
{
	struct store_error e;
	int rc;

	if (flags & ~RENAME_NOREPLACE)
		return -EINVAL;
	if (!strcmp(to_name, LATEST))
		return -EPERM;
	rc = make_group(to_place);	/* a running container may have none yet */
	if (rc)
		return rc;
	return store_rename(fs.store, place, name, to_place, to_name,
			    flags & RENAME_NOREPLACE ? 0 : STORE_REPLACE, &e);
}

int snapshot_latest(const char *place, char name[STORE_NAME_MAX + 1])
{
	struct store_info info;
	struct store_error e;
	int rc = store_latest(fs.store, place, &info, &e);

	if (!rc)
		strcpy(name, info.name);
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
