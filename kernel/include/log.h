/* SPDX-License-Identifier: GPL-2.0-only */
/* What an operation has to say, to its caller and at debug level. */
#ifndef _CKPT_LOG_H
#define _CKPT_LOG_H

#include <linux/fs.h>
#include <linux/mutex.h>

struct ckpt_log {
	struct file *file;		/* may be NULL */
	struct mutex lock;		/* one line at a time */
};

int ckpt_log_open(struct ckpt_log *log, int fd);
void ckpt_log_close(struct ckpt_log *log);
__printf(2, 3) void ckpt_log(struct ckpt_log *log, const char *fmt, ...);
/* ckpt_fail - log why, and be the error: return ckpt_fail(log, -EBUSY, "...") */
__printf(3, 4) int ckpt_fail(struct ckpt_log *log, int err, const char *fmt, ...);

#endif
