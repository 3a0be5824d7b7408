// SPDX-License-Identifier: GPL-2.0-only
/* eventfd, timerfd, epoll. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "state.h"

#define HOUR 3600

static int counter, semaphore, absolute, relative, expired, ticking, disarmed;
static int watcher, watched[2], once, edge;
static int silent, hung[2];
static bool has_polling;

/* Linux 6.9, in no header of Debian's C library */
static const struct polling {
	uint32_t usecs;
	uint16_t budget;
	uint8_t prefer, pad;
} polling = { 50, 16, 1, 0 };
#define SET_POLLING _IOW(0x8A, 0x01, struct polling)
#define GET_POLLING _IOR(0x8A, 0x02, struct polling)

/* what fdinfo says of the watches of 'watcher' and 'silent' */
#define NR_WATCHES 16
static struct watch_info {
	int fd;
	unsigned int events;
	unsigned long long data;
} before[NR_WATCHES];
static int nr_before;

static int timer(clockid_t clock, int flags, time_t sec, long nsec, long interval_nsec)
{
	struct itimerspec its = { { 0, interval_nsec }, { sec, nsec } };
	int fd = timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC);

	need(fd >= 0 && !timerfd_settime(fd, flags, &its, NULL));
	return fd;
}

static void watch(int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	need(!epoll_ctl(watcher, EPOLL_CTL_ADD, fd, &event));
}

static int by_fd(const void *p, const void *q)
{
	return ((const struct watch_info *)p)->fd - ((const struct watch_info *)q)->fd;
}

/* their number; -1: there are too many */
static int read_watches(struct watch_info *w)
{
	const int files[] = { watcher, silent };
	char path[64], line[256];
	int n = 0, i;

	for (i = 0; i < 2; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", files[i]);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f) && n < NR_WATCHES)
			n += sscanf(line, "tfd: %d events: %x data: %llx", &w[n].fd, &w[n].events, &w[n].data) == 3;
		if (f)
			fclose(f);
	}
	qsort(w, n, sizeof(*w), by_fd);
	return n < NR_WATCHES ? n : -1;
}

/* a watch that has fired, of a file that has hung up since: nothing is said of it any more */
static void prepare_silent(void)
{
	struct epoll_event event = { EPOLLIN | EPOLLONESHOT, { .u64 = 0x5555 } };

	silent = epoll_create1(0);
	need(silent >= 0 && !pipe(hung) && !epoll_ctl(silent, EPOLL_CTL_ADD, hung[0], &event));
	need(write(hung[1], "x", 1) == 1 && epoll_wait(silent, &event, 1, 0) == 1);
	close(hung[1]);
	need(epoll_wait(silent, &event, 1, 0) == 0);
	has_polling = !ioctl(silent, SET_POLLING, &polling);
}

static void prepare_epoll(void)
{
	struct epoll_event event[4];

	watcher = epoll_create1(EPOLL_CLOEXEC);
	once = eventfd(1, EFD_NONBLOCK);
	edge = eventfd(1, EFD_NONBLOCK);
	need(watcher >= 0 && once >= 0 && edge >= 0 && !pipe(watched));
	watch(once, EPOLLIN | EPOLLONESHOT, 0x0123456789abcdef);
	watch(edge, EPOLLIN | EPOLLET, 0xfedcba9876543210);
	/* both are reported once and then no more */
	need(epoll_wait(watcher, event, 4, 0) == 2 && epoll_wait(watcher, event, 4, 0) == 0);
	watch(watched[0], EPOLLIN, 0x1111);
	watch(watched[1], EPOLLOUT | EPOLLRDHUP, 0x2222);
	watch(relative, EPOLLIN, 0x3333);
	prepare_silent();
	nr_before = read_watches(before);
	need(nr_before == 6);
}

void prepare_events(void)
{
	counter = eventfd(5, EFD_NONBLOCK);
	semaphore = eventfd(3, EFD_NONBLOCK | EFD_SEMAPHORE);
	need(counter >= 0 && semaphore >= 0);
	absolute = timer(CLOCK_REALTIME, TFD_TIMER_ABSTIME, time(NULL) + HOUR, 0, 0);
	relative = timer(CLOCK_MONOTONIC, 0, HOUR, 0, 7000000);
	expired = timer(CLOCK_MONOTONIC, 0, 0, 1000000, 0);
	ticking = timer(CLOCK_BOOTTIME, 0, 0, 100000000, 100000000);
	disarmed = timer(CLOCK_MONOTONIC, 0, 0, 0, 0);
	prepare_epoll();
	sleep_ms(20);
	/* it ticks no more until it is read: what fdinfo says of it stays */
	need(poll(&(struct pollfd){ .fd = ticking, .events = POLLIN }, 1, -1) == 1);
}

static uint64_t number(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void check_timers(void)
{
	struct itimerspec its;
	struct pollfd poll_ticking = { .fd = ticking, .events = POLLIN };
	long long end = now_ms() + 3000;
	int nr;

	timerfd_gettime(absolute, &its);
	verdict(its.it_value.tv_sec > HOUR - 3000 && its.it_value.tv_sec < HOUR && !its.it_interval.tv_nsec, "T4",
		"state: a timerfd with an absolute time");
	timerfd_gettime(relative, &its);
	verdict(its.it_value.tv_sec > HOUR - 3000 && its.it_value.tv_sec < HOUR && its.it_interval.tv_nsec == 7000000,
		"T4", "state: a timerfd with a relative time and an interval");
	verdict_eq(number(expired), 1, "T4", "state: a timerfd that has expired");
	verdict(number(expired) == 0 && errno == EAGAIN, "T4", "state: a timerfd that has expired does so once");
	timerfd_gettime(disarmed, &its);
	verdict(!its.it_value.tv_sec && !its.it_value.tv_nsec, "T4", "state: a timerfd that is not armed");
	number(ticking);
	/* shorter than the period of SIGALRM */
	while (!(nr = poll(&poll_ticking, 1, 200)) || (nr < 0 && errno == EINTR))
		if (now_ms() > end)
			break;
	verdict(nr == 1 && number(ticking) > 0, "T4", "state: a timerfd ticks on");
}

static bool reported(const struct epoll_event *events, int n, uint64_t data, uint32_t mask)
{
	for (int i = 0; i < n; i++)
		if (events[i].data.u64 == data && events[i].events == mask)
			return true;
	return false;
}

static void check_epoll(void)
{
	struct epoll_event events[8], again = { EPOLLIN, { .u64 = 0x4444 } };
	int n;

	/* an edge may be reported once more after a restart, as after a late look */
	epoll_wait(watcher, events, 8, 0);
	n = epoll_wait(watcher, events, 8, 0);
	verdict(n == 1 && reported(events, n, 0x2222, EPOLLOUT), "C4", "state: epoll reports what is ready and that alone");
	need(write(watched[1], "x", 1) == 1);
	need(write(edge, &(uint64_t){ 1 }, 8) == 8);
	n = epoll_wait(watcher, events, 8, 0);
	verdict(n == 3 && reported(events, n, 0x1111, EPOLLIN) && reported(events, n, 0x2222, EPOLLOUT) &&
		reported(events, n, 0xfedcba9876543210, EPOLLIN), "C4", "state: epoll reports what becomes ready");
	verdict(!epoll_ctl(watcher, EPOLL_CTL_MOD, once, &again), "C4", "state: a one-shot watch is there");
	n = epoll_wait(watcher, events, 8, 0);
	verdict(reported(events, n, 0x4444, EPOLLIN), "C4", "state: a one-shot watch can be armed again");
	verdict(epoll_ctl(watcher, EPOLL_CTL_ADD, watched[0], &again) == -1 && errno == EEXIST, "C4",
		"state: a watched descriptor cannot be added again");
}

static void check_watches(void)
{
	struct watch_info now[NR_WATCHES] = { 0 };
	struct polling is = { 0 };

	verdict(read_watches(now) == nr_before && !memcmp(before, now, sizeof(before)), "C4",
		"state: /proc/PID/fdinfo says the same of all watches");
	if (!has_polling)
		return;
	verdict(!ioctl(silent, GET_POLLING, &is) && !memcmp(&is, &polling, sizeof(is)), "C4",
		"state: how an epoll file polls busily");
}

static void check_silent(void)
{
	struct epoll_event event = { EPOLLIN | EPOLLONESHOT, { .u64 = 0x5555 } };

	verdict_eq(epoll_wait(silent, &event, 1, 0), 0, "C4",
		   "state: a one-shot watch that has fired says nothing of a hang-up");
	event = (struct epoll_event){ EPOLLIN | EPOLLONESHOT, { .u64 = 0x6666 } };
	verdict(!epoll_ctl(silent, EPOLL_CTL_MOD, hung[0], &event) && epoll_wait(silent, &event, 1, 0) == 1 &&
		event.events == (EPOLLIN | EPOLLHUP) && event.data.u64 == 0x6666, "C4",
		"state: and says it when it is armed again");
}

void check_events(void)
{
	verdict_eq(number(counter), 5, "C4", "state: an eventfd's number");
	verdict_eq(number(counter), 0, "C4", "state: an eventfd is empty then");
	verdict(number(semaphore) == 1 && number(semaphore) == 1 && number(semaphore) == 1 && !number(semaphore),
		"C4", "state: an eventfd that is a semaphore");
	check_timers();
	check_watches();
	check_epoll();
	check_silent();
}
