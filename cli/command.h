/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands of ckpt, and what they share. */
#ifndef CKPT_CLI_COMMAND_H
#define CKPT_CLI_COMMAND_H

#include <argp.h>
#include <stdbool.h>

#include "cgroup.h"
#include "error.h"

/* exit status for a command line that cannot be understood */
#define EXIT_USAGE 2

struct command {
	const char *name;
	struct argp argp;	/* its options and arguments, and its help */
	bool in_order;		/* its arguments end with a command line of another program */
	/*
	 * @argv: from the command's name on
	 *
	 * Returns the exit status, or a negative errno with the sentence in @e.
	 */
	int (*run)(int argc, char **argv, struct ckpt_error *e);
};

extern const struct command command_run, command_exec, command_ps, command_save,
	command_restart, command_check, command_history, command_forget, command_kill,
	command_inspect, command_stats, command_gc, command_fsck;

/*
 * command_parse - read a command's own command line
 * @input: for the parser of its argp, as state->input
 *
 * With --help it prints that and exits with 0; with what it does not know it
 * says so and exits with EXIT_USAGE.
 */
void command_parse(const struct command *c, int argc, char **argv, void *input);

/*
 * command_name - a parser for a command whose one argument is a container's name
 *
 * state->input is the char * that takes it.
 */
error_t command_name(int key, char *arg, struct argp_state *state);

/* where the containers' file system is mounted: -m, CKPTFS_MOUNT or /ckpt */
extern const char *mount_point;

#endif
