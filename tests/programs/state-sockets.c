// SPDX-License-Identifier: GPL-2.0-only
/* Sockets that listen or are bound. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

#define LONG_DIR "a-directory-whose-name-alone-is-longer-than-what-is-left-of-an-address-" \
		 "behind-the-name-of-the-directory-of-this-program"

static int tcp4, tcp6, udp4, udp6, unix_path, unix_abstract, unix_dgram, unbound;

/* where its file is, from the program's directory, is not what its owner called it */
static struct elsewhere {
	const char *bound, *dir, *name;
	const char *what;
	int fd;
	struct sockaddr_un address;
	socklen_t len;
} elsewhere[] = {
	{ .bound = "relative", .dir = ".", .name = "relative", .what = "a relative name" },
	{ .bound = "/jailed", .dir = "jail", .name = "jailed", .what = "a name of another root directory" },
	{ .bound = "there", .dir = LONG_DIR, .name = "there", .what = "a path longer than an address" },
	{ .bound = "first", .dir = ".", .name = "second", .what = "a name that was changed" },
};

#define NR_ELSEWHERE (sizeof(elsewhere) / sizeof(elsewhere[0]))

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

static void name_of(int fd, struct sockaddr_un *a, socklen_t *len)
{
	memset(a, 0, sizeof(*a));
	*len = sizeof(*a);
	need(!getsockname(fd, (void *)a, len));
}

static void prepare_elsewhere(void)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct sockaddr_un a;
	socklen_t len;

	need(root >= 0 && here >= 0);
	for (struct elsewhere *e = elsewhere; e < elsewhere + NR_ELSEWHERE; e++) {
		if (strcmp(e->dir, "."))
			need(!mkdir(e->dir, 0700));
		need(!chdir(e->dir) && (e->bound[0] != '/' || !chroot(".")));
		len = unix_address(&a, e->bound, false);
		e->fd = bound(AF_UNIX, SOCK_STREAM, &a, len);
		name_of(e->fd, &e->address, &e->len);
		need(!listen(e->fd, 3));
		need(!fchdir(root) && !chroot(".") && !fchdir(here));
	}
	need(!rename("first", "second"));
	need(!chown("second", 1000, 1001) && !chmod("second", 0640));
	close(root);
	close(here);
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
	prepare_elsewhere();
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

/* somebody connects to it at @a, and a word goes each way */
static bool serves_at(int listener, const struct sockaddr *a, socklen_t len)
{
	char word[8] = "";
	int client, server, type = 0;
	bool good;

	getsockopt(listener, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){ sizeof(type) });
	client = socket(a->sa_family, type, 0);
	if (connect(client, a, len)) {
		close(client);
		return false;
	}
	/* the one that does not block may have to wait for the last packet of three */
	poll(&(struct pollfd){ .fd = listener, .events = POLLIN }, 1, 10000);
	server = accept(listener, NULL, NULL);
	good = write(client, "ask", 3) == 3 && read(server, word, 8) == 3 && !strcmp(word, "ask") &&
		write(server, "reply", 5) == 5 && read(client, word, 8) == 5 && !strcmp(word, "reply");
	close(client);
	close(server);
	return good;
}

static bool serves(int listener)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	return !getsockname(listener, (void *)&a, &len) && serves_at(listener, (void *)&a, len);
}

static void check_elsewhere(void)
{
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct sockaddr_un a;
	struct stat st;
	socklen_t len;

	for (struct elsewhere *e = elsewhere; e < elsewhere + NR_ELSEWHERE; e++) {
		name_of(e->fd, &a, &len);
		verdict(len == e->len && !memcmp(&a, &e->address, sizeof(a)), "C6 K27",
			"state: a unix socket bound to %s has its address", e->what);
		len = unix_address(&a, e->name, false);
		verdict(!chdir(e->dir) && serves_at(e->fd, (void *)&a, len), "C6 K27",
			"state: a unix socket bound to %s is there", e->what);
		need(!fchdir(here));
	}
	close(here);
	verdict(!stat("second", &st) && st.st_uid == 1000 && st.st_gid == 1001 && (st.st_mode & 07777) == 0640, "C6 K10",
		"state: owner and mode of a unix socket's file");
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
	check_elsewhere();
}
