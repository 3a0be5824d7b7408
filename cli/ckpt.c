// SPDX-License-Identifier: GPL-2.0-only
/* ckpt: containers that can be checkpointed, from the command line */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "text.h"

const char *mount_point;

const char *argp_program_version = "ckpt " CKPT_VERSION;

static const struct command *const commands[] = {
	&command_run, &command_exec, &command_ps, &command_save, &command_restart,
	&command_check, &command_history, &command_forget, &command_kill, &command_inspect,
	&command_stats, &command_gc, &command_fsck,
};

#define NR_COMMANDS (sizeof(commands) / sizeof(*commands))

static const struct command *find(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* what stands behind 'ckpt', until the command's own part of the line */
struct line {
	const struct command *command;
	int at;			/* index of the command's name */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct line *line = state->input;

	switch (key) {
	case 'm':
		mount_point = arg;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		line->command = find(arg);
		if (!line->command)
			argp_error(state, "'%s' is no command", arg);
		line->at = state->next - 1;
		/* what follows is the command's to read */
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!line->command)
			argp_error(state, "a command is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* the list of commands, behind the options */
static char *add_commands(int key, const char *text, void *input)
{
	char *list = NULL;
	const char *doc;
	size_t len, i;
	FILE *f;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	f = open_memstream(&list, &len);
	if (!f)
		return (char *)text;
	fputs("Commands, each of which says more with --help:\n\n", f);
	for (i = 0; i < NR_COMMANDS; i++) {
		doc = commands[i]->argp.args_doc ? commands[i]->argp.args_doc : "";
		fprintf(f, "  ckpt %s%s%.*s\n", commands[i]->name, *doc ? " " : "",
			(int)strcspn(doc, "\n"), doc);
	}
	if (fclose(f))
		return (char *)text;
	return list;
}

static int run_command(const struct command *c, int argc, char **argv)
{
	struct ckpt_error e = { 0 };
	int ret = c->run(argc, argv, &e);

	if (fflush(stdout) || ferror(stdout))
		ret = error_sys(&e, errno, "standard output cannot be written");
	if (ret >= 0)
		return ret;
	fprintf(stderr, "ckpt %s: ", c->name);
	text_put(stderr, e.text);
	fputc('\n', stderr);
	return 1;
}

/* A closed stream becomes /dev/null, so that nothing else gets its number. */
static void fill_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd < 3);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "mount", 'm', "MOUNTPOINT", 0,
		  "Where the containers' file system is; default: $CKPTFS_MOUNT or /ckpt", 0 },
		{ NULL, 'h', NULL, OPTION_HIDDEN, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = {
		options, parse, "COMMAND [ARGUMENT...]",
		"Runs containers, checkpoints them and brings them back.", NULL, add_commands, NULL,
	};
	struct line line = { 0 };

	fill_streams();
	/* which characters can be shown */
	setlocale(LC_CTYPE, "");
	mount_point = getenv("CKPTFS_MOUNT");
	if (!mount_point || !*mount_point)
		mount_point = "/ckpt";
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &line);
	return run_command(line.command, argc - line.at, argv + line.at);
}
