// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "serial.h"

#define FDS_MAX 4
#define LINGER_S 2

/*
 * One lock for the queues and flags of all: it is held for a few instructions,
 * a few times per megabyte.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct serial *serials;	/* those with a thread */

int serial_new(size_t size, const struct handle_ops *handle_ops,
	       const struct serial_ops *ops, struct serial **out)
{
	struct serial *s = calloc(1, size);

	if (!s)
		return -ENOMEM;
	s->wake = -1;	/* as long as nobody has asked anything it has nothing */
	s->handle.ops = handle_ops;
	s->ops = ops;
	s->last = &s->first;
	*out = s;
	return 0;
}

void serial_wake(struct serial *s)
{
	uint64_t one = 1;

	/* it can only fail when it is awake already, or has never begun */
	if (write(s->wake, &one, sizeof(one)) < 0)
		return;
}

static struct request *next_request(struct serial *s)
{
	struct request *r;

	pthread_mutex_lock(&lock);
	while (!s->first && !s->closing)
		pthread_cond_wait(&more, &lock);
	r = s->first;
	if (r) {
		s->first = r->next;
		if (!s->first)
			s->last = &s->first;
	}
	pthread_mutex_unlock(&lock);
	return r;
}

static void unlist(struct serial *s)
{
	struct serial **at;

	pthread_mutex_lock(&lock);
	for (at = &serials; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	pthread_cond_broadcast(&more);
	pthread_mutex_unlock(&lock);
}

static void drop(struct serial *s)
{
	s->ops->end(s);
	if (s->wake >= 0)
		close(s->wake);
}

static void *run(void *data)
{
	struct serial *s = data;
	struct request *r;

	while ((r = next_request(s)))
		s->ops->serve(s, r);
	drop(s);
	/* last: the daemon may end as soon as the list is empty */
	unlist(s);
	free(s);
	return NULL;
}

static int start_thread(struct serial *s)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&thread, &attr, run, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return rc;
}

/* what it needs to serve requests; the caller has the lock. 0 or a positive errno. */
static int begin(struct serial *s)
{
	int rc;

	if (s->running)
		return 0;
	if (s->wake < 0)
		s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake < 0)
		return errno;
	rc = start_thread(s);
	if (rc)
		return rc;
	s->running = true;
	s->next = serials;
	serials = s;
	return 0;
}

static void on_interrupt(fuse_req_t req, void *data)
{
	struct request *r = data;

	(void)req;
	pthread_mutex_lock(&lock);
	r->interrupted = true;
	pthread_mutex_unlock(&lock);
	serial_wake(r->serial);
}

fuse_req_t request_take(struct request *r)
{
	fuse_req_t req = r->req;

	fuse_req_interrupt_func(req, NULL, NULL);
	free(r->data);
	free(r);
	return req;
}

static struct request *make_request(struct serial *s, fuse_req_t req, const char *data,
				    size_t size)
{
	struct request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	if (data) {
		r->data = malloc(size ? size : 1);
		if (!r->data) {
			free(r);
			return NULL;
		}
		memcpy(r->data, data, size);
	}
	r->serial = s;
	r->req = req;
	r->size = size;
	return r;
}

/* Give it a request, or reply that it can't be done. */
static void submit(struct handle *h, fuse_req_t req, enum request_kind kind,
		   const char *data, size_t size, off_t off)
{
	struct serial *s = (struct serial *)h;
	struct request *r = make_request(s, req, data, size);
	int rc;

	if (!r) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	r->kind = kind;
	r->off = off;
	r->pid = fuse_req_ctx(req)->pid;
	/* before it is queued: afterwards it may be gone at any time */
	fuse_req_interrupt_func(req, on_interrupt, r);

	pthread_mutex_lock(&lock);
	rc = begin(s);
	if (!rc) {
		*s->last = r;
		s->last = &r->next;
		pthread_cond_broadcast(&more);
	}
	pthread_mutex_unlock(&lock);
	if (rc)
		fuse_reply_err(request_take(r), rc);
}

void serial_read(struct handle *h, fuse_req_t req, size_t size, off_t off)
{
	submit(h, req, REQUEST_READ, NULL, size, off);
}

void serial_write(struct handle *h, fuse_req_t req, const char *data, size_t size, off_t off)
{
	submit(h, req, REQUEST_WRITE, data, size, off);
}

void serial_flush(struct handle *h, fuse_req_t req)
{
	submit(h, req, REQUEST_FLUSH, NULL, 0, 0);
}

static void close_it(struct serial *s)
{
	s->closing = true;
	serial_wake(s);
}

void serial_release(struct handle *h)
{
	struct serial *s = (struct serial *)h;
	bool running;

	pthread_mutex_lock(&lock);
	running = s->running;
	if (running) {
		close_it(s);
		pthread_cond_broadcast(&more);
	}
	pthread_mutex_unlock(&lock);
	if (!running) {
		drop(s);
		free(s);
	}
}

bool serial_closing(struct serial *s)
{
	bool closing;

	pthread_mutex_lock(&lock);
	closing = s->closing;
	pthread_mutex_unlock(&lock);
	return closing;
}

void serial_heed(struct request *r)
{
	pthread_mutex_lock(&lock);
	r->interrupted = false;
	pthread_mutex_unlock(&lock);
}

static bool must_stop(struct serial *s, struct request *r)
{
	bool stop;

	pthread_mutex_lock(&lock);
	stop = s->closing || (r && r->interrupted);
	pthread_mutex_unlock(&lock);
	return stop;
}

int serial_wait(struct serial *s, struct request *r, struct pollfd *fds, nfds_t count,
		int ms)
{
	struct pollfd all[FDS_MAX + 1];
	uint64_t times;

	if (must_stop(s, r))
		return -EINTR;
	for (nfds_t i = 0; i < count; i++)
		all[i] = fds[i];
	all[count] = (struct pollfd){ .fd = s->wake, .events = POLLIN };
	if (poll(all, count + 1, ms) < 0)
		return errno == EINTR ? 0 : -errno;
	for (nfds_t i = 0; i < count; i++)
		fds[i] = all[i];
	/* whoever wakes has set the flags before */
	if (all[count].revents && read(s->wake, &times, sizeof(times)) < 0 && errno != EAGAIN)
		return -errno;
	return must_stop(s, r) ? -EINTR : 0;
}

/* whether there are any, or any that do not linger; the caller has the lock */
static bool any(bool also_lingering)
{
	struct serial *s;

	for (s = serials; s && s->lingers && !also_lingering; s = s->next)
		;
	return s;
}

bool serials_end(void)
{
	struct timespec until;
	struct serial *s;
	bool left;
	int rc = 0;

	pthread_mutex_lock(&lock);
	for (s = serials; s; s = s->next)
		close_it(s);
	pthread_cond_broadcast(&more);
	while (any(false))
		pthread_cond_wait(&more, &lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LINGER_S;
	while (any(true) && !rc)
		rc = pthread_cond_timedwait(&more, &lock, &until);
	left = any(true);
	pthread_mutex_unlock(&lock);
	return !left;
}
