// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread that compresses packs and inserts them, while the writer goes on with
 * its stream. One more may wait for it, of any writer; a writer that finds one
 * waiting does the work itself: so both have something to do all the time, and
 * no queue grows. When there is nothing to compress, the index gets its turn.
 */
#include <errno.h>
#include <time.h>

#include "internal.h"

#ifndef REST_SECONDS
#define REST_SECONDS 5
#endif

static void land(struct store *st, struct open_pack *p, bool hurry)
{
	struct scratch *s = store_scratch_get(st);
	struct store_writer *w = p->writer;
	struct store_error own = { 0 };
	size_t len = s ? store_encode_pack(s, p, hurry) : 0;

	store_lock(st);
	if (!s) {
		store_fail(&own, ENOMEM, "no memory to write to the store %s", st->path);
		store_writer_fail(w, &own, NULL);
	} else if (!w->error.err && store_insert_pack(p, s, len, &own)) {
		store_writer_fail(w, &own, NULL);
	}
	p->number = 0;
	store_unlock(st);
	store_scratch_put(st, s);
}

/* Move what the index has in memory, until there is other work. With the mutex. */
static void move_index(struct store *st)
{
	struct packer *p = &st->packer;
	int more;

	while (p->unmoved && !p->waiting && !p->worker.stop) {
		pthread_mutex_unlock(&p->worker.mutex);
		store_lock(st);
		more = store_index_move(st, NULL);
		if (!more)
			more = store_txn_commit(st, NULL);
		store_unlock(st);
		/* Whoever needs what can't be written learns of it himself. */
		if (more > 0)
			more = store_txn_settle(st, NULL) ? 0 : 1;
		pthread_mutex_lock(&p->worker.mutex);
		p->unmoved &= more > 0;
	}
}

/* Wait for a pack; when none comes for a while, there is time for the index. With the mutex. */
static void wait_for_pack(struct store *st)
{
	struct packer *p = &st->packer;
	struct timespec until;
	int ret;

	if (!p->unmoved) {
		pthread_cond_wait(&p->worker.wake, &p->worker.mutex);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += REST_SECONDS;
	ret = pthread_cond_timedwait(&p->worker.wake, &p->worker.mutex, &until);
	if (ret == ETIMEDOUT)
		move_index(st);
}

static void *packer_main(void *arg)
{
	struct store *st = arg;
	struct packer *p = &st->packer;
	bool hurry = false;

	pthread_mutex_lock(&p->worker.mutex);
	while (!p->worker.stop) {
		struct open_pack *pack = p->waiting;
		struct store_writer *w;

		if (!pack) {
			hurry = false;
			wait_for_pack(st);
			continue;
		}
		w = pack->writer;
		p->waiting = NULL;
		pthread_mutex_unlock(&p->worker.mutex);
		land(st, pack, hurry);
		pthread_mutex_lock(&p->worker.mutex);
		w->flying--;
		pthread_cond_broadcast(&p->landed);
		/* They come faster than they can be compressed well. */
		hurry = true;
	}
	pthread_mutex_unlock(&p->worker.mutex);
	return NULL;
}

int store_packer_start(struct store *st, struct store_error *e)
{
	return store_worker_start(st, &st->packer.worker, packer_main, e);
}

static struct open_pack *free_flight(struct store_writer *w)
{
	for (int i = 1; i < OPEN_PACKS; i++)
		if (!w->pack[i].number)
			return &w->pack[i];
	return NULL;
}

/* Give it the writer's pack; with store->lock. false: it has enough to do. */
bool store_packer_give(struct store_writer *w)
{
	struct packer *p = &w->st->packer;
	struct open_pack *flight = free_flight(w), pack = *w->pack;
	bool taken;

	pthread_mutex_lock(&p->worker.mutex);
	taken = flight && p->worker.running && !p->waiting;
	if (taken) {
		*w->pack = *flight;
		w->pack->count = 0;
		*flight = pack;
		w->flying++;
		p->waiting = flight;
	}
	pthread_mutex_unlock(&p->worker.mutex);
	if (taken)
		store_worker_wake(&p->worker);
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

/* A snapshot is complete, and the index has much in memory: see to it when nobody writes. */
void store_packer_rest(struct store *st)
{
	struct packer *p = &st->packer;

	pthread_mutex_lock(&p->worker.mutex);
	p->unmoved = true;
	pthread_mutex_unlock(&p->worker.mutex);
	store_worker_wake(&p->worker);
}
