// SPDX-License-Identifier: GPL-2.0-only
/*
 * call PID FLAGS file|pipe|socket OUT LOG - the engine's call as a program makes it
 *
 * Writes the image into a file, pipe or socket; what comes out of the other end
 * goes to the file OUT.  Prints the id, or the name of the errno, and exits 0.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checkpoint.h"

#define FREEZE 0x1000	/* of ours: FREEZE before COLLECT */

/* copy what comes until its end; in a process of its own */
static pid_t drain(int from, int other, int to)
{
	static char buf[1 << 16];
	pid_t pid = fork();
	ssize_t n;

	if (pid)
		return pid;
	close(other);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, n) != n)
			_exit(1);
	_exit(n < 0);
}

static int open_end(const char *kind, int out, pid_t *reader)
{
	int ends[2];

	if (!strcmp(kind, "file"))
		return out;
	if (!strcmp(kind, "pipe") ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		err(2, "%s", kind);
	*reader = drain(ends[0], ends[1], out);
	close(ends[0]);
	return ends[1];
}

static int collect(unsigned long flags)
{
	struct ckpt_collect_args args = {};
	uint64_t pause_ns;

	return flags & FREEZE ? checkpoint_freeze_and_collect(checkpoint_device(), "", 0, &pause_ns) :
		ioctl(checkpoint_device(), CKPT_IOC_COLLECT, &args);
}

int main(int argc, char **argv)
{
	struct ckpt_target_args target = {};
	struct ckpt_stream_args stream = {};
	unsigned long flags;
	pid_t reader = 0;
	int out, status = 0;
	long id;

	if (argc != 6)
		errx(2, "usage: call PID FLAGS file|pipe|socket OUT LOG; FLAGS: of TARGET, and 0x1000 to freeze");
	out = open(argv[4], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	target.logfd = open(argv[5], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	target.pid = atoi(argv[1]);
	flags = strtoul(argv[2], NULL, 0);
	target.flags = flags & ~FREEZE;
	stream.fd = open_end(argv[3], out, &reader);
	id = ioctl(checkpoint_device(), CKPT_IOC_TARGET, &target);
	if (id > 0 && (collect(flags) || ioctl(checkpoint_device(), CKPT_IOC_STREAM, &stream)))
		id = -1;
	printf("%s\n", id < 0 ? strerrorname_np(errno) : id > 0 ? "positive" : "zero");
	close(stream.fd);
	if (reader && (waitpid(reader, &status, 0) < 0 || status))
		errx(1, "the %s was not read to its end", argv[3]);
	return 0;
}
