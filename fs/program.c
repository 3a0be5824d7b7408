// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are what a program has to say about a container: reading one runs it.
 * Nothing is recorded, and the log stays as it was unless the program fails.
 */
#include <errno.h>

#include "arguments.h"
#include "container.h"
#include "engine.h"
#include "error.h"
#include "log.h"
#include "node.h"
#include "stream.h"

#define CUT_MS 500	/* how long it may take to end by itself when its reader has gone */
#define END_MS 60000	/* and when it has said everything */

/* a row's own */
struct program {
	enum checkpoint_kind kind;
	int fine;		/* exit statuses up to this are no errors */
};

struct run {
	struct serial serial;
	const struct program *program;
	struct container c;
	struct stream stream;
	bool started, ended;
	int result;		/* what a read gets at the end */
	uint64_t pos;		/* bytes that were given to the reader */
};

static int fail(struct run *run, int rc, const struct ckpt_error *e)
{
	log_only(run->c.name, "%s can't be looked at: %s", run->c.name, e->text);
	run->ended = true;
	run->result = rc;
	return rc;
}

static int start(struct run *run)
{
	struct ckpt_error e = { 0 };
	struct words words;
	int rc = 0;

	run->started = true;
	if (!container_alive(&run->c))
		rc = error_set(&e, ESRCH, "it has ended since the file was opened");
	if (!rc && arguments_checkpoint(&words, run->program->kind, &run->c, NULL))
		rc = error_set(&e, EINVAL, "its options can't be used");
	if (!rc) {
		rc = stream_spawn(&run->stream, words.all, -1, &e);
		words_free(&words);
	}
	if (rc)
		return fail(run, rc, &e);
	run->stream.child.fine = run->program->fine;
	return 0;
}

static int finish(struct run *run, int grace_ms)
{
	char report[CHILD_REPORT_MAX];
	struct ckpt_error e = { 0 };
	int rc = stream_finish(&run->stream, grace_ms, report, &e);

	run->ended = true;
	return rc && grace_ms == END_MS ? fail(run, rc, &e) : 0;
}

static ssize_t give(struct run *run, struct request *r, char *buf)
{
	ssize_t n = 0;
	int rc = 0;

	if (!buf)
		return -ENOMEM;
	if ((uint64_t)r->off != run->pos)
		return -ESPIPE;
	if (!run->started)
		rc = start(run);
	if (rc || run->ended)
		return run->result;
	n = stream_read(&run->stream, &run->serial, r, buf, r->size);
	if (n > 0)
		run->pos += n;
	return n ? n : finish(run, END_MS);
}

static void serve(struct serial *s, struct request *r)
{
	struct run *run = (struct run *)s;
	char *buf = handle_buffer(r->size);
	ssize_t n = give(run, r, buf);

	if (n < 0)
		fuse_reply_err(request_take(r), (int)-n);
	else
		fuse_reply_buf(request_take(r), buf, (size_t)n);
}

static void end(struct serial *s)
{
	struct run *run = (struct run *)s;

	if (run->started && !run->ended)
		finish(run, CUT_MS);
}

static const struct serial_ops serial_ops = { .serve = serve, .end = end };

static const struct handle_ops handle_ops = {
	.read = serial_read,
	.release = serial_release,
};

static int refuse(const char *place, int err, const char *why)
{
	log_only(place, "%s can't be looked at: %s", place, why);
	return -err;
}

/* it begins with the first read */
static int program_open(const struct node_at *at, const struct fuse_ctx *caller,
			struct fuse_file_info *fi, struct handle **h)
{
	struct container c;
	struct serial *s;
	struct run *run;
	int rc = container_find(at->place, &c);

	(void)caller;
	(void)fi;
	if (rc == -ENOENT)
		rc = refuse(at->place, ESRCH, "no such container runs");
	else if (!engine_there())
		rc = refuse(at->place, ENODEV, ENGINE_MISSING);
	if (!rc)
		rc = serial_new(sizeof(*run), &handle_ops, &serial_ops, &s);
	if (rc)
		return rc;
	run = (struct run *)s;
	run->program = at->node->data;
	run->c = c;
	*h = &s->handle;
	return 0;
}

/* what stands in the way of a checkpoint: that there is something is no error of the reader's */
const struct node check_node = {
	.name = "check",
	.in = NODE_PLACE,
	.mode = S_IFREG | 0400,
	.flags = NODE_PRIVATE | NODE_STREAM | NODE_ACTS,
	.data = &(const struct program){ .kind = CHECKPOINT_CHECK, .fine = 1 },
	.open = program_open,
};
