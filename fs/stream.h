/* SPDX-License-Identifier: GPL-2.0-only */
/* A program whose standard output somebody reads, in his own time. */
#ifndef FS_STREAM_H
#define FS_STREAM_H

#include "child.h"
#include "serial.h"

struct stream {
	int pipe;		/* -1: there is none */
	bool exited;
	struct child child;
};

/*
 * stream_spawn - run it
 * @argv, @in: as for child_spawn
 *
 * Returns 0 or a negative errno.
 */
int stream_spawn(struct stream *st, char *const argv[], int in, struct ckpt_error *e);

/*
 * stream_read - what comes next, in the thread of @s, which serves @r
 *
 * Returns the number of bytes, 0 at the end, or -EINTR as serial_wait.
 */
ssize_t stream_read(struct stream *st, struct serial *s, struct request *r, char *buf,
		    size_t size);

/* stream_finish - no more is wanted: as child_finish, which waits for the program */
int stream_finish(struct stream *st, int grace_ms, char report[CHILD_REPORT_MAX],
		  struct ckpt_error *e);

#endif
