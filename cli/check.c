// SPDX-License-Identifier: GPL-2.0-only
/* ckpt check: what stands in the way of a checkpoint, or of a restart */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "names.h"
#include "place.h"
#include "programs.h"
#include "source.h"
#include "text.h"

struct check_options {
	const char *name;
	const char *source;
	bool restart;
};

/* Print every line of /ckpt/NAME/check; returns how many there were, or a negative errno. */
static int check_container(const char *name, struct ckpt_error *e)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_file_ FILE *f = NULL;
	char path[PATH_MAX];
	size_t size = 0;
	int ret = place_check(name, e), n = 0;

	if (!ret)
		ret = place_path(name, "check", path, e);
	if (ret)
		return ret;
	f = fopen(path, "re");
	if (!f && errno == ENOENT)
		return error_set(e, ENOENT, "there is no %s: this ckptfs checks nothing", path);
	if (!f)
		return error_sys(e, errno, "%s cannot be read", path);
	while (errno = 0, getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		text_put(stdout, line);
		putchar('\n');
		/* what stays outside stands in nobody's way */
		n += strncmp(line, "external ", strlen("external ")) != 0;
	}
	return ferror(f) ? place_reason(name, "the container cannot be checked", errno, e) : n;
}

/*
 * A file, a container (its latest snapshot), or CONTAINER/SNAPSHOT.  With a
 * name before it: as 'ckpt restart' takes it.
 */
static int open_image(struct check_options *c, char path[PATH_MAX], struct ckpt_error *e)
{
	const char *slash = c->name ? strrchr(c->name, '/') : NULL;
	char container[PLACE_LEN_MAX + 1];
	int fd;

	if (c->source)
		return source_open(c->name, c->source, path, e);
	fd = strcmp(c->name, "-") ? open(c->name, O_RDONLY | O_CLOEXEC) : dup(0);
	if (fd >= 0) {
		c->name = NULL;
		return fd;
	}
	if (errno != ENOENT)
		return error_sys(e, errno, "%s cannot be opened", c->name);
	if (!slash && !place_check(c->name, NULL))
		return source_open(c->name, "latest", path, e);
	if (slash && slash - c->name < (int)sizeof(container)) {
		snprintf(container, sizeof(container), "%.*s", (int)(slash - c->name), c->name);
		if (!strchr(container, '/') && !place_check(container, NULL))
			return source_open(container, slash + 1, path, e);
	}
	return error_set(e, ENOENT, "there is no file, container or snapshot %s", c->name);
}

/* becomes ckpt-restart --check, which prints and exits as we are to */
static int check_image(struct check_options *c, struct ckpt_error *e)
{
	char path[PATH_MAX], *argv[] = { "ckpt-restart", "--check", NULL, NULL, NULL };
	_cleanup_fd_ int fd = open_image(c, path, e);

	if (fd < 0)
		return fd;
	if (program_find(argv[0], path))
		return error_set(e, ENOENT, "the program %s is missing: install it, or name its directory in CKPTFS_LIBEXEC",
				 argv[0]);
	if (c->name && !strchr(c->name, '/')) {
		argv[2] = "-n";
		argv[3] = (char *)c->name;
	}
	if (dup2(fd, 0) < 0)
		return error_sys(e, errno, "the image cannot be opened");
	execv(path, argv);
	return error_sys(e, errno, "%s cannot be run", path);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct check_options *c = state->input;

	switch (key) {
	case 'r':
		c->restart = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!c->name)
			c->name = arg;
		else if (!c->source)
			c->source = arg;
		else
			return ARGP_ERR_UNKNOWN;
		return 0;
	case ARGP_KEY_END:
		if (!c->name)
			argp_error(state, "what is to be checked is missing");
		if (c->source && !c->restart)
			argp_error(state, "'%s' is too much without --restart", c->source);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	struct check_options c = { 0 };
	int ret;

	command_parse(&command_check, argc, argv, &c);
	if (c.restart)
		return check_image(&c, e);
	ret = check_container(c.name, e);
	return ret > 0 ? 1 : ret;
}

static const struct argp_option options[] = {
	{ "restart", 'r', NULL, 0, "Check an image and this machine", 0 },
	{ 0 },
};

const struct command command_check = {
	.name = "check",
	.argp = {
		options, parse,
		"NAME\n--restart [NAME] FILE|SNAPSHOT",
		"Prints a line for each thing that stands in the way of a checkpoint of the container "
		"NAME, and exits with 1 if there is any. Nothing is recorded.\v"
		"With --restart: in the way of a restart of an image on this machine, under its own name "
		"or as NAME. SNAPSHOT is NAME, for its latest, or NAME/SNAPSHOT.",
		NULL, NULL, NULL,
	},
	.run = run,
};
