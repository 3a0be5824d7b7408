// SPDX-License-Identifier: GPL-2.0-only
/* /ckpt/NAME/options as a file: see place_options.h. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "cleanup.h"
#include "error.h"
#include "handle.h"
#include "holders.h"
#include "log.h"
#include "node.h"
#include "place_options.h"
#include "state.h"

struct file {
	struct handle handle;
	pthread_mutex_t lock;		/* of all below */
	char place[CONTAINER_NAME_MAX + 1];
	char *text;
	size_t len;
	unsigned int programs;		/* whose options its opener may give */
	bool append;
	bool changed;			/* and not kept yet */
	bool wrote;			/* not only truncated */
	int failed;			/* something bad was written */
};

static int refuse(struct file *f, int rc, const struct ckpt_error *e)
{
	f->failed = rc;
	log_only(f->place, "the options of %s stay as they were: %s", f->place, e->text);
	return rc;
}

static void file_read(struct handle *h, fuse_req_t req, size_t size, off_t off)
{
	struct file *f = (struct file *)h;
	size_t left;

	pthread_mutex_lock(&f->lock);
	left = off < (off_t)f->len ? f->len - off : 0;
	fuse_reply_buf(req, f->text + (left ? off : 0), size < left ? size : left);
	pthread_mutex_unlock(&f->lock);
}

static int put(struct file *f, const char *data, size_t size, size_t off)
{
	struct ckpt_error e;
	size_t end;
	char *more;
	int rc;

	if (f->failed)
		return f->failed;
	if (f->append)
		off = f->len;
	end = off + size;
	if (off > f->len)
		return -EINVAL;
	if (end > PLACE_OPTIONS_MAX) {
		error_set(&e, EFBIG, "they are longer than %d bytes", PLACE_OPTIONS_MAX);
		return refuse(f, -EFBIG, &e);
	}
	if (end > f->len) {
		more = realloc(f->text, end);
		if (!more)
			return f->failed = -ENOMEM;
		f->text = more;
		f->len = end;
	}
	memcpy(f->text + off, data, size);
	f->changed = true;
	f->wrote = true;
	/* most shells look at write(2) alone */
	rc = place_options_check(f->text, f->len, 0, f->programs, &e);
	return rc ? refuse(f, rc, &e) : 0;
}

static void file_write(struct handle *h, fuse_req_t req, const char *data, size_t size, off_t off)
{
	struct file *f = (struct file *)h;
	int rc;

	pthread_mutex_lock(&f->lock);
	rc = put(f, data, size, off);
	pthread_mutex_unlock(&f->lock);
	if (rc)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_write(req, size);
}

static int keep(struct file *f)
{
	struct ckpt_error e;
	int rc;

	if (f->failed || !f->changed)
		return f->failed;
	rc = place_options_check(f->text, f->len, 1, f->programs, &e);
	if (rc)
		return refuse(f, rc, &e);
	rc = state_write(f->place, PLACE_OPTIONS, f->text, f->len, true);
	if (rc) {
		error_sys(&e, -rc, "they can't be written");
		return refuse(f, rc, &e);
	}
	f->changed = false;
	return 0;
}

/* a shell closes a copy of the descriptor before anything is written: not the end yet */
static void file_flush(struct handle *h, fuse_req_t req)
{
	struct file *f = (struct file *)h;
	int rc = 0;

	pthread_mutex_lock(&f->lock);
	if (f->wrote || !still_open(h->opener, fuse_req_ctx(req)->pid, fs.dev, h->ino))
		rc = keep(f);
	pthread_mutex_unlock(&f->lock);
	fuse_reply_err(req, -rc);
}

static void file_release(struct handle *h)
{
	struct file *f = (struct file *)h;

	keep(f);
	pthread_mutex_destroy(&f->lock);
	free(f->text);
	free(f);
}

static const struct handle_ops file_ops = {
	.read = file_read,
	.write = file_write,
	.flush = file_flush,
	.release = file_release,
};

static int options_open(const struct node_at *at, const struct fuse_ctx *caller,
			struct fuse_file_info *fi, struct handle **h)
{
	struct file *f = calloc(1, sizeof(*f));
	int rc = f ? state_read(at->place, PLACE_OPTIONS, &f->text) : -ENOMEM;

	if (rc) {
		free(f);
		return rc;
	}
	f->handle.ops = &file_ops;
	pthread_mutex_init(&f->lock, NULL);
	strcpy(f->place, at->place);
	f->len = strlen(f->text);
	f->append = fi->flags & O_APPEND;
	f->programs = FOR_CHECKPOINT | (caller->uid ? 0 : FOR_RESTART);
	if (fi->flags & O_TRUNC && (fi->flags & O_ACCMODE) != O_RDONLY) {
		f->len = 0;
		f->changed = true;
	}
	*h = &f->handle;
	return 0;
}

/* that of a descriptor counts when it is closed, that of a name at once */
static int options_truncate(const struct node_at *at, struct handle *h, off_t size)
{
	struct file *f = (struct file *)h;

	if (size)
		return -EPERM;
	if (!h)
		return state_write(at->place, PLACE_OPTIONS, "", 0, true);
	pthread_mutex_lock(&f->lock);
	f->len = 0;
	f->changed = true;
	f->failed = 0;
	pthread_mutex_unlock(&f->lock);
	return 0;
}

static int options_attr(const struct node_at *at, const struct place_info *info, struct stat *st)
{
	_cleanup_free_ char *text = NULL;

	(void)info;
	if (!state_read(at->place, PLACE_OPTIONS, &text))
		attr_size(st, strlen(text));
	return 0;
}

const struct node options_node = {
	.name = PLACE_OPTIONS,
	.in = NODE_PLACE,
	.mode = S_IFREG | 0600,
	.flags = NODE_PRIVATE,
	.attr = options_attr,
	.truncate = options_truncate,
	.open = options_open,
};
