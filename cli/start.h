/* SPDX-License-Identifier: GPL-2.0-only */
/* Starting the first task of a container. */
#ifndef CKPT_CLI_START_H
#define CKPT_CLI_START_H

#include <stdbool.h>
#include <signal.h>
#include <sys/types.h>

#include "cgroup.h"
#include "console.h"
#include "environment.h"
#include "error.h"
#include "terminal.h"

struct start {
	const char *name;	/* of the container, also its host name */
	const char *rootfs;	/* directory, NULL: the host's root */
	const struct console *console;	/* takes its output, NULL: the caller's streams */
	bool net_host;		/* stay in the host's network namespace */
	char **argv;		/* the program */
	struct environment env;	/* that it gets */
	sigset_t mask;		/* signal mask that it gets */
	struct terminal terminal;	/* of a program that stays in the foreground */
};

/*
 * start_container - make a container and run a program as its init
 * @s: what and how
 * @cgroup: an empty cgroup, in which it is to live
 *
 * Returns the init's pid, or a negative errno; then nothing is left of it but
 * the cgroup.
 */
pid_t start_container(const struct start *s, const struct cgroup *cgroup,
		      struct ckpt_error *e);

#endif
