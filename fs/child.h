/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ckpt-checkpoint and ckpt-restart: the programs that talk to the engine, and
 * the report that each gives when it ends.
 */
#ifndef FS_CHILD_H
#define FS_CHILD_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

struct ckpt_error;

#define CHILD_REPORT_FD "3"	/* what it is told with -r */
#define CHILD_REPORT_MAX 4096

struct child {
	pid_t pid;		/* 0: there is none */
	int pidfd;		/* readable when it has ended */
	int report;		/* read end of a pipe */
	int errors;		/* a file that takes its stderr */
	int fine;		/* exit statuses up to this are none of failure, if it says "errno: 0" */
};

/*
 * child_spawn - start one
 * @argv: the program's name first, NULL last
 * @in, @out: its standard input and output, -1: /dev/null
 *
 * Returns 0 or a negative errno.
 */
int child_spawn(struct child *c, char *const argv[], int in, int out,
		struct ckpt_error *e);

/*
 * child_finish - wait until it has ended, and take its report
 * @grace_ms: how long it may take before it is told to, in milliseconds;
 *	      -1: for ever; a second such time later it is killed
 * @report: takes the report's text, "key: value" lines
 *
 * Returns 0 when it says that it has done its work, otherwise the negative errno
 * that it gives, or -EIO.
 */
int child_finish(struct child *c, int grace_ms, char report[CHILD_REPORT_MAX],
		 struct ckpt_error *e);

/* report_value - a line of a report. 0, or -ENOENT: there is no such line. */
int report_value(const char *report, const char *key, char *value, size_t size);

/* report_number - the same as a number, 0 when missing */
uint64_t report_number(const char *report, const char *key);

#endif
