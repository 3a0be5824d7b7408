/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ckpt-checkpoint and ckpt-restart say: a sentence on standard error,
 * lines into a log, and 'key: value' lines for the program that started them.
 */
#ifndef CKPT_AROUND_REPORT_H
#define CKPT_AROUND_REPORT_H

#include <sys/types.h>

#include "error.h"

struct report {
	const char *program;
	int log;		/* descriptor of the log, for the engine too */
	off_t log_start;	/* its length when we began, -1: no regular file */
	int fd;			/* takes the lines, -1: nobody wants them */
};

/*
 * report_options - take -l LOG and -r FD from the command line
 * @more: getopt(3) letters of further options
 * @option: is called for each of them, with its letter and value; may be NULL
 *
 * Without -l the log is kept in memory, for the engine's reason.  optind is
 * left at the first argument.  Returns 0 or a negative errno.
 */
int report_options(struct report *r, int argc, char **argv, const char *more,
		   void (*option)(int letter, const char *value),
		   struct ckpt_error *e);

/* report_log - append a line to the log */
void report_log(const struct report *r, const char *line);

/*
 * report_engine_error - the sentence for a call of the engine's that failed
 * @err: errno
 * @what: what did not succeed
 *
 * The last line that the engine has logged is the reason.  Returns -err.
 */
int report_engine_error(const struct report *r, int err, const char *what,
			struct ckpt_error *e);

/* report_line - a 'key: value' line for the program that started us */
void report_line(const struct report *r, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * report_end - report how it ended
 * @e: the error; e->err is 0 if it was a success
 *
 * Returns the exit status.
 */
int report_end(const struct report *r, const struct ckpt_error *e);

/* report_device - open /dev/ckpt; a descriptor or a negative errno */
int report_device(struct ckpt_error *e);

#endif
