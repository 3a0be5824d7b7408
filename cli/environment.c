// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "environment.h"

/* the place of the variable whose name is the first @len bytes; env->nr: it has none */
static size_t find(const struct environment *env, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < env->nr; i++)
		if (!strncmp(env->vars[i], name, len) && env->vars[i][len] == '=')
			break;
	return i;
}

int environment_set(struct environment *env, const char *name, const char *value,
		    struct ckpt_error *e)
{
	size_t len = strcspn(name, "="), i = find(env, name, len);
	char **more, *var;

	if (!len)
		return error_set(e, EINVAL, "'%.60s' names no variable: give NAME=VALUE, or NAME for the value that it has here",
				 name);
	if (!value && name[len])
		value = name + len + 1;
	else if (!value)
		value = getenv(name);
	if (!value)
		return 0;
	more = reallocarray(env->vars, env->nr + 2, sizeof(*more));
	if (more)
		env->vars = more;
	if (!more || asprintf(&var, "%.*s=%s", (int)len, name, value) < 0)
		return error_set(e, ENOMEM, "no memory for the environment");
	if (i == env->nr)
		env->vars[++env->nr] = NULL;
	else
		free(env->vars[i]);
	env->vars[i] = var;
	return 0;
}

int environment_default(struct environment *env, const char *name, const char *value,
			struct ckpt_error *e)
{
	if (!value || find(env, name, strlen(name)) < env->nr)
		return 0;
	return environment_set(env, name, value, e);
}

void environment_use(const struct environment *env)
{
	static char *none[] = { NULL };

	environ = env->nr ? env->vars : none;
}
