// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "lo.h"
#include "relay.h"
#include "rootfs.h"
#include "start.h"

/*
 * Open a stream's file again, in the mount namespace of the container: only so
 * can it be opened again at a restart.  What has no path there, or an offset
 * that is shared with others, stays the caller's.
 */
static void reopen_stream(int fd)
{
	int flags = fcntl(fd, F_GETFL), again;
	struct stat old, new;
	char path[64], target[PATH_MAX];
	ssize_t n;

	if (flags < 0 || fstat(fd, &old))
		return;
	if (!(S_ISCHR(old.st_mode) && major(old.st_rdev) == 1) &&
	    !(S_ISREG(old.st_mode) && (flags & O_APPEND)))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	again = open(target, (flags & (O_ACCMODE | O_APPEND | O_NONBLOCK)) |
		     O_NOCTTY | O_CLOEXEC);
	if (again < 0)
		return;
	if (fstat(again, &new) == 0 && new.st_dev == old.st_dev && new.st_ino == old.st_ino)
		dup2(again, fd);
	close(again);
}

static int open_streams(const struct start *s, const char *log, struct ckpt_error *e)
{
	_cleanup_fd_ int in = -1, out = -1;
	int fd;

	if (!s->console) {
		for (fd = 0; fd < 3; fd++)
			reopen_stream(fd);
		return 0;
	}
	in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return error_sys(e, errno, "/dev/null cannot be opened in the container");
	out = open(log, O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
	if (out < 0)
		return error_sys(e, errno, "the log %s cannot be opened in the container", log);
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	return 0;
}

static int enter_container(const struct start *s, struct ckpt_error *e)
{
	const char *log = CONSOLE;
	int ret;

	if (unshare(CLONE_NEWCGROUP))
		return error_sys(e, errno, "no cgroup namespace can be made");
	ret = s->rootfs ? rootfs_enter(s->rootfs, s->console, e) : rootfs_host(e);
	if (!ret && s->console && !s->rootfs) {
		ret = console_mount(s->console, AT_FDCWD, e);
		/* a host without one: the log is known by its name alone */
		if (ret == -ENOENT || ret == -ELOOP) {
			log = s->console->path;
			ret = 0;
		}
	}
	if (!ret && sethostname(s->name, strlen(s->name)))
		ret = error_sys(e, errno, "the host name cannot be set");
	if (!ret && !s->net_host)
		ret = lo_up(e);
	return ret ? ret : open_streams(s, log, e);
}

/* the container's init, up to its program; the caller reads why it failed */
static _Noreturn void init_main(const struct start *s, int report)
{
	struct ckpt_error e = { 0 };

	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC))
		error_sys(&e, errno, "descriptors cannot be closed");
	else if (!enter_container(s, &e)) {
		terminal_use(&s->terminal);
		environment_use(&s->env);
		relay_reset(&s->mask);
		execvp(s->argv[0], s->argv);
		error_sys(&e, errno, "%s cannot be run in container %s", s->argv[0], s->name);
	}
	if (write(report, &e, sizeof(e)) != sizeof(e))
		_exit(126);
	_exit(127);
}

pid_t start_container(const struct start *s, const struct cgroup *cgroup,
		      struct ckpt_error *e)
{
	uint64_t flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
	struct ckpt_error from_init;
	int report[2];
	ssize_t n;
	pid_t pid;

	if (!s->net_host)
		flags |= CLONE_NEWNET;
	if (pipe2(report, O_CLOEXEC))
		return error_sys(e, errno, "no pipe can be made");
	pid = cgroup_clone(flags, cgroup, 0);
	if (pid == 0)
		init_main(s, report[1]);
	close(report[1]);
	if (pid < 0) {
		close(report[0]);
		return error_sys(e, -pid, "container %s cannot be made", s->name);
	}
	do {
		n = read(report[0], &from_init, sizeof(from_init));
	} while (n < 0 && errno == EINTR);
	close(report[0]);
	if (n == 0)
		return pid;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof(from_init))
		return error_set(e, EIO, "container %s ended before it began", s->name);
	*e = from_init;
	return -from_init.err;
}
