// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "child.h"
#include "cleanup.h"
#include "container.h"
#include "engine.h"
#include "error.h"
#include "holders.h"
#include "log.h"
#include "node.h"
#include "proc.h"
#include "restart.h"
#include "serial.h"
#include "trailer.h"

#define PIPE_SIZE (1 << 20)
#define CANCEL_MS 200	/* how long the program may take to see that nothing more comes */

enum phase {
	PHASE_FRESH,		/* nothing written yet */
	PHASE_RUNNING,
	PHASE_ENDED,		/* result says how */
};

struct sink {
	struct serial serial;
	struct sink *next;
	char place[CONTAINER_NAME_MAX + 1];
	enum phase phase;
	bool active;		/* it has the place for itself */
	int result;
	int pipe;
	int log;
	struct child child;
	struct trailer trailer;
	bool postponed;		/* closed by one, while another has it */
	bool truncated;		/* opened to write an image, not only to look or touch */
};

static struct sink *sinks;
static pthread_mutex_t sinks_lock = PTHREAD_MUTEX_INITIALIZER;

/* the caller has the lock */
static bool is_active(const char *place)
{
	struct sink *s;

	for (s = sinks; s; s = s->next)
		if (s->active && !strcmp(s->place, place))
			return true;
	return false;
}

bool restart_busy(const char *place)
{
	bool busy;

	pthread_mutex_lock(&sinks_lock);
	busy = is_active(place);
	pthread_mutex_unlock(&sinks_lock);
	return busy;
}

static bool take_place(struct sink *s)
{
	bool busy;

	pthread_mutex_lock(&sinks_lock);
	busy = is_active(s->place);
	if (!busy)
		s->active = true;
	pthread_mutex_unlock(&sinks_lock);
	return !busy;
}

static void give_place(struct sink *s)
{
	pthread_mutex_lock(&sinks_lock);
	s->active = false;
	pthread_mutex_unlock(&sinks_lock);
}

/* ---- beginning and end ---- */

static void log_failure(const struct sink *s, const struct ckpt_error *e)
{
	log_line(s->log, "restart of %s failed: %s", s->place, e->text);
}

/* why it can't be: 0, or a negative errno and the reason */
static int check_place(const char *place, struct ckpt_error *e)
{
	struct container c;
	int rc;

	if (!engine_there())
		return error_set(e, ENODEV, "%s", ENGINE_MISSING);
	rc = container_find(place, &c);
	if (!rc)
		return error_set(e, EBUSY, "a container of that name runs, with process %d; end it first",
				 c.init);
	if (rc != -ENOENT)
		return error_sys(e, -rc, "can't look for running containers");
	return 0;
}

static int spawn(struct sink *s, const char *log, struct ckpt_error *e)
{
	struct words words;
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC))
		return error_sys(e, errno, "no pipe for the restart of %s", s->place);
	fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	rc = arguments_restart(&words, s->place, log);
	if (rc) {
		rc = error_sys(e, -rc, "the options of %s can't be used", s->place);
	} else {
		rc = child_spawn(&s->child, words.all, ends[0], -1, e);
		words_free(&words);
	}
	close(ends[0]);
	if (rc)
		close(ends[1]);
	else
		s->pipe = ends[1];
	return rc;
}

static void begin(struct sink *s)
{
	struct ckpt_error e = { 0 };
	char log[PATH_MAX];
	int rc;

	if (!take_place(s)) {
		/* the log is that other one's */
		s->phase = PHASE_ENDED;
		s->result = -EBUSY;
		return;
	}
	s->log = log_begin(s->place, log);
	if (s->log < 0)
		rc = error_sys(&e, -s->log, "can't make the log %s", log);
	else
		rc = check_place(s->place, &e);
	if (!rc)
		rc = spawn(s, log, &e);
	s->phase = rc ? PHASE_ENDED : PHASE_RUNNING;
	s->result = rc;
	if (rc) {
		log_failure(s, &e);
		give_place(s);
	}
}

static void close_pipe(struct sink *s)
{
	if (s->pipe >= 0)
		close(s->pipe);
	s->pipe = -1;
}

/* @grace_ms: as for child_finish */
static void finish(struct sink *s, int grace_ms)
{
	char report[CHILD_REPORT_MAX];
	struct ckpt_error e = { 0 };

	close_pipe(s);
	s->result = child_finish(&s->child, grace_ms, report, &e);
	s->phase = PHASE_ENDED;
	/* its own words are in the log already */
	if (s->result && report_value(report, "error", (char[1]){ 0 }, 1))
		log_failure(s, &e);
	give_place(s);
}

/*
 * Any signal interrupts a request, also one that the writer will ignore or
 * handle; only one that ends the writer ends the restart.
 */
static bool is_dying(pid_t pid)
{
	char path[32], text[8192];
	const char *line;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (!pid || proc_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return false;
	line = strstr(text, "\nSigPnd:");
	return line && strtoull(line + 8, NULL, 16) & 1ULL << (SIGKILL - 1);
}

/* ---- its requests ---- */

/*
 * Give the program @r's bytes. Returns how many it took, all unless it has
 * ended or the writer got a signal.
 */
static size_t feed(struct sink *s, struct request *r, bool *ended)
{
	size_t done = 0;
	ssize_t n;

	*ended = false;
	while (done < r->size && !*ended) {
		struct pollfd fds[] = {
			{ .fd = s->pipe, .events = POLLOUT },
			{ .fd = s->child.pidfd, .events = POLLIN },
		};

		n = write(s->pipe, r->data + done, r->size - done);
		if (n > 0) {
			trailer_watch(&s->trailer, r->data + done, n);
			done += n;
		} else if (n < 0 && errno == EAGAIN) {
			if (serial_wait(&s->serial, r, fds, 2, -1))
				break;
			*ended = fds[1].revents;
		} else if (n < 0 && errno != EINTR) {
			*ended = true;
		}
	}
	return done;
}

static void serve_write(struct sink *s, struct request *r)
{
	bool ended;
	size_t done;

	if (s->phase == PHASE_FRESH)
		begin(s);
	if (s->phase == PHASE_ENDED) {
		fuse_reply_err(request_take(r), s->result ? -s->result : EPIPE);
		return;
	}
	done = feed(s, r, &ended);
	if (ended) {
		/* why it didn't want the rest is more than that it didn't */
		finish(s, -1);
		fuse_reply_err(request_take(r), s->result ? -s->result : EPIPE);
	} else if (done) {
		fuse_reply_write(request_take(r), done);
	} else {
		fuse_reply_err(request_take(r), EINTR);
	}
}

/* wait for the program; false: whoever waits for it has been ended */
static bool await_program(struct sink *s, struct request *r)
{
	for (;;) {
		struct pollfd fd = { .fd = s->child.pidfd, .events = POLLIN };

		if (!serial_wait(&s->serial, r, &fd, 1, -1)) {
			if (fd.revents)
				return true;
		} else if (serial_closing(&s->serial) || is_dying(r->pid)) {
			return false;
		} else {
			serial_heed(r);
		}
	}
}

/*
 * Nothing was written. touch(1) wants nothing else; cp(1) of an empty file has to
 * hear that nothing was restarted, and a shell at least finds it in the log.
 */
static int close_empty(const struct sink *s, pid_t closer)
{
	const struct handle *h = &s->serial.handle;

	if (!s->truncated || still_open(h->opener, closer, fs.dev, h->ino))
		return 0;
	if (!restart_busy(s->place))
		log_only(s->place, "restart of %s failed: the image is empty", s->place);
	return -EINVAL;
}

/*
 * The writer has closed one of its descriptors. A shell does that before it has
 * written anything; after data it is the end of the image, and close(2) says
 * what became of it.
 */
static void serve_flush(struct sink *s, struct request *r)
{
	struct handle *h = &s->serial.handle;
	int rc;

	if (s->phase == PHASE_FRESH) {
		rc = close_empty(s, r->pid);
		fuse_reply_err(request_take(r), -rc);
		return;
	}
	if (s->phase == PHASE_RUNNING) {
		s->postponed = !trailer_passed(&s->trailer) &&
			       still_open(h->opener, r->pid, fs.dev, h->ino);
		if (!s->postponed) {
			close_pipe(s);
			finish(s, await_program(s, r) ? -1 : CANCEL_MS);
		}
	}
	fuse_reply_err(request_take(r), s->phase == PHASE_ENDED ? -s->result : 0);
}

static void serve(struct serial *serial, struct request *r)
{
	struct sink *s = (struct sink *)serial;

	if (r->kind == REQUEST_WRITE)
		serve_write(s, r);
	else
		serve_flush(s, r);
}

static void end(struct serial *serial)
{
	struct sink *s = (struct sink *)serial, **at;

	if (s->phase == PHASE_RUNNING)
		finish(s, s->postponed ? -1 : CANCEL_MS);
	if (s->log >= 0)
		close(s->log);
	pthread_mutex_lock(&sinks_lock);
	for (at = &sinks; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	pthread_mutex_unlock(&sinks_lock);
}

static const struct serial_ops serial_ops = { .serve = serve, .end = end };

static const struct handle_ops handle_ops = {
	.write = serial_write,
	.flush = serial_flush,
	.release = serial_release,
};

/*
 * The restart begins with the first write. Who opens it with O_TRUNC means to
 * write an image, and to close it without a byte of one is an error.
 */
static int restart_open(const struct node_at *at, const struct fuse_ctx *caller,
			struct fuse_file_info *fi, struct handle **h)
{
	struct ckpt_error e = { 0 };
	_cleanup_fd_ int log = -1;
	char path[PATH_MAX];
	struct serial *serial;
	struct sink *s;
	int rc;

	(void)caller;
	if (restart_busy(at->place))
		return -EBUSY;
	rc = check_place(at->place, &e);
	if (rc) {
		log = log_begin(at->place, path);
		log_line(log, "restart of %s failed: %s", at->place, e.text);
		return rc;
	}
	rc = serial_new(sizeof(*s), &handle_ops, &serial_ops, &serial);
	if (rc)
		return rc;
	s = (struct sink *)serial;
	strcpy(s->place, at->place);
	s->truncated = fi->flags & O_TRUNC;
	s->pipe = -1;
	s->log = -1;
	pthread_mutex_lock(&sinks_lock);
	s->next = sinks;
	sinks = s;
	pthread_mutex_unlock(&sinks_lock);
	*h = &serial->handle;
	return 0;
}

/* what a shell does that opens it */
static int restart_truncate(const struct node_at *at, struct handle *h, off_t size)
{
	(void)at;
	(void)h;
	return size ? -EPERM : 0;
}

const struct node restart_node = {
	.name = "restart",
	.in = NODE_PLACE,
	.mode = S_IFREG | 0200,
	.flags = NODE_PRIVATE | NODE_STREAM,
	.truncate = restart_truncate,
	.open = restart_open,
};
