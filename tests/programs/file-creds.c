// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user who is not root, with files that say or do more for root, and with pipes
 * and sockets that are his: a child of the container's init, which gives verdicts.
 * usage: file-creds DIR
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "verdict.h"

#define USER 4242
#define GROUP 2424
#define OTHER 777

/* in what both processes share */
static struct shared {
	volatile int ready, check, done;
	int pagemap, kallsyms, as_root, reopened, pipe_owner, given_pipe, socket_owner, given_socket;
	int net_owner, unix_owner, peer, readonly, unreachable;
} *s;

static int pagemap, kallsyms, root_pagemap, pipe_ends[2], given[2], tcp, given_tcp, unix_listener, readonly, unreachable;
static char *page;
static struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0file-creds" };

#define NAME_LEN (offsetof(struct sockaddr_un, sun_path) + sizeof("\0file-creds") - 1)

/* what the file says of the page: its frame, 0 for who may not know */
static uint64_t frame_of(int fd)
{
	uint64_t entry = 0;

	*page = 1;
	if (pread(fd, &entry, sizeof(entry), (uintptr_t)page / 4096 * 8) != sizeof(entry) || !(entry >> 63))
		return ~0ull;
	return entry & ((1ull << 55) - 1);
}

/* addresses that are not zero in the first lines of /proc/kallsyms; -1: it cannot be read */
static int addresses(int fd)
{
	char text[4096], *line;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	int nr = 0;

	if (n <= 0)
		return -1;
	text[n] = 0;
	for (line = strtok(text, "\n"); line && strchr(line, ' '); line = strtok(NULL, "\n"))
		nr += strtoull(line, NULL, 16) != 0;
	return nr;
}

static bool belongs(int fd, uid_t uid, gid_t gid, mode_t mode)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_uid == uid && st.st_gid == gid && (st.st_mode & 07777) == mode;
}

static bool reopens(int fd, int flags)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags | O_NONBLOCK);
	if (again >= 0)
		close(again);
	return again >= 0;
}

/* whose is the listening socket, says /proc/net/tcp? */
static int listed_owner(void)
{
	FILE *f = fopen("/proc/net/tcp", "re");
	unsigned int port, state, uid;
	char line[300];
	int owner = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " %*d: %*8x:%x %*x:%*x %x %*x:%*x %*x:%*x %*x %u", &port, &state, &uid) == 3 &&
		    port == 6200 && state == 10)
			owner = uid;
	if (f)
		fclose(f);
	return owner;
}

static bool peer_is_me(void)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	bool good = !connect(fd, (void *)&name, NAME_LEN) && !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
		    peer.uid == USER && peer.gid == GROUP && peer.pid == getpid();

	close(fd);
	close(accept(unix_listener, NULL, NULL));
	return good;
}

/* before the child loses its rights */
static void prepare_as_root(void)
{
	root_pagemap = open("/proc/self/pagemap", O_RDONLY);
	need(root_pagemap >= 0 && !pipe(given) && !fchown(given[0], OTHER, GROUP) && !fchmod(given[0], 0640));
	given_tcp = socket(AF_INET, SOCK_STREAM, 0);
	need(given_tcp >= 0 && !fchown(given_tcp, OTHER, GROUP) && !fchmod(given_tcp, 0700));
	need(!setgroups(0, NULL) && !setresgid(GROUP, GROUP, GROUP) && !setresuid(USER, USER, USER));
	/* so that what is in /proc/self is his */
	need(!prctl(PR_SET_DUMPABLE, 1));
}

static void prepare_as_user(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(6200),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pagemap = open("/proc/self/pagemap", O_RDONLY);
	kallsyms = open("/proc/kallsyms", O_RDONLY);
	need(page != MAP_FAILED && pagemap >= 0 && kallsyms >= 0 && !pipe(pipe_ends));
	/* it may be written through this, and never again */
	readonly = open("readonly", O_RDWR | O_CREAT | O_TRUNC, 0444);
	need(readonly >= 0);
	/* and to this one he does not even get any more */
	need(!mkdir("shut", 0700));
	unreachable = open("shut/file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	need(unreachable >= 0 && !chmod("shut", 0));
	tcp = socket(AF_INET, SOCK_STREAM, 0);
	need(!setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)));
	need(!bind(tcp, (void *)&a, sizeof(a)) && !listen(tcp, 4));
	unix_listener = socket(AF_UNIX, SOCK_STREAM, 0);
	need(!bind(unix_listener, (void *)&name, NAME_LEN) && !listen(unix_listener, 4));
}

static void check_as_user(void)
{
	s->pagemap = frame_of(pagemap) == 0;
	s->as_root = frame_of(root_pagemap) != 0 && frame_of(root_pagemap) != ~0ull;
	s->kallsyms = addresses(kallsyms) == 0;
	s->reopened = reopens(pipe_ends[0], O_RDONLY) && reopens(pipe_ends[1], O_WRONLY);
	s->pipe_owner = belongs(pipe_ends[0], USER, GROUP, 0600);
	s->given_pipe = belongs(given[0], OTHER, GROUP, 0640);
	s->socket_owner = belongs(tcp, USER, GROUP, 0777);
	s->given_socket = belongs(given_tcp, OTHER, GROUP, 0700);
	s->net_owner = listed_owner() == USER;
	s->unix_owner = belongs(unix_listener, USER, GROUP, 0777);
	s->peer = peer_is_me();
	s->readonly = write(readonly, "x", 1) == 1 && !reopens(readonly, O_RDWR);
	s->unreachable = write(unreachable, "x", 1) == 1 && access("shut/file", F_OK) == -1 && errno == EACCES;
}

static void child_main(void)
{
	prepare_as_root();
	prepare_as_user();
	check_as_user();
	s->ready = 1;
	while (!s->check)
		sleep_ms(20);
	memset(&s->pagemap, 0, sizeof(*s) - offsetof(struct shared, pagemap));
	check_as_user();
	s->done = 1;
	for (;;)
		pause();
}

static void verdicts(void)
{
	verdict(s->pagemap, "T6", "a user's pagemap shows no frames");
	verdict(s->as_root, "T6", "a pagemap that root opened shows them");
	verdict(s->kallsyms, "T6", "a user's kallsyms shows no addresses");
	verdict(s->reopened, "C3", "a user opens his pipe again");
	verdict(s->pipe_owner, "C3", "a pipe belongs to whom it did");
	verdict(s->given_pipe, "C3", "a pipe that was given away keeps owner and mode");
	verdict(s->socket_owner, "C7", "a socket belongs to whom it did");
	verdict(s->given_socket, "C7", "a socket that was given away keeps owner and mode");
	verdict(s->net_owner, "C7", "/proc/net/tcp names a socket's owner");
	verdict(s->unix_owner, "C6", "a unix socket belongs to whom it did");
	verdict(s->peer, "C6", "SO_PEERCRED names who listens");
	verdict(s->readonly, "C1", "a file that may not be opened again is still open");
	verdict(s->unreachable, "C1 K10", "a file that its owner does not get to any more is still open");
}

int main(int argc, char **argv)
{
	pid_t child;

	need(argc == 2);
	verdict_dir(argv[1]);
	need(!mkdir(in_dir("user"), 0700) && !chown(in_dir("user"), USER, GROUP) && !chdir(in_dir("user")));
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(s != MAP_FAILED);
	child = fork();
	need(child >= 0);
	if (!child)
		child_main();
	while (!s->ready)
		sleep_ms(20);
	/* nothing that is wrong before is proof of anything afterwards */
	need(s->pagemap && s->kallsyms && s->reopened && s->pipe_owner && s->given_pipe && s->socket_owner);
	need(s->given_socket && s->net_owner && s->unix_owner && s->peer && s->readonly && s->unreachable);
	ready();
	wait_for_check();
	s->check = 1;
	while (!s->done)
		sleep_ms(20);
	verdicts();
	verdict_end();
	for (;;)
		pause();
}
