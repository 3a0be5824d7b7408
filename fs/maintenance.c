// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attr.h"
#include "cleanup.h"
#include "maintenance.h"
#include "serial.h"

#define NODE_BIT (1ULL << 63)
#define DIR_INO NODE_BIT
#define LINE 1200	/* bytes: a name and what is said of it */

struct job {
	struct serial serial;
	int (*run)(struct job *job, struct store_error *e);
	pthread_t thread;	/* does it, and writes lines to a pipe */
	bool started;
	int pipe[2];
	uint64_t pos;		/* bytes that were given to the reader */
	int result;		/* what a read gets at the end; of the thread until it has ended */
};

/* ---- what there is to do; in a thread of its own ---- */

/* Returns non-zero when nobody reads any more. */
static int say(void *arg, const char *line)
{
	struct job *job = arg;
	char text[LINE + 1];
	int len = snprintf(text, sizeof(text), "%.*s\n", LINE - 1, line), done = 0;
	ssize_t n;

	while (done < len) {
		n = write(job->pipe[1], text + done, (size_t)(len - done));
		if (n < 0 && errno != EINTR)
			return -1;
		done += n > 0 ? (int)n : 0;
	}
	return 0;
}

__attribute__((format(printf, 2, 3)))
static int sayf(struct job *job, const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* a name may have any byte in it, but it is one line */
	for (char *c = line; *c; c++)
		if (*c == '\n')
			*c = '?';
	return say(job, line);
}

static int run_stats(struct job *job, struct store_error *e)
{
	_cleanup_free_ struct store_usage *list = NULL;
	struct store_usage all;
	struct store_stats stats;
	size_t count;
	int rc = store_usage(fs.store, &list, &count, &all, e);

	if (!rc)
		rc = store_stats(fs.store, NULL, &stats, e);
	if (rc)
		return rc;
	for (size_t i = 0; i < count; i++)
		if (sayf(job, "container %" PRIu64 " %" PRIu64 " %" PRIu64 " %s",
			 list[i].snapshots, list[i].logical, list[i].stored, list[i].name))
			return 0;
	sayf(job, "all %" PRIu64 " %" PRIu64 " %" PRIu64, all.snapshots, all.logical, all.stored);
	sayf(job, "file %" PRIu64 " %" PRIu64, stats.file, stats.unused);
	return 0;
}

static int check(struct job *job, typeof(store_fsck) *fn, struct store_error *e)
{
	struct store_check out;
	int rc = fn(fs.store, say, job, &out, e);

	return rc == -ECANCELED ? 0 : rc;
}

static int run_fsck(struct job *job, struct store_error *e)
{
	return check(job, store_fsck, e);
}

static int run_repair(struct job *job, struct store_error *e)
{
	return check(job, store_repair, e);
}

static int run_gc(struct job *job, struct store_error *e)
{
	struct store_stats before, after;
	uint64_t freed;
	int rc = store_stats(fs.store, NULL, &before, e);

	if (!rc)
		rc = store_gc(fs.store, &freed, e);
	if (!rc)
		rc = store_stats(fs.store, NULL, &after, e);
	if (!rc)
		sayf(job, "freed %" PRIu64 " %" PRIu64 " %" PRIu64, freed, before.file, after.file);
	return rc;
}

static void *work(void *arg)
{
	struct job *job = arg;
	struct store_error e = { 0 };

	job->result = job->run(job, &e);
	if (job->result)
		sayf(job, "error: %s", e.text);
	close(job->pipe[1]);
	return NULL;
}

/* ---- reading ---- */

static int start(struct job *job)
{
	sigset_t all, old;
	int rc;

	if (pipe2(job->pipe, O_CLOEXEC))
		return -errno;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&job->thread, NULL, work, job);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc) {
		close(job->pipe[0]);
		close(job->pipe[1]);
		return -rc;
	}
	job->started = true;
	return 0;
}

static void serve(struct serial *s, struct request *r)
{
	struct job *job = (struct job *)s;
	struct pollfd fd;
	char *buf = handle_buffer(r->size);
	ssize_t n = buf ? 0 : -ENOMEM;

	if ((uint64_t)r->off != job->pos)
		n = -ESPIPE;
	if (!n && !job->started)
		n = start(job);
	fd = (struct pollfd){ .fd = job->pipe[0], .events = POLLIN };
	while (!n && !fd.revents)
		n = serial_wait(s, r, &fd, 1, -1);
	if (!n) {
		n = read(job->pipe[0], buf, r->size);
		n = n < 0 ? -errno : n;
		/* the end: its result, which nobody writes any more */
		if (!n && job->result)
			n = job->result;
	}
	if (n < 0) {
		fuse_reply_err(request_take(r), (int)-n);
		return;
	}
	job->pos += (uint64_t)n;
	fuse_reply_buf(request_take(r), buf, (size_t)n);
}

static void end(struct serial *s)
{
	struct job *job = (struct job *)s;

	if (!job->started)
		return;
	/* it ends with its next line, or when it has done its work */
	close(job->pipe[0]);
	pthread_join(job->thread, NULL);
}

static const struct serial_ops serial_ops = { .serve = serve, .end = end };

static const struct handle_ops handle_ops = {
	.read = serial_read,
	.release = serial_release,
};

/* ---- the directory ---- */

static const struct {
	const char *name;
	int (*run)(struct job *job, struct store_error *e);
} files[] = {
	{ "fsck", run_fsck },
	{ "gc", run_gc },
	{ "repair", run_repair },
	{ "stats", run_stats },
};

#define NR_FILES (sizeof(files) / sizeof(*files))

bool maintenance_node(fuse_ino_t ino)
{
	return ino & NODE_BIT;
}

void maintenance_attr(fuse_ino_t ino, struct stat *st)
{
	attr_root(st);
	st->st_ino = ino;
	st->st_mode = ino == DIR_INO ? S_IFDIR | 0700 : S_IFREG | 0400;
	st->st_nlink = ino == DIR_INO ? 2 : 1;
}

const char *maintenance_entry(size_t i, struct stat *st)
{
	if (i >= NR_FILES)
		return NULL;
	maintenance_attr(DIR_INO + 1 + i, st);
	return files[i].name;
}

int maintenance_lookup(fuse_ino_t parent, const char *name, struct fuse_entry_param *e)
{
	const char *entry;

	e->ino = 0;
	if (parent != DIR_INO)
		e->ino = DIR_INO;
	for (size_t i = 0; !e->ino && (entry = maintenance_entry(i, &e->attr)); i++)
		if (!strcmp(name, entry))
			e->ino = DIR_INO + 1 + i;
	if (!e->ino)
		return -ENOENT;
	maintenance_attr(e->ino, &e->attr);
	e->attr_timeout = PLACE_TIMEOUT;
	e->entry_timeout = PLACE_TIMEOUT;
	return 0;
}

int maintenance_open(fuse_ino_t ino, uid_t uid, struct handle **h)
{
	size_t i = ino - DIR_INO - 1;
	struct serial *s;
	int rc;

	if (ino == DIR_INO)
		return -EISDIR;
	if (i >= NR_FILES)
		return -ENOENT;
	if (uid)
		return -EACCES;
	rc = serial_new(sizeof(struct job), &handle_ops, &serial_ops, &s);
	if (rc)
		return rc;
	((struct job *)s)->run = files[i].run;
	*h = &s->handle;
	return 0;
}
