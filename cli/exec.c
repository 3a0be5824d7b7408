// SPDX-License-Identifier: GPL-2.0-only
/* ckpt exec: run a command in a container */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "container.h"
#include "proc.h"
#include "relay.h"
#include "start.h"

static int namespaces_of(pid_t init)
{
	int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC |
		    CLONE_NEWNET | CLONE_NEWCGROUP;

	/* entering the own one is an error */
	if (proc_same_ns(init, "user") == 0)
		flags |= CLONE_NEWUSER;
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
	if (setns(pidfd, namespaces_of(c->init)))
		return error_sys(e, errno, "the namespaces of container %s cannot be entered",
				 c->name);
	if (fchdir(root) || chroot(".") || fchdir(cwd))
		return error_sys(e, errno, "the root of container %s cannot be entered",
				 c->name);
	return 0;
}

static _Noreturn void exec_main(const struct container *c, char **argv,
				const sigset_t *mask)
{
	relay_session();
	relay_reset(mask);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	execvp(argv[0], argv);
	fprintf(stderr, "ckpt exec: %s cannot be run in container %s: %s\n", argv[0],
		c->name, strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	struct container c;
	sigset_t mask;
	pid_t pid;
	int i = 2, ret;

	if (i < argc && !strcmp(argv[i], "--"))
		i++;
	if (i >= argc || argv[1][0] == '-')
		return command_usage(&command_exec, "a container's name and a command are needed", e);
	ret = container_find(&c, argv[1], e);
	if (ret)
		return ret;
	relay_block(&mask);
	/* the namespaces last: cgroups are not to be seen from inside */
	ret = enter(&c, e);
	if (!ret) {
		pid = start_clone(0, &c.cgroup, 0);
		if (pid == 0)
			exec_main(&c, argv + i, &mask);
		ret = pid > 0 ? relay_wait(pid, NULL) :
			error_sys(e, -pid, "no task can be made in container %s", c.name);
	}
	cgroup_close(&c.cgroup);
	return ret;
}

const struct command command_exec = {
	.name = "exec",
	.synopsis = "NAME [--] COMMAND [ARGUMENT...]",
	.help =
"Runs COMMAND in the namespaces and the cgroup of the running container NAME,\n"
"and exits as it does.\n",
	.run = run,
};
