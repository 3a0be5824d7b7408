/* SPDX-License-Identifier: GPL-2.0-only */
/* The environment of a program in a container: nothing comes into it unasked. */
#ifndef CKPT_CLI_ENVIRONMENT_H
#define CKPT_CLI_ENVIRONMENT_H

#include <stddef.h>

#include "error.h"

/* where programs are when nobody says */
#define ENVIRONMENT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct environment {
	char **vars;		/* as environ(7) has them */
	size_t nr;
};

/*
 * environment_set - give a variable a value
 * @env: zeroed before the first; lives as long as the program
 * @name: its name, which may be "NAME=VALUE" if @value is NULL
 * @value: NULL: what stands behind '=', or else the caller's own value, if it has one
 *
 * Returns 0, -EINVAL for what can be no name, or -ENOMEM.
 */
int environment_set(struct environment *env, const char *name, const char *value,
		    struct ckpt_error *e);

/*
 * environment_default - the same for a variable that has no value yet
 * @value: NULL: none
 */
int environment_default(struct environment *env, const char *name, const char *value,
			struct ckpt_error *e);

/* environment_use - make it the caller's own; execvp(3) looks at its PATH */
void environment_use(const struct environment *env);

#endif
