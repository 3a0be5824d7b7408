// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing behind: a thread that writes pieces to the file, while whoever made
 * them goes on to the next. Copying into the kernel takes as long as much of the
 * other work on a piece, and would be done with the store's lock held.
 *
 * Pieces reach the file in the order they were given. When one can't be written
 * the others are all the same: what they overwrite, a rollback writes again.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"

/* One that is being filled, one that is being written, and some between them. */
#define PIECES 4

/* Returns 0 or an errno, and how much was written. */
static int write_piece(int fd, const struct piece *p, size_t *done)
{
	*done = 0;
	while (*done < p->len) {
		ssize_t n = pwrite(fd, p->bytes + *done, p->len - *done, p->at + (off_t)*done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : ENOSPC;
		*done += (size_t)n;
	}
	return 0;
}

/* Write it, or note that it is lost. With the mutex, which is let go meanwhile. */
static void settle(struct behind *b, struct piece *p)
{
	size_t done;
	int err;

	pthread_mutex_unlock(&b->worker.mutex);
	err = write_piece(b->fd, p, &done);
	pthread_mutex_lock(&b->worker.mutex);
	if (err && (!b->error || p->at + (off_t)done < b->lost_at))
		b->lost_at = p->at + (off_t)done;
	if (err)
		b->error = err;
	p->next = b->free;
	b->free = p;
	b->given--;
	pthread_cond_broadcast(&b->settled);
}

static void *behind_main(void *arg)
{
	struct behind *b = &((struct store *)arg)->behind;
	struct piece *p;

	pthread_mutex_lock(&b->worker.mutex);
	/* What was given is written even when it is to stop. */
	while (b->first || !b->worker.stop) {
		p = b->first;
		if (!p) {
			pthread_cond_wait(&b->worker.wake, &b->worker.mutex);
			continue;
		}
		b->first = p->next;
		settle(b, p);
	}
	pthread_mutex_unlock(&b->worker.mutex);
	return NULL;
}

void store_behind_init(struct behind *b)
{
	store_worker_init(&b->worker);
	pthread_cond_init(&b->settled, NULL);
}

int store_behind_start(struct store *st, struct store_error *e)
{
	return store_worker_start(st, &st->behind.worker, behind_main, e);
}

void store_behind_free(struct behind *b)
{
	struct piece *p;

	while ((p = b->free)) {
		b->free = p->next;
		free(p);
	}
	pthread_cond_destroy(&b->settled);
	store_worker_free(&b->worker);
}

/* An empty piece to fill; waits for one. NULL: no memory. */
struct piece *store_behind_get(struct behind *b)
{
	struct piece *p;

	pthread_mutex_lock(&b->worker.mutex);
	while (!b->free && b->made == PIECES)
		pthread_cond_wait(&b->settled, &b->worker.mutex);
	p = b->free;
	if (p) {
		b->free = p->next;
	} else {
		p = malloc(sizeof(*p));
		b->made += p != NULL;
	}
	pthread_mutex_unlock(&b->worker.mutex);
	if (p)
		p->len = 0;
	return p;
}

/* Have it written. Before there is a thread, and when it is gone: here and now. */
void store_behind_give(struct behind *b, struct piece *p)
{
	struct piece **last = &b->first;

	pthread_mutex_lock(&b->worker.mutex);
	b->given++;
	if (b->worker.running) {
		while (*last)
			last = &(*last)->next;
		p->next = NULL;
		*last = p;
	} else {
		settle(b, p);
	}
	pthread_mutex_unlock(&b->worker.mutex);
	store_worker_wake(&b->worker);
}

/* Wait until all that was given is written or lost. */
void store_behind_wait(struct behind *b)
{
	pthread_mutex_lock(&b->worker.mutex);
	while (b->given)
		pthread_cond_wait(&b->settled, &b->worker.mutex);
	pthread_mutex_unlock(&b->worker.mutex);
}

/*
 * The errno of what could not be written, 0: none; and where in the file what is
 * lost begins (bytes).
 */
int store_behind_error(struct behind *b, off_t *lost_at)
{
	int err;

	pthread_mutex_lock(&b->worker.mutex);
	err = b->error;
	if (lost_at)
		*lost_at = b->lost_at;
	pthread_mutex_unlock(&b->worker.mutex);
	return err;
}

/* Wait, and forget the error: whoever gives the pieces knows of it. */
void store_behind_forgive(struct behind *b)
{
	store_behind_wait(b);
	pthread_mutex_lock(&b->worker.mutex);
	b->error = 0;
	pthread_mutex_unlock(&b->worker.mutex);
}
