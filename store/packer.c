// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread that compresses packs and writes them, while the writer goes on with
 * its stream. It takes one at a time, from any writer, and one that finds it
 * busy does the work itself: so both have something to do all the time, and no
 * queue grows.
 */
#include <errno.h>

#include "internal.h"

static void land(struct store *st, struct store_writer *w)
{
	struct scratch *s = store_scratch_get(st);
	struct store_error own = { 0 };
	size_t len = s ? store_encode_pack(s, &w->flight) : 0;

	store_lock(st);
	if (!s) {
		store_fail(&own, ENOMEM, "no memory to write to the store %s", st->path);
		store_writer_fail(w, &own, NULL);
	} else if (!w->error.err && store_insert_pack(w, &w->flight, s, len, &own)) {
		store_writer_fail(w, &own, NULL);
	}
	w->flight.number = 0;
	store_unlock(st);
	store_scratch_put(st, s);
}

static void *packer_main(void *arg)
{
	struct store *st = arg;
	struct packer *p = &st->packer;

	pthread_mutex_lock(&p->worker.mutex);
	while (!p->worker.stop) {
		struct store_writer *w = p->writer;

		if (!w) {
			pthread_cond_wait(&p->worker.wake, &p->worker.mutex);
			continue;
		}
		p->writer = NULL;
		p->busy = true;
		pthread_mutex_unlock(&p->worker.mutex);
		land(st, w);
		pthread_mutex_lock(&p->worker.mutex);
		p->busy = false;
		w->flying = false;
		pthread_cond_broadcast(&p->landed);
	}
	pthread_mutex_unlock(&p->worker.mutex);
	return NULL;
}

int store_packer_start(struct store *st, struct store_error *e)
{
	return store_worker_start(st, &st->packer.worker, packer_main, e);
}

/* Give it the writer's pack; with store->lock. false: it has another one. */
bool store_packer_give(struct store_writer *w)
{
	struct packer *p = &w->st->packer;
	bool taken;

	pthread_mutex_lock(&p->worker.mutex);
	taken = p->worker.running && !p->busy && !p->writer && !w->flying;
	if (taken) {
		struct open_pack pack = w->pack;

		w->pack = w->flight;
		w->pack.count = 0;
		w->flight = pack;
		w->flying = true;
		p->writer = w;
		store_worker_wake(&p->worker);
	}
	pthread_mutex_unlock(&p->worker.mutex);
	return taken;
}

/* Wait until it has none of this writer's. */
void store_packer_wait(struct store_writer *w)
{
	struct packer *p = &w->st->packer;

	pthread_mutex_lock(&p->worker.mutex);
	while (w->flying)
		pthread_cond_wait(&p->landed, &p->worker.mutex);
	pthread_mutex_unlock(&p->worker.mutex);
}
