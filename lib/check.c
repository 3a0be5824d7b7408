// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "error.h"
#include "image.h"

#define PIPE_SIZE (1 << 20)

/*
 * The reader of images takes them from a descriptor, so it has a thread of its
 * own behind a pipe. It waits for nothing but bytes: who feeds it is never kept
 * waiting for long.
 */
struct check {
	pthread_t thread;
	int in, out;		/* the pipe's ends: the thread's and the feeder's */
	atomic_bool over;
	int result;
	struct ckpt_error error;
};

static int read_image(struct image_reader *r, struct ckpt_error *e)
{
	/* another machine's may be kept here */
	int rc = image_begin(r, e);

	if (!rc)
		rc = image_expect(r, CKPT_REC_CONTAINER, e);
	if (!rc)
		rc = image_expect(r, CKPT_REC_TREE, e);
	if (rc)
		return rc;
	do {
		rc = image_next(r, e);
	} while (rc > 0);
	return rc;
}

static void *run(void *data)
{
	struct check *c = data;
	struct image_reader r;

	image_init(&r, c->in);
	c->result = read_image(&r, &c->error);
	image_done(&r);
	c->over = true;
	/* the feeder gets EPIPE from now on */
	close(c->in);
	return NULL;
}

int check_begin(struct check **out)
{
	struct check *c = calloc(1, sizeof(*c));
	sigset_t all, old;
	int ends[2], rc;

	if (!c)
		return -ENOMEM;
	if (pipe2(ends, O_CLOEXEC)) {
		rc = -errno;
		free(c);
		return rc;
	}
	c->in = ends[0];
	c->out = ends[1];
	/* fewer switches between the two, if the machine lets us */
	fcntl(c->out, F_SETPIPE_SZ, PIPE_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&c->thread, NULL, run, c);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc) {
		close(c->in);
		close(c->out);
		free(c);
		return -rc;
	}
	*out = c;
	return 0;
}

void check_feed(struct check *c, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len && !c->over) {
		n = write(c->out, p, len);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0) {
			p += n;
			len -= n;
		}
	}
}

void check_zeros(struct check *c, uint64_t len)
{
	static const char zeros[1 << 16];
	size_t n;

	/* no image goes on for long with zeros alone */
	for (; len && !c->over; len -= n) {
		n = len < sizeof(zeros) ? len : sizeof(zeros);
		check_feed(c, zeros, n);
	}
}

bool check_over(const struct check *c)
{
	return c->over;
}

int check_end(struct check *c, struct ckpt_error *e)
{
	int rc;

	close(c->out);
	pthread_join(c->thread, NULL);
	rc = c->result;
	if (rc && e)
		*e = c->error;
	free(c);
	return !rc || rc == -ENOMEM ? rc : -EINVAL;
}
