// SPDX-License-Identifier: GPL-2.0-only
/* What connections are made of, and what can be done with them. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tcps.h"

#define SOME_SECONDS 20000

const char *const kind_names[NR_KINDS] = { "IPv4", "IPv6", "IPv4 in IPv6", "IPv4 at a listener of IPv6" };

static int family_of(int kind, bool server)
{
	return kind == IPV4 || (kind == MIXED && !server) ? AF_INET : AF_INET6;
}

int new_socket(int kind, bool server)
{
	int fd = socket(family_of(kind, server), SOCK_STREAM | SOCK_CLOEXEC, 0);

	need(fd >= 0);
	return fd;
}

socklen_t address_of(int kind, bool server, int port, struct sockaddr_storage *to)
{
	struct sockaddr_in6 *a6 = (void *)to;
	struct sockaddr_in *a4 = (void *)to;

	memset(to, 0, sizeof(*to));
	if (family_of(kind, server) == AF_INET) {
		a4->sin_family = AF_INET;
		a4->sin_port = htons(port);
		a4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*a4);
	}
	a6->sin6_family = AF_INET6;
	a6->sin6_port = htons(port);
	if (kind == MAPPED)
		need(inet_pton(AF_INET6, "::ffff:127.0.0.1", &a6->sin6_addr) == 1);
	else if (kind == IPV6)
		a6->sin6_addr = in6addr_loopback;
	return sizeof(*a6);
}

int port_of(int fd)
{
	struct sockaddr_storage a;

	need(!getsockname(fd, (void *)&a, &(socklen_t){ sizeof(a) }));
	/* at the same place in both families */
	return ntohs(((struct sockaddr_in *)&a)->sin_port);
}

void set(int fd, int level, int name, int value)
{
	need(!setsockopt(fd, level, name, &value, sizeof(value)));
}

int listening(int kind, int backlog)
{
	int fd = new_socket(kind, true);
	struct sockaddr_storage a;
	socklen_t len = address_of(kind, true, 0, &a);

	need(!bind(fd, (void *)&a, len) && !listen(fd, backlog));
	return fd;
}

int connects(int fd, int kind, int port)
{
	struct sockaddr_storage a;
	socklen_t len = address_of(kind, false, port, &a);

	return connect(fd, (void *)&a, len);
}

int connected(int kind, int listener)
{
	int fd = new_socket(kind, false);

	need(!connects(fd, kind, port_of(listener)));
	return fd;
}

int accepts(int listener)
{
	return happens(listener, POLLIN) ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
}

struct conn meets(int a, int kind, int listener)
{
	struct conn c = { .a = a };

	need(!connects(a, kind, port_of(listener)));
	c.b = accepts(listener);
	need(c.b >= 0);
	return c;
}

struct conn joined(int kind)
{
	int listener = listening(kind, 4);
	struct conn c = meets(new_socket(kind, false), kind, listener);

	close(listener);
	return c;
}

struct conn sized(int kind, int send, int receive)
{
	int a = new_socket(kind, false), listener = listening(kind, 4);
	struct conn c;

	/* before they are connected: no window is offered that there is no room for */
	for (int i = 0; i < 2; i++) {
		set(i ? a : listener, SOL_SOCKET, SO_SNDBUFFORCE, send);
		set(i ? a : listener, SOL_SOCKET, SO_RCVBUFFORCE, receive);
	}
	c = meets(a, kind, listener);
	close(listener);
	return c;
}

struct conn narrow(int kind)
{
	return sized(kind, 30000, 20000);
}

bool happens(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, SOME_SECONDS) == 1 && p.revents & events;
}

bool quiet(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 50) == 0;
}

/* SO_RCVLOWAT may keep poll() from telling of what is there */
static ssize_t some(int fd, void *p, size_t len)
{
	for (long long end = now_ms() + SOME_SECONDS;;) {
		ssize_t n = recv(fd, p, len, MSG_DONTWAIT);

		if (n >= 0 || errno != EAGAIN || now_ms() > end)
			return n;
		poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 20);
	}
}

bool says(int fd, const char *text)
{
	return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

bool hears(int fd, const char *text)
{
	size_t len = strlen(text), at = 0;
	char got[256];

	while (at < len) {
		ssize_t n = some(fd, got + at, len - at);

		if (n <= 0)
			return false;
		at += n;
	}
	return !memcmp(got, text, len);
}

bool ends(int fd)
{
	char got;

	return !some(fd, &got, 1);
}

bool talks(struct conn c)
{
	return says(c.a, "to and") && hears(c.b, "to and") && says(c.b, "fro") && hears(c.a, "fro") &&
		recv(c.a, (char[1]){ 0 }, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

bool is_error(int fd, int error)
{
	int now = -1;

	return !getsockopt(fd, SOL_SOCKET, SO_ERROR, &now, &(socklen_t){ sizeof(now) }) && now == error;
}

bool breaks(int fd, int error)
{
	for (long long end = now_ms() + SOME_SECONDS; now_ms() < end; sleep_ms(10))
		if (send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
			return errno == error;
	return false;
}

static uint8_t number(uint32_t seed, uint32_t at)
{
	uint32_t x = (at + seed * 7919) * 2654435761u;

	return x >> 24 ^ x >> 11;
}

void stream(void *p, size_t len, uint32_t seed, uint32_t from)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)p)[i] = number(seed, from + i);
}

bool stream_is(const void *p, size_t len, uint32_t seed, uint32_t from)
{
	for (size_t i = 0; i < len; i++)
		if (((const uint8_t *)p)[i] != number(seed, from + i))
			return false;
	return true;
}

uint32_t fills(int fd, uint32_t seed)
{
	static uint8_t chunk[10000];
	uint32_t at = 0;

	/* what was sent may make room a moment later */
	for (int full = 0; full < 2;) {
		ssize_t n;

		stream(chunk, sizeof(chunk), seed, at);
		n = send(fd, chunk, sizeof(chunk), MSG_DONTWAIT | MSG_NOSIGNAL);
		need(n > 0 || errno == EAGAIN);
		if (n > 0) {
			at += n;
			full = 0;
		} else {
			full++;
			sleep_ms(10);
		}
	}
	return at;
}

bool pours(int fd, uint32_t seed, uint32_t from, uint32_t len)
{
	static uint8_t chunk[65536];

	while (len) {
		size_t part = len < sizeof(chunk) ? len : sizeof(chunk);
		ssize_t n;

		stream(chunk, part, seed, from);
		n = send(fd, chunk, part, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		from += n;
		len -= n;
	}
	return true;
}

/* what the kernel has to say of both ends: queues, timers, how often it has tried */
static void tell(int fd)
{
	static const char *const files[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	char port[8], line[512];

	snprintf(port, sizeof(port), ":%04X", port_of(fd));
	for (int i = 0; i < 2; i++) {
		FILE *f = fopen(files[i], "re");

		while (f && fgets(line, sizeof(line), f))
			if (strstr(line, port))
				printf("%s", line);
		if (f)
			fclose(f);
	}
}

bool drains(int fd, uint32_t seed, uint32_t from, uint32_t len)
{
	static uint8_t chunk[65536];

	while (len) {
		ssize_t n = some(fd, chunk, len < sizeof(chunk) ? len : sizeof(chunk));

		if (n <= 0 || !stream_is(chunk, n, seed, from)) {
			printf("%d: %zd came at %u of stream %u, %u before its end\n", fd, n, from, seed, len);
			tell(fd);
			return false;
		}
		from += n;
		len -= n;
	}
	return true;
}

static void keep_only(int fd)
{
	need(fd == 3 || (fd > 3 && !close_range(3, fd - 1, 0)));
	need(!close_range(fd + 1, ~0U, 0));
}

pid_t spawn(int (*run)(int fd), int fd)
{
	static atomic_int *started;
	int before;
	pid_t pid;

	if (!started)
		started = mmap(NULL, sizeof(*started), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(started != MAP_FAILED);
	before = *started;
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		keep_only(fd);
		++*started;
		_exit(run(fd));
	}
	while (*started == before)
		sleep_ms(1);
	return pid;
}

void asleep(pid_t pid)
{
	char path[64], line[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int seen = 0; seen < 3; sleep_ms(5)) {
		FILE *f = fopen(path, "re");

		need(f && fgets(line, sizeof(line), f));
		fclose(f);
		seen = strstr(line, ") S ") ? seen + 1 : 0;
	}
}

bool ended_well(pid_t pid)
{
	int status = -1;

	for (long long end = now_ms() + SOME_SECONDS; now_ms() < end; sleep_ms(5))
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
	if (status)
		printf("process %d: status %#x\n", pid, status);
	return !status;
}
