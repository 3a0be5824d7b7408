// SPDX-License-Identifier: GPL-2.0-only
/* Connections that wait to be accepted. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcps.h"

/* in this order */
enum { SILENT, TALKING, GONE, SHUT, RESET, FULL, RESET_AFTER, LAST, NR_CALLERS };

static const char *const callers[NR_CALLERS] = {
	"has said nothing", "has spoken", "has spoken and is gone", "has spoken and shut down its end", "was reset",
	"has more to say than fits", "has spoken and was reset", "is the last",
};

static struct {
	int listener, fds[NR_CALLERS], ports[NR_CALLERS];
	uint32_t there;
} queue[NR_KINDS];

/* with room for one more, and with none */
static struct {
	int listener, fds[5];
} crowd[2];

static int changed, heirs[2], shut;

static void resets(int fd)
{
	struct linger linger = { 1, 0 };

	need(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) && !close(fd));
}

static void call(int kind, int caller, int fd)
{
	if (caller == FULL)
		queue[kind].there = fills(fd, 1);
	else if (caller != SILENT && caller != RESET)
		need(says(fd, callers[caller]));
	if (caller == GONE)
		need(!close(fd));
	if (caller == SHUT)
		need(!shutdown(fd, SHUT_WR));
	if (caller == RESET || caller == RESET_AFTER)
		resets(fd);
	else if (caller != GONE)
		watch(fd, caller == FULL ? FLOWS : EXACT, "connections to who has not accepted them");
}

static void prepare_queue(int kind)
{
	int listener = listening(kind, NR_CALLERS + 2);

	set(listener, SOL_SOCKET, SO_RCVBUF, 20000);
	queue[kind].listener = listener;
	watch(listener, EXACT, "listeners with who waits to be accepted");
	for (int caller = 0; caller < NR_CALLERS; caller++) {
		int fd = new_socket(kind, false);

		set(fd, SOL_SOCKET, SO_SNDBUF, 30000);
		need(!connects(fd, kind, port_of(listener)));
		queue[kind].fds[caller] = fd;
		queue[kind].ports[caller] = port_of(fd);
		call(kind, caller, fd);
	}
}

/* who comes has what the listener had then, not what it has now */
static void prepare_heirs(void)
{
	changed = listening(IPV4, 4);
	set(changed, SOL_TCP, TCP_NODELAY, 1);
	set(changed, SOL_IP, IP_TOS, 0x10);
	set(changed, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(changed, SOL_TCP, TCP_KEEPIDLE, 77);
	set(changed, SOL_SOCKET, SO_SNDBUF, 55555);
	heirs[0] = connected(IPV4, changed);
	/* it is there, not only on its way */
	need(says(heirs[0], "heir") && happens(changed, POLLIN));
	set(changed, SOL_TCP, TCP_NODELAY, 0);
	set(changed, SOL_IP, IP_TOS, 0);
	set(changed, SOL_SOCKET, SO_KEEPALIVE, 0);
	set(changed, SOL_TCP, TCP_KEEPIDLE, 99);
	set(changed, SOL_SOCKET, SO_SNDBUF, 66666);
	heirs[1] = connected(IPV4, changed);
	need(says(heirs[1], "heir"));
	watch(changed, EXACT, "a listener that was changed");
}

void prepare_waiting(void)
{
	for (int kind = 0; kind < NR_KINDS; kind++)
		prepare_queue(kind);
	/* one more than their number is let in */
	for (int i = 0; i < 2; i++) {
		crowd[i].listener = listening(IPV4, 3);
		for (int n = 0; n < 3 + i; n++) {
			crowd[i].fds[n] = connected(IPV4, crowd[i].listener);
			need(says(crowd[i].fds[n], "crowd"));
		}
		watch(crowd[i].listener, EXACT, "listeners that are full");
	}
	prepare_heirs();
	shut = listening(IPV4, 3);
	need(!close(connected(IPV4, shut)) && !shutdown(shut, SHUT_RD));
	watch(shut, BARE, "a listener that was shut down");
}

static bool is_from(int fd, int port)
{
	struct sockaddr_storage a;

	return !getpeername(fd, (void *)&a, &(socklen_t){ sizeof(a) }) && ntohs(((struct sockaddr_in *)&a)->sin_port) == port;
}

static bool is_right(int kind, int caller, int b)
{
	struct conn c = { queue[kind].fds[caller], b };
	const char *text = callers[caller];

	if (caller != RESET && caller != RESET_AFTER && !is_from(b, queue[kind].ports[caller]))
		return false;
	switch (caller) {
	case GONE:
		return hears(b, text) && ends(b) && says(b, "?") && breaks(b, EPIPE);
	case SHUT:
		return hears(b, text) && ends(b) && says(b, "answer") && hears(c.a, "answer") && !close(b) && ends(c.a);
	case RESET:
		return is_error(b, ECONNRESET) && ends(b) && breaks(b, EPIPE);
	case RESET_AFTER:
		return hears(b, text) && recv(b, (char[1]){ 0 }, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET && ends(b);
	case FULL:
		return drains(b, 1, 0, queue[kind].there) && talks(c);
	case SILENT:
		return talks(c);
	}
	return hears(b, text) && talks(c);
}

static void check_queue(int kind)
{
	int listener = queue[kind].listener;
	struct conn c;

	for (int caller = 0; caller < NR_CALLERS; caller++) {
		int b = accepts(listener);

		verdict(b >= 0 && is_right(kind, caller, b), "C7", "tcps: who waits to be accepted over %s and %s",
			kind_names[kind], callers[caller]);
	}
	verdict(quiet(listener, POLLIN), "C7", "tcps: nobody else waits to be accepted over %s", kind_names[kind]);
	c = meets(new_socket(kind, false), kind, listener);
	verdict(talks(c), "C7", "tcps: after those who waited a new one, over %s", kind_names[kind]);
}

static int tries(int listener)
{
	int fd = new_socket(IPV4, false);

	need(!fcntl(fd, F_SETFL, O_NONBLOCK) && connects(fd, IPV4, port_of(listener)) && errno == EINPROGRESS);
	return fd;
}

/* a listener has room for as many as it had: the next but that comes in when it has some again */
static bool is_crowded(int i)
{
	int listener = crowd[i].listener, n = 3 + i, outside;
	struct conn c;

	if (n == 3) {
		crowd[i].fds[n] = tries(listener);
		if (!happens(crowd[i].fds[n++], POLLOUT) || !says(crowd[i].fds[3], "crowd"))
			return false;
	}
	outside = tries(listener);
	if (!quiet(outside, POLLOUT))
		return false;
	for (int k = 0; k < n; k++) {
		c = (struct conn){ crowd[i].fds[k], accepts(listener) };
		if (c.b < 0 || !hears(c.b, "crowd") || !talks(c))
			return false;
	}
	c = (struct conn){ outside, accepts(listener) };
	return c.b >= 0 && happens(outside, POLLOUT) && talks(c);
}

static bool listens_again(void)
{
	int fd = new_socket(IPV4, false);

	return connects(fd, IPV4, port_of(shut)) && errno == ECONNREFUSED && !listen(shut, 2) &&
		talks(meets(new_socket(IPV4, false), IPV4, shut));
}

static int value(int fd, int level, int name)
{
	int n = -1;

	getsockopt(fd, level, name, &n, &(socklen_t){ sizeof(n) });
	return n;
}

static bool inherits(int i)
{
	struct conn c = { heirs[i], accepts(changed) };

	return c.b >= 0 && value(c.b, SOL_TCP, TCP_NODELAY) == !i && value(c.b, SOL_IP, IP_TOS) == (i ? 0 : 0x10) &&
		value(c.b, SOL_SOCKET, SO_KEEPALIVE) == !i && value(c.b, SOL_TCP, TCP_KEEPIDLE) == (i ? 99 : 77) &&
		value(c.b, SOL_SOCKET, SO_SNDBUF) == (i ? 2 * 66666 : 2 * 55555) && hears(c.b, "heir") && talks(c);
}

void check_waiting(void)
{
	for (int kind = 0; kind < NR_KINDS; kind++)
		check_queue(kind);
	verdict(is_crowded(0), "C7", "tcps: a listener that has room for one more");
	verdict(is_crowded(1), "C7", "tcps: a listener that has no room");
	verdict(listens_again(), "C7", "tcps: a listener that was shut down listens again");
	verdict(inherits(0), "C7", "tcps: who waits to be accepted has the listener's options of then");
	verdict(inherits(1), "C7", "tcps: and who came later those of later");
}

/* listeners that share a port (SO_REUSEPORT) */
#define GROUPS 2
#define NR_LISTENERS 3
#define NR_MEMBERS 12

static struct {
	int listeners[NR_LISTENERS], fds[2 * NR_MEMBERS];
} group[GROUPS];

void prepare_groups(void)
{
	for (int kind = 0; kind < GROUPS; kind++) {
		int port = 0;

		for (int i = 0; i < NR_LISTENERS; i++) {
			int fd = new_socket(kind, true);
			struct sockaddr_storage a;
			socklen_t len = address_of(kind, true, port, &a);

			set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
			need(!bind(fd, (void *)&a, len) && !listen(fd, 2 * NR_MEMBERS));
			port = port_of(fd);
			group[kind].listeners[i] = fd;
			watch(fd, EXACT, "listeners with SO_REUSEPORT");
		}
		for (int i = 0; i < NR_MEMBERS; i++) {
			group[kind].fds[i] = connected(kind, group[kind].listeners[0]);
			need(says(group[kind].fds[i], "member"));
		}
	}
}

/* each of these is accepted by one of the listeners, and by which counts nothing; the listener's numbers are watched */
static bool all_come(int kind, int from, int to)
{
	int nr = 0;

	for (int i = 0; i < NR_LISTENERS; i++) {
		while (!quiet(group[kind].listeners[i], POLLIN)) {
			struct conn c = { -1, accepts(group[kind].listeners[i]) };

			for (int k = from; k < to && c.b >= 0; k++)
				if (is_from(c.b, port_of(group[kind].fds[k])))
					c.a = group[kind].fds[k];
			if (c.a < 0 || !hears(c.b, "member") || !talks(c))
				return false;
			nr++;
		}
	}
	return nr == to - from;
}

void check_groups(void)
{
	for (int kind = 0; kind < GROUPS; kind++) {
		verdict(all_come(kind, 0, NR_MEMBERS), "C7", "tcps: who waits at listeners with SO_REUSEPORT, over %s",
			kind_names[kind]);
		for (int i = NR_MEMBERS; i < 2 * NR_MEMBERS; i++) {
			group[kind].fds[i] = connected(kind, group[kind].listeners[0]);
			need(says(group[kind].fds[i], "member"));
		}
		verdict(all_come(kind, NR_MEMBERS, 2 * NR_MEMBERS), "C7", "tcps: who comes to them later, over %s",
			kind_names[kind]);
	}
}
