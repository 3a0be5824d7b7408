// SPDX-License-Identifier: GPL-2.0-only
/* See options.h. */
#include <errno.h>
#include <linux/net_tstamp.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "options.h"
#include "verdict.h"

/* younger than the C library's headers, or the kernel's alone */
#ifndef SOL_UDP
#define SOL_UDP IPPROTO_UDP
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef IP_RECVERR_RFC4884
#define IP_RECVERR_RFC4884 26
#endif
#ifndef IPV6_RECVERR_RFC4884
#define IPV6_RECVERR_RFC4884 31
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif
#ifndef SO_TXREHASH
#define SO_TXREHASH 74
#endif
#ifndef SO_RESERVE_MEM
#define SO_RESERVE_MEM 73
#endif
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif

#ifndef IPV6_FLOWINFO
#define IPV6_FLOWINFO 11
#define IPV6_FLOWINFO_SEND 33
#endif

#define INT(level, name, v) { #name, level, name, sizeof(int), { .i = (v) } }
#define PAIR(level, name, a, b) { #name, level, name, 2 * sizeof(int), { .pair = { a, b } } }

const struct option options[] = {
	INT(SOL_IP, IP_TOS, 0x10), INT(SOL_IP, IP_TTL, 33), INT(SOL_IP, IP_MINTTL, 3),
	INT(SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE), INT(SOL_IP, IP_PKTINFO, 1),
	INT(SOL_IP, IP_RECVTTL, 1), INT(SOL_IP, IP_RECVTOS, 1), INT(SOL_IP, IP_RECVOPTS, 1),
	INT(SOL_IP, IP_RETOPTS, 1), INT(SOL_IP, IP_PASSSEC, 1), INT(SOL_IP, IP_RECVORIGDSTADDR, 1),
	INT(SOL_IP, IP_CHECKSUM, 1), INT(SOL_IP, IP_RECVFRAGSIZE, 1), INT(SOL_IP, IP_RECVERR, 1),
	INT(SOL_IP, IP_RECVERR_RFC4884, 1), INT(SOL_IP, IP_FREEBIND, 1), INT(SOL_IP, IP_TRANSPARENT, 1),
	INT(SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1), INT(SOL_IP, IP_LOCAL_PORT_RANGE, (50999 << 16) | 50000),
	INT(SOL_IP, IP_MULTICAST_TTL, 9), INT(SOL_IP, IP_MULTICAST_LOOP, 0), INT(SOL_IP, IP_MULTICAST_ALL, 0),

	INT(SOL_IPV6, IPV6_V6ONLY, 1), INT(SOL_IPV6, IPV6_TCLASS, 0x20), INT(SOL_IPV6, IPV6_UNICAST_HOPS, 44),
	INT(SOL_IPV6, IPV6_MULTICAST_HOPS, 5), INT(SOL_IPV6, IPV6_MULTICAST_LOOP, 0),
	INT(SOL_IPV6, IPV6_MULTICAST_ALL, 0), INT(SOL_IPV6, IPV6_MINHOPCOUNT, 7),
	INT(SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE), INT(SOL_IPV6, IPV6_DONTFRAG, 1),
	INT(SOL_IPV6, IPV6_RECVERR, 1), INT(SOL_IPV6, IPV6_RECVERR_RFC4884, 1),
	INT(SOL_IPV6, IPV6_FLOWINFO_SEND, 1), INT(SOL_IPV6, IPV6_FLOWINFO, 1),
	INT(SOL_IPV6, IPV6_AUTOFLOWLABEL, 0), INT(SOL_IPV6, IPV6_ADDR_PREFERENCES, 1 /* temporary */),
	INT(SOL_IPV6, IPV6_ROUTER_ALERT_ISOLATE, 1), INT(SOL_IPV6, IPV6_RECVPKTINFO, 1),
	INT(SOL_IPV6, IPV6_2292PKTINFO, 1), INT(SOL_IPV6, IPV6_RECVHOPLIMIT, 1),
	INT(SOL_IPV6, IPV6_2292HOPLIMIT, 1), INT(SOL_IPV6, IPV6_RECVRTHDR, 1),
	INT(SOL_IPV6, IPV6_2292RTHDR, 1), INT(SOL_IPV6, IPV6_RECVHOPOPTS, 1),
	INT(SOL_IPV6, IPV6_2292HOPOPTS, 1), INT(SOL_IPV6, IPV6_RECVDSTOPTS, 1),
	INT(SOL_IPV6, IPV6_2292DSTOPTS, 1), INT(SOL_IPV6, IPV6_RECVTCLASS, 1),
	INT(SOL_IPV6, IPV6_RECVPATHMTU, 1), INT(SOL_IPV6, IPV6_RECVORIGDSTADDR, 1),
	INT(SOL_IPV6, IPV6_RECVFRAGSIZE, 1), INT(SOL_IPV6, IPV6_TRANSPARENT, 1), INT(SOL_IPV6, IPV6_FREEBIND, 1),

	INT(SOL_SOCKET, SO_DEBUG, 1), INT(SOL_SOCKET, SO_REUSEADDR, 1), INT(SOL_SOCKET, SO_REUSEPORT, 1),
	INT(SOL_SOCKET, SO_KEEPALIVE, 1), INT(SOL_SOCKET, SO_BROADCAST, 1), INT(SOL_SOCKET, SO_OOBINLINE, 1),
	INT(SOL_SOCKET, SO_DONTROUTE, 1), INT(SOL_SOCKET, SO_NO_CHECK, 1), INT(SOL_SOCKET, SO_PRIORITY, 5),
	INT(SOL_SOCKET, SO_MARK, 0x1234), INT(SOL_SOCKET, SO_RCVMARK, 1), INT(SOL_SOCKET, SO_PASSCRED, 1),
	INT(SOL_SOCKET, SO_PASSSEC, 1), INT(SOL_SOCKET, SO_PASSPIDFD, 1), INT(SOL_SOCKET, SO_RXQ_OVFL, 1),
	INT(SOL_SOCKET, SO_WIFI_STATUS, 1), INT(SOL_SOCKET, SO_NOFCS, 1), INT(SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1),
	INT(SOL_SOCKET, SO_INCOMING_CPU, 0), INT(SOL_SOCKET, SO_PEEK_OFF, 17), INT(SOL_SOCKET, SO_ZEROCOPY, 1),
	INT(SOL_SOCKET, SO_TXREHASH, 0), INT(SOL_SOCKET, SO_BUSY_POLL, 50), INT(SOL_SOCKET, SO_PREFER_BUSY_POLL, 1),
	INT(SOL_SOCKET, SO_BUSY_POLL_BUDGET, 16),
	{ "SO_MAX_PACING_RATE", SOL_SOCKET, SO_MAX_PACING_RATE, sizeof(long), { .l = 5000000000 } },
	PAIR(SOL_SOCKET, SO_LINGER, 1, 7),
	{ "SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO, sizeof(struct timeval), { .tv = { 3, 500000 } } },
	{ "SO_SNDTIMEO", SOL_SOCKET, SO_SNDTIMEO, sizeof(struct timeval), { .tv = { 4, 0 } } },
	PAIR(SOL_SOCKET, SO_TXTIME, CLOCK_MONOTONIC, 2 /* errors */),
	INT(SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE),
	INT(SOL_SOCKET, SO_TIMESTAMP, 1), INT(SOL_SOCKET, SO_TIMESTAMPNS, 1),
	INT(SOL_SOCKET, SO_TIMESTAMPING_NEW, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE),
	INT(SOL_SOCKET, SO_TIMESTAMP_NEW, 1), INT(SOL_SOCKET, SO_TIMESTAMPNS_NEW, 1),
	INT(SOL_SOCKET, SO_RCVLOWAT, 400), INT(SOL_SOCKET, SO_RCVBUF, 50000), INT(SOL_SOCKET, SO_SNDBUF, 60000),
	INT(SOL_SOCKET, SO_BUF_LOCK, 3), INT(SOL_SOCKET, SO_RESERVE_MEM, 8192), INT(SOL_SOCKET, SO_LOCK_FILTER, 1),

	{ "TCP_CONGESTION", SOL_TCP, TCP_CONGESTION, 5, { .s = "reno" } },
	INT(SOL_TCP, TCP_MAXSEG, 1000), INT(SOL_TCP, TCP_NODELAY, 1), INT(SOL_TCP, TCP_CORK, 1),
	INT(SOL_TCP, TCP_KEEPIDLE, 77), INT(SOL_TCP, TCP_KEEPINTVL, 11), INT(SOL_TCP, TCP_KEEPCNT, 3),
	INT(SOL_TCP, TCP_SYNCNT, 4), INT(SOL_TCP, TCP_LINGER2, 12), INT(SOL_TCP, TCP_DEFER_ACCEPT, 7),
	INT(SOL_TCP, TCP_USER_TIMEOUT, 12345), INT(SOL_TCP, TCP_QUICKACK, 0),
	INT(SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS, 1), INT(SOL_TCP, TCP_SAVE_SYN, 1), INT(SOL_TCP, TCP_FASTOPEN, 6),
	INT(SOL_TCP, TCP_FASTOPEN_CONNECT, 1), INT(SOL_TCP, TCP_FASTOPEN_NO_COOKIE, 1),
	INT(SOL_TCP, TCP_NOTSENT_LOWAT, 9999), INT(SOL_TCP, TCP_INQ, 1), INT(SOL_TCP, TCP_TX_DELAY, 1000),
	INT(SOL_TCP, TCP_WINDOW_CLAMP, 30000),

	INT(SOL_UDP, UDP_CORK, 1), INT(SOL_UDP, UDP_NO_CHECK6_TX, 1), INT(SOL_UDP, UDP_NO_CHECK6_RX, 1),
	INT(SOL_UDP, UDP_SEGMENT, 500), INT(SOL_UDP, UDP_GRO, 1),
};

const size_t nr_options = sizeof(options) / sizeof(options[0]);

/* the numbers that are asked for: those of each level */
static const struct level {
	int level, last;
	/* what is of one socket or route only; what changes by itself in a connection, and in one where data flow */
	int not[10], not_connected[10], not_flowing[10];
} levels[] = {
	{ SOL_SOCKET, 90, { SO_PEERCRED, SO_MEMINFO, SO_COOKIE, 71 /* SO_NETNS_COOKIE */, 77 /* SO_PEERPIDFD */ },
	  { SO_ERROR, SO_INCOMING_CPU, SO_INCOMING_NAPI_ID }, { SO_RCVBUF, SO_SNDBUF } },
	{ SOL_IP, 60, { IP_PKTOPTIONS, IP_MTU }, { 0 }, { 0 } },
	{ SOL_IPV6, 90, { IPV6_2292PKTOPTIONS, IPV6_MTU, IPV6_PATHMTU, 32 /* IPV6_FLOWLABEL_MGR */ }, { 0 }, { 0 } },
	{ SOL_TCP, 45, { TCP_INFO, TCP_TIMESTAMP, TCP_CC_INFO, TCP_FASTOPEN_KEY, TCP_ZEROCOPY_RECEIVE },
	  { TCP_QUICKACK, TCP_SAVED_SYN }, { TCP_WINDOW_CLAMP } },
	{ SOL_UDP, 110, { 0 }, { 0 }, { 0 } },
};

#define NR_LEVELS (sizeof(levels) / sizeof(levels[0]))

static bool has(const int list[10], int name)
{
	for (size_t i = 0; i < 10; i++)
		if (list[i] == name)
			return true;
	return false;
}

static bool is_asked(const struct level *l, int name, enum asked how)
{
	return !has(l->not, name) && (how < CONNECTED || !has(l->not_connected, name)) &&
		(how < FLOWING || !has(l->not_flowing, name));
}

/* a number that stands for what getsockopt(2) says */
static uint32_t answer(int fd, int level, int name)
{
	unsigned char value[64] = { 0 };
	socklen_t len = sizeof(value);
	uint32_t sum = 2166136261u;

	if (getsockopt(fd, level, name, value, &len))
		return errno;
	sum = (sum ^ len) * 16777619u;
	for (size_t i = 0; i < sizeof(value); i++)
		sum = (sum ^ value[i]) * 16777619u;
	return sum;
}

void ask_options(int fd, enum asked how, uint32_t *to)
{
	size_t n = 0;

	for (const struct level *l = levels; l < levels + NR_LEVELS; l++)
		for (int name = 1; name <= l->last; name++)
			to[n++] = is_asked(l, name, how) ? answer(fd, l->level, name) : 0;
	need(n <= NR_ANSWERS);
}

bool same_answers(const uint32_t *was, const uint32_t *now, const char *what)
{
	bool same = true;
	size_t n = 0;

	for (const struct level *l = levels; l < levels + NR_LEVELS; l++) {
		for (int name = 1; name <= l->last; name++, n++) {
			if (now[n] == was[n])
				continue;
			if (what)
				printf("%s: option %d of level %d differs\n", what, name, l->level);
			same = false;
		}
	}
	fflush(stdout);
	return same;
}

bool is_for(const struct option *o, int family, int type)
{
	switch (o->level) {
	case SOL_SOCKET:
		return true;
	case SOL_IP:
		return family != AF_UNIX;
	case SOL_IPV6:
		return family == AF_INET6;
	case SOL_TCP:
		return family != AF_UNIX && type == SOCK_STREAM;
	}
	return family != AF_UNIX && type == SOCK_DGRAM;
}
