// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process of a user who executes itself again and again; its file is root's, with the set-user-ID bit. The kernel
 * does not give it its user when somebody else has its directories, its root and where it works.
 *
 *	alone DIR	until there is DIR/stop; DIR/report says how often, and how often without its user.
 *			DIR/ready: it has begun
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "verdict.h"

#define USER 4242

static void say(unsigned long times, unsigned long without)
{
	int fd = open(in_dir("report.new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	need(fd >= 0 && dprintf(fd, "%lu %lu\n", times, without) > 0 && !close(fd));
	need(!rename(in_dir("report.new"), in_dir("report")));
}

int main(int argc, char **argv)
{
	unsigned long times = argc == 4 ? strtoul(argv[2], NULL, 10) + 1 : 0;
	unsigned long without = argc == 4 ? strtoul(argv[3], NULL, 10) + (geteuid() != 0) : 0;
	char first[32], second[32];

	if (argc != 2 && argc != 4)
		errx(2, "usage: alone DIR");
	verdict_dir(argv[1]);
	if (!times)
		ready();
	if (!geteuid() && !access(in_dir("stop"), F_OK)) {
		say(times, without);
		for (;;)
			pause();
	}
	need(geteuid() || !setresuid(USER, USER, USER));
	snprintf(first, sizeof(first), "%lu", times);
	snprintf(second, sizeof(second), "%lu", without);
	execl(argv[0], argv[0], argv[1], first, second, NULL);
	err(1, "%s", argv[0]);
}
