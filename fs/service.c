// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#include "service.h"

/* nobody hears it where no manager waits, and nothing can be done when it fails */

void service_ready(const char *mountpoint)
{
	sd_notifyf(0, "READY=1\nSTATUS=Mounted on %s", mountpoint);
}

void service_reloading(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		   t.tv_sec * UINT64_C(1000000) + t.tv_nsec / 1000);
}

void service_reloaded(void)
{
	sd_notify(0, "READY=1");
}

void service_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

/* systemd names the device and inode of the stream that it gave */
bool service_has_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uint64_t dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%" SCNu64 ":%" SCNu64, &dev, &ino) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == dev && st.st_ino == ino;
}

void service_journal(int level, const char *fmt, va_list ap)
{
	sd_journal_printv(level, fmt, ap);
}
