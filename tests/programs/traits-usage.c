// SPDX-License-Identifier: GPL-2.0-only
/* What a process has used, as clocks, times(2), getrusage(2) and /proc tell it: it goes on from there. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "traits.h"

struct usage {
	long long process, thread;	/* clocks, ns */
	struct rusage self, children;
	struct tms times;
	long long rchar, wchar, syscr;
	long long hwm, peak;		/* KiB */
	char began[64];
};

static struct usage before;

static long long ns_of(clockid_t clock)
{
	struct timespec t;

	need(!clock_gettime(clock, &t));
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long number_in(const char *path, const char *key)
{
	long long number = -1;
	char line[256];
	FILE *f = fopen(path, "r");

	need(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			number = atoll(line + strlen(key));
	fclose(f);
	return number;
}

static void take(struct usage *u)
{
	const char *p;

	memset(u, 0, sizeof(*u));
	u->hwm = number_in("/proc/self/status", "VmHWM:");
	u->peak = number_in("/proc/self/status", "VmPeak:");
	u->rchar = number_in("/proc/self/io", "rchar:");
	u->wchar = number_in("/proc/self/io", "wchar:");
	u->syscr = number_in("/proc/self/io", "syscr:");
	p = strrchr(text_of("/proc/self/stat"), ')');
	for (int i = 2; p && i < 22; i++)
		p = strchr(p + 1, ' ');
	need(p);
	snprintf(u->began, sizeof(u->began), "%.*s", (int)strcspn(p + 1, " "), p + 1);
	need(!getrusage(RUSAGE_CHILDREN, &u->children) && !getrusage(RUSAGE_SELF, &u->self));
	need(times(&u->times) != (clock_t)-1);
	u->thread = ns_of(CLOCK_THREAD_CPUTIME_ID);
	u->process = ns_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void *burn_and_end(void *unused)
{
	burn(150);
	return unused;
}

/* by this thread, one that has ended, and a child that was waited for; and memory that is gone again */
void prepare_usage(void)
{
	pthread_t thread;
	pid_t pid;
	char *p;

	need(!pthread_create(&thread, NULL, burn_and_end, NULL) && !pthread_join(thread, NULL));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		burn(150);
		_exit(0);
	}
	need(waitpid(pid, NULL, 0) == pid);
	p = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(p != MAP_FAILED);
	memset(p, 1, 24 << 20);
	need(!munmap(p, 64 << 20));
	burn(150);
	take(&before);
}

static bool same_children(const struct usage *now)
{
	return !memcmp(&before.children, &now->children, sizeof(now->children)) &&
	       before.times.tms_cutime == now->times.tms_cutime && before.times.tms_cstime == now->times.tms_cstime;
}

static bool no_less(const struct rusage *now, const struct rusage *then)
{
	return timercmp(&now->ru_utime, &then->ru_utime, >=) && timercmp(&now->ru_stime, &then->ru_stime, >=) &&
	       now->ru_minflt >= then->ru_minflt && now->ru_majflt >= then->ru_majflt &&
	       now->ru_nvcsw >= then->ru_nvcsw && now->ru_nivcsw >= then->ru_nivcsw &&
	       now->ru_maxrss >= then->ru_maxrss;
}

void check_usage(void)
{
	struct usage now;

	take(&now);
	verdict(now.process >= before.process, "T4", "traits: the clock of a process's CPU time does not jump back");
	verdict(now.thread >= before.thread, "T4", "traits: nor that of a thread");
	verdict(now.times.tms_utime >= before.times.tms_utime && now.times.tms_stime >= before.times.tms_stime, "T4",
		"traits: nor what times() tells");
	verdict(no_less(&now.self, &before.self), "T4", "traits: nor what getrusage() tells");
	verdict(same_children(&now), "T4", "traits: what its children have used");
	verdict(now.rchar >= before.rchar && now.wchar >= before.wchar && now.syscr >= before.syscr, "T4",
		"traits: the counts in /proc/self/io do not jump back");
	verdict(now.hwm >= before.hwm && now.peak >= before.peak, "T4",
		"traits: the most memory that it had (VmHWM, VmPeak)");
	verdict(!strcmp(now.began, before.began), "T7", "traits: when it began");
}
