// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections as they come about with other machines, or after a long time, made by TCP_REPAIR: numbers at the end of
 * their range, and whatever the ends have agreed upon or not.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcps.h"

enum { NOTHING, SCALES, SACK, STAMPS, SMALL, ALL, NR_AGREED };

static const char *const agreed[NR_AGREED] = {
	"nothing", "scaled windows", "SACK", "timestamps", "small packets", "all there is",
};

static const struct {
	const char *what;
	uint32_t a, b;		/* the number of the next byte that each of them sends */
} numbers[] = {
	{ "before their end", 0xfffffff0, 0xffffc000 }, { "at their end", 0, 0xffffffff },
	{ "in the middle of their range", 0x7ffff000, 0x80000000 }, { "at their beginning", 1, 2 },
};

#define NR_NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static struct {
	struct conn c;
	uint32_t there, back;
} made[NR_NUMBERS][NR_AGREED], full[NR_NUMBERS], begun[NR_NUMBERS];

static int begin(int kind, uint32_t sends, uint32_t receives)
{
	int fd = new_socket(kind, false);
	struct sockaddr_storage a;
	socklen_t len = address_of(kind, false, 0, &a);

	set(fd, SOL_SOCKET, SO_RCVBUF, 40000);
	set(fd, SOL_SOCKET, SO_SNDBUF, 40000);
	set(fd, SOL_TCP, TCP_REPAIR, 1);
	set(fd, SOL_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE);
	set(fd, SOL_TCP, TCP_QUEUE_SEQ, sends);
	set(fd, SOL_TCP, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE);
	set(fd, SOL_TCP, TCP_QUEUE_SEQ, receives);
	need(!bind(fd, (void *)&a, len));
	return fd;
}

static void agree(int fd, int what)
{
	struct tcp_repair_opt o[4];
	int nr = 0;

	if (what == SCALES || what == ALL)
		o[nr++] = (struct tcp_repair_opt){ TCPOPT_WINDOW, 3 | 3 << 16 };
	if (what == SACK || what == ALL)
		o[nr++] = (struct tcp_repair_opt){ TCPOPT_SACK_PERMITTED, 0 };
	if (what == STAMPS || what == ALL)
		o[nr++] = (struct tcp_repair_opt){ TCPOPT_TIMESTAMP, 0 };
	if (what == SMALL || what == ALL)
		o[nr++] = (struct tcp_repair_opt){ TCPOPT_MAXSEG, what == ALL ? 1460 : 536 };
	if (nr)
		need(!setsockopt(fd, SOL_TCP, TCP_REPAIR_OPTIONS, o, nr * sizeof(o[0])));
}

static struct conn make(int kind, uint32_t a, uint32_t b, int what)
{
	struct conn c = { begin(kind, a, b), begin(kind, b, a) };

	need(!connects(c.a, kind, port_of(c.b)) && !connects(c.b, kind, port_of(c.a)));
	agree(c.a, what);
	agree(c.b, what);
	set(c.a, SOL_TCP, TCP_REPAIR_QUEUE, TCP_NO_QUEUE);
	set(c.b, SOL_TCP, TCP_REPAIR_QUEUE, TCP_NO_QUEUE);
	set(c.a, SOL_TCP, TCP_REPAIR, 0);
	set(c.b, SOL_TCP, TCP_REPAIR, 0);
	return c;
}

void prepare_repaired(void)
{
	for (size_t i = 0; i < NR_NUMBERS; i++) {
		for (int what = 0; what < NR_AGREED; what++) {
			struct conn c = make(what % 2 ? IPV6 : IPV4, numbers[i].a, numbers[i].b, what);

			made[i][what].c = c;
			need(pours(c.a, 1, 0, 3000) && pours(c.b, 2, 0, 2000));
			/* without timestamps these have packets as small as with them, as no others have */
			watch_both(c, what == STAMPS || what == ALL ? EXACT : BARE, "connections whose ends have agreed upon %s", agreed[what]);
		}
		begun[i].c = make(IPV4, numbers[i].a, numbers[i].b, ALL);
		need(pours(begun[i].c.a, 1, 0, 3000) && drains(begun[i].c.b, 1, 0, 10));
		need(pours(begun[i].c.b, 2, 0, 3000) && drains(begun[i].c.a, 2, 0, 2500));
		watch_both(begun[i].c, EXACT, "connections with numbers of their range's end");
		full[i].c = make(IPV6, numbers[i].a, numbers[i].b, ALL);
		full[i].there = fills(full[i].c.a, 1);
		full[i].back = fills(full[i].c.b, 2);
		need(!shutdown(full[i].c.a, SHUT_WR));
		watch_both(full[i].c, FLOWS, "full connections with numbers of their range's end");
	}
}

void check_repaired(void)
{
	for (size_t i = 0; i < NR_NUMBERS; i++) {
		struct conn c;

		for (int what = 0; what < NR_AGREED; what++) {
			c = made[i][what].c;
			verdict(drains(c.b, 1, 0, 3000) && drains(c.a, 2, 0, 2000) && talks(c), "C7",
				"tcps: a connection with numbers %s, whose ends have agreed upon %s", numbers[i].what,
				agreed[what]);
		}
		c = begun[i].c;
		verdict(drains(c.b, 1, 10, 2990) && drains(c.a, 2, 2500, 500) && talks(c), "C7",
			"tcps: a connection with numbers %s, read in part", numbers[i].what);
		c = full[i].c;
		verdict(drains(c.b, 1, 0, full[i].there) && ends(c.b) && drains(c.a, 2, 0, full[i].back) &&
			says(c.b, "last") && hears(c.a, "last") && !close(c.b) && ends(c.a), "C7",
			"tcps: a full connection with numbers %s, one direction of which is shut down", numbers[i].what);
	}
}
