// SPDX-License-Identifier: GPL-2.0-only
/* All that a program can see of a socket without changing it. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "options.h"
#include "tcps.h"

#define NR_WATCHED 2400
#define SIOCINQ 0x541b
#define SIOCOUTQ 0x5411
#define SIOCOUTQNSD 0x894b
#define SIOCATMARK 0x8905

/* numbers, each with a name; the first ones are not looked at where data flow */
enum {
	TO_READ, TO_SEND, NOT_SENT, PEEKED, EVENTS_OUT, NR_FLOWING, EVENTS = NR_FLOWING, FLAGS, AT_MARK, NAME, PEER, STATE,
	AGREED, SCALE_OUT, SCALE_IN, SEGMENT, ADVERTISED, PATH_MTU, WAITING, BACKLOG, NR_NUMBERS,
};

static const char *const texts[NR_NUMBERS] = {
	"SIOCINQ", "SIOCOUTQ", "SIOCOUTQNSD", "what MSG_PEEK says", "POLLOUT", "poll()", "its flags", "SIOCATMARK",
	"getsockname()", "getpeername()", "tcpi_state", "tcpi_options", "tcpi_snd_wscale", "tcpi_rcv_wscale",
	"tcpi_snd_mss", "tcpi_advmss", "tcpi_pmtu", "who waits to be accepted", "its backlog",
};

struct look {
	long long numbers[NR_NUMBERS];
	uint32_t answers[NR_ANSWERS];
};

static struct watched {
	int fd, how;
	uint32_t clock;
	char name[100];
	struct look was;
} *watched;
static int nr_watched;

#define NR_STATES 16
static int states[NR_STATES];

static long long sum(const void *p, size_t len)
{
	uint64_t s = 14695981039346656037u;

	for (size_t i = 0; i < len; i++)
		s = (s ^ ((const uint8_t *)p)[i]) * 1099511628211u;
	return s >> 1;
}

static long long ask_ioctl(int fd, unsigned long what)
{
	int n = 0;

	return ioctl(fd, what, &n) ? -errno : n;
}

static long long ask_name(int fd, int (*get)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_storage a = { 0 };
	socklen_t len = sizeof(a);

	return get(fd, (void *)&a, &len) ? -errno : sum(&a, len);
}

/* only where something is, else it would take the error away; and where it does not change where the next begins */
static long long peek(int fd)
{
	static uint8_t bytes[1 << 18];
	int from = -1;
	ssize_t n;

	getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &from, &(socklen_t){ sizeof(from) });
	if (from >= 0 || ask_ioctl(fd, SIOCINQ) <= 0)
		return 0;
	n = recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	return n < 0 ? -errno : sum(bytes, n);
}

static void look_at_info(int fd, long long *n)
{
	struct tcp_info i = { 0 };
	bool listens;

	need(!getsockopt(fd, SOL_TCP, TCP_INFO, &i, &(socklen_t){ sizeof(i) }));
	listens = i.tcpi_state == TCP_LISTEN;
	n[STATE] = i.tcpi_state;
	n[AGREED] = i.tcpi_options & (TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE | TCPI_OPT_ECN);
	n[SCALE_OUT] = i.tcpi_snd_wscale;
	n[SCALE_IN] = i.tcpi_rcv_wscale;
	n[SEGMENT] = i.tcpi_snd_mss;
	n[ADVERTISED] = i.tcpi_advmss;
	n[PATH_MTU] = i.tcpi_pmtu;
	n[WAITING] = listens ? i.tcpi_unacked : 0;
	n[BACKLOG] = listens ? i.tcpi_sacked : 0;
}

static void look_at(const struct watched *w, struct look *l)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP };
	long long *n = l->numbers;

	memset(l, 0, sizeof(*l));
	poll(&p, 1, 0);
	n[EVENTS] = p.revents & ~POLLOUT;
	n[FLAGS] = fcntl(w->fd, F_GETFL);
	n[AT_MARK] = ask_ioctl(w->fd, SIOCATMARK);
	n[NAME] = ask_name(w->fd, getsockname);
	n[PEER] = ask_name(w->fd, getpeername);
	look_at_info(w->fd, n);
	if (w->how == BARE)
		n[SEGMENT] = n[ADVERTISED] = n[PATH_MTU] = 0;
	if (w->how != FLOWS) {
		n[TO_READ] = ask_ioctl(w->fd, SIOCINQ);
		n[TO_SEND] = w->how == BARE ? 0 : ask_ioctl(w->fd, SIOCOUTQ);
		n[NOT_SENT] = w->how == BARE ? 0 : ask_ioctl(w->fd, SIOCOUTQNSD);
		n[PEEKED] = peek(w->fd);
		n[EVENTS_OUT] = p.revents & POLLOUT;
	}
	if (w->how < BRIEF)
		ask_options(w->fd, w->how == FLOWS ? FLOWING : CONNECTED, l->answers);
}

static uint32_t clock_of(int fd)
{
	uint32_t now = 0;

	getsockopt(fd, SOL_TCP, TCP_TIMESTAMP, &now, &(socklen_t){ sizeof(now) });
	return now;
}

static bool is_same(const struct watched *w, const struct look *now, bool tell)
{
	bool same = true;

	for (int i = 0; i < NR_NUMBERS; i++) {
		if (now->numbers[i] == w->was.numbers[i])
			continue;
		if (tell)
			printf("%s: descriptor %d: %s was %lld, is %lld\n", w->name, w->fd, texts[i], w->was.numbers[i],
			       now->numbers[i]);
		same = false;
	}
	return same_answers(w->was.answers, now->answers, tell ? w->name : NULL) && same;
}

static void name_it(int fd, int how, const char *end, const char *name, va_list ap)
{
	struct watched *w;
	int len;

	if (!watched)
		watched = calloc(NR_WATCHED, sizeof(*watched));
	need(watched && nr_watched < NR_WATCHED);
	w = &watched[nr_watched++];
	w->fd = fd;
	w->how = how;
	len = vsnprintf(w->name, sizeof(w->name), name, ap);
	snprintf(w->name + len, sizeof(w->name) - len, "%s", end);
}

void watch(int fd, int how, const char *name, ...)
{
	va_list ap;

	va_start(ap, name);
	name_it(fd, how, "", name, ap);
	va_end(ap);
}

void watch_both(struct conn c, int how, const char *name, ...)
{
	va_list ap;

	va_start(ap, name);
	name_it(c.a, how, "", name, ap);
	va_end(ap);
	va_start(ap, name);
	name_it(c.b, how, "", name, ap);
	va_end(ap);
}

/* how many sockets of TCP there are in each state, whoever has them, if anybody has */
static void count_states(int *nr)
{
	static const char *const files[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	unsigned int state;
	char line[512];

	memset(nr, 0, NR_STATES * sizeof(*nr));
	for (int i = 0; i < 2; i++) {
		FILE *f = fopen(files[i], "re");

		need(f);
		while (fgets(line, sizeof(line), f))
			if (sscanf(line, "%*d: %*s %*s %x", &state) == 1 && state < NR_STATES)
				nr[state]++;
		fclose(f);
	}
	/* these go when their time has come; and one that nobody has ends in the same way from both of those */
	nr[TCP_FIN_WAIT2] = nr[TCP_TIME_WAIT] = 0;
	nr[TCP_LAST_ACK] += nr[TCP_CLOSING];
	nr[TCP_CLOSING] = 0;
}

static bool same_states(bool tell)
{
	int now[NR_STATES];
	bool same = true;

	count_states(now);
	for (int i = 0; i < NR_STATES; i++) {
		if (now[i] == states[i])
			continue;
		if (tell)
			printf("of %d sockets in state %d there are %d\n", states[i], i, now[i]);
		same = false;
	}
	return same;
}

static bool has_same_states(void)
{
	for (int i = 0; i < 30; i++, sleep_ms(100))
		if (same_states(i == 29))
			return true;
	return false;
}

void settle(void)
{
	static struct look now;
	int moved = 1;

	for (int rounds = 0; moved; rounds++) {
		/* an acknowledgement may take some of its time */
		sleep_ms(rounds ? 250 : 0);
		moved = 0;
		for (struct watched *w = watched; w < watched + nr_watched; w++) {
			look_at(w, &now);
			moved += !rounds || !is_same(w, &now, rounds > 40);
			w->was = now;
			w->clock = clock_of(w->fd);
		}
		need(rounds < 44);
	}
	count_states(states);
}

static bool is_as_it_was(const struct watched *w, bool tell)
{
	static struct look now;

	look_at(w, &now);
	if (!is_same(w, &now, tell))
		return false;
	if ((int32_t)(clock_of(w->fd) - w->clock) >= 0)
		return true;
	if (tell)
		printf("%s: descriptor %d: TCP_TIMESTAMP went back\n", w->name, w->fd);
	return false;
}

/* what is on its way may take a moment */
static void wait_for_watched(void)
{
	int changed = 1;

	for (int rounds = 0; changed && rounds < 5; rounds++) {
		sleep_ms(rounds ? 300 : 0);
		changed = 0;
		for (const struct watched *w = watched; w < watched + nr_watched; w++)
			changed += !is_as_it_was(w, false);
	}
}

void check_watched(void)
{
	wait_for_watched();
	for (int i = 0; i < nr_watched;) {
		const char *name = watched[i].name;
		int changed = 0;

		/* of many the first ones tell enough */
		for (; i < nr_watched && !strcmp(watched[i].name, name); i++)
			changed += !is_as_it_was(&watched[i], changed < 2);
		verdict(!changed, "C7", "tcps: what can be seen of %s", name);
	}
	verdict(has_same_states(), "C7", "tcps: there are as many sockets in each state");
}
