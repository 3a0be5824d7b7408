/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands on the store. While the daemon has it they read files in the hidden
 * directory of its mount; an unused one they open themselves.
 */
#ifndef CKPT_CLI_MAINTENANCE_H
#define CKPT_CLI_MAINTENANCE_H

#include "error.h"
#include "store.h"

struct command;

/*
 * maintenance_args - take the only option, --store PATH
 * @path: takes it, NULL: not given, so the mount is to be used
 *
 * Returns 0 or a negative errno: -EINVAL, -ENODEV (nothing is mounted).
 */
int maintenance_args(const struct command *c, int argc, char **argv, const char **path,
		     struct ckpt_error *e);

/*
 * maintenance_read - read one of the mount's files to its end
 * @file: "stats", "fsck", "repair" or "gc"
 * @line: is called for each line, without its newline
 *
 * Returns 0 or a negative errno.
 */
int maintenance_read(const char *file, void (*line)(void *arg, const char *text), void *arg,
		     struct ckpt_error *e);

/* maintenance_open - open a store that nobody uses; as store_open() */
int maintenance_open(const char *path, unsigned int flags, struct store **st,
		     struct ckpt_error *e);

#endif
