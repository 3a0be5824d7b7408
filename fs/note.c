// SPDX-License-Identifier: GPL-2.0-only
#define FUSE_USE_VERSION 312
#include <fuse_log.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include "note.h"
#include "service.h"

static enum { TO_STDERR, TO_JOURNAL, TO_SYSLOG } target;

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (target == TO_JOURNAL) {
		service_journal(LOG_WARNING, fmt, ap);
	} else if (target == TO_SYSLOG) {
		vsyslog(LOG_DAEMON | LOG_WARNING, fmt, ap);
	} else {
		flockfile(stderr);
		fputs("ckptfs: ", stderr);
		vfprintf(stderr, fmt, ap);
		fputc('\n', stderr);
		funlockfile(stderr);
	}
	va_end(ap);
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
