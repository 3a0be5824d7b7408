// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections of TCP, both of whose ends are here, in all their states, which it checks when it is told to.
 * usage: tcps DIR [PART...]
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tcps.h"

#define ENTRY(name) { #name, prepare_##name, check_##name }

/* processes first, so that they have no descriptors of the others */
static const struct {
	const char *name;
	void (*prepare)(void), (*check)(void);
} parts[] = {
	ENTRY(talkers), ENTRY(tasks), ENTRY(kinds), ENTRY(options), ENTRY(many), ENTRY(queues), ENTRY(repaired),
	ENTRY(halves), ENTRY(orphans), ENTRY(gone), ENTRY(waiting), ENTRY(groups), ENTRY(ports), ENTRY(shares),
};

#define NR_PARTS (sizeof(parts) / sizeof(parts[0]))

static bool is_wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct rlimit limit = { 8192, 8192 };

	need(argc >= 2);
	verdict_dir(argv[1]);
	need(!setrlimit(RLIMIT_NOFILE, &limit));
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < NR_PARTS; i++)
		if (is_wanted(parts[i].name, argv + 2))
			parts[i].prepare();
	settle();
	ready();
	wait_for_check();
	check_watched();
	for (size_t i = 0; i < NR_PARTS; i++)
		if (is_wanted(parts[i].name, argv + 2))
			parts[i].check();
	verdict_end();
	for (;;)
		pause();
}
