// SPDX-License-Identifier: GPL-2.0-only
/* Processes that are asleep in a call on a connection, which then goes on. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tcps.h"

#define BIG (8 << 20)

static bool is_wake(const char *got, ssize_t n)
{
	return n == 5 && !memcmp(got, "wake!", 5);
}

static int by_read(int fd)
{
	char got[16];

	return !is_wake(got, read(fd, got, sizeof(got)));
}

static int by_recv_timed(int fd)
{
	struct timeval tv = { 1000, 0 };
	char got[16];

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)))
		return 2;
	return !is_wake(got, recv(fd, got, sizeof(got), 0));
}

/* it may come back with the part that is there */
static int by_recv_all(int fd)
{
	char got[5];

	for (size_t at = 0; at < sizeof(got);) {
		ssize_t n = recv(fd, got + at, sizeof(got) - at, MSG_WAITALL);

		if (n <= 0)
			return 2;
		at += n;
	}
	return !is_wake(got, 5);
}

static int by_poll(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, -1) != 1 || p.revents != POLLIN)
		return 2;
	return by_read(fd);
}

static int by_select(int fd)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	if (select(fd + 1, &set, NULL, NULL, NULL) != 1)
		return 2;
	return by_read(fd);
}

static int by_epoll(int fd)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.u64 = 0x123456789a };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		return 2;
	e.data.u64 = 0;
	if (epoll_wait(epoll, &e, 1, -1) != 1 || e.events != EPOLLIN || e.data.u64 != 0x123456789a)
		return 3;
	return by_read(fd);
}

static int by_splice(int fd)
{
	char got[16];
	int p[2];

	if (pipe2(p, O_CLOEXEC) || splice(fd, NULL, p[1], NULL, sizeof(got), 0) != 5)
		return 2;
	return !is_wake(got, read(p[0], got, sizeof(got)));
}

static const struct {
	const char *call;
	int (*run)(int fd);
} readers[] = {
	{ "read()", by_read }, { "recv() with SO_RCVTIMEO", by_recv_timed }, { "recv() with MSG_WAITALL", by_recv_all },
	{ "splice()", by_splice }, { "poll()", by_poll }, { "select()", by_select }, { "epoll_wait()", by_epoll },
};

#define NR_READERS (sizeof(readers) / sizeof(readers[0]))

static struct {
	pid_t pid;
	int fd;
} reading[NR_READERS][2], accepting[NR_KINDS], writing[2][2], lingering, polling, crew[3];
static uint32_t lingers, polls;

static int run_accept(int fd)
{
	int c = accept(fd, NULL, NULL);

	return c < 0 || by_read(c) || !says(c, "thanks");
}

/* its limit is far away */
static int run_accept_timed(int fd)
{
	struct timeval tv = { 1000, 0 };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) || run_accept(fd);
}

/* one call, as long as nothing comes between */
static int run_write(int fd)
{
	char *bytes = malloc(BIG);

	if (!bytes)
		return 2;
	stream(bytes, BIG, 100, 0);
	for (size_t at = 0; at < BIG;) {
		ssize_t n = write(fd, bytes + at, BIG - at);

		if (n <= 0)
			return 3;
		at += n;
	}
	return !!shutdown(fd, SHUT_WR);
}

/* the same from a file, with a time limit that is far away */
static int run_sendfile(int fd)
{
	struct timeval tv = { 1000, 0 };
	char *bytes = malloc(BIG);
	int from = memfd_create("sent", MFD_CLOEXEC);

	if (!bytes || from < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)))
		return 2;
	stream(bytes, BIG, 100, 0);
	if (write(from, bytes, BIG) != BIG || lseek(from, 0, SEEK_SET))
		return 3;
	free(bytes);
	for (size_t at = 0; at < BIG;) {
		ssize_t n = sendfile(fd, from, NULL, BIG - at);

		if (n <= 0)
			return 4;
		at += n;
	}
	return !!shutdown(fd, SHUT_WR);
}

/* everything of it is on its way when it is closed, and that waits for it */
static int run_close(int fd)
{
	struct linger linger = { 1, 1000 };

	/* until it is the only one who has it */
	raise(SIGSTOP);
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)))
		return 2;
	return !!close(fd);
}

static int run_pollout(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, -1) != 1 || p.revents != POLLOUT || !says(fd, "at last") || shutdown(fd, SHUT_WR);
}

static void prepare_readers(void)
{
	for (size_t i = 0; i < NR_READERS; i++) {
		for (int kind = IPV4; kind <= IPV6; kind++) {
			struct conn c = joined(kind);

			reading[i][kind].pid = spawn(readers[i].run, kind ? c.a : c.b);
			reading[i][kind].fd = kind ? c.b : c.a;
			close(kind ? c.a : c.b);
			if (readers[i].run == by_recv_all)
				need(says(reading[i][kind].fd, "wa"));
		}
	}
}

static void prepare_writers(void)
{
	for (int kind = IPV4; kind <= IPV6; kind++) {
		struct conn c = joined(kind);

		for (int i = 0; i < 2; i++) {
			writing[kind][i].fd = i ? c.b : c.a;
			writing[kind][i].pid = spawn(kind == IPV6 && i ? run_sendfile : run_write, i ? c.a : c.b);
		}
		watch_both(c, FLOWS, "a connection of %s whose ends write on", kind_names[kind]);
	}
}

void prepare_tasks(void)
{
	struct conn c;

	prepare_readers();
	prepare_writers();
	for (int kind = 0; kind < NR_KINDS; kind++) {
		accepting[kind].fd = listening(kind, 4);
		accepting[kind].pid = spawn(kind == IPV6 ? run_accept_timed : run_accept, accepting[kind].fd);
	}
	/* several who wait at one listener */
	crew[0].fd = listening(IPV4, 4);
	for (int i = 0; i < 3; i++)
		crew[i].pid = spawn(run_accept, crew[0].fd);
	c = narrow(IPV4);
	lingers = fills(c.b, 101);
	lingering.pid = spawn(run_close, c.b);
	lingering.fd = c.a;
	need(waitpid(lingering.pid, NULL, WUNTRACED) == lingering.pid);
	need(!close(c.b) && !kill(lingering.pid, SIGCONT));
	c = narrow(IPV6);
	polls = fills(c.a, 102);
	polling.pid = spawn(run_pollout, c.a);
	polling.fd = c.b;
	close(c.a);
	for (size_t i = 0; i < NR_READERS; i++)
		for (int k = 0; k < 2; k++)
			asleep(reading[i][k].pid);
	for (int kind = 0; kind < NR_KINDS; kind++)
		asleep(accepting[kind].pid);
	for (int i = 0; i < 3; i++)
		asleep(crew[i].pid);
	for (int i = 0; i < 4; i++)
		asleep(writing[i / 2][i % 2].pid);
	asleep(polling.pid);
	asleep(lingering.pid);
}

static void check_writers(void)
{
	for (int kind = IPV4; kind <= IPV6; kind++) {
		bool good = true;

		for (int i = 0; i < 2; i++)
			good &= drains(writing[kind][i].fd, 100, 0, BIG) && ends(writing[kind][i].fd);
		verdict(good, "C7", "tcps: all that was in the middle of write(), both ways, over %s", kind_names[kind]);
		for (int i = 0; i < 2; i++)
			good &= ended_well(writing[kind][i].pid);
		verdict(good, "N4 C7", "tcps: write() at both ends of %s has no error", kind_names[kind]);
	}
}

static bool lets_in(int kind, int listener)
{
	int fd = new_socket(kind, false);

	return !connects(fd, kind, port_of(listener)) && says(fd, "wake!") && hears(fd, "thanks");
}

void check_tasks(void)
{
	bool good = true;

	for (size_t i = 0; i < NR_READERS; i++)
		for (int k = 0; k < 2; k++)
			verdict(says(reading[i][k].fd, readers[i].run == by_recv_all ? "ke!" : "wake!") &&
				ended_well(reading[i][k].pid), "N4 C7", "tcps: %s of a connection of %s goes on",
				readers[i].call, kind_names[k]);
	check_writers();
	for (int kind = 0; kind < NR_KINDS; kind++)
		verdict(lets_in(kind, accepting[kind].fd) && ended_well(accepting[kind].pid), "N4 C7", "tcps: accept() of %s goes on", kind_names[kind]);
	for (int i = 0; i < 3; i++)
		good &= lets_in(IPV4, crew[0].fd);
	for (int i = 0; i < 3; i++)
		good &= ended_well(crew[i].pid);
	verdict(good, "N4 C7", "tcps: accept() of several at one listener goes on");
	verdict(drains(lingering.fd, 101, 0, lingers) && ends(lingering.fd) && ended_well(lingering.pid), "N4 C7",
		"tcps: what close() with SO_LINGER waits for");
	verdict(drains(polling.fd, 102, 0, polls) && hears(polling.fd, "at last") && ends(polling.fd) &&
		ended_well(polling.pid), "N4 C7", "tcps: poll() waits for room");
}
