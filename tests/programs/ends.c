// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that close what they have, and see whether it is closed:
 *
 *	ends port FILE		binds one port again and again; the number of times goes to FILE
 *	ends writer FILE	reads a pipe that a child may write to; FILE gets the child's pid, and 0 at the end
 *	ends readers FILE	reads pipes without a writer; each round's number goes to FILE, and after it how
 *				many answers were not the end of the file
 *	ends sharer FILE	has a child that shares its descriptors, and opens and closes the first again and
 *				again; the number of times goes to FILE
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NR_PIPES 100
#define PORT 6200

/* more than fits into the pipes on an image's way: what follows it waits for its reader */
static void much_memory(void)
{
	size_t len = 8 << 20;
	char *p = malloc(len);

	if (!p)
		err(1, "no memory");
	for (size_t i = 0; i < len; i += sizeof(int))
		*(int *)(p + i) = rand();
}

/* a number of fixed width, that replaces the one before as a whole */
static void say(int fd, unsigned long round, unsigned long wrong)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%010lu %lu\n", round, wrong);

	if (pwrite(fd, text, len, 0) != len)
		err(1, "cannot write");
}

static int listener(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		err(1, "socket");
	if (bind(fd, (void *)&a, sizeof(a)) || listen(fd, 4)) {
		if (errno != EADDRINUSE)
			err(1, "port %d", PORT);
		close(fd);
		return -1;
	}
	return fd;
}

static void port(int out)
{
	unsigned long bound = 0;

	for (;;) {
		int fd = listener();

		if (fd < 0)
			continue;
		say(out, ++bound, 0);
		close(fd);
	}
}

static void writer(int out)
{
	int ends[2];
	pid_t pid;
	char byte;

	if (pipe(ends))
		err(1, "pipe");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		close(ends[0]);
		for (;;)
			pause();
	}
	close(ends[1]);
	say(out, pid, 0);
	while (read(ends[0], &byte, 1) < 0)
		;
	/* the end, as the child is dead */
	say(out, 0, 0);
	for (;;)
		pause();
}

static void readers(int out)
{
	unsigned long round = 0, wrong = 0;
	static int reader[NR_PIPES];
	char byte;

	for (int i = 0; i < NR_PIPES; i++) {
		int ends[2];

		if (pipe2(ends, O_NONBLOCK))
			err(1, "pipe");
		close(ends[1]);
		reader[i] = ends[0];
	}
	for (;;) {
		for (int i = 0; i < NR_PIPES; i++)
			wrong += read(reader[i], &byte, 1) != 0;
		say(out, ++round, wrong);
	}
}

static void sharer(int out)
{
	unsigned long round = 0;
	long pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid < 0)
		err(1, "clone");
	while (pid)
		pause();
	for (;;) {
		close(0);
		if (open("/dev/null", O_RDONLY) != 0)
			errx(1, "descriptor 0 is not free");
		say(out, ++round, 0);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc == 3 ? argv[1] : "";
	int out = argc == 3 ? open(argv[2], O_WRONLY | O_CREAT, 0600) : -1;

	if (out < 0)
		errx(2, "usage: ends port|writer|readers|sharer FILE");
	much_memory();
	if (!strcmp(what, "port"))
		port(out);
	else if (!strcmp(what, "writer"))
		writer(out);
	else if (!strcmp(what, "readers"))
		readers(out);
	else if (!strcmp(what, "sharer"))
		sharer(out);
	return 2;
}
