// SPDX-License-Identifier: GPL-2.0-only
/* Connections that are shut down at one end or both, with what is on its way before that. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcps.h"

enum { SHUT, BEHIND, SHUTTING, ANSWERED, FULL, DEAF, DEAF_AND_SHUT, OVER, NR_HALVES };

static const struct {
	const char *what;
	int how, a, b;		/* states */
} halves[NR_HALVES] = {
	[SHUT] = { "one direction is shut down", EXACT, TCP_FIN_WAIT2, TCP_CLOSE_WAIT },
	[BEHIND] = { "one direction is shut down behind what waits", FLOWS, TCP_FIN_WAIT1, TCP_ESTABLISHED },
	[SHUTTING] = { "both are, the one behind what waits", FLOWS, TCP_CLOSING, TCP_FIN_WAIT2 },
	[ANSWERED] = { "both are, the second behind what waits", FLOWS, TCP_FIN_WAIT2, TCP_LAST_ACK },
	[FULL] = { "both are, behind what waits", FLOWS, TCP_FIN_WAIT1, TCP_FIN_WAIT1 },
	[DEAF] = { "an end does not want to read", EXACT, TCP_ESTABLISHED, TCP_ESTABLISHED },
	[DEAF_AND_SHUT] = { "an end does not want to read or write", EXACT, TCP_FIN_WAIT2, TCP_CLOSE_WAIT },
	[OVER] = { "both directions are shut down", EXACT, TCP_CLOSE, TCP_CLOSE },
};

static struct {
	struct conn c;
	uint32_t there, back;
} made[NR_HALVES][NR_KINDS];

static int state_of(int fd)
{
	struct tcp_info i = { 0 };

	getsockopt(fd, SOL_TCP, TCP_INFO, &i, &(socklen_t){ sizeof(i) });
	return i.tcpi_state;
}

/* within some seconds */
static bool becomes(int fd, int state)
{
	for (long long end = now_ms() + 20000; now_ms() < end; sleep_ms(10))
		if (state_of(fd) == state)
			return true;
	return false;
}

static void make(int half, struct conn c, uint32_t *there, uint32_t *back)
{
	switch (half) {
	case SHUT:
		need(says(c.a, "last") && says(c.b, "unread") && !shutdown(c.a, SHUT_WR));
		break;
	case BEHIND:
		*there = fills(c.a, 1);
		need(!shutdown(c.a, SHUT_WR));
		break;
	case SHUTTING:
		*there = fills(c.a, 1);
		need(!shutdown(c.a, SHUT_WR) && !shutdown(c.b, SHUT_WR));
		break;
	case ANSWERED:
		need(!shutdown(c.a, SHUT_WR));
		*back = fills(c.b, 2);
		need(!shutdown(c.b, SHUT_WR));
		break;
	case FULL:
		*there = fills(c.a, 1);
		*back = fills(c.b, 2);
		need(!shutdown(c.a, SHUT_WR) && !shutdown(c.b, SHUT_WR));
		break;
	case DEAF:
		need(says(c.a, "before") && !shutdown(c.b, SHUT_RD));
		break;
	case DEAF_AND_SHUT:
		need(says(c.a, "last") && !shutdown(c.a, SHUT_RDWR));
		break;
	case OVER:
		need(says(c.a, "last") && says(c.b, "last") && !shutdown(c.a, SHUT_WR) && !shutdown(c.b, SHUT_WR));
		break;
	}
	need(becomes(c.a, halves[half].a) && becomes(c.b, halves[half].b));
}

void prepare_halves(void)
{
	for (int half = 0; half < NR_HALVES; half++) {
		for (int kind = 0; kind < NR_KINDS; kind++) {
			struct conn c = halves[half].how == FLOWS ? narrow(kind) : joined(kind);

			made[half][kind].c = c;
			make(half, c, &made[half][kind].there, &made[half][kind].back);
			watch_both(c, halves[half].how, "connections of which %s", halves[half].what);
		}
	}
}

static bool is_right(int half, struct conn c, uint32_t there, uint32_t back)
{
	switch (half) {
	case SHUT:
		return hears(c.b, "last") && ends(c.b) && ends(c.b) && breaks(c.a, EPIPE) && says(c.b, "answer") &&
			hears(c.a, "unreadanswer") && !shutdown(c.b, SHUT_WR) && ends(c.a) && becomes(c.b, TCP_CLOSE);
	case BEHIND:
		return breaks(c.a, EPIPE) && drains(c.b, 1, 0, there) && ends(c.b) && says(c.b, "answer") &&
			hears(c.a, "answer") && becomes(c.a, TCP_FIN_WAIT2) && !close(c.b) && ends(c.a);
	case SHUTTING:
		return ends(c.a) && drains(c.b, 1, 0, there) && ends(c.b) && becomes(c.a, TCP_CLOSE) &&
			becomes(c.b, TCP_CLOSE);
	case ANSWERED:
		return ends(c.b) && drains(c.a, 2, 0, back) && ends(c.a) && becomes(c.a, TCP_CLOSE) &&
			becomes(c.b, TCP_CLOSE);
	case FULL:
		return drains(c.b, 1, 0, there) && ends(c.b) && drains(c.a, 2, 0, back) && ends(c.a) &&
			becomes(c.a, TCP_CLOSE) && becomes(c.b, TCP_CLOSE);
	case DEAF:
		return hears(c.b, "before") && ends(c.b) && says(c.a, "after") && hears(c.b, "after") &&
			says(c.b, "answer") && hears(c.a, "answer");
	case DEAF_AND_SHUT:
		/* what comes after that is an offence */
		return hears(c.b, "last") && ends(c.b) && ends(c.a) && says(c.b, "?") && breaks(c.b, EPIPE) &&
			is_error(c.a, ECONNRESET);
	}
	return hears(c.a, "last") && ends(c.a) && hears(c.b, "last") && ends(c.b) && breaks(c.a, EPIPE) && breaks(c.b, EPIPE);
}

void check_halves(void)
{
	for (int half = 0; half < NR_HALVES; half++)
		for (int kind = 0; kind < NR_KINDS; kind++)
			verdict(is_right(half, made[half][kind].c, made[half][kind].there, made[half][kind].back), "C7",
				"tcps: %s, over %s", halves[half].what, kind_names[kind]);
}
