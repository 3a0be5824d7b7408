// SPDX-License-Identifier: GPL-2.0-only
/* Connections of every address and origin, with every option, and many at once. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "options.h"
#include "tcps.h"

/* where the client has its port from */
enum { CHOSEN, BOUND, BOUND_ANY, BOUND_LATE, NR_ORIGINS };

static const char *const origins[NR_ORIGINS] = {
	"port chosen by connect()", "port chosen by bind()", "port and any address", "IP_BIND_ADDRESS_NO_PORT",
};

static struct conn conns[NR_KINDS][NR_ORIGINS], elsewhere, scales[3], asked, failed, alive;
static int listeners[NR_KINDS], in_background, refused, background_server, mtus[2];

static int client_of(int kind, int origin)
{
	int fd = new_socket(kind, false);
	struct sockaddr_storage a;
	socklen_t len = address_of(kind, false, 0, &a);

	if (origin == CHOSEN)
		return fd;
	if (origin == BOUND_LATE)
		set(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	if (origin == BOUND_ANY && a.ss_family == AF_INET)
		((struct sockaddr_in *)&a)->sin_addr.s_addr = htonl(INADDR_ANY);
	else if (origin == BOUND_ANY)
		((struct sockaddr_in6 *)&a)->sin6_addr = in6addr_any;
	need(!bind(fd, (void *)&a, len));
	return fd;
}

static void prepare_elsewhere(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f020304) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	need(!bind(listener, (void *)&a, sizeof(a)) && !listen(listener, 2));
	need(!getsockname(listener, (void *)&a, &(socklen_t){ sizeof(a) }));
	elsewhere.a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need(!bind(elsewhere.a, (void *)&(struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x7f050607) }, sizeof(a)));
	need(!connect(elsewhere.a, (void *)&a, sizeof(a)));
	elsewhere.b = accepts(listener);
	need(elsewhere.b >= 0 && !close(listener));
	watch_both(elsewhere, EXACT, "127.5.6.7 and 127.2.3.4");
}

/* how far windows are scaled is agreed upon when a connection begins, by the size of buffers then */
static void prepare_scales(void)
{
	static const int sizes[] = { 3000, 200000, 9000000 };

	for (int i = 0; i < 3; i++) {
		int listener = listening(IPV4, 2), fd = new_socket(IPV4, false);

		set(listener, SOL_SOCKET, SO_RCVBUFFORCE, sizes[i]);
		set(fd, SOL_SOCKET, SO_RCVBUFFORCE, sizes[2 - i]);
		scales[i] = meets(fd, IPV4, listener);
		close(listener);
		watch_both(scales[i], EXACT, "windows that are scaled");
		need(says(scales[i].a, "scale") && says(scales[i].b, "scale"));
	}
}

/* what has happened in the background and nobody has asked for yet */
static void prepare_background(void)
{
	int listener = listening(IPV4, 2);

	in_background = new_socket(IPV4, false);
	need(!fcntl(in_background, F_SETFL, O_NONBLOCK));
	need(connects(in_background, IPV4, port_of(listener)) && errno == EINPROGRESS);
	background_server = accepts(listener);
	need(background_server >= 0 && happens(in_background, POLLOUT));
	close(listener);
	refused = new_socket(IPV4, false);
	need(!fcntl(refused, F_SETFL, O_NONBLOCK));
	need(connects(refused, IPV4, 1) && errno == EINPROGRESS && happens(refused, POLLERR));
	watch(in_background, EXACT, "a connection made in the background");
	watch(refused, BARE, "a connection refused in the background");
}

/* no timer of theirs may have it ended */
static void prepare_alive(void)
{
	alive = joined(IPV4);
	for (int i = 0; i < 2; i++) {
		set(i ? alive.a : alive.b, SOL_SOCKET, SO_KEEPALIVE, 1);
		set(i ? alive.a : alive.b, SOL_TCP, TCP_KEEPIDLE, 1);
		set(i ? alive.a : alive.b, SOL_TCP, TCP_KEEPINTVL, 1);
		set(i ? alive.a : alive.b, SOL_TCP, TCP_KEEPCNT, 3);
	}
	watch_both(alive, BARE, "a connection with SO_KEEPALIVE each second");
}

static int mtu_of(int fd)
{
	int mtu = 0;

	return getsockopt(fd, SOL_IP, IP_MTU, &mtu, &(socklen_t){ sizeof(mtu) }) ? -errno : mtu;
}

void prepare_kinds(void)
{
	for (int kind = 0; kind < NR_KINDS; kind++) {
		listeners[kind] = listening(kind, 9);
		watch(listeners[kind], EXACT, "a listener of %s with connections", kind_names[kind]);
		for (int origin = 0; origin < NR_ORIGINS; origin++) {
			struct conn *c = &conns[kind][origin];

			*c = meets(client_of(kind, origin), kind, listeners[kind]);
			need(says(c->a, "question") && says(c->b, "answer"));
			if (origin == BOUND)
				need(!fcntl(c->b, F_SETFL, O_NONBLOCK));
			watch_both(*c, EXACT, "%s, %s", kind_names[kind], origins[origin]);
		}
	}
	prepare_elsewhere();
	prepare_scales();
	prepare_background();
	prepare_alive();
	asked = joined(IPV4);
	mtus[0] = mtu_of(asked.a);
	mtus[1] = mtu_of(asked.b);
	failed = (struct conn){ .a = new_socket(IPV4, false), .b = listening(IPV4, 3) };
	need(connects(failed.a, IPV4, 1) && errno == ECONNREFUSED);
}

static void check_background(void)
{
	struct conn c = { in_background, background_server };

	verdict(!connects(c.a, IPV4, port_of(c.b)) && connects(c.a, IPV4, port_of(c.b)) && errno == EISCONN && talks(c),
		"C7", "tcps: connect() in the background says once that it has ended");
	verdict(is_error(refused, ECONNREFUSED) && is_error(refused, 0) && ends(refused), "C7",
		"tcps: connect() in the background has failed");
	c = (struct conn){ failed.a, -1 };
	verdict(!connects(c.a, IPV4, port_of(failed.b)) && (c.b = accepts(failed.b)) >= 0 && talks(c), "C7",
		"tcps: a socket whose connect() was refused connects");
}

void check_kinds(void)
{
	struct conn c;

	for (int kind = 0; kind < NR_KINDS; kind++) {
		for (int origin = 0; origin < NR_ORIGINS; origin++) {
			c = conns[kind][origin];
			verdict(hears(c.b, "question") && hears(c.a, "answer") && talks(c), "C7",
				"tcps: a connection over %s, %s", kind_names[kind], origins[origin]);
		}
		c = meets(new_socket(kind, false), kind, listeners[kind]);
		verdict(talks(c), "C7", "tcps: a new connection to a listener of %s", kind_names[kind]);
		close(c.a);
		close(c.b);
		verdict(!close(listeners[kind]) && talks(conns[kind][BOUND]), "C7",
			"tcps: connections of %s outlive their listener", kind_names[kind]);
		c.a = new_socket(kind, false);
		verdict(connects(c.a, kind, port_of(conns[kind][BOUND].b)) && errno == ECONNREFUSED, "C7",
			"tcps: a listener of %s that is closed is none", kind_names[kind]);
		c = conns[kind][BOUND_ANY];
		verdict(!close(c.a) && ends(c.b) && !close(c.b), "C7", "tcps: a connection over %s ends", kind_names[kind]);
	}
	verdict(talks(elsewhere), "C7", "tcps: a connection over other addresses of loopback's");
	for (int i = 0; i < 3; i++)
		verdict(hears(scales[i].a, "scale") && hears(scales[i].b, "scale") && talks(scales[i]), "C7",
			"tcps: a connection whose windows are scaled, %d", i);
	verdict(mtu_of(asked.a) == mtus[0] && mtu_of(asked.b) == mtus[1], "C7", "tcps: IP_MTU of a connection");
	verdict(talks(alive), "C7", "tcps: a connection with SO_KEEPALIVE each second is alive");
	check_background();
}

/* a connection for each option, which both its ends have */
static struct conn with[MAX_OPTIONS][2], with_all[2];

static bool is_one(const struct option *o, const char *const *texts)
{
	for (; *texts; texts++)
		if (!strcmp(o->text, *texts))
			return true;
	return false;
}

/* what changes by itself in a connection, or is refused in one */
static const char *const not_kept[] = { "SO_INCOMING_CPU", "SO_ZEROCOPY", "TCP_QUICKACK", "IPV6_FLOWINFO", NULL };
/* what changes how a connection begins */
static const char *const not_first[] = { "TCP_DEFER_ACCEPT", "TCP_FASTOPEN", "TCP_FASTOPEN_CONNECT", "TCP_SAVE_SYN", NULL };

static bool can_have(const struct option *o, int kind)
{
	return is_for(o, kind == IPV4 ? AF_INET : AF_INET6, SOCK_STREAM) && !is_one(o, not_kept);
}

static bool set_option(int fd, const struct option *o)
{
	return !setsockopt(fd, o->level, o->name, &o->value, o->len);
}

void prepare_options(void)
{
	need(nr_options <= MAX_OPTIONS);
	for (size_t i = 0; i < nr_options; i++) {
		const struct option *o = &options[i];

		for (int kind = IPV4; kind <= IPV6; kind++) {
			struct conn *c = &with[i][kind];

			*c = (struct conn){ -1, -1 };
			if (!can_have(o, kind))
				continue;
			*c = joined(kind);
			set_option(c->a, o);
			set_option(c->b, o);
			need(says(c->a, "with") && says(c->b, "it"));
			watch_both(*c, EXACT, "connections with %s", o->text);
		}
	}
	for (int kind = IPV4; kind <= IPV6; kind++) {
		int listener = listening(kind, 3);

		/* the one end has them from the beginning, the other by its listener */
		with_all[kind].a = new_socket(kind, false);
		for (size_t i = 0; i < nr_options; i++) {
			if (!can_have(&options[i], kind) || is_one(&options[i], not_first))
				continue;
			set_option(with_all[kind].a, &options[i]);
			set_option(listener, &options[i]);
		}
		with_all[kind] = meets(with_all[kind].a, kind, listener);
		close(listener);
		watch_both(with_all[kind], EXACT, "connections with all options");
	}
}

void check_options(void)
{
	for (size_t i = 0; i < nr_options; i++) {
		bool good = true;

		if (with[i][IPV4].a < 0 && with[i][IPV6].a < 0)
			continue;
		for (int kind = IPV4; kind <= IPV6; kind++) {
			struct conn c = with[i][kind];

			good &= c.a < 0 || (hears(c.b, "with") && hears(c.a, "it") && talks(c));
		}
		verdict(good, "C7", "tcps: connections with %s talk on", options[i].text);
	}
	verdict(talks(with_all[IPV4]) && talks(with_all[IPV6]), "C7", "tcps: connections with all options talk on");
}

#define MANY 500

static struct conn many[MANY];
static int many_listener;

static const char *many_text(int i, const char *end)
{
	static char text[32];

	snprintf(text, sizeof(text), "%s of %d", end, i);
	return text;
}

void prepare_many(void)
{
	many_listener = listening(IPV4, 10);
	for (int i = 0; i < MANY; i++) {
		many[i] = meets(new_socket(IPV4, false), IPV4, many_listener);
		need(says(many[i].a, many_text(i, "client")) && says(many[i].b, many_text(i, "server")));
		watch_both(many[i], BRIEF, "%d connections of one listener", MANY);
	}
}

void check_many(void)
{
	bool good = true;

	for (int i = 0; i < MANY; i++)
		good &= hears(many[i].b, many_text(i, "client")) && hears(many[i].a, many_text(i, "server"));
	verdict(good, "C7", "tcps: what waits in %d connections", MANY);
	for (int i = 0; i < MANY; i++)
		good &= talks(many[i]);
	verdict(good, "C7", "tcps: %d connections talk on", MANY);
}
