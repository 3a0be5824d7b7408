// SPDX-License-Identifier: GPL-2.0-only
/* Sockets of TCP that a checkpoint cannot take, and connections. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "refuse.h"

static int listener(struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	memset(a, 0, sizeof(*a));
	a->sin_family = AF_INET;
	a->sin_port = htons(6100);
	a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	have(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	have(!bind(fd, (void *)a, sizeof(*a)) && !listen(fd, 4));
	return fd;
}

static int connected(const struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	have(!connect(fd, (const void *)a, sizeof(*a)));
	return fd;
}

static int tcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	have(fd >= 0);
	return fd;
}

static void tcp_md5(void)
{
	struct tcp_md5sig key = { .tcpm_keylen = 6, .tcpm_key = "secret" };
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	memcpy(&key.tcpm_addr, &peer, sizeof(peer));
	have(!setsockopt(tcp_socket(), SOL_TCP, TCP_MD5SIG, &key, sizeof(key)));
}

static void tcp_repair(void)
{
	have(!setsockopt(tcp_socket(), SOL_TCP, TCP_REPAIR, &(int){ 1 }, sizeof(int)));
}

static void tcp_fastopen_key(void)
{
	have(!setsockopt(tcp_socket(), SOL_TCP, TCP_FASTOPEN_KEY, "0123456789abcdef", 16));
}

/* connect() says that all is well, and nothing has happened yet */
static void tcp_deferred(void)
{
	struct sockaddr_in a;
	int fd;

	listener(&a);
	fd = tcp_socket();
	have(!setsockopt(fd, SOL_TCP, TCP_FASTOPEN_NO_COOKIE, &(int){ 1 }, sizeof(int)));
	have(!setsockopt(fd, SOL_TCP, TCP_FASTOPEN_CONNECT, &(int){ 1 }, sizeof(int)));
	have(!connect(fd, (void *)&a, sizeof(a)));
}

/* what came is not read */
static void tcp_urgent(void)
{
	struct sockaddr_in a;
	int fd = listener(&a);

	have(send(connected(&a), "urgent", 6, MSG_OOB) == 6 && accept(fd, NULL, NULL) >= 0);
}

/* who listens has no room for another, who asks again and again */
static void tcp_being_made(void)
{
	struct sockaddr_in a;
	int fd = listener(&a);

	have(!listen(fd, 0));
	connected(&a);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	have(connect(fd, (void *)&a, sizeof(a)) < 0 && errno == EINPROGRESS);
}

/* one end thinks that it is connected, and the other waits for its first word */
static void tcp_silent(void)
{
	struct sockaddr_in a;
	int fd = listener(&a);

	have(!setsockopt(fd, SOL_TCP, TCP_DEFER_ACCEPT, &(int){ 100 }, sizeof(int)));
	connected(&a);
}

/* a packet that begins a connection is kept for who asks */
static void tcp_saved_syn(void)
{
	struct sockaddr_in a;
	int fd = listener(&a);

	have(!setsockopt(fd, SOL_TCP, TCP_SAVE_SYN, &(int){ 1 }, sizeof(int)));
	connected(&a);
	have(accept(fd, NULL, NULL) >= 0);
}

/* who was connected, and has not asked yet why he is not any more */
static void tcp_error(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_in a;
	int fd;

	listener(&a);
	fd = connected(&a);
	have(!connect(fd, &none, sizeof(none)));
}

/* it was never connected, and is shut down all the same */
static void tcp_shut(void)
{
	have(shutdown(tcp_socket(), SHUT_RD) && errno == ENOTCONN);
}

static const struct kind kinds[] = {
	{ "tcp-md5", tcp_md5 }, { "tcp-repair", tcp_repair }, { "tcp-fastopen-key", tcp_fastopen_key },
	{ "tcp-deferred", tcp_deferred }, { "tcp-urgent", tcp_urgent }, { "tcp-being-made", tcp_being_made },
	{ "tcp-silent", tcp_silent }, { "tcp-saved-syn", tcp_saved_syn }, { "tcp-error", tcp_error },
	{ "tcp-shut", tcp_shut },
};

const struct kind *find_tcp_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}
