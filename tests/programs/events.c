// SPDX-License-Identifier: GPL-2.0-only
/*
 * signalfd, inotify and pidfd in all their states, which it checks when it is told to.
 * usage: events DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events.h"

#define NR_FILES 24

static struct noted {
	int fd, flags;
	char info[2000];
} noted[NR_FILES];
static int nr_noted;

/* but for the number of its mount or inode, which are the machine's */
static void read_info(int fd, char *info, size_t size)
{
	char path[64], line[256];
	size_t used = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	need(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "mnt_id:", 7) || !strncmp(line, "ino:", 4))
			continue;
		used += snprintf(info + used, size - used, "%s", line);
		need(used < size);
	}
	fclose(f);
}

void note_file(int fd)
{
	struct noted *n = &noted[nr_noted++];

	need(nr_noted <= NR_FILES);
	n->fd = fd;
	n->flags = fcntl(fd, F_GETFL);
	read_info(fd, n->info, sizeof(n->info));
}

void same_files(void)
{
	char info[sizeof(noted[0].info)];
	bool flags = true, infos = true;

	for (int i = 0; i < nr_noted; i++) {
		const struct noted *n = &noted[i];

		flags &= fcntl(n->fd, F_GETFL) == n->flags;
		read_info(n->fd, info, sizeof(info));
		if (!strcmp(info, n->info))
			continue;
		infos = false;
		printf("%d was: %s\n%d is: %s\n", n->fd, n->info, n->fd, info);
	}
	verdict(flags, "C4", "events: fcntl(F_GETFL) says the same of all");
	verdict(infos, "C4", "events: /proc/PID/fdinfo says the same of all");
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, ms);
	while (n < 0 && errno == EINTR);
	return n == 1 && p.revents & POLLIN;
}

bool gets_ready(int fd)
{
	return readable(fd, 20000);
}

bool stays_quiet(int fd)
{
	return !readable(fd, 50);
}

int main(int argc, char **argv)
{
	need(argc == 2);
	verdict_dir(argv[1]);
	need(!chdir(argv[1]));
	setvbuf(stdout, NULL, _IOLBF, 0);
	prepare_signalfds();
	prepare_inotify();
	prepare_pidfds();
	ready();
	wait_for_check();
	same_files();
	check_inotify();
	check_signalfds();
	check_pidfds();
	verdict_end();
	for (;;)
		pause();
}
