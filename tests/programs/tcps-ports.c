// SPDX-License-Identifier: GPL-2.0-only
/* Ports that connections have: who else may have them; and sockets that are connected with themselves. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcps.h"

/* whose port it is */
enum { LISTENED, LEFT, BOUND, CHOSEN, NR_OWNERS };
/* how it was bound, and how somebody else tries to have it */
enum { PLAIN, REUSEADDR, REUSEPORT, NR_WAYS };

static const char *const owners[NR_OWNERS] = {
	"a listener with connections", "connections whose listener is gone", "a connection, by bind()",
	"a connection, by connect()",
};

static const char *const ways[NR_WAYS] = { "nothing", "SO_REUSEADDR", "SO_REUSEPORT" };

static struct {
	int listener;
	struct conn c;
	int answers[NR_WAYS];
} owned[NR_OWNERS][NR_WAYS][2];

static struct conn twice[2], selves[2];
static uint32_t self_there;
static int twice_listener, full_self;

static void give_way(int fd, int way)
{
	if (way == REUSEADDR)
		set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (way == REUSEPORT)
		set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

/* what bind() says to somebody else */
static int tries(int kind, int port, int way)
{
	int fd = new_socket(kind, false), error;
	struct sockaddr_storage a;
	socklen_t len = address_of(kind, false, port, &a);

	give_way(fd, way);
	error = bind(fd, (void *)&a, len) ? errno : 0;
	close(fd);
	return error;
}

static int bound(int kind, bool server, int port, int way)
{
	int fd = new_socket(kind, server);
	struct sockaddr_storage a;
	socklen_t len = address_of(kind, server, port, &a);

	give_way(fd, way);
	need(!bind(fd, (void *)&a, len));
	return fd;
}

static int port_owned(int owner, int way, int kind)
{
	struct conn c = owned[owner][way][kind].c;

	return port_of(owner == LISTENED || owner == LEFT ? c.b : c.a);
}

static void own(int owner, int way, int kind)
{
	int a, listener = bound(kind, true, 0, owner == LISTENED || owner == LEFT ? way : PLAIN);

	need(!listen(listener, 4));
	if (owner == BOUND)
		a = bound(kind, false, 0, way);
	else
		a = new_socket(kind, false);
	if (owner == CHOSEN)
		give_way(a, way);
	owned[owner][way][kind].c = meets(a, kind, listener);
	owned[owner][way][kind].listener = listener;
	if (owner != LISTENED)
		close(listener);
	for (int how = 0; how < NR_WAYS; how++)
		owned[owner][way][kind].answers[how] = tries(kind, port_owned(owner, way, kind), how);
}

/* two connections from one port, to two listeners; a third, to one of them, would be one of the two */
static void prepare_twice(void)
{
	int others = listening(IPV4, 4), port;

	twice_listener = listening(IPV4, 4);
	twice[0] = meets(bound(IPV4, false, 0, REUSEADDR), IPV4, twice_listener);
	port = port_of(twice[0].a);
	twice[1] = meets(bound(IPV4, false, port, REUSEADDR), IPV4, others);
	close(others);
	watch_both(twice[0], EXACT, "two connections from one port");
	watch_both(twice[1], EXACT, "two connections from one port");
}

static void prepare_selves(void)
{
	for (int kind = IPV4; kind <= IPV6; kind++) {
		int fd = bound(kind, false, 0, PLAIN);

		need(!connects(fd, kind, port_of(fd)) && says(fd, "to myself"));
		selves[kind] = (struct conn){ fd, fd };
		watch(fd, EXACT, "a socket that is connected with itself");
	}
	full_self = bound(IPV4, false, 0, PLAIN);
	set(full_self, SOL_SOCKET, SO_RCVBUF, 20000);
	set(full_self, SOL_SOCKET, SO_SNDBUF, 30000);
	need(!connects(full_self, IPV4, port_of(full_self)));
	self_there = fills(full_self, 5);
	need(!shutdown(full_self, SHUT_WR));
	watch(full_self, FLOWS, "a socket that is connected with itself, full and shut down");
}

void prepare_ports(void)
{
	for (int owner = 0; owner < NR_OWNERS; owner++)
		for (int way = 0; way < NR_WAYS; way++)
			for (int kind = IPV4; kind <= IPV6; kind++)
				own(owner, way, kind);
	prepare_twice();
	prepare_selves();
}

static bool answers_same(int owner, int way, int kind)
{
	bool same = true;

	for (int how = 0; how < NR_WAYS; how++) {
		int now = tries(kind, port_owned(owner, way, kind), how), was = owned[owner][way][kind].answers[how];

		if (now == was)
			continue;
		printf("the port of %s (with %s, %s), bound with %s: was %s, is %s\n", owners[owner], ways[way],
		       kind_names[kind], ways[how], strerror(was), strerror(now));
		same = false;
	}
	return same;
}

static void check_twice(void)
{
	int a = bound(IPV4, false, port_of(twice[0].a), REUSEADDR);

	verdict(connects(a, IPV4, port_of(twice_listener)) && errno == EADDRNOTAVAIL, "C7",
		"tcps: nobody else can be the same connection");
	verdict(talks(twice[0]) && talks(twice[1]), "C7", "tcps: two connections from one port");
	verdict(!close(twice[0].a) && ends(twice[0].b) && !close(twice[0].b) && talks(twice[1]), "C7",
		"tcps: of two connections from one port one is closed");
}

static void check_selves(void)
{
	for (int kind = IPV4; kind <= IPV6; kind++)
		verdict(hears(selves[kind].a, "to myself") && talks(selves[kind]) && !shutdown(selves[kind].a, SHUT_WR) &&
			ends(selves[kind].a) && breaks(selves[kind].a, EPIPE), "C7",
			"tcps: a socket that is connected with itself, over %s", kind_names[kind]);
	verdict(drains(full_self, 5, 0, self_there) && ends(full_self), "C7",
		"tcps: a socket that is connected with itself, full and shut down");
}

void check_ports(void)
{
	for (int owner = 0; owner < NR_OWNERS; owner++) {
		for (int way = 0; way < NR_WAYS; way++) {
			bool same = answers_same(owner, way, IPV4) & answers_same(owner, way, IPV6);

			verdict(same, "C7", "tcps: who else may bind the port of %s, with %s", owners[owner], ways[way]);
			verdict(talks(owned[owner][way][IPV4].c) && talks(owned[owner][way][IPV6].c), "C7",
				"tcps: connections at the port of %s, with %s", owners[owner], ways[way]);
		}
	}
	check_twice();
	check_selves();
}
