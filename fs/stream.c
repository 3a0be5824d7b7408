// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "error.h"
#include "stream.h"

#define PIPE_SIZE (1 << 20)

int stream_spawn(struct stream *st, char *const argv[], int in, struct ckpt_error *e)
{
	int ends[2], rc;

	*st = (struct stream){ .pipe = -1 };
	if (pipe2(ends, O_CLOEXEC))
		return error_sys(e, errno, "no pipe for what %s says", argv[0]);
	/* more at a time, if the machine lets us */
	fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	rc = child_spawn(&st->child, argv, in, ends[1], e);
	close(ends[1]);
	if (rc)
		close(ends[0]);
	else
		st->pipe = ends[0];
	return rc;
}

ssize_t stream_read(struct stream *st, struct serial *s, struct request *r, char *buf,
		    size_t size)
{
	ssize_t n;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = st->pipe, .events = POLLIN },
			{ .fd = st->child.pidfd, .events = POLLIN },
		};

		n = read(st->pipe, buf, size);
		if (n >= 0)
			return n;
		if (errno == EINTR)
			continue;
		/* or a process that outlives the program has the pipe */
		if (errno != EAGAIN || st->exited)
			return 0;
		if (serial_wait(s, r, fds, 2, -1))
			return -EINTR;
		st->exited = fds[1].revents;
	}
}

int stream_finish(struct stream *st, int grace_ms, char report[CHILD_REPORT_MAX],
		  struct ckpt_error *e)
{
	close(st->pipe);
	st->pipe = -1;
	return child_finish(&st->child, grace_ms, report, e);
}
