// SPDX-License-Identifier: GPL-2.0-only
/*
 * /ckpt/NAME/image: reading it is a checkpoint. /ckpt/NAME/final: the same, but the
 * container stands still from the moment of its image, and ends when the image has
 * been taken. That is when whoever reads it asks for what is behind its last byte:
 * then he has put all of it where he wanted it. If it has to be recorded it is, first.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "arguments.h"
#include "cleanup.h"
#include "container.h"
#include "engine.h"
#include "error.h"
#include "log.h"
#include "node.h"
#include "record.h"
#include "stream.h"
#include "trailer.h"

#define CUT_MS 500	/* how long a program may take to end by itself when its reader has gone */
#define END_MS 60000	/* and when it has written everything */

enum phase {
	PHASE_FRESH,		/* nobody has read yet */
	PHASE_RUNNING,
	PHASE_ENDED,		/* result says how */
};

struct image {
	struct serial serial;
	struct image *next;	/* in collecting_list */
	struct container c;
	enum phase phase;
	int result;		/* what a read gets at the end */
	bool collecting;	/* begun, and nothing has come yet */
	bool eof;
	bool final;
	int taken;		/* final: the pipe that says that the reader has it; -1 */
	struct trailer trailer;	/* final: whether all of it was given to him */
	int log;
	struct stream stream;
	struct record record;
	uint64_t pos;		/* bytes that were given to the reader */
};

/*
 * While one reader's checkpoint stops the container, another's waits. From the
 * first byte on the container runs again, and the next may begin; behind a final
 * one, when that has ended.
 */
static struct image *images;
static pthread_mutex_t images_lock = PTHREAD_MUTEX_INITIALIZER;

static bool take_turn(struct image *im)
{
	struct image *other;

	pthread_mutex_lock(&images_lock);
	for (other = images; other; other = other->next)
		if (other->collecting && !strcmp(other->c.name, im->c.name))
			break;
	if (!other)
		im->collecting = true;
	pthread_mutex_unlock(&images_lock);
	return !other;
}

static void give_turn(struct image *im)
{
	struct image *other;

	pthread_mutex_lock(&images_lock);
	if (im->collecting) {
		im->collecting = false;
		for (other = images; other; other = other->next)
			serial_wake(&other->serial);
	}
	pthread_mutex_unlock(&images_lock);
}

/* ---- its beginning ---- */

static int spawn(struct image *im, const char *log, struct ckpt_error *e)
{
	enum checkpoint_kind kind = im->final ? CHECKPOINT_FINAL : CHECKPOINT_IMAGE;
	_cleanup_fd_ int in = -1;
	struct words words;
	int ends[2], rc;

	if (im->final) {
		if (pipe2(ends, O_CLOEXEC))
			return error_sys(e, errno, "no pipe for the final image of %s", im->c.name);
		in = ends[0];
		im->taken = ends[1];
	}
	rc = arguments_checkpoint(&words, kind, &im->c, log);
	if (rc)
		return error_sys(e, -rc, "the options of %s can't be used", im->c.name);
	rc = stream_spawn(&im->stream, words.all, in, e);
	words_free(&words);
	return rc;
}

static void end_with(struct image *im, int rc)
{
	im->phase = PHASE_ENDED;
	im->result = rc;
}

static void log_failure(const struct image *im, const struct ckpt_error *e)
{
	log_line(im->log, "checkpoint of %s failed: %s", im->c.name, e->text);
}

/* leaves it FRESH when the reader has been interrupted while it waited */
static void begin(struct image *im, struct request *r)
{
	char log[PATH_MAX];
	struct ckpt_error e = { 0 };
	int rc;

	for (;;) {
		/* only a look whether the reader is still there */
		if (serial_wait(&im->serial, r, NULL, 0, 0))
			return;
		if (take_turn(im))
			break;
		if (serial_wait(&im->serial, r, NULL, 0, -1))
			return;
	}
	im->log = log_begin(im->c.name, log);
	if (im->log < 0)
		rc = error_sys(&e, -im->log, "can't make the log %s", log);
	else if (!container_alive(&im->c))
		rc = error_set(&e, ESRCH, "it has ended since its image was opened");
	else
		rc = spawn(im, log, &e);
	if (rc) {
		end_with(im, rc);
		log_failure(im, &e);
		give_turn(im);
		return;
	}
	im->phase = PHASE_RUNNING;
	record_begin(&im->record, &im->c, im->log);
}

/* ---- its end ---- */

/* no byte: the container runs on */
static void close_taken(struct image *im)
{
	if (im->taken >= 0)
		close(im->taken);
	im->taken = -1;
}

/* the pipe has come to its end: has the image, too? */
static void finish(struct image *im)
{
	char report[CHILD_REPORT_MAX];
	struct ckpt_error e = { 0 };
	int rc;

	close_taken(im);
	rc = stream_finish(&im->stream, END_MS, report, &e);
	end_with(im, rc);
	/* its own words are in the log already */
	if (rc && report_value(report, "error", (char[1]){ 0 }, 1))
		log_failure(im, &e);
	if (!rc)
		record_end(&im->record, report);
	record_drop(&im->record);
	give_turn(im);
}

/* its reader has gone before the end: the container runs on, nothing is kept */
static void cut(struct image *im)
{
	char report[CHILD_REPORT_MAX];
	struct ckpt_error e = { 0 };

	close_taken(im);
	stream_finish(&im->stream, CUT_MS, report, &e);
	record_drop(&im->record);
	log_line(im->log, "the reader went away after %" PRIu64 " bytes", im->pos);
	im->phase = PHASE_ENDED;
}

/* ---- reading ---- */

/* the reader of a final image has all of it, and comes back */
static bool is_taken(const struct image *im)
{
	return im->final && trailer_passed(&im->trailer);
}

/*
 * He may not have put it anywhere but in the history: it must be there before the
 * container ends.
 */
static void take_final(struct image *im)
{
	char report[CHILD_REPORT_MAX];
	struct ckpt_error e;
	int rc = record_keep(&im->record, "");

	if (!rc && write(im->taken, "", 1) != 1)
		rc = -errno;
	close_taken(im);
	if (rc) {
		stream_finish(&im->stream, CUT_MS, report, &e);
		record_drop(&im->record);
		end_with(im, rc);
		log_line(im->log, "checkpoint of %s failed, and it runs on: the final image can't be recorded: %s",
			 im->c.name, strerror(-rc));
		give_turn(im);
	}
}

/* as much as the reader asked for: bytes, less at the end or with a signal */
static size_t fill(struct image *im, struct request *r, char *buf)
{
	size_t got = 0;
	ssize_t n;

	while (got < r->size && !im->eof) {
		n = stream_read(&im->stream, &im->serial, r, buf + got, r->size - got);
		if (n < 0)
			break;
		im->eof = !n;
		if (im->final)
			trailer_watch(&im->trailer, buf + got, n);
		else if (n && im->collecting)
			give_turn(im);
		got += n;
		if (is_taken(im))
			break;
	}
	return got;
}

/* pass pages on as they are, when all that was asked for is there */
static bool pass_on(struct image *im, struct request *r)
{
	struct fuse_bufvec pages = FUSE_BUFVEC_INIT(r->size);
	int available;

	if (im->final || im->record.writer || ioctl(im->stream.pipe, FIONREAD, &available) ||
	    available <= 0 || (size_t)available < r->size)
		return false;
	pages.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_RETRY;
	pages.buf[0].fd = im->stream.pipe;
	im->pos += r->size;
	if (im->collecting)
		give_turn(im);
	fuse_reply_data(request_take(r), &pages, FUSE_BUF_SPLICE_MOVE);
	return true;
}

static void give_data(struct image *im, struct request *r)
{
	char *buf = handle_buffer(r->size);
	size_t got;

	if (!buf) {
		fuse_reply_err(request_take(r), ENOMEM);
		return;
	}
	got = fill(im, r, buf);
	if (got) {
		im->pos += got;
		fuse_reply_buf(request_take(r), buf, got);
		record_append(&im->record, buf, got);
		if (im->eof)
			finish(im);
	} else if (im->eof) {
		finish(im);
		fuse_reply_err(request_take(r), -im->result);
	} else {
		fuse_reply_err(request_take(r), EINTR);
	}
}

static void serve(struct serial *s, struct request *r)
{
	struct image *im = (struct image *)s;
	bool in_order;

	if (im->phase == PHASE_FRESH)
		begin(im, r);
	in_order = (uint64_t)r->off == im->pos;
	if (im->phase == PHASE_RUNNING && in_order && im->taken >= 0 && is_taken(im))
		take_final(im);
	if (im->phase == PHASE_FRESH)
		fuse_reply_err(request_take(r), EINTR);
	else if (!in_order)
		fuse_reply_err(request_take(r), ESPIPE);
	else if (im->phase == PHASE_ENDED && im->result)
		fuse_reply_err(request_take(r), -im->result);
	else if (im->phase == PHASE_ENDED)
		fuse_reply_buf(request_take(r), NULL, 0);
	else if (!pass_on(im, r))
		give_data(im, r);
}

static void end(struct serial *s)
{
	struct image *im = (struct image *)s, **at;

	if (im->phase == PHASE_RUNNING)
		cut(im);
	close_taken(im);
	if (im->log >= 0)
		close(im->log);
	give_turn(im);
	pthread_mutex_lock(&images_lock);
	for (at = &images; *at != im; at = &(*at)->next)
		;
	*at = im->next;
	pthread_mutex_unlock(&images_lock);
}

static const struct serial_ops serial_ops = { .serve = serve, .end = end };

static const struct handle_ops handle_ops = {
	.read = serial_read,
	.release = serial_release,
};

static int refuse(const char *place, int err, const char *why)
{
	char path[PATH_MAX];
	_cleanup_fd_ int log = log_begin(place, path);

	log_line(log, "checkpoint of %s failed: %s", place, why);
	return -err;
}

/* the checkpoint begins with the first read */
static int image_open(const struct node_at *at, const struct fuse_ctx *caller,
		      struct fuse_file_info *fi, struct handle **h)
{
	struct container c;
	struct serial *s;
	struct image *im;
	int rc;

	(void)caller;
	(void)fi;
	rc = container_find(at->place, &c);
	if (!engine_there())
		rc = refuse(at->place, ENODEV, ENGINE_MISSING);
	else if (rc == -ENOENT)
		rc = refuse(at->place, ESRCH, "no such container runs");
	if (!rc)
		rc = serial_new(sizeof(*im), &handle_ops, &serial_ops, &s);
	if (rc)
		return rc;
	im = (struct image *)s;
	im->c = c;
	im->final = at->kind == NODE_FINAL;
	im->stream.pipe = -1;
	im->taken = -1;
	im->log = -1;
	pthread_mutex_lock(&images_lock);
	im->next = images;
	images = im;
	pthread_mutex_unlock(&images_lock);
	*h = &s->handle;
	return 0;
}

const struct node image_node = {
	.name = "image",
	.in = NODE_PLACE,
	.mode = S_IFREG | 0400,
	.flags = NODE_PRIVATE | NODE_STREAM | NODE_ACTS,
	.open = image_open,
};

/* a backup of the tree, or grep -r, must not end every container */
const struct node final_node = {
	.name = "final",
	.in = NODE_PLACE,
	.mode = S_IFREG | 0400,
	.flags = NODE_PRIVATE | NODE_STREAM | NODE_HIDDEN,
	.open = image_open,
};
