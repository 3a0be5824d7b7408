// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers that the setting of the wall clock concerns, or not.  With DIR/jumped the
 * clock was set meanwhile.  usage: clocks DIR
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "verdict.h"

#define HOUR 3600
#define NEVER 2000000000L		/* seconds since 1970 */

/* told of a change that was read; that was not; armed for nothing else */
static int told, untold, idle;
/* relative, on the wall clock; when it expires, on the monotonic clock in ms */
static int relative;
static long long deadline;

static int timer(int flags, time_t sec)
{
	struct itimerspec its = { .it_value.tv_sec = sec };
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	need(fd >= 0 && !timerfd_settime(fd, flags, &its, NULL));
	return fd;
}

static void set_clock(void)
{
	struct timespec now;

	need(!clock_gettime(CLOCK_REALTIME, &now) && !clock_settime(CLOCK_REALTIME, &now));
}

/* 0, or the errno of a read */
static int state(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? 0 : errno;
}

static void prepare(void)
{
	const int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;

	told = timer(flags, NEVER);
	untold = timer(flags, NEVER);
	idle = timer(flags, 0);
	relative = timer(0, HOUR);
	deadline = now_ms() + HOUR * 1000LL;
	set_clock();
	need(state(told) == ECANCELED && state(told) == EAGAIN);
	need(state(idle) == ECANCELED);
}

static void check(bool jumped)
{
	struct itimerspec its;
	long long off;

	verdict_eq(state(untold), ECANCELED, "T4 K35", "clocks: that the clock was set has still to be told");
	verdict_eq(state(untold), EAGAIN, "T4 K35", "clocks: and once");
	verdict_eq(state(told), jumped ? ECANCELED : EAGAIN, "T4 K35", "clocks: nothing else is told before it is set again");
	verdict_eq(state(idle), jumped ? ECANCELED : EAGAIN, "T4 K35", "clocks: nor to who waits for nothing else");
	need(!timerfd_gettime(relative, &its));
	off = deadline - now_ms() - its.it_value.tv_sec * 1000LL;
	verdict(llabs(off) < 600 * 1000, "T4 K35", "clocks: a relative time is as long as it was");
}

int main(int argc, char **argv)
{
	need(argc == 2);
	verdict_dir(argv[1]);
	prepare();
	ready();
	wait_for_check();
	check(!access(in_dir("jumped"), F_OK));
	verdict_end();
	for (;;)
		pause();
}
