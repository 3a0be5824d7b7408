// SPDX-License-Identifier: GPL-2.0-only
#define FUSE_USE_VERSION 312
#include <fuse_log.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <syslog.h>

#include "note.h"

static bool to_syslog;

void note(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (to_syslog)
		syslog(LOG_DAEMON | LOG_WARNING, "%s", line);
	else
		fprintf(stderr, "ckptfs: %s\n", line);
}

static void fuse_line(enum fuse_log_level level, const char *fmt, va_list ap)
{
	vsyslog(LOG_DAEMON | level, fmt, ap);
}

void note_to_syslog(void)
{
	openlog("ckptfs", LOG_PID, LOG_DAEMON);
	to_syslog = true;
	fuse_set_log_func(fuse_line);
}
