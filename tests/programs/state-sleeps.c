// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that sleep with a timeout in a system call, again and again.  A sleep
 * must take its time, must end with its own result, and must not begin anew when
 * its task is frozen or restarted.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "state.h"

#define SLEEP_MS 3000
#define SLACK_MS 2000			/* emulation on a busy machine is slow */

struct sleeper {
	const char *name;
	long (*sleep)(void);		/* for SLEEP_MS; not 0: the wrong result */
	pthread_t thread;
	long long began, ended;		/* the last sleep */
	int wrong, early;
};

static long long check_began;
static volatile bool checking;
static uint32_t futex_word = 1, futex_waited = 1;

static const struct timespec period = { SLEEP_MS / 1000, 0 };

static long sleep_nanosleep(void)
{
	return syscall(SYS_nanosleep, &period, NULL);
}

static long sleep_clock(void)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += period.tv_sec;
	return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static long sleep_poll(void)
{
	return poll(NULL, 0, SLEEP_MS);
}

static long sleep_futex(void)
{
	long ret = syscall(SYS_futex, &futex_word, FUTEX_WAIT, 1, &period, NULL, 0);

	return !(ret == -1 && errno == ETIMEDOUT);
}

static long sleep_futex_bitset(void)
{
	struct timespec until;
	long ret;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += period.tv_sec;
	ret = syscall(SYS_futex, &futex_word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 1, &until, NULL,
		      FUTEX_BITSET_MATCH_ANY);
	return !(ret == -1 && errno == ETIMEDOUT);
}

static long sleep_select(void)
{
	struct timeval tv = { SLEEP_MS / 1000, 0 };

	return select(0, NULL, NULL, NULL, &tv);
}

static struct sleeper sleepers[] = {
	{ "nanosleep", sleep_nanosleep },
	{ "clock_nanosleep with an absolute time", sleep_clock },
	{ "poll", sleep_poll },
	{ "futex", sleep_futex },
	{ "futex with a bit set", sleep_futex_bitset },
	{ "select", sleep_select },
};

#define NR_SLEEPERS (sizeof(sleepers) / sizeof(sleepers[0]))

static pthread_t waiter;

static void *sleeper_main(void *arg)
{
	struct sleeper *s = arg;

	while (!checking) {
		s->began = now_ms();
		if (s->sleep())
			s->wrong++;
		s->ended = now_ms();
		if (s->ended - s->began < SLEEP_MS - 1)
			s->early++;
	}
	return NULL;
}

/* without a timeout, until it is woken */
static void *waiter_main(void *unused)
{
	(void)unused;
	return (void *)syscall(SYS_futex, &futex_waited, FUTEX_WAIT, 1, NULL, NULL, 0);
}

void prepare_sleeps(void)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (size_t i = 0; i < NR_SLEEPERS; i++)
		need(!pthread_create(&sleepers[i].thread, NULL, sleeper_main, &sleepers[i]));
	need(!pthread_create(&waiter, NULL, waiter_main, NULL));
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void check_sleeper(struct sleeper *s)
{
	long long due = s->began + SLEEP_MS > check_began ? s->began + SLEEP_MS : check_began;

	verdict(!s->wrong, "S4", "state: %s: ends with its own result", s->name);
	verdict(!s->early, "T4", "state: %s: takes its time", s->name);
	/* the kernel has no deadline of a select(), only what is left when it was interrupted */
	if (s->sleep == sleep_select)
		return;
	verdict(s->ended <= due + SLACK_MS, "T4", "state: %s: does not begin anew", s->name);
}

void check_sleeps(void)
{
	void *ret = (void *)1;

	check_began = now_ms();
	checking = true;
	for (size_t i = 0; i < NR_SLEEPERS; i++) {
		pthread_join(sleepers[i].thread, NULL);
		check_sleeper(&sleepers[i]);
	}
	__atomic_store_n(&futex_waited, 2, __ATOMIC_SEQ_CST);
	verdict_eq(syscall(SYS_futex, &futex_waited, FUTEX_WAKE, INT_MAX, NULL, NULL, 0), 1, "T5",
		   "state: a futex has its waiter");
	verdict(!pthread_join(waiter, &ret) && !ret, "T5", "state: a futex wakes its waiter");
}
