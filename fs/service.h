/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon as a service: what systemd wants to be told, and the journal. */
#ifndef FS_SERVICE_H
#define FS_SERVICE_H

#include <stdarg.h>
#include <stdbool.h>

/* Each says one thing to the service manager that started us, if one did. */
void service_ready(const char *mountpoint);
void service_reloading(void);
void service_reloaded(void);
void service_stopping(void);

/* service_has_journal - whether what goes to stderr goes to the journal */
bool service_has_journal(void);

/* service_journal - a line for it; @level: as for syslog(3) */
void service_journal(int level, const char *fmt, va_list ap);

#endif
