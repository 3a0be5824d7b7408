/* SPDX-License-Identifier: GPL-2.0-only */
/* The history of a container, as its directory has it. */
#ifndef CKPT_CLI_SNAPSHOTS_H
#define CKPT_CLI_SNAPSHOTS_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "error.h"

struct snapshot {
	char name[NAME_MAX + 1];
	uint64_t size;		/* bytes */
	struct timespec time;
};

/*
 * snapshots_read - those in the directory @path, the oldest first
 * @list: takes an array, to be freed, also on an error; NULL before
 *
 * Returns how many there are, or a negative errno.
 */
ssize_t snapshots_read(const char *path, struct snapshot **list, struct ckpt_error *e);

#endif
