// SPDX-License-Identifier: GPL-2.0-only
/* What waits in connections, on both sides. */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcps.h"

#define SIOCINQ 0x541b
#define SIOCOUTQ 0x5411

/* around what a packet holds over loopback, and more than a window */
static const uint32_t sizes[] = { 1, 21, 4096, 32741, 65463, 65482, 65483, 65484, 150000 };

#define NR_SIZES (sizeof(sizes) / sizeof(sizes[0]))
#define TAIL 100001

/* stream 1 goes from a to b, 2 the other way */
struct flow {
	struct conn c;
	uint32_t there, back;
};

static struct flow of_size[NR_SIZES][2], full[NR_KINDS], wide, unsent, corked, nagle, begun, pieces, file, shrunk, longest;
static struct conn peeked;
static bool has_peek_off;

static void prepare_sizes(void)
{
	for (size_t i = 0; i < NR_SIZES; i++) {
		for (int kind = IPV4; kind <= IPV6; kind++) {
			struct flow *f = &of_size[i][kind];

			f->c = joined(kind);
			f->there = sizes[i];
			f->back = sizes[NR_SIZES - 1 - i];
			need(pours(f->c.a, 1, 0, f->there) && pours(f->c.b, 2, 0, f->back));
			watch(f->c.a, f->back < 60000 && f->there < 60000 ? EXACT : FLOWS, "queues of %u bytes", sizes[i]);
			watch(f->c.b, f->back < 60000 && f->there < 60000 ? EXACT : FLOWS, "queues of %u bytes", sizes[i]);
		}
	}
}

static void prepare_full(void)
{
	for (int kind = 0; kind < NR_KINDS; kind++) {
		struct flow *f = &full[kind];

		f->c = narrow(kind);
		f->there = fills(f->c.a, 1);
		f->back = fills(f->c.b, 2);
		watch_both(f->c, FLOWS, "a connection of %s that is full", kind_names[kind]);
	}
	wide.c = joined(IPV4);
	wide.there = fills(wide.c.a, 1);
	watch_both(wide.c, FLOWS, "a connection that is full");
}

/* more than the other end takes, whose last part is small */
static void prepare_unsent(void)
{
	unsent.c = sized(IPV6, 1 << 20, 4096);
	corked.c = joined(IPV4);
	nagle.c = joined(IPV4);
	unsent.there = fills(unsent.c.a, 1);
	set(corked.c.a, SOL_TCP, TCP_CORK, 1);
	set(nagle.c.a, SOL_TCP, TCP_NODELAY, 0);
	corked.there = nagle.there = TAIL;
	need(pours(corked.c.a, 1, 0, TAIL) && pours(nagle.c.a, 1, 0, TAIL - 1) && pours(nagle.c.a, 1, TAIL - 1, 1));
	/* with less room than what it has already */
	shrunk.c = narrow(IPV4);
	shrunk.there = fills(shrunk.c.a, 1);
	set(shrunk.c.b, SOL_SOCKET, SO_RCVBUF, 9000);
	set(shrunk.c.a, SOL_SOCKET, SO_SNDBUF, 5000);
	longest.c = sized(IPV4, 24 << 20, 30000);
	longest.there = fills(longest.c.a, 1);
	watch_both(shrunk.c, FLOWS, "queues longer than they may be");
	watch_both(longest.c, FLOWS, "a queue of many megabytes");
	watch_both(unsent.c, FLOWS, "a long queue of what is not sent");
	watch_both(corked.c, FLOWS, "a queue with TCP_CORK");
	watch_both(nagle.c, FLOWS, "a queue whose last part is small");
}

/* a part of it is read already; many small parts; pages of a file */
static void prepare_parts(void)
{
	static uint8_t bytes[30000];
	int fd = open(in_dir("sent"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	begun.c = joined(IPV4);
	need(pours(begun.c.a, 1, 0, 50000) && drains(begun.c.b, 1, 0, 12345));
	begun.there = 50000 - 12345;
	watch_both(begun.c, EXACT, "a queue that is read in part");
	pieces.c = joined(IPV6);
	set(pieces.c.a, SOL_TCP, TCP_NODELAY, 1);
	for (pieces.there = 0; pieces.there < 300; pieces.there++)
		need(pours(pieces.c.a, 1, pieces.there, 1));
	watch_both(pieces.c, EXACT, "a queue of many parts");
	file.c = joined(IPV4);
	file.there = sizeof(bytes);
	stream(bytes, sizeof(bytes), 1, 0);
	need(fd >= 0 && write(fd, bytes, sizeof(bytes)) == sizeof(bytes) && !lseek(fd, 0, SEEK_SET));
	need(sendfile(file.c.a, fd, NULL, sizeof(bytes)) == sizeof(bytes));
	close(fd);
	need(!unlink(in_dir("sent")));
	watch_both(file.c, EXACT, "a queue with pages of a file");
}

static void prepare_peeked(void)
{
	char got[3];
	int from = 0;

	peeked = joined(IPV4);
	need(says(peeked.a, "abcdef"));
	/* of TCP since 6.9 */
	has_peek_off = !setsockopt(peeked.b, SOL_SOCKET, SO_PEEK_OFF, &from, sizeof(from));
	need(recv(peeked.b, got, 3, MSG_PEEK) == 3 && !memcmp(got, "abc", 3));
	watch_both(peeked, EXACT, "a queue that was peeked at");
}

void prepare_queues(void)
{
	prepare_sizes();
	prepare_full();
	prepare_unsent();
	prepare_parts();
	prepare_peeked();
}

static int ask(int fd, unsigned long what)
{
	int n = -1;

	ioctl(fd, what, &n);
	return n;
}

/* it is at the one end or the other; an acknowledgement may be on its way */
static bool is_all_there(const struct flow *f)
{
	for (int i = 0; i < 50; i++) {
		if (ask(f->c.a, SIOCOUTQ) + ask(f->c.b, SIOCINQ) == (int)f->there &&
		    ask(f->c.b, SIOCOUTQ) + ask(f->c.a, SIOCINQ) == (int)f->back)
			return true;
		sleep_ms(50);
	}
	return false;
}

static bool arrives(const struct flow *f)
{
	return is_all_there(f) && drains(f->c.b, 1, 0, f->there) && drains(f->c.a, 2, 0, f->back);
}

static void check_sizes(void)
{
	for (size_t i = 0; i < NR_SIZES; i++)
		for (int kind = IPV4; kind <= IPV6; kind++)
			verdict(arrives(&of_size[i][kind]) && talks(of_size[i][kind].c), "C7",
				"tcps: %u bytes that wait, over %s", sizes[i], kind_names[kind]);
}

static void check_full(void)
{
	for (int kind = 0; kind < NR_KINDS; kind++)
		verdict(arrives(&full[kind]) && talks(full[kind].c), "C7",
			"tcps: both directions are full, over %s", kind_names[kind]);
	verdict(arrives(&wide) && talks(wide.c), "C7", "tcps: one direction is full");
}

static void check_peeked(void)
{
	char got[3] = "";

	verdict(recv(peeked.b, got, 2, MSG_PEEK) == 2 && !memcmp(got, has_peek_off ? "de" : "ab", 2) &&
		hears(peeked.b, "abcdef"), "C7", "tcps: MSG_PEEK%s", has_peek_off ? " and SO_PEEK_OFF" : "");
}

void check_queues(void)
{
	check_sizes();
	check_full();
	verdict(arrives(&unsent) && talks(unsent.c), "C7", "tcps: a long queue of what was not sent");
	verdict(arrives(&shrunk) && talks(shrunk.c), "C7", "tcps: queues that are longer than they may be");
	verdict(arrives(&longest) && talks(longest.c), "C7", "tcps: many megabytes that were not sent");
	verdict(arrives(&corked) && talks(corked.c), "C7", "tcps: a queue with TCP_CORK");
	verdict(arrives(&nagle) && talks(nagle.c), "C7", "tcps: a queue whose last part is small");
	verdict(drains(begun.c.b, 1, 12345, begun.there) && talks(begun.c), "C7", "tcps: a queue that was read in part");
	verdict(arrives(&pieces) && talks(pieces.c), "C7", "tcps: a queue of many small parts");
	verdict(arrives(&file) && talks(file.c), "C7", "tcps: pages of a file that were sent");
	check_peeked();
}
