// SPDX-License-Identifier: GPL-2.0-only
/* Sockets that listen or are bound. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "state.h"

struct option {
	int level, name, value;
};

static const struct option options[] = {
	{ SOL_SOCKET, SO_REUSEADDR, 1 },
	{ SOL_SOCKET, SO_KEEPALIVE, 1 },
	{ SOL_SOCKET, SO_RCVBUF, 50000 },
	{ SOL_SOCKET, SO_SNDBUF, 60000 },
	{ SOL_TCP, TCP_NODELAY, 1 },
	{ SOL_TCP, TCP_KEEPIDLE, 77 },
	{ SOL_TCP, TCP_KEEPINTVL, 11 },
	{ SOL_TCP, TCP_KEEPCNT, 3 },
	{ SOL_TCP, TCP_USER_TIMEOUT, 12345 },
};

#define NR_OPTIONS (sizeof(options) / sizeof(options[0]))

static int tcp4, tcp6, udp4, udp6, unix_path, unix_abstract, unix_dgram, unbound;
static int values[NR_OPTIONS];

static socklen_t unix_address(struct sockaddr_un *a, const char *name, bool abstract)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	strcpy(a->sun_path + abstract, name);
	return offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1;
}

static int bound(int family, int type, const void *address, socklen_t len)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	need(fd >= 0 && !bind(fd, address, len));
	return fd;
}

static int inet(int family, int type, int port)
{
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	return family == AF_INET ? bound(family, type, &a4, sizeof(a4)) : bound(family, type, &a6, sizeof(a6));
}

static int get_option(const struct option *o)
{
	socklen_t len = sizeof(int);
	int value = -1;

	getsockopt(tcp4, o->level, o->name, &value, &len);
	return value;
}

static void prepare_unix(void)
{
	struct sockaddr_un a;
	socklen_t len;

	len = unix_address(&a, in_dir("socket"), false);
	unix_path = bound(AF_UNIX, SOCK_STREAM, &a, len);
	len = unix_address(&a, "ckpt-state", true);
	unix_abstract = bound(AF_UNIX, SOCK_SEQPACKET, &a, len);
	len = unix_address(&a, in_dir("datagrams"), false);
	unix_dgram = bound(AF_UNIX, SOCK_DGRAM, &a, len);
	need(!listen(unix_path, 3) && !listen(unix_abstract, 4));
}

void prepare_sockets(void)
{
	tcp4 = inet(AF_INET, SOCK_STREAM, 6001);
	tcp6 = inet(AF_INET6, SOCK_STREAM, 6002);
	udp4 = inet(AF_INET, SOCK_DGRAM, 6003);
	udp6 = inet(AF_INET6, SOCK_DGRAM, 6004);
	for (size_t i = 0; i < NR_OPTIONS; i++)
		need(!setsockopt(tcp4, options[i].level, options[i].name, &options[i].value, sizeof(int)));
	for (size_t i = 0; i < NR_OPTIONS; i++)
		values[i] = get_option(&options[i]);
	need(!listen(tcp4, 5) && !listen(tcp6, 6) && !fcntl(tcp6, F_SETFL, O_NONBLOCK));
	unbound = socket(AF_INET, SOCK_STREAM, 0);
	need(unbound >= 0);
	prepare_unix();
}

/* somebody connects to it, and a word goes each way */
static bool serves(int listener)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	char word[8] = "";
	int client, server, type = 0;
	bool good;

	getsockopt(listener, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){ sizeof(type) });
	if (getsockname(listener, (void *)&a, &len))
		return false;
	client = socket(a.ss_family, type, 0);
	if (connect(client, (void *)&a, len))
		return false;
	/* the one that does not block may have to wait for the last packet of three */
	poll(&(struct pollfd){ .fd = listener, .events = POLLIN }, 1, 10000);
	server = accept(listener, NULL, NULL);
	good = write(client, "ask", 3) == 3 && read(server, word, 8) == 3 && !strcmp(word, "ask") &&
		write(server, "reply", 5) == 5 && read(client, word, 8) == 5 && !strcmp(word, "reply");
	close(client);
	close(server);
	return good;
}

static bool receives(int fd)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	char word[8] = "";
	int client;
	bool good;

	if (getsockname(fd, (void *)&a, &len))
		return false;
	client = socket(a.ss_family, SOCK_DGRAM, 0);
	good = sendto(client, "gram", 4, 0, (void *)&a, len) == 4 && recv(fd, word, 8, 0) == 4 &&
		!strcmp(word, "gram");
	close(client);
	return good;
}

static void check_options(void)
{
	bool same = true;

	for (size_t i = 0; i < NR_OPTIONS; i++)
		same &= get_option(&options[i]) == values[i];
	verdict(same, "C7", "state: options of a socket");
	verdict(fcntl(tcp6, F_GETFL) & O_NONBLOCK, "C7", "state: a socket that does not block");
}

void check_sockets(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(6001),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	verdict(serves(tcp4), "C7", "state: a listening socket of IPv4");
	verdict(serves(tcp6), "C7", "state: a listening socket of IPv6");
	verdict(receives(udp4), "C7", "state: UDP over IPv4");
	verdict(receives(udp6), "C7", "state: UDP over IPv6");
	check_options();
	verdict(!connect(unbound, (void *)&to, sizeof(to)), "C7", "state: a socket that was not bound connects");
	verdict(serves(unix_path), "C6", "state: a listening unix socket with a path");
	verdict(serves(unix_abstract), "C6", "state: a listening unix socket with an abstract name");
	verdict(receives(unix_dgram), "C6", "state: a unix socket of datagrams");
}
