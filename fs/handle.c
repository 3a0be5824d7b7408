// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "handle.h"

static atomic_uint count;

struct user {
	struct user *next;
	uid_t uid;
	unsigned int open;
};

/* those who have something open */
static struct user *users;
static pthread_mutex_t users_lock = PTHREAD_MUTEX_INITIALIZER;

static struct user **find_user(uid_t uid)
{
	struct user **at;

	for (at = &users; *at && (*at)->uid != uid; at = &(*at)->next)
		;
	return at;
}

/* the caller has the lock */
static struct user *get_user(uid_t uid)
{
	struct user **at = find_user(uid);

	if (!*at)
		*at = calloc(1, sizeof(**at));
	if (*at)
		(*at)->uid = uid;
	return *at;
}

int handle_admit(uid_t uid)
{
	struct user *user;
	int rc = 0;

	if (!uid)
		return 0;
	pthread_mutex_lock(&users_lock);
	user = get_user(uid);
	if (!user)
		rc = -ENOMEM;
	else if (user->open == HANDLES_MAX)
		rc = -EMFILE;
	else
		user->open++;
	pthread_mutex_unlock(&users_lock);
	return rc;
}

void handle_refuse(uid_t uid)
{
	struct user **at, *user;

	if (!uid)
		return;
	pthread_mutex_lock(&users_lock);
	at = find_user(uid);
	user = *at;
	if (!--user->open) {
		*at = user->next;
		free(user);
	}
	pthread_mutex_unlock(&users_lock);
}

void handle_set(struct fuse_file_info *fi, struct handle *h, fuse_ino_t ino,
		const struct fuse_ctx *caller)
{
	count++;
	h->ino = ino;
	h->uid = caller->uid;
	h->opener = caller->pid;
	fi->fh = (uintptr_t)h;
}

void handle_release(struct fuse_file_info *fi)
{
	struct handle *h = handle_of(fi);
	uid_t uid = h->uid;

	h->ops->release(h);
	count--;
	handle_refuse(uid);
}

unsigned int handles_open(void)
{
	return count;
}

struct buffer {
	size_t size;
	void *data;
};

static pthread_key_t buffer_key;
static pthread_once_t buffer_once = PTHREAD_ONCE_INIT;

static void free_buffer(void *p)
{
	struct buffer *b = p;

	free(b->data);
	free(b);
}

static void make_key(void)
{
	if (pthread_key_create(&buffer_key, free_buffer))
		abort();	/* 1024 keys, of which this is one of the first */
}

void *handle_buffer(size_t size)
{
	struct buffer *b;
	void *data;

	pthread_once(&buffer_once, make_key);
	b = pthread_getspecific(buffer_key);
	if (!b) {
		b = calloc(1, sizeof(*b));
		if (!b || pthread_setspecific(buffer_key, b)) {
			free(b);
			return NULL;
		}
	}
	if (b->size < size) {
		data = malloc(size);
		if (!data)
			return NULL;
		free(b->data);
		b->data = data;
		b->size = size;
	}
	return b->data;
}

struct text {
	struct handle handle;
	size_t len;
	char *data;
};

static void text_read(struct handle *h, fuse_req_t req, size_t size, off_t off)
{
	struct text *t = (struct text *)h;
	size_t left = off < (off_t)t->len ? t->len - off : 0;

	fuse_reply_buf(req, t->data + (left ? off : 0), size < left ? size : left);
}

static void text_release(struct handle *h)
{
	free(((struct text *)h)->data);
	free(h);
}

static const struct handle_ops text_ops = {
	.read = text_read,
	.release = text_release,
};

struct handle *text_open(char *data, size_t len)
{
	struct text *t = calloc(1, sizeof(*t));

	if (!t) {
		free(data);
		return NULL;
	}
	t->handle.ops = &text_ops;
	t->data = data;
	t->len = len;
	return &t->handle;
}

struct file {
	struct handle handle;
	int fd;
};

static void file_read(struct handle *h, fuse_req_t req, size_t size, off_t off)
{
	void *buf = handle_buffer(size);
	ssize_t n = buf ? pread(((struct file *)h)->fd, buf, size, off) : -1;

	if (n < 0)
		fuse_reply_err(req, buf ? errno : ENOMEM);
	else
		fuse_reply_buf(req, buf, n);
}

static void file_release(struct handle *h)
{
	close(((struct file *)h)->fd);
	free(h);
}

static const struct handle_ops file_ops = {
	.read = file_read,
	.release = file_release,
};

struct handle *fd_open(int fd)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f) {
		close(fd);
		return NULL;
	}
	f->handle.ops = &file_ops;
	f->fd = fd;
	return &f->handle;
}
