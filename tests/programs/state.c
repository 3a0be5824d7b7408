// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program with as many kinds of state as can be had in one, which it checks
 * when it is told to.  usage: state DIR
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state.h"

/* more stack than the checks need, so that its mapping does not grow meanwhile */
static void grow_stack(void)
{
	volatile char room[300000];

	for (size_t i = 0; i < sizeof(room); i += 1000)
		room[i] = 1;
}

int main(int argc, char **argv)
{
	struct rlimit limit = { 500, 600 };

	need(argc >= 2);
	verdict_dir(argv[1]);
	need(!chdir(argv[1]));
	umask(027);
	need(!setrlimit(RLIMIT_NOFILE, &limit));
	setenv("LATE", "not in /proc/self/environ", 1);
	grow_stack();
	/* before there are threads and descriptors, which children would have, too */
	prepare_processes();
	prepare_memory();
	prepare_files();
	prepare_pipes();
	prepare_events();
	prepare_sockets();
	prepare_sleeps();
	prepare_signals();
	capture();
	ready();
	wait_for_check();
	capture_verdicts();
	check_sleeps();
	check_memory();
	check_files();
	check_pipes();
	check_events();
	check_sockets();
	check_processes();
	check_signals();
	verdict(!strcmp(getenv("LATE"), "not in /proc/self/environ"), "S10", "state: environment");
	verdict_end();
	for (;;)
		pause();
}
