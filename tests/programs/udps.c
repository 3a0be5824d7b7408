// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets of UDP that are connected, or have something that waits, which it checks when it is told to.
 * usage: udps DIR
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "verdict.h"

#define UDPLITE 136
#define RECV_COVERAGE 11
/* linux/in6.h, which goes with no header of the C library */
#define IPV6_FLOWINFO 11

enum { IPV4, IPV6, MAPPED, NR_KINDS };

static const char *const names[NR_KINDS] = { "IPv4", "IPv6", "IPv4 over a socket of IPv6" };

struct name {
	struct sockaddr_storage a;
	socklen_t len;
};

/* a pair that is connected, a server that is not, and a client whose address connect(2) chose */
static struct ends {
	int a, b, server, client;
	struct name a_name, b_name, client_name, server_name;
	char told[512];		/* what recvmsg(2) said of the first that waits, beside its bytes */
	size_t told_len;
} ends[NR_KINDS];

static int lite[2], refused, shut, shut_alone, many, big, far, gro, lossy;
static unsigned int lost;
static int crowded;
static struct name far_name, portless;

#define NR_MANY 50
#define NR_CROWD 100

static struct name name_of(int fd)
{
	struct name n = { .len = sizeof(n.a) };

	need(!getsockname(fd, (void *)&n.a, &n.len));
	return n;
}

static struct name peer_of(int fd)
{
	struct name n = { .len = sizeof(n.a) };

	if (getpeername(fd, (void *)&n.a, &n.len))
		memset(&n, 0, sizeof(n));
	return n;
}

static bool same(struct name x, struct name y)
{
	return x.len == y.len && !memcmp(&x.a, &y.a, x.len);
}

static struct name loopback(int kind)
{
	struct name n = { .len = sizeof(struct sockaddr_in6) };
	struct sockaddr_in *in = (void *)&n.a;
	struct sockaddr_in6 *in6 = (void *)&n.a;

	if (kind == IPV4) {
		*in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		n.len = sizeof(*in);
		return n;
	}
	in6->sin6_family = AF_INET6;
	need(inet_pton(AF_INET6, kind == IPV6 ? "::1" : "::ffff:127.0.0.1", &in6->sin6_addr) == 1);
	return n;
}

static int made(int kind, int protocol)
{
	int fd = socket(kind == IPV4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	need(fd >= 0);
	return fd;
}

static int bound(int kind, int protocol)
{
	struct name n = loopback(kind);
	int fd = made(kind, protocol);

	need(!bind(fd, (void *)&n.a, n.len));
	return fd;
}

/* to a port of its owner's choice, which stays when a connection goes */
static int bound_firmly(int kind)
{
	int fd = bound(kind, 0);
	struct name n = name_of(fd);

	need(!close(fd));
	fd = made(kind, 0);
	need(!bind(fd, (void *)&n.a, n.len));
	return fd;
}

static void set(int fd, int level, int name, int value)
{
	need(!setsockopt(fd, level, name, &value, sizeof(value)));
}

static void join_to(int fd, int to)
{
	struct name n = name_of(to);

	need(!connect(fd, (void *)&n.a, n.len));
}

static bool says(int fd, const char *what)
{
	return send(fd, what, strlen(what), 0) == (ssize_t)strlen(what);
}

static bool hears(int fd, const char *what)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[256];
	ssize_t n;

	poll(&p, 1, 2000);
	n = recv(fd, buf, sizeof(buf), 0);
	return n == (ssize_t)strlen(what) && !memcmp(buf, what, n);
}

/* all that it says of the one that is next, beside its bytes */
static size_t told(int fd, void *control, size_t size, int flags)
{
	char buf[64];
	struct iovec vec = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1, .msg_control = control, .msg_controllen = size };

	memset(control, 0, size);
	return recvmsg(fd, &msg, flags) < 0 || msg.msg_flags & MSG_CTRUNC ? 0 : msg.msg_controllen;
}

static void send_waiting(int from, struct ends *e, int kind)
{
	struct name n = name_of(e->server);

	set(from, SOL_SOCKET, SO_MARK, 0x77);
	set(from, SOL_IP, IP_TOS, 0x28);
	set(from, SOL_IP, IP_TTL, 33);
	if (kind != IPV4) {
		set(from, SOL_IPV6, IPV6_TCLASS, 0x28);
		set(from, SOL_IPV6, IPV6_UNICAST_HOPS, 33);
	}
	need(sendto(from, "first", 5, 0, (void *)&n.a, n.len) == 5);
	need(sendto(from, "", 0, 0, (void *)&n.a, n.len) == 0);
	/* the kernel takes those to another queue then */
	e->told_len = told(e->server, e->told, sizeof(e->told), MSG_PEEK);
	need(e->told_len);
	need(sendto(from, "third one", 9, 0, (void *)&n.a, n.len) == 9);
}

static void prepare_kind(int kind)
{
	struct ends *e = &ends[kind];

	e->a = bound_firmly(kind);
	e->b = bound(kind, 0);
	join_to(e->a, e->b);
	join_to(e->b, e->a);
	e->server = bound(kind, 0);
	set(e->server, SOL_IP, IP_PKTINFO, 1);
	set(e->server, SOL_IP, IP_RECVTOS, 1);
	set(e->server, SOL_IP, IP_RECVTTL, 1);
	set(e->server, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	set(e->server, SOL_SOCKET, SO_RCVMARK, 1);
	set(e->server, SOL_IP, IP_ORIGDSTADDR, 1);
	if (kind == IPV6) {
		set(e->server, SOL_IPV6, IPV6_RECVPKTINFO, 1);
		set(e->server, SOL_IPV6, IPV6_RECVTCLASS, 1);
		set(e->server, SOL_IPV6, IPV6_RECVHOPLIMIT, 1);
		set(e->server, SOL_IPV6, IPV6_RECVORIGDSTADDR, 1);
		set(e->server, SOL_IPV6, IPV6_FLOWINFO, 1);
	}
	e->client = made(kind, 0);
	join_to(e->client, e->server);
	need(says(e->a, "from a") && says(e->b, "from b"));
	send_waiting(e->client, e, kind);
	e->a_name = name_of(e->a);
	e->b_name = name_of(e->b);
	e->client_name = name_of(e->client);
	e->server_name = name_of(e->server);
}

/* the kernel begins to note when packets come some time after the first has asked for it */
static void want_stamps(void)
{
	set(made(IPV4, 0), SOL_SOCKET, SO_TIMESTAMPNS, 1);
	need(!usleep(300000));
}

/* ICMP has said that nobody is there, and nobody has asked yet */
static void prepare_refused(void)
{
	struct name n;
	int gone = bound(IPV4, 0);

	refused = made(IPV4, 0);
	join_to(refused, gone);
	n = peer_of(refused);
	need(n.len && !close(gone) && says(refused, "x"));
	need(poll(&(struct pollfd){ .fd = refused }, 1, 2000) == 1);
}

/* far from full: what waits takes no more room than it did */
static void prepare_crowded(void)
{
	struct name n;

	crowded = bound(IPV4, 0);
	n = name_of(crowded);
	for (int i = 0; i < NR_CROWD; i++)
		need(sendto(ends[IPV4].a, "x", 1, 0, (void *)&n.a, n.len) == 1);
}

static void check_crowded(void)
{
	struct name n = name_of(crowded);
	int nr = 0, fd = bound(IPV4, 0);
	char c;

	need(sendto(fd, "y", 1, 0, (void *)&n.a, n.len) == 1 && !close(fd));
	while (recv(crowded, &c, 1, 0) == 1 && c == 'x')
		nr++;
	verdict(nr == NR_CROWD && c == 'y', "C7", "a socket in which many wait has room for more");
}

static void prepare_many(void)
{
	static char bytes[65507];

	many = bound(IPV4, 0);
	big = bound(IPV4, 0);
	set(big, SOL_SOCKET, SO_RCVBUF, 200000);
	for (int i = 0; i < NR_MANY; i++) {
		struct name n = name_of(many);
		int fd = bound(IPV4, 0);

		need(sendto(fd, &i, sizeof(i), 0, (void *)&n.a, n.len) == sizeof(i) && !close(fd));
	}
	pattern(bytes, sizeof(bytes), 7);
	join_to(ends[IPV4].server, big);
	set(ends[IPV4].server, SOL_SOCKET, SO_SNDBUF, 200000);
	need(send(ends[IPV4].server, bytes, sizeof(bytes), 0) == sizeof(bytes));
	need(!connect(ends[IPV4].server, &(struct sockaddr){ .sa_family = AF_UNSPEC }, sizeof(struct sockaddr)));
	portless = name_of(ends[IPV4].server);
}

static void prepare_rest(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53),
				  .sin_addr.s_addr = htonl(0x7f090909) };

	lite[0] = bound(IPV4, UDPLITE);
	lite[1] = bound(IPV4, UDPLITE);
	set(lite[1], UDPLITE, RECV_COVERAGE, 16);
	join_to(lite[0], lite[1]);
	need(says(lite[0], "lite"));
	shut = bound(IPV4, 0);
	join_to(shut, many);
	need(!shutdown(shut, SHUT_WR));
	shut_alone = made(IPV4, 0);
	need(shutdown(shut_alone, SHUT_WR) && errno == ENOTCONN);
	far = made(IPV4, 0);
	need(!connect(far, (void *)&to, sizeof(to)));
	far_name = peer_of(far);
}

/* three datagrams of one sendmsg(2), which come as one */
static void prepare_gro(void)
{
	int fd = bound(IPV4, 0);
	char bytes[250] = "";

	gro = bound(IPV4, 0);
	set(gro, SOL_UDP, UDP_GRO, 1);
	set(fd, SOL_UDP, UDP_SEGMENT, 100);
	join_to(fd, gro);
	need(send(fd, bytes, sizeof(bytes), 0) == sizeof(bytes) && !close(fd));
}

static unsigned int losses(int flags)
{
	char control[64];
	struct cmsghdr *c = (void *)control;

	if (!told(lossy, control, sizeof(control), flags))
		return 0;
	return c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL ? *(unsigned int *)CMSG_DATA(c) : 0;
}

/* one that waits knows how many did not find room before it */
static void prepare_lossy(void)
{
	char bytes[1000] = "";
	int fd = bound(IPV4, 0);

	lossy = bound(IPV4, 0);
	set(lossy, SOL_SOCKET, SO_RCVBUF, 4096);
	set(lossy, SOL_SOCKET, SO_RXQ_OVFL, 1);
	join_to(fd, lossy);
	for (int i = 0; i < 30; i++)
		need(send(fd, bytes, sizeof(bytes), 0) == sizeof(bytes));
	while (recv(lossy, bytes, sizeof(bytes), 0) > 0)
		;
	need(says(fd, "after the flood") && !close(fd));
	lost = losses(MSG_PEEK);
	need(lost);
}

/* ---- checks ---- */

struct got {
	int tos, ttl, device;
	bool stamped;
	long long stamp;
	struct name from;
};

static ssize_t get(int fd, char *buf, size_t len, struct got *g)
{
	char control[512];
	struct iovec vec = { buf, len };
	struct msghdr msg = { .msg_name = &g->from.a, .msg_namelen = sizeof(g->from.a), .msg_iov = &vec,
			      .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t n;

	memset(g, 0, sizeof(*g));
	n = recvmsg(fd, &msg, 0);
	g->from.len = msg.msg_namelen;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); n >= 0 && c; c = CMSG_NXTHDR(&msg, c)) {
		int value = *(int *)CMSG_DATA(c);

		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
			struct timespec *t = (void *)CMSG_DATA(c);

			g->stamped = true;
			g->stamp = t->tv_sec * 1000LL + t->tv_nsec / 1000000;
		} else if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_TOS) {
			g->tos = *(unsigned char *)CMSG_DATA(c);
		} else if ((c->cmsg_level == SOL_IP && c->cmsg_type == IP_TTL) ||
			   (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
			g->ttl = value;
		} else if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_TCLASS) {
			g->tos = value;
		} else if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
			g->device = ((struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex;
		} else if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			g->device = ((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_ifindex;
		}
	}
	return n;
}

static long long before;

static void check_waiting(int kind)
{
	static const char *const texts[] = { "first", "", "third one" };
	struct ends *e = &ends[kind];
	bool good = true, tell = true, stamped = true;
	struct got g;
	char buf[64], now[sizeof(e->told)];

	verdict(told(e->server, now, sizeof(now), MSG_PEEK) == e->told_len && !memcmp(now, e->told, e->told_len),
		"C7", "%s: all that recvmsg() said of the first, it says again", names[kind]);
	for (int i = 0; i < 3; i++) {
		ssize_t n = get(e->server, buf, sizeof(buf), &g);

		good = good && n == (ssize_t)strlen(texts[i]) && !memcmp(buf, texts[i], n) &&
			same(g.from, e->client_name);
		tell = tell && g.tos == 0x28 && g.ttl == 33 && g.device == 1;
		stamped = stamped && g.stamped && g.stamp <= before;
	}
	verdict(good, "C7", "%s: datagrams wait, each with its sender", names[kind]);
	verdict(tell, "C7", "%s: they say by which device they came, with which TOS and TTL", names[kind]);
	verdict(stamped, "C7", "%s: they say when they came", names[kind]);
	verdict(get(e->server, buf, sizeof(buf), &g) < 0 && errno == EAGAIN, "C7", "%s: no more wait", names[kind]);
}

static void check_kind(int kind)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct ends *e = &ends[kind];
	struct name now;

	verdict(same(name_of(e->a), e->a_name) && same(name_of(e->b), e->b_name) &&
		same(name_of(e->client), e->client_name), "C7", "%s: addresses and ports", names[kind]);
	verdict(same(peer_of(e->a), e->b_name) && same(peer_of(e->b), e->a_name) &&
		same(peer_of(e->client), e->server_name), "C7", "%s: whom they are connected with", names[kind]);
	verdict(hears(e->b, "from a") && hears(e->a, "from b"), "C7", "%s: what waited between two", names[kind]);
	check_waiting(kind);
	verdict(says(e->a, "more") && hears(e->b, "more") && says(e->b, "back") && hears(e->a, "back"), "C7",
		"%s: they talk on", names[kind]);
	verdict(sendto(e->server, "odd", 3, 0, (void *)&e->a_name.a, e->a_name.len) == 3 && !hears(e->a, "odd"), "C7",
		"%s: one that is connected hears no other", names[kind]);
	need(!connect(e->client, &none, sizeof(none)));
	now = name_of(e->client);
	verdict(!((struct sockaddr_in *)&now.a)->sin_port, "C7", "%s: a port that connect() chose goes with it", names[kind]);
	need(!connect(e->a, &none, sizeof(none)));
	verdict(same(name_of(e->a), e->a_name), "C7", "%s: what bind() was given stays", names[kind]);
	join_to(e->a, e->b);
}

static void check_many(void)
{
	static char bytes[65536];
	bool good = true;
	int n, error = 0;

	for (int i = 0; i < NR_MANY; i++)
		good = good && recv(many, &n, sizeof(n), 0) == sizeof(n) && n == i;
	verdict(good && recv(many, &n, sizeof(n), 0) < 0, "C7", "many datagrams in their order");
	verdict(recv(big, bytes, sizeof(bytes), 0) == 65507 && pattern_is(bytes, 65507, 7), "C7",
		"the longest datagram");
	need(!getsockopt(refused, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof(error) }));
	verdict_eq(error, ECONNREFUSED, "C7", "an error that nobody has asked for");
	verdict(send(shut, "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE, "C7", "one that is shut down for sending");
	verdict(sendto(shut_alone, "x", 1, MSG_NOSIGNAL, (void *)&far_name.a, far_name.len) < 0 && errno == EPIPE, "C7",
		"one that is shut down without being connected");
	verdict_eq(losses(0), lost, "C7", "SO_RXQ_OVFL: how many were lost before one that waits");
	verdict(same(peer_of(far), far_name), "C7", "connected with an address where nobody is");
	verdict(hears(lite[1], "lite") && says(lite[0], "more") && hears(lite[1], "more"), "C7", "UDP-Lite");
	n = 0;
	need(!getsockopt(lite[1], UDPLITE, RECV_COVERAGE, &n, &(socklen_t){ sizeof(n) }));
	verdict_eq(n, 16, "C7", "UDPLITE_RECV_CSCOV");
}

static void check_gro(void)
{
	char buf[512], control[64] = "";
	struct iovec vec = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(gro, &msg, 0);
	struct cmsghdr *c = n >= 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	verdict(n == 250 && c && c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO && *(int *)CMSG_DATA(c) == 100,
		"C7", "UDP_GRO: three datagrams that came as one");
}

int main(int argc, char **argv)
{
	need(argc == 2);
	verdict_dir(argv[1]);
	want_stamps();
	for (int kind = 0; kind < NR_KINDS; kind++)
		prepare_kind(kind);
	prepare_many();
	prepare_crowded();
	prepare_refused();
	prepare_rest();
	prepare_gro();
	prepare_lossy();
	before = wall_ms();
	ready();
	wait_for_check();
	/* before it sends something, for which it gets another */
	verdict(same(name_of(ends[IPV4].server), portless) && !((struct sockaddr_in *)&portless.a)->sin_port, "C7",
		"an address whose port went with a connection");
	for (int kind = 0; kind < NR_KINDS; kind++)
		check_kind(kind);
	check_many();
	check_crowded();
	check_gro();
	verdict_end();
	for (;;)
		pause();
}
