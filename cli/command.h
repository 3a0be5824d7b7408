/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands of ckpt, and what they share. */
#ifndef CKPT_CLI_COMMAND_H
#define CKPT_CLI_COMMAND_H

#include "cgroup.h"
#include "error.h"

struct command {
	const char *name;
	const char *synopsis;	/* what follows 'ckpt NAME' */
	const char *help;	/* lines for --help */
	/*
	 * @argv: from the command's name on
	 *
	 * Returns the exit status, or a negative errno with the sentence in @e.
	 */
	int (*run)(int argc, char **argv, struct ckpt_error *e);
};

extern const struct command command_run, command_exec, command_ps, command_save,
	command_restart, command_history, command_forget, command_kill, command_inspect,
	command_stats, command_gc, command_fsck;

/*
 * command_usage - the error for a wrong command line
 * @what: what is wrong with it
 *
 * Returns -EINVAL.
 */
int command_usage(const struct command *c, const char *what, struct ckpt_error *e);

/* where the containers' file system is mounted: -m, CKPTFS_MOUNT or /ckpt */
extern const char *mount_point;

#endif
