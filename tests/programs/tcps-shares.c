// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors of connections: several of one, those of two processes, those on their way; and who watches them. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcps.h"

static struct conn doubled, forked, kept, two_processes, signalled;
static int dup_of_doubled, rights[2], called, epoll;
static pid_t child, ends_of[2];
static volatile sig_atomic_t signals;

static int run_answer(int fd)
{
	char got[16];

	/* however long it takes until he asks */
	return recv(fd, got, sizeof(got), 0) != 12 || memcmp(got, "to the child", 12) || !says(fd, "by the child");
}

static int run_a(int fd)
{
	return !hears(fd, "ping") || !says(fd, "pong") || !ends(fd);
}

static int run_b(int fd)
{
	return !says(fd, "ping") || !hears(fd, "pong");
}

static void give(int over, const int *fds, int nr)
{
	char control[CMSG_SPACE(4 * sizeof(int))] = "";
	struct iovec vec = { "take", 4 };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = CMSG_SPACE(nr * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(c), fds, nr * sizeof(int));
	need(sendmsg(over, &msg, 0) == 4);
	for (int i = 0; i < nr; i++)
		need(!close(fds[i]));
}

static bool take(int over, int *fds, int nr)
{
	char control[CMSG_SPACE(4 * sizeof(int))] = "", word[4];
	struct iovec vec = { word, 4 };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	if (recvmsg(over, &msg, MSG_DONTWAIT) != 4)
		return false;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(nr * sizeof(int)))
		return false;
	memcpy(fds, CMSG_DATA(c), nr * sizeof(int));
	return true;
}

/* one end; both ends of one, with what waits in it; a listener at which somebody waits */
static void prepare_rights(void)
{
	struct conn c = joined(IPV6);
	int listener = listening(IPV4, 2);

	need(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, rights));
	kept = joined(IPV4);
	need(says(kept.a, "one end"));
	give(rights[0], &kept.b, 1);
	need(says(c.a, "both") && says(c.b, "ends"));
	give(rights[0], (int[]){ c.a, c.b }, 2);
	called = connected(IPV4, listener);
	need(says(called, "listener"));
	give(rights[0], &listener, 1);
	watch(kept.a, EXACT, "a connection whose other end is on its way");
}

enum { LEVEL, EDGE, ROOM, NO_ROOM, SHUT, RESET, ONCE, CALLER, QUIET, NR_WATCHES };

static const char *const watches[NR_WATCHES] = {
	"data (level)", "data (edge)", "room to write", "room to write when there is none", "EPOLLRDHUP", "EPOLLERR",
	"data (EPOLLONESHOT), which were reported", "a listener at which somebody waits", "data that are not there",
};

static struct conn seen[NR_WATCHES];
static uint32_t seen_there;

static void watch_for(int which, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.u32 = which };

	need(!epoll_ctl(epoll, EPOLL_CTL_ADD, seen[which].b, &e));
}

/* what is there now, each as a bit */
static unsigned int events_now(uint32_t *events)
{
	struct epoll_event e[NR_WATCHES];
	int n = epoll_wait(epoll, e, NR_WATCHES, 0);
	unsigned int all = 0;

	for (int i = 0; i < n; i++) {
		all |= 1U << e[i].data.u32;
		if (events)
			events[e[i].data.u32] = e[i].events;
	}
	return all;
}

static void prepare_epoll(void)
{
	struct linger linger = { 1, 0 };

	epoll = epoll_create1(EPOLL_CLOEXEC);
	need(epoll >= 0);
	for (int i = 0; i < NR_WATCHES; i++)
		if (i != CALLER)
			seen[i] = i == NO_ROOM ? narrow(IPV4) : joined(i % 2 ? IPV6 : IPV4);
	seen[CALLER] = (struct conn){ -1, listening(IPV6, 2) };
	seen[CALLER].a = connected(IPV6, seen[CALLER].b);
	need(says(seen[LEVEL].a, "level") && says(seen[EDGE].a, "edge") && says(seen[ONCE].a, "once"));
	seen_there = fills(seen[NO_ROOM].b, 7);
	need(!shutdown(seen[SHUT].a, SHUT_WR));
	need(!setsockopt(seen[RESET].a, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) && !close(seen[RESET].a));
	watch_for(LEVEL, EPOLLIN);
	watch_for(EDGE, EPOLLIN | EPOLLET);
	watch_for(ROOM, EPOLLOUT | EPOLLIN);
	watch_for(NO_ROOM, EPOLLOUT | EPOLLIN);
	watch_for(SHUT, EPOLLRDHUP | EPOLLET);
	watch_for(RESET, 0);
	watch_for(ONCE, EPOLLIN | EPOLLONESHOT);
	watch_for(CALLER, EPOLLIN);
	watch_for(QUIET, EPOLLIN | EPOLLET);
	for (long long end = now_ms() + 5000; now_ms() < end && !(events_now(NULL) & 1U << RESET);)
		sleep_ms(5);
	/* until the edges are reported */
	for (int i = 0; i < 3; i++, sleep_ms(20))
		events_now(NULL);
}

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

static void prepare_signalled(void)
{
	signalled = joined(IPV4);
	need(signal(SIGIO, on_signal) != SIG_ERR && !fcntl(signalled.b, F_SETOWN, getpid()));
	need(!fcntl(signalled.b, F_SETFL, O_ASYNC));
	watch_both(signalled, EXACT, "a connection with O_ASYNC");
}

void prepare_shares(void)
{
	doubled = joined(IPV4);
	dup_of_doubled = dup(doubled.a);
	need(dup_of_doubled >= 0 && says(dup_of_doubled, "doubled"));
	watch(doubled.a, EXACT, "a connection with two descriptors");
	watch(dup_of_doubled, EXACT, "a connection with two descriptors");
	forked = joined(IPV6);
	child = spawn(run_answer, forked.b);
	watch_both(forked, EXACT, "a connection that two processes have");
	two_processes = joined(IPV4);
	prepare_rights();
	prepare_epoll();
	prepare_signalled();
}

static void check_rights(void)
{
	struct conn c;

	verdict(take(rights[1], &kept.b, 1) && hears(kept.b, "one end") && talks(kept), "C6 C7",
		"tcps: an end that is on its way");
	verdict(take(rights[1], (int *)&c, 2) && hears(c.b, "both") && hears(c.a, "ends") && talks(c), "C6 C7",
		"tcps: both ends are on their way");
	c.a = called;
	verdict(take(rights[1], &c.b, 1) && (c.b = accepts(c.b)) >= 0 && hears(c.b, "listener") && talks(c), "C6 C7",
		"tcps: a listener at which somebody waits is on its way");
}

static bool reports(int which, uint32_t events)
{
	for (long long end = now_ms() + 20000; now_ms() < end; sleep_ms(5)) {
		uint32_t now[NR_WATCHES] = { 0 };

		if (events_now(now) & 1U << which && (now[which] & events) == events)
			return true;
	}
	return false;
}

static void check_epoll(void)
{
	static const uint32_t wanted[NR_WATCHES] = {
		[LEVEL] = EPOLLIN, [ROOM] = EPOLLOUT, [RESET] = EPOLLERR | EPOLLHUP, [CALLER] = EPOLLIN,
	};
	uint32_t now[NR_WATCHES] = { 0 };

	events_now(now);
	/* an edge may be reported once more */
	for (int i = 0; i < NR_WATCHES; i++)
		verdict(now[i] == wanted[i] || (i == EDGE && now[i] == EPOLLIN) || (i == SHUT && now[i] == EPOLLRDHUP),
			"C4 C7", "tcps: epoll_wait() for %s", watches[i]);
	events_now(NULL);
	verdict(!(events_now(NULL) & (1U << EDGE | 1U << SHUT | 1U << QUIET | 1U << ONCE)), "C4 C7",
		"tcps: epoll_wait() reports no edge again");
	verdict(says(seen[EDGE].a, "!") && reports(EDGE, EPOLLIN) && says(seen[QUIET].a, "!") && reports(QUIET, EPOLLIN),
		"C4 C7", "tcps: epoll_wait() reports new data (edge)");
	verdict(drains(seen[NO_ROOM].a, 7, 0, seen_there) && reports(NO_ROOM, EPOLLOUT), "C4 C7",
		"tcps: epoll_wait() reports new room");
	verdict(!epoll_ctl(epoll, EPOLL_CTL_MOD, seen[ONCE].b, &(struct epoll_event){ EPOLLIN, { .u32 = ONCE } }) &&
		reports(ONCE, EPOLLIN), "C4 C7", "tcps: epoll_wait() is asked again (EPOLLONESHOT)");
	verdict(!close(seen[QUIET].a) && reports(QUIET, EPOLLIN), "C4 C7", "tcps: epoll_wait() reports the end (edge)");
}

void check_shares(void)
{
	int before = signals;

	verdict(hears(doubled.b, "doubled") && says(doubled.b, "one") && says(doubled.b, "two") && hears(doubled.a, "one") &&
		hears(dup_of_doubled, "two") && !fcntl(doubled.a, F_SETFL, O_NONBLOCK) &&
		fcntl(dup_of_doubled, F_GETFL) & O_NONBLOCK, "C7", "tcps: a connection with two descriptors");
	verdict(!close(doubled.a) && says(dup_of_doubled, "still") && hears(doubled.b, "still") && !close(dup_of_doubled) &&
		ends(doubled.b), "C7", "tcps: it ends with the last of them");
	verdict(says(forked.a, "to the child") && hears(forked.a, "by the child") && ended_well(child) && talks(forked), "C7",
		"tcps: a connection that two processes have");
	ends_of[0] = spawn(run_a, two_processes.a);
	ends_of[1] = spawn(run_b, two_processes.b);
	close(two_processes.a);
	close(two_processes.b);
	verdict(ended_well(ends_of[1]) && ended_well(ends_of[0]), "C7", "tcps: a connection that is left to two processes");
	check_rights();
	check_epoll();
	need(says(signalled.a, "signal"));
	for (int i = 0; i < 100 && signals == before; i++)
		sleep_ms(20);
	verdict(signals > before && hears(signalled.b, "signal") && talks(signalled), "C5 C7",
		"tcps: a connection with O_ASYNC signals data");
}
