/* SPDX-License-Identifier: GPL-2.0-only */
/* Which snapshots of a history are kept. */
#ifndef CKPT_CLI_RETENTION_H
#define CKPT_CLI_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "error.h"

enum retention_rule {
	KEEP_LAST,
	KEEP_HOURLY,
	KEEP_DAILY,
	KEEP_WEEKLY,
	KEEP_MONTHLY,
	KEEP_YEARLY,
	NR_KEEP
};

/* "last", "hourly" ... */
extern const char *const retention_names[NR_KEEP];

struct retention {
	unsigned long keep[NR_KEEP];	/* how many each rule keeps; 0: it keeps none */
};

/* retention_empty - whether no rule keeps anything */
bool retention_empty(const struct retention *r);

/*
 * retention_option - take an option of a command line or of a line of the policy
 * @option: "--keep-last" or "--keep-last=10"
 * @value: what follows it, if anything
 *
 * Returns how many words it was (1 or 2), 0 when it is no such option, or -EINVAL.
 */
int retention_option(struct retention *r, const char *option, const char *value,
		     struct ckpt_error *e);

/*
 * retention_apply - choose, as restic, borg and others do
 * @times: of @count snapshots, the newest first
 * @why: takes for each of them the rules that keep it, 1 << KEEP_LAST ...; 0: none does
 *
 * Each rule keeps the newest snapshot of each of the last so many hours, days,
 * weeks (from Monday), months or years that have one, in UTC.
 */
void retention_apply(const struct retention *r, const struct timespec *times, size_t count,
		     unsigned int *why);

/*
 * retention_policy - what a file says of a container
 * @file: lines "NAME OPTION...", with "default" for those that have no line; empty
 *	  lines and those that begin with # do not count
 *
 * Returns 0; -ENOENT: there is no file, or no line for it; -EINVAL.
 */
int retention_policy(const char *file, const char *name, struct retention *r,
		     struct ckpt_error *e);

#endif
