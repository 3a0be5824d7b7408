/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands on the store. While the daemon has it they read files in the hidden
 * directory of its mount; an unused one they open themselves.
 */
#ifndef CKPT_CLI_MAINTENANCE_H
#define CKPT_CLI_MAINTENANCE_H

#include <stdbool.h>

#include "command.h"
#include "error.h"
#include "store.h"

struct maintenance {
	const char *store;	/* path; NULL: the daemon's, through the mount */
	bool repair;
};

enum { MAINTENANCE_STORE = 256, MAINTENANCE_REPAIR };

/* for a command's argp: a parser into struct maintenance, and the option --store alone */
error_t maintenance_parse(int key, char *arg, struct argp_state *state);
extern const struct argp_option maintenance_options[];

/*
 * maintenance_args - take the command line of a command with such an argp
 *
 * Returns 0, or -ENODEV: there is no --store and nothing is mounted.
 */
int maintenance_args(const struct command *c, int argc, char **argv, struct maintenance *m,
		     struct ckpt_error *e);

/*
 * maintenance_read - read one of the mount's files to its end
 * @file: "stats", "fsck", "repair" or "gc"
 * @line: is called for each line, without its newline, but for those that say how
 *        far it is: they are shown in a terminal
 *
 * Returns 0 or a negative errno.
 */
int maintenance_read(const char *file, void (*line)(void *arg, const char *text), void *arg,
		     struct ckpt_error *e);

/*
 * maintenance_watch - for the store's long work: says in a terminal how far it is
 *
 * What is printed while it goes on comes behind maintenance_clear().
 */
extern const struct store_watch maintenance_watch;
void maintenance_clear(void);

/* maintenance_open - open a store that nobody uses; as store_open() */
int maintenance_open(const char *path, unsigned int flags, struct store **st,
		     struct ckpt_error *e);

#endif
