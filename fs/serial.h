/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An open file whose requests may take as long as a container or a slow reader
 * takes. They are served one after another by a thread of the file's own, so
 * that they keep none of the threads that answer everybody else.
 */
#ifndef FS_SERIAL_H
#define FS_SERIAL_H

#include <poll.h>
#include <stdbool.h>

#include "handle.h"

struct serial;

enum request_kind { REQUEST_READ, REQUEST_WRITE, REQUEST_FLUSH };

struct request {
	struct request *next;
	struct serial *serial;
	fuse_req_t req;
	enum request_kind kind;
	char *data;		/* of a write; freed with the request */
	size_t size;		/* bytes to read or write */
	off_t off;
	pid_t pid;		/* the thread that asks, as we see it; 0: we don't */
	bool interrupted;	/* it has got a signal meanwhile */
};

struct serial_ops {
	/* serve one, and reply to it */
	void (*serve)(struct serial *s, struct request *r);
	/* nobody has the file open any more: give back what it has, not @s */
	void (*end)(struct serial *s);
};

struct serial {
	struct handle handle;
	const struct serial_ops *ops;
	bool lingers;		/* its end may take for ever: the daemon's does not wait for it */
	/* serial.c's own */
	struct serial *next;
	struct request *first;
	struct request **last;
	bool running;		/* has its thread */
	bool closing;
	int wake;		/* eventfd: something has happened to a request */
};

/*
 * serial_new - an open file
 * @size: in bytes, of the struct that has a struct serial in front; all zeros
 *
 * Returns 0 or a negative errno.
 */
int serial_new(size_t size, const struct handle_ops *handle_ops,
	       const struct serial_ops *ops, struct serial **s);

/* what such a file's handle_ops has: the requests are queued, data is copied */
void serial_read(struct handle *h, fuse_req_t req, size_t size, off_t off);
void serial_write(struct handle *h, fuse_req_t req, const char *data, size_t size, off_t off);
void serial_flush(struct handle *h, fuse_req_t req);
/* closed by the last who had it open; ends in its own time, and is freed */
void serial_release(struct handle *h);

/*
 * serial_wait - wait for descriptors, in its own thread
 * @r: the request that is being served, or NULL
 * @fds, @count: as for poll(2), at most 4
 * @ms: at most so long, in milliseconds; -1: for ever
 *
 * Returns 0 when it makes sense to look again, or -EINTR: @r has been
 * interrupted, or the file is closed.
 */
int serial_wait(struct serial *s, struct request *r, struct pollfd *fds, nfds_t count,
		int ms);

/* serial_wake - make its serial_wait return 0, from any thread */
void serial_wake(struct serial *s);

/* serial_heed - forget a signal that @r got, and wait on */
void serial_heed(struct request *r);

/* serial_closing - whether nobody has it open any more */
bool serial_closing(struct serial *s);

/* request_take - what to reply to; @r itself is freed */
fuse_req_t request_take(struct request *r);

/*
 * serials_end - end all that are still open, and wait for it
 *
 * Returns false when some that linger are left, with their threads, although they
 * were given a moment.
 */
bool serials_end(void);

#endif
