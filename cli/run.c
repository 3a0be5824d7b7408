// SPDX-License-Identifier: GPL-2.0-only
/* ckpt run: make a container */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "console.h"
#include "monitor.h"
#include "names.h"
#include "relay.h"
#include "start.h"

/* how many containers without a name one program may have */
#define NUMBER_MAX 10000

enum { OPTION_NET = 256, OPTION_ROOTFS };

struct run_options {
	struct start start;
	const char *name;
	bool detach;
};

/* The cgroup for a name, or for the first free one that is made of a command. */
static int take_name(const struct run_options *o, char name[NAME_LEN_MAX + 1],
		     struct cgroup *cgroup, struct ckpt_error *e)
{
	char rel[sizeof(CGROUP_PARENT) + NAME_LEN_MAX + 1];
	unsigned int number = 1;
	int ret;

	do {
		if (o->name)
			snprintf(name, NAME_LEN_MAX + 1, "%s", o->name);
		else
			name_default(o->start.argv[0], number, name);
		snprintf(rel, sizeof(rel), "%s/%s", CGROUP_PARENT, name);
		ret = cgroup_make(cgroup, rel, name, e);
	} while (ret == -EEXIST && !o->name && ++number < NUMBER_MAX);
	return ret;
}

static int run_foreground(struct start *s, struct cgroup *cgroup, struct ckpt_error *e)
{
	int status = terminal_open(&s->terminal, e);

	if (!status)
		status = start_container(s, cgroup, e);
	if (status > 0)
		status = relay_wait(status, &s->terminal, cgroup);
	else
		terminal_end(&s->terminal);
	monitor_cleanup(0, cgroup);
	return status;
}

struct outcome {
	pid_t init;		/* or a negative errno */
	struct ckpt_error error;
};

static _Noreturn void monitor_main(const struct start *s, struct cgroup *cgroup,
				   int report)
{
	struct outcome o = { 0 };
	ssize_t n;

	monitor_detach();
	o.init = start_container(s, cgroup, &o.error);
	if (o.init < 0)
		monitor_cleanup(0, cgroup);
	/* the caller may be gone; the container is there all the same */
	signal(SIGPIPE, SIG_IGN);
	n = write(report, &o, sizeof(o));
	close(report);
	if (o.init < 0)
		_exit(n == sizeof(o) ? 0 : 1);
	if (chdir("/"))
		_exit(1);
	monitor_run(o.init, cgroup);
}

static int run_detached(const struct start *s, struct cgroup *cgroup,
			struct ckpt_error *e)
{
	struct outcome o;
	int report[2];
	ssize_t n;
	pid_t monitor;

	if (pipe2(report, O_CLOEXEC))
		return error_sys(e, errno, "no pipe can be made");
	monitor = fork();
	if (monitor == 0) {
		close(report[0]);
		monitor_main(s, cgroup, report[1]);
	}
	close(report[1]);
	if (monitor < 0) {
		close(report[0]);
		cgroup_remove(cgroup, NULL);
		return error_sys(e, errno, "no monitor can be made for container %s", s->name);
	}
	n = read(report[0], &o, sizeof(o));
	close(report[0]);
	if (n != sizeof(o))
		return error_set(e, EIO, "the monitor of container %s has died", s->name);
	if (o.init < 0) {
		waitpid(monitor, NULL, 0);
		console_undo(s->console);
		*e = o.error;
		return o.init;
	}
	printf("%s %d\n", s->name, o.init);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run_options *o = state->input;
	struct ckpt_error e;

	switch (key) {
	case 'd':
		o->detach = true;
		return 0;
	case 'e':
		if (environment_set(&o->start.env, arg, NULL, &e))
			argp_error(state, "%s", e.text);
		return 0;
	case 'n':
		o->name = arg;
		return 0;
	case OPTION_ROOTFS:
		o->start.rootfs = arg;
		return 0;
	case OPTION_NET:
		o->start.net_host = !strcmp(arg, "host");
		if (!o->start.net_host && strcmp(arg, "new"))
			argp_error(state, "--net is new or host, not '%s'", arg);
		return 0;
	case ARGP_KEY_ARG:
		/* the rest of the line is the program's */
		o->start.argv = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!o->start.argv)
			argp_error(state, "the command to run is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* what a program needs to find others, its files and its terminal */
static int make_environment(struct environment *env, struct ckpt_error *e)
{
	const char *path = getenv("PATH");
	int ret = environment_default(env, "PATH", path ? path : ENVIRONMENT_PATH, e);

	if (!ret)
		ret = environment_default(env, "HOME", getenv("HOME"), e);
	return ret ? ret : environment_default(env, "TERM", getenv("TERM"), e);
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	struct run_options o = { .start.terminal = { .master = -1, .slave = -1 } };
	struct cgroup cgroup = { .fd = -1 };
	char name[NAME_LEN_MAX + 1];
	struct console console;
	int ret;

	command_parse(&command_run, argc, argv, &o);
	ret = o.name ? name_check(o.name, e) : 0;
	if (!ret)
		ret = make_environment(&o.start.env, e);
	/* a monitor must not keep anything of the caller's open */
	if (o.detach)
		close_range(3, ~0U, 0);
	if (!ret)
		ret = take_name(&o, name, &cgroup, e);
	if (ret)
		return ret;
	o.start.name = name;
	relay_block(&o.start.mask);
	if (o.detach) {
		o.start.console = &console;
		ret = console_make(&console, name, &cgroup, e);
		if (ret)
			cgroup_remove(&cgroup, NULL);
		else
			ret = run_detached(&o.start, &cgroup, e);
	} else {
		ret = run_foreground(&o.start, &cgroup, e);
	}
	cgroup_close(&cgroup);
	return ret;
}

static const struct argp_option options[] = {
	{ "detach", 'd', NULL, 0, "Stay in the background: output goes to " CONSOLE_DIR
	  "/NAME.log, and the name and the init's pid are printed", 0 },
	{ "env", 'e', "NAME[=VALUE]", 0,
	  "Give it this variable; without a value, with the one that it has here", 0 },
	{ "name", 'n', "NAME", 0,
	  "The container's name; default: the command's and a number", 0 },
	{ "net", OPTION_NET, "new|host", 0,
	  "A network of its own, in which lo is up (default), or the host's", 0 },
	{ "rootfs", OPTION_ROOTFS, "DIR", 0, "Its root directory; default: the host's", 0 },
	{ 0 },
};

const struct command command_run = {
	.name = "run",
	.argp = {
		options, parse, "[--] COMMAND [ARGUMENT...]",
		"Makes a container and runs COMMAND as its init: with its own processes, mounts, host "
		"name, IPC, cgroup and network, and no environment but PATH, HOME and TERM.",
		NULL, NULL, NULL,
	},
	.run = run,
	.in_order = true,
};
