// SPDX-License-Identifier: GPL-2.0-only
#define FUSE_USE_VERSION 312
#include <fuse_log.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include "line.h"
#include "note.h"
#include "service.h"

static enum { TO_STDERR, TO_JOURNAL, TO_SYSLOG } target;

__attribute__((format(printf, 1, 2)))
static void to_journal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	service_journal(LOG_WARNING, fmt, ap);
	va_end(ap);
}

void note(const char *fmt, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	line_clean(line);
	if (target == TO_JOURNAL)
		to_journal("%s", line);
	else if (target == TO_SYSLOG)
		syslog(LOG_DAEMON | LOG_WARNING, "%s", line);
	else
		fprintf(stderr, "ckptfs: %s\n", line);
}

/* what libfuse has to say */
static void fuse_line(enum fuse_log_level level, const char *fmt, va_list ap)
{
	if (target == TO_JOURNAL)
		service_journal(level, fmt, ap);
	else
		vsyslog(LOG_DAEMON | level, fmt, ap);
}

void note_setup(void)
{
	if (!service_has_journal())
		return;
	target = TO_JOURNAL;
	fuse_set_log_func(fuse_line);
}

void note_to_syslog(void)
{
	openlog("ckptfs", LOG_PID, LOG_DAEMON);
	target = TO_SYSLOG;
	fuse_set_log_func(fuse_line);
}
