// SPDX-License-Identifier: GPL-2.0-only
/* The threads that a store has of its own: each waits for work, until it is to stop. */
#include <signal.h>
#include <string.h>
#include <time.h>

#include "internal.h"

void store_worker_init(struct worker *w)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&w->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
}

/* Start the thread: it runs fn(st). Returns 0 or the negative errno of pthread_create(3). */
int store_worker_start(struct store *st, struct worker *w, void *(*fn)(void *),
		       struct store_error *e)
{
	sigset_t all, old;
	int err;

	/* Signals are for the threads of the caller. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(&w->thread, NULL, fn, st);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return store_fail(e, err, "can't start a thread for the store %s: %s", st->path,
				  strerror(err));
	w->running = true;
	return 0;
}

void store_worker_wake(struct worker *w)
{
	pthread_cond_broadcast(&w->wake);
}

/* Have the thread end, and wait until it has. It may never have been started. */
void store_worker_stop(struct worker *w)
{
	if (!w->running)
		return;
	pthread_mutex_lock(&w->mutex);
	w->stop = true;
	store_worker_wake(w);
	pthread_mutex_unlock(&w->mutex);
	pthread_join(w->thread, NULL);
	w->running = false;
}

void store_worker_free(struct worker *w)
{
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->mutex);
}
