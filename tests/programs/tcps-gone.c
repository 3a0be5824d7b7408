// SPDX-License-Identifier: GPL-2.0-only
/* Connections of which one end is closed, or was reset by the other. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcps.h"

/* ends that are closed while they have something to send: nobody has a descriptor of them */
enum { CLOSED, CLOSED_LONG, CLOSED_FIRST, CLOSED_LAST, EXITED, NR_ORPHANS };

static const char *const orphans[NR_ORPHANS] = {
	"an end is closed and has more to send", "an end is closed and has much more to send",
	"an end is closed and has more to send, then the other is shut down",
	"an end is shut down, then the other is closed and has more to send", "an end has more to send, and its process is gone",
};

#define NR_LEFT 200000

static struct {
	int a;
	uint32_t back;
} left[NR_ORPHANS][NR_KINDS];

static int run_pour(int fd)
{
	return !pours(fd, 2, 0, NR_LEFT);
}

static void orphan(int how, int kind)
{
	struct conn c = sized(kind, how == CLOSED_LONG || how == EXITED ? 600000 : 60000, 4096);

	if (how == CLOSED_LAST)
		need(!shutdown(c.a, SHUT_WR) && happens(c.b, POLLRDHUP));
	if (how == EXITED) {
		/* the first part of it fills what the other end takes */
		left[how][kind].back = NR_LEFT;
		need(ended_well(spawn(run_pour, c.b)));
	} else {
		left[how][kind].back = fills(c.b, 2);
	}
	need(!close(c.b));
	if (how == CLOSED_FIRST)
		need(!shutdown(c.a, SHUT_WR));
	left[how][kind].a = c.a;
	watch(c.a, FLOWS, "connections of which %s", orphans[how]);
}

void prepare_orphans(void)
{
	for (int how = 0; how < NR_ORPHANS; how++)
		for (int kind = 0; kind < NR_KINDS; kind++)
			orphan(how, kind);
}

void check_orphans(void)
{
	for (int how = 0; how < NR_ORPHANS; how++)
		for (int kind = 0; kind < NR_KINDS; kind++)
			verdict(drains(left[how][kind].a, 2, 0, left[how][kind].back) && ends(left[how][kind].a) &&
				!close(left[how][kind].a), "C7", "tcps: %s, over %s", orphans[how], kind_names[kind]);
}

enum { GONE, GONE_LONG, GONE_TOLD, RESET, RESET_UNREAD, RESET_WRITTEN, RESET_TOLD, DISCONNECTED, NR_GONE };

static const char *const goings[NR_GONE] = {
	"the other end is closed", "the other end is closed and waits longer for the end of this one",
	"the other end is closed, as writing has shown", "the other end has reset it",
	"the other end has reset it behind its last words", "the other end has reset it, as writing will show",
	"the other end has reset it, as its owner knows", "this end was disconnected",
};

static int gone[NR_GONE][2];

static void resets(int fd)
{
	struct linger linger = { 1, 0 };

	need(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) && !close(fd));
}

static void go(int how, struct conn c)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	switch (how) {
	case GONE_LONG:
		/* as a socket, not as a memory of it */
		set(c.b, SOL_TCP, TCP_LINGER2, 120);
		/* fall through */
	case GONE:
		need(says(c.b, "left") && !close(c.b) && happens(c.a, POLLRDHUP));
		break;
	case GONE_TOLD:
		need(!close(c.b) && says(c.a, "?") && happens(c.a, POLLERR));
		break;
	case RESET_UNREAD:
		need(says(c.a, "unread") && says(c.b, "left") && !close(c.b) && happens(c.a, POLLERR));
		break;
	case DISCONNECTED:
		need(says(c.b, "lost") && !connect(c.a, &none, sizeof(none)) && is_error(c.a, ECONNRESET) && !close(c.b));
		break;
	default:
		resets(c.b);
		need(happens(c.a, POLLERR) && (how != RESET_TOLD || is_error(c.a, ECONNRESET)));
	}
}

void prepare_gone(void)
{
	for (int how = 0; how < NR_GONE; how++) {
		for (int kind = IPV4; kind <= IPV6; kind++) {
			struct conn c = joined(kind);

			go(how, c);
			gone[how][kind] = c.a;
			/* what it could not send counts for nothing; one that is none has no name */
			if (how != DISCONNECTED)
				watch(c.a, how == GONE_TOLD ? BARE : EXACT, "connections of which %s",
				      goings[how]);
		}
	}
}

static bool connects_anew(int a, int kind)
{
	int listener = listening(kind, 2);
	struct conn c = meets(a, kind, listener);

	return !close(listener) && talks(c);
}

static bool fails(int fd, int error)
{
	return recv(fd, (char[1]) { 0 }, 1, MSG_DONTWAIT) < 0 && errno == error;
}

static bool is_right(int how, int kind)
{
	int a = gone[how][kind];

	switch (how) {
	case GONE:
	case GONE_LONG:
		return hears(a, "left") && ends(a) && says(a, "?") && breaks(a, EPIPE) && ends(a);
	case GONE_TOLD:
		return is_error(a, EPIPE) && is_error(a, 0) && ends(a) && breaks(a, EPIPE);
	case RESET:
		return is_error(a, ECONNRESET) && is_error(a, 0) && ends(a) && breaks(a, EPIPE);
	case RESET_UNREAD:
		return hears(a, "left") && fails(a, ECONNRESET) && ends(a) && breaks(a, EPIPE);
	case RESET_WRITTEN:
		return breaks(a, ECONNRESET) && breaks(a, EPIPE);
	case RESET_TOLD:
		return is_error(a, 0) && ends(a) && breaks(a, EPIPE);
	}
	return fails(a, ENOTCONN) && connects_anew(a, kind);
}

void check_gone(void)
{
	for (int how = 0; how < NR_GONE; how++)
		for (int kind = IPV4; kind <= IPV6; kind++)
			verdict(is_right(how, kind), "C7", "tcps: %s, over %s", goings[how], kind_names[kind]);
}
