// SPDX-License-Identifier: GPL-2.0-only
/* ckpt exec: run a command in a container */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "container.h"
#include "environment.h"
#include "proc.h"
#include "relay.h"
#include "terminal.h"

struct exec {
	struct container container;
	struct environment env;
	char **argv;		/* the program */
	sigset_t mask;		/* signal mask that it gets */
	struct terminal terminal;
	uint64_t bounding;	/* capabilities that the container may have at most */
};

/* what the one who enters the container has to tell */
struct outcome {
	pid_t pid;		/* or a negative errno */
	struct ckpt_error error;
};

static int namespaces_of(pid_t init)
{
	int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC |
		    CLONE_NEWNET | CLONE_NEWCGROUP;

	/* entering the own one is an error */
	if (proc_same_ns(init, "user") == 0)
		flags |= CLONE_NEWUSER;
	if (proc_same_ns(init, "time") == 0)
		flags |= CLONE_NEWTIME;
	return flags;
}

static int open_of(pid_t init, const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", init, what);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* enter the namespaces; the caller's children are in the pid namespace */
static int enter(const struct container *c, struct ckpt_error *e)
{
	_cleanup_fd_ int pidfd = syscall(SYS_pidfd_open, c->init, 0);
	_cleanup_fd_ int root = open_of(c->init, "root"), cwd = open_of(c->init, "cwd");

	if (pidfd < 0 || root < 0 || cwd < 0)
		return error_sys(e, errno, "container %s has ended", c->name);
	/* its user namespace may forbid this later */
	if (setgroups(0, NULL))
		return error_sys(e, errno, "the caller's groups cannot be left");
	if (setns(pidfd, namespaces_of(c->init)))
		return error_sys(e, errno, "the namespaces of container %s cannot be entered",
				 c->name);
	if (fchdir(root) || chroot(".") || fchdir(cwd))
		return error_sys(e, errno, "the root of container %s cannot be entered",
				 c->name);
	return 0;
}

/*
 * The root of the container, and no more: in a user namespace of somebody's
 * the ids are still the host's, and without one the capabilities are.
 */
static int become_root(const struct exec *x, struct ckpt_error *e)
{
	int cap;

	if (setresgid(0, 0, 0) || setresuid(0, 0, 0))
		return error_set(e, errno == EINVAL ? EPERM : errno,
				 "container %s has a user namespace without a root, in which nothing can be run from outside: map its user and group 0",
				 x->container.name);
	for (cap = 0; cap < 64; cap++)
		if (!(x->bounding >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) &&
		    errno != EINVAL)
			return error_sys(e, errno, "capability %d, which container %s has not, cannot be dropped",
					 cap, x->container.name);
	return 0;
}

static _Noreturn void exec_main(const struct exec *x)
{
	terminal_use(&x->terminal);
	relay_reset(&x->mask);
	environment_use(&x->env);
	execvp(x->argv[0], x->argv);
	fprintf(stderr, "ckpt exec: %s cannot be run in container %s: %s\n", x->argv[0],
		x->container.name, strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/*
 * In the container's cgroup, which can't be entered any more from within its
 * cgroup namespace; the program becomes a child of the command's.
 */
static _Noreturn void enter_main(struct exec *x, int report)
{
	struct outcome o = { 0 };

	/* what is the host's in this memory is not for the container's other tasks */
	prctl(PR_SET_DUMPABLE, 0);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	o.pid = enter(&x->container, &o.error);
	if (!o.pid)
		o.pid = become_root(x, &o.error);
	if (!o.pid)
		o.pid = environment_default(&x->env, "HOME", access("/root", F_OK) ? "/" : "/root",
					    &o.error);
	if (!o.pid) {
		o.pid = cgroup_clone(CLONE_PARENT, NULL, 0);
		if (o.pid == 0)
			exec_main(x);
		if (o.pid < 0)
			error_sys(&o.error, -o.pid, "no task can be made in container %s",
				  x->container.name);
	}
	_exit(write(report, &o, sizeof(o)) != sizeof(o));
}

/* Returns the program's pid, a child of the caller's, or a negative errno. */
static pid_t start(struct exec *x, struct ckpt_error *e)
{
	_cleanup_fd_ int read_end = -1;
	struct outcome o;
	int report[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC))
		return error_sys(e, errno, "no pipe can be made");
	read_end = report[0];
	pid = cgroup_clone(0, &x->container.cgroup, 0);
	if (pid == 0)
		enter_main(x, report[1]);
	close(report[1]);
	if (pid < 0)
		return error_sys(e, -pid, "no task can be made in container %s",
				 x->container.name);
	do {
		n = read(read_end, &o, sizeof(o));
	} while (n < 0 && errno == EINTR);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof(o))
		return error_set(e, ESRCH, "container %s has ended", x->container.name);
	if (o.pid < 0)
		*e = o.error;
	return o.pid;
}

static int make_environment(struct exec *x, struct ckpt_error *e)
{
	const char *path = getenv("PATH");
	char own[PATH_MAX];
	int ret;

	/*
	 * Programs are where the container's own first one found them, unless that has
	 * written its title over its environment.
	 */
	if (proc_environ(x->container.init, "PATH", own, sizeof(own)))
		path = own;
	ret = environment_default(&x->env, "PATH", path ? path : ENVIRONMENT_PATH, e);
	if (!ret)
		ret = environment_default(&x->env, "TERM", getenv("TERM"), e);
	return ret;
}

/* the command line, as it is read */
struct line {
	struct exec *x;
	const char *name;	/* of the container */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct line *line = state->input;
	struct ckpt_error e;

	switch (key) {
	case 'e':
		if (environment_set(&line->x->env, arg, NULL, &e))
			argp_error(state, "%s", e.text);
		return 0;
	case ARGP_KEY_ARG:
		if (!line->name) {
			line->name = arg;
			return 0;
		}
		/* the rest of the line is the program's */
		line->x->argv = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!line->x->argv)
			argp_error(state, "a container's name and a command are needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	struct exec x = { .container.cgroup.fd = -1 };
	struct line line = { .x = &x };
	pid_t pid;
	int ret;

	command_parse(&command_exec, argc, argv, &line);
	ret = container_find(&x.container, line.name, e);
	if (!ret)
		ret = make_environment(&x, e);
	if (!ret) {
		x.bounding = proc_status_mask(x.container.init, "CapBnd:");
		relay_block(&x.mask);
		ret = terminal_open(&x.terminal, e);
		pid = ret ? ret : start(&x, e);
		if (pid > 0)
			ret = relay_wait(pid, &x.terminal, NULL);
		else
			ret = pid;
		if (pid < 0)
			terminal_end(&x.terminal);
	}
	cgroup_close(&x.container.cgroup);
	return ret;
}

static const struct argp_option options[] = {
	{ "env", 'e', "NAME[=VALUE]", 0,
	  "Give it this variable; without a value, with the one that it has here", 0 },
	{ 0 },
};

const struct command command_exec = {
	.name = "exec",
	.argp = {
		options, parse, "NAME [--] COMMAND [ARGUMENT...]",
		"Runs COMMAND as root in the namespaces and the cgroup of the running container NAME, and "
		"exits as it does. In a container with a user namespace that is its root; the environment "
		"is PATH of the container's init, or else the caller's, HOME and TERM.",
		NULL, NULL, NULL,
	},
	.run = run,
	.in_order = true,
};
