// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "command.h"

/* what every command has */
static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->input;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void command_parse(const struct command *c, int argc, char **argv, void *input)
{
	static const struct argp_option options[] = {
		{ NULL, 'h', NULL, OPTION_HIDDEN, NULL, 0 },
		{ 0 },
	};
	const struct argp_child children[] = { { .argp = &c->argp }, { 0 } };
	const struct argp argp = { options, parse, NULL, NULL, children, NULL, NULL };
	_cleanup_free_ char *name = NULL;
	char *own = argv[0];

	if (asprintf(&name, "ckpt %s", c->name) < 0)
		err(1, "ckpt %s", c->name);
	/* by this name it says what it does not understand */
	argv[0] = name;
	argp_parse(&argp, argc, argv, c->in_order ? ARGP_IN_ORDER : 0, NULL, input);
	argv[0] = own;
}

error_t command_name(int key, char *arg, struct argp_state *state)
{
	char **name = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*name)
			return ARGP_ERR_UNKNOWN;
		*name = arg;
		return 0;
	case ARGP_KEY_END:
		if (!*name)
			argp_error(state, "the container's name is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}
