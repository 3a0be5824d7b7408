/* SPDX-License-Identifier: GPL-2.0-only */
/* What an operation has to say, to its caller and at debug level. */
#ifndef _CKPT_LOG_H
#define _CKPT_LOG_H

#include <linux/fs.h>
#include <linux/mutex.h>

struct ckpt_log_line;

struct ckpt_log {
	struct file *file;		/* may be NULL */
	struct mutex lock;		/* one line at a time, and what follows */
	bool held;			/* lines wait in memory */
	struct ckpt_log_line *first, *last;
	unsigned int nr;		/* of those */
	unsigned int lost;		/* of those for which there was no room */
};

int ckpt_log_open(struct ckpt_log *log, int fd);
/* with lines that wait still: who closes it so does not read them any more */
void ckpt_log_close(struct ckpt_log *log);
/* ckpt_log_hold - nobody must wait for the log's reader: lines stay in memory */
void ckpt_log_hold(struct ckpt_log *log);
/* ckpt_log_release - they are written now, and from now on at once */
void ckpt_log_release(struct ckpt_log *log);
__printf(2, 3) void ckpt_log(struct ckpt_log *log, const char *fmt, ...);
/* ckpt_fail - log why, and be the error: return ckpt_fail(log, -EBUSY, "...") */
__printf(3, 4) int ckpt_fail(struct ckpt_log *log, int err, const char *fmt, ...);

#endif
