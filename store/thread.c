// SPDX-License-Identifier: GPL-2.0-only
/* The threads that a store has of its own. */
#include <signal.h>
#include <string.h>

#include "internal.h"

int store_thread(struct store *st, pthread_t *thread, void *(*fn)(void *), bool *running,
		 struct store_error *e)
{
	sigset_t all, old;
	int err;

	/* Signals are for the threads of the caller. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(thread, NULL, fn, st);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return store_fail(e, err, "can't start a thread for the store %s: %s", st->path,
				  strerror(err));
	*running = true;
	return 0;
}
