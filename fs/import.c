// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attr.h"
#include "check.h"
#include "error.h"
#include "holders.h"
#include "import.h"
#include "inode.h"
#include "log.h"
#include "perm.h"
#include "trailer.h"

#define ATTRS_MAX 64

struct import {
	struct handle handle;
	struct import *next;
	unsigned int refs;		/* under imports_lock */
	uint64_t ino;			/* the store's number */
	uint64_t replaces;
	char place[STORE_NAME_MAX + 1];
	char name[STORE_NAME_MAX + 1];
	pthread_mutex_t lock;		/* of what takes as long as the disk */
	struct store_writer *writer;	/* NULL: ended, see result */
	bool wrote;
	struct check *check;		/* from the first byte on */
	struct trailer trailer;		/* has all of an image come? */
	atomic_bool postponed;		/* closed by one, while another has it */
	int result;
	pthread_mutex_t attr_lock;	/* of all below; taken behind the other one */
	bool closed;			/* they are in the store, or about to be */
	uint64_t size;			/* bytes so far */
	int64_t mtime_ns;		/* 0: when it ends */
	struct perm perm;
	struct store_attr attrs[ATTRS_MAX];
	size_t nr_attrs;
};

/* those whose writer is there */
static struct import *imports;
static pthread_mutex_t imports_lock = PTHREAD_MUTEX_INITIALIZER;

static const struct handle_ops import_ops;

int import_begin(const char *place, const char *name, uint64_t replaces,
		 struct handle **h, fuse_ino_t *ino)
{
	struct import *i = calloc(1, sizeof(*i));
	struct store_error e;
	int rc;

	if (!i)
		return -ENOMEM;
	rc = store_write_begin(fs.store, place, name, replaces ? STORE_REPLACE : 0,
			       &i->writer, &e);
	if (rc) {
		free(i);
		return rc;
	}
	i->handle.ops = &import_ops;
	pthread_mutex_init(&i->lock, NULL);
	pthread_mutex_init(&i->attr_lock, NULL);
	i->ino = store_writer_ino(i->writer);
	i->replaces = replaces;
	i->perm = perm_default;
	i->refs = 1;
	strcpy(i->place, place);
	strcpy(i->name, name);

	pthread_mutex_lock(&imports_lock);
	i->next = imports;
	imports = i;
	pthread_mutex_unlock(&imports_lock);
	*h = &i->handle;
	*ino = inode_of_snapshot(i->ino);
	return 0;
}

static void unlist(struct import *i)
{
	struct import **at;

	pthread_mutex_lock(&imports_lock);
	for (at = &imports; *at && *at != i; at = &(*at)->next)
		;
	if (*at)
		*at = i->next;
	pthread_mutex_unlock(&imports_lock);
}

/* the one that @ino is, or is about to be; drop() it */
static struct import *find(fuse_ino_t ino)
{
	uint64_t number = inode_store_ino(ino);
	struct import *i;

	pthread_mutex_lock(&imports_lock);
	for (i = imports; i; i = i->next)
		if (i->ino == number || i->replaces == number)
			break;
	if (i)
		i->refs++;
	pthread_mutex_unlock(&imports_lock);
	return i;
}

static void drop(struct import *i)
{
	bool last;

	pthread_mutex_lock(&imports_lock);
	last = --i->refs == 0;
	pthread_mutex_unlock(&imports_lock);
	if (last) {
		store_abort(i->writer);
		if (i->check)
			check_end(i->check, NULL);
		for (size_t k = 0; k < i->nr_attrs; k++) {
			free((char *)i->attrs[k].key);
			free((char *)i->attrs[k].value);
		}
		pthread_mutex_destroy(&i->lock);
		pthread_mutex_destroy(&i->attr_lock);
		free(i);
	}
}

/*
 * Locks the attributes; false: they are the store's by now. When a commit is under
 * way that is not said before it has ended.
 */
static bool lock_attrs(struct import *i)
{
	pthread_mutex_lock(&i->attr_lock);
	if (!i->closed)
		return true;
	pthread_mutex_unlock(&i->attr_lock);
	pthread_mutex_lock(&i->lock);
	pthread_mutex_unlock(&i->lock);
	return false;
}

static int64_t ns_of(struct timespec t)
{
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return ns_of(t);
}

bool import_attr(fuse_ino_t ino, struct stat *st)
{
	struct import *i = find(ino);

	if (!i)
		return false;
	pthread_mutex_lock(&i->attr_lock);
	attr_base(st, ino, S_IFREG | i->perm.mode);
	st->st_uid = i->perm.uid;
	st->st_gid = i->perm.gid;
	attr_size(st, i->size);
	attr_time(st, i->mtime_ns ? i->mtime_ns : now_ns());
	pthread_mutex_unlock(&i->attr_lock);
	drop(i);
	return true;
}

bool import_has(fuse_ino_t ino)
{
	struct import *i = find(ino);

	if (i)
		drop(i);
	return i;
}

static int set_attr(struct import *i, const char *key, const char *value)
{
	struct store_attr attr = { strdup(key), strdup(value) };

	if (!attr.key || !attr.value || i->nr_attrs == ATTRS_MAX) {
		free((char *)attr.key);
		free((char *)attr.value);
		return i->nr_attrs == ATTRS_MAX ? -ENOSPC : -ENOMEM;
	}
	for (size_t k = 0; k < i->nr_attrs; k++)
		if (!strcmp(i->attrs[k].key, key)) {
			free((char *)attr.key);
			free((char *)i->attrs[k].value);
			i->attrs[k].value = attr.value;
			return 0;
		}
	i->attrs[i->nr_attrs++] = attr;
	return 0;
}

int import_set_attr(fuse_ino_t ino, const char *key, const char *value)
{
	struct import *i = find(ino);
	int rc;

	if (!i)
		return -ENOENT;
	rc = -ENOENT;
	if (lock_attrs(i)) {
		rc = set_attr(i, key, value);
		pthread_mutex_unlock(&i->attr_lock);
	}
	drop(i);
	return rc;
}

/* something comes, @data or zeros; an image is looked at while it passes */
static int take(struct import *i, const char *data, uint64_t size)
{
	struct store_error e;
	int rc = 0;

	if (!i->writer)
		return i->result ? i->result : -EPERM;
	if (!i->check)
		rc = check_begin(&i->check);
	if (rc)
		return rc;
	if (data) {
		check_feed(i->check, data, size);
		trailer_watch(&i->trailer, data, size);
	} else {
		check_zeros(i->check, size);
		trailer_zeros(&i->trailer, size);
	}
	/* the disk need not be filled with what will be refused */
	if (!check_over(i->check))
		rc = data ? store_append(i->writer, data, size, &e) :
			    store_append_zeros(i->writer, size, &e);
	if (!rc) {
		pthread_mutex_lock(&i->attr_lock);
		i->size += size;
		pthread_mutex_unlock(&i->attr_lock);
		i->wrote = true;
	}
	return rc;
}

static int grow(struct import *i, uint64_t size)
{
	if (size < i->size)
		return -EPERM;	/* what is in the store is there */
	return size == i->size ? 0 : take(i, NULL, size - i->size);
}

static void change(struct import *i, const struct stat *st, int changed)
{
	if (changed & FUSE_SET_ATTR_MTIME_NOW)
		i->mtime_ns = now_ns();
	else if (changed & FUSE_SET_ATTR_MTIME)
		i->mtime_ns = ns_of(st->st_mtim);
	if (changed & FUSE_SET_ATTR_MODE)
		i->perm.mode = st->st_mode & 0777;
	if (changed & FUSE_SET_ATTR_UID)
		i->perm.uid = st->st_uid;
	if (changed & FUSE_SET_ATTR_GID)
		i->perm.gid = st->st_gid;
}

int import_setattr(fuse_ino_t ino, const struct stat *st, int changed)
{
	struct import *i = find(ino);
	int rc = 0;

	if (!i)
		return -ENOENT;
	if (changed & FUSE_SET_ATTR_SIZE) {
		pthread_mutex_lock(&i->lock);
		rc = i->writer ? grow(i, st->st_size) : -ENOENT;
		pthread_mutex_unlock(&i->lock);
	}
	if (!rc && lock_attrs(i)) {
		change(i, st, changed);
		pthread_mutex_unlock(&i->attr_lock);
	} else if (!rc) {
		rc = -ENOENT;
	}
	drop(i);
	return rc;
}

/* only front to back; what is left out is a hole */
static int append(struct import *i, const char *data, size_t size, off_t off)
{
	int rc = 0;

	if ((uint64_t)off < i->size)
		return i->writer || !i->result ? -EINVAL : i->result;
	if ((uint64_t)off > i->size)
		rc = grow(i, off);
	return rc ? rc : take(i, data, size);
}

static void import_write(struct handle *h, fuse_req_t req, const char *data, size_t size,
			 off_t off)
{
	struct import *i = (struct import *)h;
	int rc;

	pthread_mutex_lock(&i->lock);
	rc = append(i, data, size, off);
	pthread_mutex_unlock(&i->lock);
	if (rc)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_write(req, size);
}

static void refuse(const struct import *i, const char *why)
{
	log_only(i->place, "snapshot %s of %s was not imported: %s", i->name, i->place, why);
}

static int commit(struct import *i)
{
	struct store_attr attrs[ATTRS_MAX + 1];
	char text[PERM_TEXT_MAX];
	struct ckpt_error bad;
	struct store_error e;
	int rc;

	pthread_mutex_lock(&i->attr_lock);
	i->closed = true;
	pthread_mutex_unlock(&i->attr_lock);
	rc = check_end(i->check, &bad);
	i->check = NULL;
	if (rc) {
		refuse(i, bad.text);
		store_abort(i->writer);
		return rc;
	}
	pthread_mutex_lock(&i->attr_lock);
	i->perm.ctime_ns = now_ns();
	perm_format(&i->perm, text);
	memcpy(attrs, i->attrs, i->nr_attrs * sizeof(attrs[0]));
	attrs[i->nr_attrs] = (struct store_attr){ PERM_ATTR, text };
	pthread_mutex_unlock(&i->attr_lock);
	rc = store_commit(i->writer, i->mtime_ns, attrs, i->nr_attrs + 1, &e);
	if (rc) {
		refuse(i, e.text);
		store_abort(i->writer);
	}
	return rc;
}

/* the file is complete: from now on it is in the history, or why it is not */
static int finish(struct import *i)
{
	bool ended = false;
	int rc;

	pthread_mutex_lock(&i->lock);
	if (i->writer) {
		i->result = commit(i);
		i->writer = NULL;
		ended = true;
	}
	rc = i->result;
	pthread_mutex_unlock(&i->lock);
	if (!ended)
		return rc;
	unlist(i);
	/* the name now means another file, with another number */
	if (!rc && i->replaces)
		fuse_lowlevel_notify_inval_entry(fs.session,
			inode_of(i->place, NODE_HISTORY, 0), i->name, strlen(i->name));
	return rc;
}

/*
 * A shell that redirects closes a copy of the descriptor before anything is
 * written: that is not the end yet. Where it is the end, nothing is no image.
 */
static int close_empty(struct import *i, pid_t closer)
{
	if (still_open(i->handle.opener, closer, fs.dev, i->handle.ino))
		return 0;
	refuse(i, "the file is empty");
	return -EINVAL;
}

static void import_flush(struct handle *h, fuse_req_t req)
{
	struct import *i = (struct import *)h;
	pid_t closer = fuse_req_ctx(req)->pid;
	bool wrote, whole;
	int rc = 0;

	pthread_mutex_lock(&i->lock);
	wrote = i->wrote;
	whole = trailer_passed(&i->trailer);
	pthread_mutex_unlock(&i->lock);
	/* who closes it after the last byte of an image is told what becomes of it */
	i->postponed = wrote && !whole && still_open(h->opener, closer, fs.dev, h->ino);
	if (!wrote)
		rc = close_empty(i, closer);
	else if (!i->postponed)
		rc = finish(i);
	fuse_reply_err(req, -rc);
}

static void import_release(struct handle *h)
{
	struct import *i = (struct import *)h;

	if (i->postponed)
		finish(i);
	unlist(i);
	drop(i);
}

static const struct handle_ops import_ops = {
	.write = import_write,
	.flush = import_flush,
	.release = import_release,
};
