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
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "damage.h"
#include "line.h"
#include "maintenance.h"
#include "node.h"
#include "serial.h"

#define LINE 1200	/* bytes: a name and what is said of it */
#define PROGRESS_NS 500000000	/* from one line of progress to the next */

struct job;

struct work {
	int (*run)(struct job *job, struct store_error *e);
};

struct job {
	struct serial serial;
	const struct work *work;
	struct store_watch watch;
	int64_t told_ns;	/* when it has last said how far it is */
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
	int len, done = 0;
	ssize_t n;

	snprintf(text, sizeof(text) - 1, "%s", line);
	/* a name may have any byte in it */
	line_clean(text);
	len = strlen(text);
	text[len++] = '\n';
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
	return say(job, line);
}

/*
 * How far it is, now and then, as "progress: WHAT DONE OF". Nobody waits for a reader
 * who does not come for that; one who has gone ends the work.
 */
static int more(void *arg, const char *what, uint64_t done, uint64_t of)
{
	struct job *job = arg;
	struct pollfd fd = { .fd = job->pipe[1], .events = POLLOUT };
	struct timespec t;
	int64_t now;

	if (poll(&fd, 1, 0) > 0 && fd.revents & POLLERR)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &t);
	now = t.tv_sec * 1000000000LL + t.tv_nsec;
	if (!(fd.revents & POLLOUT) || now - job->told_ns < PROGRESS_NS)
		return 0;
	job->told_ns = now;
	return sayf(job, "progress: %s %" PRIu64 " %" PRIu64, what, done, of);
}

static int run_stats(struct job *job, struct store_error *e)
{
	_cleanup_free_ struct store_usage *list = NULL;
	struct store_usage all;
	struct store_stats stats;
	size_t count;
	int rc = store_usage(fs.store, &job->watch, &list, &count, &all, e);

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

static int say_damage(void *arg, const char *line)
{
	damage_line(line);
	return say(arg, line);
}

static int check(struct job *job, typeof(store_fsck) *fn, struct store_error *e)
{
	struct store_check out;
	int rc = fn(fs.store, say_damage, job, &job->watch, &out, e);

	if (!rc && !out.bad_pages && !out.bad_blocks && !out.bad_snapshots && !out.others)
		damage_none();
	return rc;
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
		rc = store_gc(fs.store, &job->watch, &freed, e);
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

	job->result = job->work->run(job, &e);
	/* that it was cancelled nobody is there to hear */
	if (job->result && job->result != -ECANCELED)
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
	/* it ends with its next step */
	close(job->pipe[0]);
	pthread_join(job->thread, NULL);
}

static const struct serial_ops serial_ops = { .serve = serve, .end = end };

static const struct handle_ops handle_ops = {
	.read = serial_read,
	.release = serial_release,
};

/* ---- the directory ---- */

static int job_open(const struct node_at *at, const struct fuse_ctx *caller,
		    struct fuse_file_info *fi, struct handle **h)
{
	struct serial *s;
	int rc = serial_new(sizeof(struct job), &handle_ops, &serial_ops, &s);

	(void)caller;
	(void)fi;
	if (rc)
		return rc;
	((struct job *)s)->work = at->node->data;
	((struct job *)s)->watch = (struct store_watch){ more, s };
	s->lingers = true;
	*h = &s->handle;
	return 0;
}

const struct node maintenance_node = {
	.name = MAINTENANCE,
	.in = NODE_ROOT,
	.mode = S_IFDIR | 0700,
	.flags = NODE_HIDDEN,
};

#define JOB(file, fn) const struct node file##_node = { \
	.name = #file, \
	.in = NODE_MAINTENANCE, \
	.mode = S_IFREG | 0400, \
	.flags = NODE_PRIVATE | NODE_STREAM, \
	.data = &(const struct work){ fn }, \
	.open = job_open, \
}

JOB(fsck, run_fsck);
JOB(gc, run_gc);
JOB(repair, run_repair);
JOB(stats, run_stats);
