// SPDX-License-Identifier: GPL-2.0-only
#include <linux/file.h>
#include <linux/slab.h>

#include "log.h"

#define CKPT_LOG_LINE 512

/* @fd: where the lines go, or -1 */
int ckpt_log_open(struct ckpt_log *log, int fd)
{
	mutex_init(&log->lock);
	log->file = NULL;
	if (fd < 0)
		return 0;
	log->file = fget(fd);
	if (!log->file)
		return -EBADF;
	if (!(log->file->f_mode & FMODE_WRITE)) {
		ckpt_log_close(log);
		return -EBADF;
	}
	return 0;
}

void ckpt_log_close(struct ckpt_log *log)
{
	if (log->file)
		fput(log->file);
	log->file = NULL;
}

static __printf(2, 0) void log_line(struct ckpt_log *log, const char *fmt, va_list ap)
{
	char *line;
	int len;

	line = kmalloc(CKPT_LOG_LINE, GFP_KERNEL);
	if (!line)
		return;
	len = vscnprintf(line, CKPT_LOG_LINE - 1, fmt, ap);
	line[len++] = '\n';
	pr_debug("ckpt: %.*s", len, line);
	if (log->file) {
		mutex_lock(&log->lock);
		/* a log that cannot be written must not fail what it tells of */
		kernel_write(log->file, line, len, &log->file->f_pos);
		mutex_unlock(&log->lock);
	}
	kfree(line);
}

void ckpt_log(struct ckpt_log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(log, fmt, ap);
	va_end(ap);
}

int ckpt_fail(struct ckpt_log *log, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(log, fmt, ap);
	va_end(ap);
	return err;
}
