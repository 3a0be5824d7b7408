/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the program tcps: each prepares connections of TCP in some states, and checks them in every generation. */
#ifndef TESTS_TCPS_H
#define TESTS_TCPS_H

#include <sys/socket.h>
#include <sys/types.h>

#include "verdict.h"

/* addresses: the last is a client of IPv4 at a listener of IPv6 */
enum { IPV4, IPV6, MAPPED, MIXED, NR_KINDS };
extern const char *const kind_names[NR_KINDS];

/* the end that has connected, and the one that was accepted */
struct conn {
	int a, b;
};

/* tcps-net.c: what the parts are made of; while they are prepared an error ends the program */
int new_socket(int kind, bool server);
/* address_of - loopback's; returns its length */
socklen_t address_of(int kind, bool server, int port, struct sockaddr_storage *to);
int port_of(int fd);
void set(int fd, int level, int name, int value);
/* listening - at a port that the kernel chooses */
int listening(int kind, int backlog);
/* connects - 0, or -1 with errno */
int connects(int fd, int kind, int port);
int connected(int kind, int listener);
/* accepts - one that waits, or that comes within some seconds; -1 if none does */
int accepts(int listener);
/* joined - one connection, whose listener is gone; meets - the same for a socket that was made before */
struct conn joined(int kind);
struct conn meets(int a, int kind, int listener);
/* sized - with buffers of these sizes at both ends; narrow - small ones, so that they are full soon */
struct conn sized(int kind, int send, int receive);
struct conn narrow(int kind);

/* words: all of it is sent; exactly this comes next, within some seconds; then the end */
bool says(int fd, const char *text);
bool hears(int fd, const char *text);
bool ends(int fd);
/* talks - a word in each direction */
bool talks(struct conn c);
/* happens - one of these events, within some seconds; quiet - none, not even after a moment */
bool happens(int fd, short events);
bool quiet(int fd, short events);
/* is_error - what SO_ERROR says */
bool is_error(int fd, int error);
/* breaks - writing to it fails with that, at last */
bool breaks(int fd, int error);

/* streams: the numbers of stream @seed from @from on */
void stream(void *p, size_t len, uint32_t seed, uint32_t from);
bool stream_is(const void *p, size_t len, uint32_t seed, uint32_t from);
/* fills - with a stream, until nothing more goes in; returns how many bytes did */
uint32_t fills(int fd, uint32_t seed);
bool pours(int fd, uint32_t seed, uint32_t from, uint32_t len);
/* drains - these bytes of the stream come, and no others */
bool drains(int fd, uint32_t seed, uint32_t from, uint32_t len);

/* spawn - a process that has this descriptor alone and exits with what @run returns */
pid_t spawn(int (*run)(int fd), int fd);
/* asleep - wait until it sleeps in a call */
void asleep(pid_t pid);
/* ended_well - it ends by itself, with 0 */
bool ended_well(pid_t pid);

/*
 * tcps-look.c: all that a program can see of a socket without changing it, under a name that several may have.
 * FLOWS: what is in its queues may move from one end to the other by itself; BRIEF: without all options; BARE: nor how
 * large packets may be, or what was to be sent.
 */
enum { EXACT, FLOWS, BRIEF, BARE };
__attribute__((format(printf, 3, 4)))
void watch(int fd, int how, const char *name, ...);
__attribute__((format(printf, 3, 4)))
void watch_both(struct conn c, int how, const char *name, ...);
/* settle - wait until nothing moves, and note it all */
void settle(void);
void check_watched(void);

#define PART(name) void prepare_##name(void); void check_##name(void)
PART(tasks);		/* tcps-tasks.c: who is asleep in a call */
PART(talkers);		/* tcps-talkers.c: who goes on all the time */
PART(kinds);		/* tcps-kinds.c */
PART(options);
PART(many);
PART(queues);		/* tcps-queues.c */
PART(repaired);		/* tcps-repaired.c: those that begin as no others do */
PART(halves);		/* tcps-halves.c: ends that are shut down */
PART(orphans);		/* tcps-gone.c: ends that are closed or reset */
PART(gone);
PART(waiting);		/* tcps-waiting.c: who waits to be accepted */
PART(groups);
PART(ports);		/* tcps-ports.c */
PART(shares);		/* tcps-shares.c: descriptors, epoll */

#endif
