// SPDX-License-Identifier: GPL-2.0-only
/* ckpt: containers that can be checkpointed, from the command line */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

const char *mount_point;

static const struct command *const commands[] = {
	&command_run, &command_exec, &command_ps, &command_save, &command_restart,
	&command_history, &command_forget, &command_kill, &command_inspect, &command_stats,
	&command_gc, &command_fsck,
};

#define NR_COMMANDS (sizeof(commands) / sizeof(*commands))

int command_usage(const struct command *c, const char *what, struct ckpt_error *e)
{
	return error_set(e, EINVAL, "%s: see 'ckpt %s --help'", what, c->name);
}

static void usage(FILE *f)
{
	size_t i;

	fputs("usage: ckpt [-m MOUNTPOINT] COMMAND ...\n\n", f);
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(f, "  ckpt %s %s\n", commands[i]->name, commands[i]->synopsis);
	fputs("\n'ckpt COMMAND --help' says more.  The containers' file system is looked for\n"
	      "at MOUNTPOINT, $CKPTFS_MOUNT or /ckpt.\n", f);
}

static void help(const struct command *c)
{
	printf("usage: ckpt %s %s\n\n%s", c->name, c->synopsis, c->help);
}

static const struct command *find(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* is --help asked for, before the arguments that are a program's own? */
static bool wants_help(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-' && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

static int run_command(const struct command *c, int argc, char **argv)
{
	struct ckpt_error e = { 0 };
	int ret;

	if (wants_help(argc, argv)) {
		help(c);
		return 0;
	}
	ret = c->run(argc, argv, &e);
	if (fflush(stdout) || ferror(stdout))
		ret = error_sys(&e, errno, "standard output cannot be written");
	if (ret >= 0)
		return ret;
	fprintf(stderr, "ckpt %s: %s\n", c->name, e.text);
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
	const struct command *c;
	int i = 1;

	fill_streams();
	mount_point = getenv("CKPTFS_MOUNT");
	if (!mount_point || !*mount_point)
		mount_point = "/ckpt";
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			usage(stdout);
			return 0;
		}
		if (!strcmp(argv[i], "--version")) {
			puts("ckpt " CKPT_VERSION);
			return 0;
		}
		if (strcmp(argv[i], "-m") || i + 1 == argc)
			break;
		mount_point = argv[++i];
	}
	c = i < argc ? find(argv[i]) : NULL;
	if (c)
		return run_command(c, argc - i, argv + i);
	if (i < argc)
		fprintf(stderr, "ckpt: '%s' is no command: see 'ckpt --help'\n", argv[i]);
	else
		usage(stderr);
	return 1;
}
