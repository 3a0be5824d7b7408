// SPDX-License-Identifier: GPL-2.0-only
/* Who may trace whom where Yama asks for a word of it: prctl(PR_SET_PTRACER).  All are user 1000's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "traits.h"

static pid_t chosen;
static bool has_yama;

static void drop(void)
{
	need(!setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000));
	need(!prctl(PR_SET_DUMPABLE, 1));
}

static bool may_trace(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, 0))
		return false;
	need(!ptrace(PTRACE_INTERRUPT, pid, 0, 0) && waitpid(pid, &status, __WALL) == pid);
	need(!ptrace(PTRACE_DETACH, pid, 0, 0));
	return true;
}

static void chosen_one(void)
{
	drop();
	traits_ready();
	traits_wait();
	verdict_eq(may_trace(traits->traced), true, "T6", "traits: who was named by PR_SET_PTRACER may trace (K20)");
	traits_done();
}

static void another(void)
{
	drop();
	traits_ready();
	traits_wait();
	verdict_eq(may_trace(traits->traced), !has_yama, "T6", "traits: and another may not");
	verdict_eq(may_trace(traits->traced_by_all), true, "T6", "traits: where all are named, it may (K20)");
	traits_done();
}

/* sleeps on, as it is traced while the others check */
static void traced(void)
{
	drop();
	prctl(PR_SET_PTRACER, chosen, 0, 0, 0);
	traits_ready();
	traits_wait();
	traits_done();
}

static void traced_by_all(void)
{
	drop();
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	traits_ready();
	traits_wait();
	traits_done();
}

void prepare_tracers(void)
{
	has_yama = atoi(text_of("/proc/sys/kernel/yama/ptrace_scope")) == 1;
	chosen = child(chosen_one);
	traits->traced = child(traced);
	traits->traced_by_all = child(traced_by_all);
	child(another);
}
