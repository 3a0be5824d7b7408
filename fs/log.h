/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the last checkpoint or restart of a container had to say, and when that
 * checkpoint was and where it is: files STATE/NAME/log and STATE/NAME/last.
 */
#ifndef FS_LOG_H
#define FS_LOG_H

#include <limits.h>
#include <stdint.h>

#define LAST_NAME_SIZE 256

struct last_checkpoint {
	int64_t time_ns;	/* since the epoch; 0: none known */
	uint64_t pause_us;	/* how long the container was stopped */
	char name[LAST_NAME_SIZE];	/* its snapshot's when it was recorded; "": it was not */
};

/*
 * log_begin - a new operation: a new, empty log
 * @path: takes its path, for programs, while the descriptor is open
 *
 * A log that is being read or still written stays whole for those who do. Where the
 * disk does not take it, it is in memory. Returns a descriptor to write it, or a
 * negative errno.
 */
int log_begin(const char *name, char path[PATH_MAX]);

/*
 * log_line - add a line to a log
 * @fd: from log_begin; below 0 it goes where the daemon's own lines go
 */
void log_line(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* log_only - a new operation that has nothing but this line to say */
void log_only(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* log_more - another line in the log that there is */
void log_more(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* log_forget - a place has been removed: what is in memory of it, too */
void log_forget(const char *name);

void last_set(const char *name, const struct last_checkpoint *last);
void last_get(const char *name, struct last_checkpoint *last);

#endif
