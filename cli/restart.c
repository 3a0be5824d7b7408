// SPDX-License-Identifier: GPL-2.0-only
/* ckpt restart: bring a container back */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "names.h"
#include "place.h"
#include "source.h"
#include "text.h"
#include "transfer.h"

/* the container's directory, which may be there; *made: it was not */
static int make_place(const char *name, bool *made, struct ckpt_error *e)
{
	char path[PATH_MAX];
	int ret = place_path(name, "", path, e);

	if (ret)
		return ret;
	*made = !mkdir(path, 0755);
	return *made || errno == EEXIST ? 0 : error_sys(e, errno, "%s cannot be made", path);
}

/* a mistyped name is to leave nothing; one that has anything in it stays by itself */
static void drop_place(const char *name)
{
	char path[PATH_MAX];

	if (!place_path(name, "", path, NULL))
		rmdir(path);
}

static int restart(const char *name, int from, const char *from_name,
		   struct ckpt_error *e)
{
	char path[PATH_MAX], what[PLACE_LEN_MAX + 64];
	struct transfer t = {
		.label = name, .from = from, .from_name = from_name, .to_name = path,
	};
	struct stat st;
	int ret = place_path(name, "restart", path, e);

	if (ret)
		return ret;
	snprintf(what, sizeof(what), "container %s cannot be restarted", name);
	if (fstat(from, &st) == 0 && S_ISREG(st.st_mode))
		t.total = st.st_size;
	t.to = open(path, O_WRONLY | O_CLOEXEC);
	if (t.to < 0)
		return place_reason(name, what, errno, e);
	ret = transfer_run(&t, e);
	if (!ret && !t.done)
		ret = error_set(e, EPIPE, "the image %s is empty", from_name);
	/* whether it has come to life, close(2) tells; and so why it has not */
	if (close(t.to) && (!ret || t.write_failed))
		ret = -errno;
	if (ret && (!e->err || t.write_failed))
		place_reason(name, what, -ret, e);
	return ret;
}

struct restart_options {
	const char *name;
	const char *source;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct restart_options *o = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (!o->name)
			o->name = arg;
		else if (!o->source)
			o->source = arg;
		else
			return ARGP_ERR_UNKNOWN;
		return 0;
	case ARGP_KEY_END:
		if (!o->name)
			argp_error(state, "the container's name is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	struct restart_options o = { 0 };
	_cleanup_fd_ int from = -1;
	char path[PATH_MAX], init[32];
	bool made = false;
	int ret;

	command_parse(&command_restart, argc, argv, &o);
	signal(SIGPIPE, SIG_IGN);
	ret = name_check_place(o.name, e);
	if (!ret)
		ret = place_mounted(e);
	if (ret)
		return ret;
	from = source_open(o.name, o.source ? o.source : "latest", path, e);
	if (from < 0)
		return from;
	ret = make_place(o.name, &made, e);
	if (!ret)
		ret = restart(o.name, from, path, e);
	if (ret && made)
		drop_place(o.name);
	if (ret)
		return ret;
	place_status(o.name, "init", init, sizeof(init));
	printf("%s %s\n", text_name(stdout, o.name, path), init);
	return 0;
}

const struct command command_restart = {
	.name = "restart",
	.argp = {
		NULL, parse, "NAME [FILE|SNAPSHOT]",
		"Brings the container NAME back as it was in a snapshot of its history (default: the "
		"latest) or in the image FILE (- for standard input), and prints its name and its init's "
		"pid. It must not be running.",
		NULL, NULL, NULL,
	},
	.run = run,
};
