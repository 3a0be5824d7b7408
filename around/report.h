/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ckpt-checkpoint and ckpt-restart say of how it ended: a sentence on
 * standard error, lines into a log, and the outcome as data for the program
 * that started them.
 *
 * With --result FD one block of text is written to that descriptor when all is
 * over, in one write(2): lines 'key: value', in any order, none twice.  A value
 * has no control characters.  A reader passes over keys that it does not know.
 * A program that was killed writes nothing.
 *
 *	result		"ok" or "failed"
 *	errno		its number; 0 if it is ok
 *	error		one sentence, if it has failed
 *	name, cgroup	of the container, as soon as they are known
 *	init		its root task's pid as the caller sees it; of ckpt-restart if it is ok
 *
 * of ckpt-checkpoint, also on failure, as far as it came:
 *
 *	id		the checkpoint's number, if it is ok
 *	pause-ns	how long the container was stopped
 *	pause-us	the same in microseconds
 *	bytes		the image's length
 *	pages		page payloads in it
 *	kernel		the release that runs
 *
 * of ckpt-restart:
 *
 *	tasks		how many there are in the image's tree, threads included
 *
 * and of both with --check, which prints a line for each to standard output and
 * exits with 1 if there is any:
 *
 *	reasons		how many things stand in the way
 */
#ifndef CKPT_AROUND_REPORT_H
#define CKPT_AROUND_REPORT_H

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "error.h"

struct report {
	const char *program;
	const char *log_path;	/* as given, NULL: the log is in memory */
	const char *fd_text;
	int log;		/* descriptor of the log, for the engine too */
	off_t log_start;	/* its length when we began, -1: no regular file */
	int fd;			/* takes the result, -1: nobody wants it */
	FILE *facts;		/* the result's lines, until then */
	char *text;
	size_t size;
};

/* the options -l LOG and -r FD, a child of a program's argp; its input is a struct report */
extern const struct argp report_argp;

/*
 * report_begin - open the log, and close whatever else the caller had open
 *
 * Without -l the log is kept in memory, for the engine's reason.  Returns 0 or
 * a negative errno.
 */
int report_begin(struct report *r, struct ckpt_error *e);

/*
 * report_engine_error - the sentence for a call of the engine's that failed
 * @err: errno
 * @what: what did not succeed
 *
 * The last line that the engine has logged is the reason.  Returns -err.
 */
int report_engine_error(const struct report *r, int err, const char *what,
			struct ckpt_error *e);

/* report_is_note - a line of the log about what stays outside, which is no reason */
bool report_is_note(const char *line);

/* report_fact - a line of the result */
void report_fact(const struct report *r, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * report_end - report how it ended
 * @e: the error; e->err is 0 if it was a success
 *
 * Returns the exit status.
 */
int report_end(struct report *r, const struct ckpt_error *e);

/* report_device - open /dev/ckpt; a descriptor or a negative errno */
int report_device(struct ckpt_error *e);

#endif
