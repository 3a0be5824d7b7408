// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freeing blocks. There are no reference counts (every block of every snapshot
 * would write to a random place); instead a round marks what the maps reach
 * and sweeps the rest. It works in slices, between which others go on:
 *
 *   mark   A writer that finds a block among the stored ones marks it at once
 *          (store_gc_keep), so nothing that is in use by the end is unmarked.
 *          Packs that came after the round began are not looked at.
 *   sweep  A writer that finds an unmarked block does not use it.
 *   shrink The file gives free pages back.
 *
 * Maps of snapshots that neither have an entry nor an active writer are those
 * of deleted, aborted or crashed ones, and are dropped by mark. When a map is
 * damaged nobody knows what it reached, and nothing is freed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define MARK_SLICE 32
#define SWEEP_SLICE 64
#define SHRINK_SLICE 256
/* Pages that may be moved at one go. */
#define SHRINK_MOVES 1024
/* Free pages that an automatic round leaves for reuse: these, or an eighth. */
#define SHRINK_RESERVE 1024
/* A map or a pack that was changed goes through the journal as well. */
#define SWEEP_BYTES DB_PAGE
/* How often whoever watches is asked. */
#define WATCH_NS 100000000

static void mark(struct store *st, uint64_t pack, uint64_t mask)
{
	uint64_t *word = store_bits_word(&st->gc.live, pack, true);

	if (word)
		*word |= mask;
	else
		st->gc.nomem = true;	/* the round frees nothing */
}

static void mark_blocks(struct store *st, const uint64_t *block, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (block[i] != BLOCK_ZERO && block[i] / PACK_SLOTS < st->gc.limit)
			mark(st, block[i] / PACK_SLOTS, 1ULL << block[i] % PACK_SLOTS);
}

/* A writer wants to use a stored block: may it? */
bool store_gc_keep(struct store *st, uint64_t block)
{
	uint64_t pack = block / PACK_SLOTS, *word;

	if (st->gc.phase == GC_IDLE || pack >= st->gc.limit)
		return true;
	if (st->gc.phase == GC_MARK) {
		mark(st, pack, 1ULL << block % PACK_SLOTS);
		return true;
	}
	word = store_bits_word(&st->gc.live, pack, false);
	return word && *word >> block % PACK_SLOTS & 1;
}

/* ---- mark ---- */

static void mark_begin(struct store *st)
{
	st->gc.nomem = false;
	st->gc.limit = st->next_pack;
	st->gc.last_ino = st->next_ino;
	st->gc.phase = GC_MARK;
	for (struct list *l = st->writers.next; l != &st->writers; l = l->next) {
		struct store_writer *w = list_entry(l, struct store_writer, list);

		mark_blocks(st, w->map, w->map_len);
		for (int i = 0; i < OPEN_PACKS; i++)
			if (w->pack[i].number)
				mark(st, w->pack[i].number, UINT64_MAX);
	}
}

/* 1: the snapshot has an entry or is being written, 0: it is gone. */
static int is_live(struct store *st, uint64_t ino, struct store_error *e)
{
	sqlite3_stmt *s;
	int ret;

	for (struct list *l = st->writers.next; l != &st->writers; l = l->next)
		if (list_entry(l, struct store_writer, list)->ino == ino)
			return 1;
	s = store_stmt(st, STMT_SNAP_BY_INO);
	if (s)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)ino);
	ret = store_row(st, s, e);
	if (ret > 0)
		sqlite3_reset(s);
	return ret;
}

/* Drop all rows of a map. */
static int drop_map(struct store *st, uint64_t ino, struct store_error *e)
{
	sqlite3_stmt *s;
	int ret = store_txn_begin(st, e);

	if (ret)
		return ret;
	s = store_stmt(st, STMT_MAP_DELETE);
	if (s) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)store_map_row(ino, 0));
		sqlite3_bind_int64(s, 2, (sqlite3_int64)store_map_row(ino + 1, 0) - 1);
	}
	ret = store_run(st, s, e);
	store_txn_grow(st, SWEEP_BYTES);
	return ret;
}

/* Mark what some rows of maps reach, from *row on: 1, at the end 0. */
static int mark_slice(struct store *st, uint64_t *row, struct store_error *e)
{
	uint64_t block[MAP_BLOCKS];
	unsigned int count;
	int ret = 1;

	for (int i = 0; i < MARK_SLICE; i++) {
		sqlite3_stmt *s = store_stmt(st, STMT_MAP_NEXT);
		int live;

		if (s)
			sqlite3_bind_int64(s, 1, (sqlite3_int64)*row);
		ret = store_row(st, s, e);
		if (ret <= 0)
			return ret;
		*row = (uint64_t)sqlite3_column_int64(s, 0);
		live = is_live(st, MAP_ROW_INO(*row), e);
		if (live > 0)
			ret = store_map_decode(st, *row, sqlite3_column_blob(s, 1),
					       sqlite3_column_bytes(s, 1), block, &count, e);
		sqlite3_reset(s);
		if (live > 0 && !ret) {
			mark_blocks(st, block, count);
			++*row;
		} else if (!live) {
			ret = drop_map(st, MAP_ROW_INO(*row), e);
			*row = store_map_row(MAP_ROW_INO(*row) + 1, 0);
		}
		if (live < 0 || ret < 0)
			return live < 0 ? live : ret;
	}
	return 1;
}

/* ---- sweep ---- */

/*
 * What one slice frees. Keys are random: deleted pack by pack, each would touch
 * a page of the index of its own, so they are gathered and deleted in order.
 */
struct sweep {
	unsigned int packs;
	unsigned int keys;
	struct {
		uint64_t number;
		uint64_t mask;
		uint64_t dead;
	} pack[SWEEP_SLICE];
	struct dead {
		struct key key;
		uint64_t block;
	} dead[SWEEP_SLICE * PACK_SLOTS];
};

static int by_key(const void *a, const void *b)
{
	int64_t x = (int64_t)((const struct dead *)a)->key.hi;
	int64_t y = (int64_t)((const struct dead *)b)->key.hi;

	return (x > y) - (x < y);
}

/* Enter a pack if it is worth it. */
static void sweep_look(struct store *st, struct sweep *sweep, uint64_t pack)
{
	uint64_t *word = store_bits_word(&st->gc.live, pack, false);
	uint64_t live = word ? *word : 0, mask, dead;
	struct key key[PACK_SLOTS];

	if (live == UINT64_MAX)
		return;
	/* What can't be read is for those to report who want it. */
	if (store_pack_keys(st, pack, &mask, key, NULL))
		return;
	dead = mask & ~live;
	/* Rewriting a pack for a few blocks is not worth it. */
	if (!dead || (dead != mask && __builtin_popcountll(dead) * 4 <
		      __builtin_popcountll(mask)))
		return;
	sweep->pack[sweep->packs].number = pack;
	sweep->pack[sweep->packs].mask = mask;
	sweep->pack[sweep->packs++].dead = dead;
	for (unsigned int slot = 0, i = 0; slot < PACK_SLOTS; slot++) {
		if (dead >> slot & 1)
			sweep->dead[sweep->keys++] = (struct dead){
				.key = key[i], .block = pack * PACK_SLOTS + slot,
			};
		i += mask >> slot & 1;
	}
}

/* Free what was entered. */
static int sweep_free(struct store *st, struct sweep *sweep, struct store_error *e)
{
	int ret = sweep->packs ? store_txn_begin(st, e) : 0;

	qsort(sweep->dead, sweep->keys, sizeof(*sweep->dead), by_key);
	for (unsigned int i = 0; i < sweep->keys && !ret; i++)
		ret = store_index_delete(st, sweep->dead[i].key, sweep->dead[i].block, e);
	for (unsigned int i = 0; i < sweep->packs && !ret; i++) {
		uint64_t pack = sweep->pack[i].number, mask = sweep->pack[i].mask;
		uint64_t dead = sweep->pack[i].dead;

		ret = dead == mask ? store_pack_delete(st, pack, mask, e) :
			store_pack_shrink(st, pack, mask, mask & ~dead, e);
	}
	store_txn_grow(st, (uint64_t)sweep->packs * SWEEP_BYTES);
	return ret;
}

/* Look at some packs from *pack on: 1, at the end 0. */
static int sweep_slice(struct store *st, struct sweep *sweep, uint64_t *pack,
		       uint64_t *freed, struct store_error *e)
{
	int ret, more = 1;

	sweep->packs = 0;
	sweep->keys = 0;
	for (int i = 0; i < SWEEP_SLICE && more > 0; i++) {
		sqlite3_stmt *s = store_stmt(st, STMT_PACK_NEXT);

		if (s)
			sqlite3_bind_int64(s, 1, (sqlite3_int64)*pack);
		more = store_row(st, s, e);
		if (more <= 0)
			break;
		*pack = (uint64_t)sqlite3_column_int64(s, 0);
		sqlite3_reset(s);
		more = *pack < st->gc.limit;
		if (more)
			sweep_look(st, sweep, (*pack)++);
	}
	if (more < 0)
		return more;
	ret = sweep_free(st, sweep, e);
	if (!ret)
		*freed += sweep->keys;
	return ret ? ret : more;
}

/* ---- shrink ---- */

/*
 * How many pages in use are among the last @tail of @pages. Without an open
 * transaction. On an error: as many as can be.
 */
static int64_t used_at_end(struct store *st, int64_t pages, int64_t tail)
{
	struct page_map map = { 0 };
	int64_t used = 0;
	uint64_t parent;

	for (int64_t page = pages - tail + 1; page <= pages; page++) {
		enum page_use use = store_page_use(st, &map, (uint64_t)page, &parent);

		if (use == PAGE_UNKNOWN)
			return INT64_MAX;
		used += use != PAGE_FREE && use != PAGE_FORMAT;
	}
	return used;
}

/* Move what is at the end to the free pages, and cut them all off. */
static int shrink_all(struct store *st, struct store_error *e)
{
	int ret = store_txn_begin(st, e);

	if (ret)
		return ret;
	if (sqlite3_exec(st->db, "PRAGMA auto_vacuum = FULL", NULL, NULL, NULL))
		ret = store_sql_error(st, "shrinking", e);
	if (!ret)
		ret = store_txn_commit(st, e);
	/* store_open says this, too, should it get lost. */
	sqlite3_exec(st->db, "PRAGMA auto_vacuum = INCREMENTAL", NULL, NULL, NULL);
	return ret;
}

/*
 * Give free pages back: 1, and 0 when enough have been. Page by page SQLite
 * takes long for what it does at one go in no time when the end of the file is
 * free; but at one go it may also move so much that others wait for seconds.
 */
static int shrink_slice(struct store *st, bool all, int64_t *before,
			struct store_error *e)
{
	int64_t pages = store_number(st, STMT_PAGE_COUNT, e);
	int64_t unused = store_number(st, STMT_FREELIST, e);
	int64_t reserve = all ? 0 : SHRINK_RESERVE;
	char pragma[64];
	int ret;

	if (pages < 0 || unused < 0)
		return (int)(pages < 0 ? pages : unused);
	if (!all && pages / 8 > reserve)
		reserve = pages / 8;
	if (unused <= reserve || unused >= *before)
		return 0;
	*before = unused;
	ret = store_txn_commit(st, e);
	if (ret)
		return ret;
	if (used_at_end(st, pages, unused) <= SHRINK_MOVES)
		return shrink_all(st, e);
	ret = store_txn_begin(st, e);
	if (ret)
		return ret;
	unused = unused - reserve < SHRINK_SLICE ? unused - reserve : SHRINK_SLICE;
	snprintf(pragma, sizeof(pragma), "PRAGMA incremental_vacuum(%d)", (int)unused);
	if (sqlite3_exec(st->db, pragma, NULL, NULL, NULL))
		return store_sql_error(st, "shrinking", e);
	store_txn_grow(st, (uint64_t)unused * DB_PAGE);
	return 1;
}

/* ---- the round, and the thread that makes it ---- */

/* The store is to be closed, or all who waited for this round have gone. */
static bool is_cut(const struct gc *gc)
{
	return gc->worker.stop || (gc->for_them && !gc->waiting);
}

static bool stopping(struct store *st)
{
	bool stop;

	pthread_mutex_lock(&st->gc.worker.mutex);
	stop = is_cut(&st->gc);
	pthread_mutex_unlock(&st->gc.worker.mutex);
	return stop;
}

static void tell(struct store *st, const char *what, uint64_t at, uint64_t of)
{
	pthread_mutex_lock(&st->gc.worker.mutex);
	st->gc.what = what;
	st->gc.at = at;
	st->gc.of = of;
	pthread_mutex_unlock(&st->gc.worker.mutex);
}

static void set_phase(struct store *st, enum gc_phase phase)
{
	st->gc.phase = phase;
	st->gc.epoch++;
	if (phase == GC_IDLE)
		store_bits_free(&st->gc.live);
}

/* Between slices: @ret, or why the transaction could not be committed. */
static int settle(struct store *st, int ret, struct store_error *e)
{
	int err = ret < 0 ? ret : store_txn_settle(st, e);

	return err < 0 ? err : ret;
}

static int mark_and_sweep(struct store *st, uint64_t *freed, struct store_error *e)
{
	struct sweep *sweep = malloc(sizeof(*sweep));
	uint64_t row = 0, pack = 1;
	int ret = 1;

	if (!sweep)
		return store_fail(e, ENOMEM, "no memory to free blocks of the store %s",
				  st->path);
	store_lock(st);
	mark_begin(st);
	store_unlock(st);
	while (ret > 0 && !stopping(st)) {
		store_lock(st);
		ret = mark_slice(st, &row, e);
		if (!ret && st->gc.nomem)
			ret = store_fail(e, ENOMEM, "no memory to free blocks of the store %s",
					 st->path);
		if (!ret)
			set_phase(st, GC_SWEEP);
		store_unlock(st);
		ret = settle(st, ret, e);
		tell(st, "snapshots", MAP_ROW_INO(row), st->gc.last_ino);
	}
	if (!ret)
		ret = 1;
	while (ret > 0 && st->gc.phase == GC_SWEEP && !stopping(st)) {
		store_lock(st);
		ret = sweep_slice(st, sweep, &pack, freed, e);
		store_unlock(st);
		ret = settle(st, ret, e);
		tell(st, "packs", pack, st->gc.limit);
	}
	store_lock(st);
	set_phase(st, GC_IDLE);
	if (ret >= 0)
		ret = store_txn_commit(st, e);
	store_unlock(st);
	free(sweep);
	return ret;
}

static int round_of_gc(struct store *st, bool all, uint64_t *freed,
		       struct store_error *e)
{
	int64_t before = INT64_MAX, first = 0;
	int ret = mark_and_sweep(st, freed, e), more = 1;

	/* Shrinking never depends on what could be swept. */
	while (more > 0 && !stopping(st)) {
		store_lock(st);
		more = shrink_slice(st, all, &before, ret < 0 ? NULL : e);
		if (!more)
			more = store_txn_commit(st, ret < 0 ? NULL : e);
		store_unlock(st);
		more = settle(st, more, ret < 0 ? NULL : e);
		/* of those that wait to be given back */
		first = first ? first : before;
		if (before < INT64_MAX)
			tell(st, "pages", (uint64_t)(first - before), (uint64_t)first);
	}
	return ret < 0 ? ret : more < 0 ? more : 0;
}

static int64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Wait for something to do, under gc.mutex; automatic rounds not before @rest. */
static void wait_for_work(struct gc *gc, int64_t rest)
{
	while (!gc->worker.stop && gc->asked == gc->answered) {
		struct timespec until = {
			.tv_sec = rest / 1000000000,
			.tv_nsec = rest % 1000000000,
		};

		if (!gc->wanted)
			pthread_cond_wait(&gc->worker.wake, &gc->worker.mutex);
		else if (monotonic_ns() >= rest)
			break;
		else
			pthread_cond_timedwait(&gc->worker.wake, &gc->worker.mutex, &until);
	}
}

static void *gc_main(void *arg)
{
	struct store *st = arg;
	struct gc *gc = &st->gc;
	int64_t rest = 0;
	int more = 1;

	/* Without it, writers only look things up more often. */
	while (more > 0 && !stopping(st)) {
		store_lock(st);
		more = store_filter_fill(st, NULL);
		store_unlock(st);
	}
	pthread_mutex_lock(&gc->worker.mutex);
	for (;;) {
		struct store_error error = { 0 };
		uint64_t asked, freed = 0;
		int64_t began;
		bool all;

		wait_for_work(gc, rest);
		if (gc->worker.stop)
			break;
		asked = gc->asked;
		all = asked != gc->answered;
		gc->wanted = false;
		gc->for_them = all;
		gc->what = "snapshots";
		gc->at = gc->of = 0;
		pthread_mutex_unlock(&gc->worker.mutex);

		began = monotonic_ns();
		round_of_gc(st, all, &freed, &error);
		/* Many deletions in a row shall not mean a round each. */
		rest = monotonic_ns() + 4 * (monotonic_ns() - began);

		pthread_mutex_lock(&gc->worker.mutex);
		gc->answered = asked;
		gc->unfinished = is_cut(gc) || error.err;
		/* what was cut is done when it is time, and leaves something for reuse */
		gc->wanted |= is_cut(gc);
		gc->for_them = false;
		gc->freed = freed;
		gc->error = error;
		pthread_cond_broadcast(&gc->done);
	}
	pthread_mutex_unlock(&gc->worker.mutex);
	return NULL;
}

/* Start the thread, with a round when @now. */
int store_gc_start(struct store *st, bool now, struct store_error *e)
{
	st->gc.wanted = now;
	return store_worker_start(st, &st->gc.worker, gc_main, e);
}

/* There may be something to free. */
void store_gc_kick(struct store *st)
{
	pthread_mutex_lock(&st->gc.worker.mutex);
	st->gc.wanted = true;
	store_worker_wake(&st->gc.worker);
	pthread_mutex_unlock(&st->gc.worker.mutex);
}

/* Until that round has ended, or has been cancelled; under gc.mutex, which is let go. */
static int wait_for_round(struct gc *gc, uint64_t mine, const struct store_watch *watch,
			  struct store_error *e)
{
	struct timespec until;
	const char *what;
	uint64_t at, of;
	int ret = 0;

	while (!ret && gc->answered < mine) {
		if (!watch) {
			pthread_cond_wait(&gc->done, &gc->worker.mutex);
			continue;
		}
		what = gc->what ? gc->what : "snapshots";
		at = gc->at;
		of = gc->of;
		pthread_mutex_unlock(&gc->worker.mutex);
		ret = store_watched(watch, what, at, of, e);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += WATCH_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_mutex_lock(&gc->worker.mutex);
		if (!ret && gc->answered < mine)
			pthread_cond_clockwait(&gc->done, &gc->worker.mutex, CLOCK_MONOTONIC, &until);
	}
	return ret;
}

int store_gc(struct store *st, const struct store_watch *watch, uint64_t *freed,
	     struct store_error *e)
{
	struct gc *gc = &st->gc;
	struct store_error error = { 0 };
	uint64_t mine;
	int ret;

	if (st->flags & STORE_READONLY)
		return store_fail(e, EROFS, "the store %s was opened for reading", st->path);
	pthread_mutex_lock(&gc->worker.mutex);
	mine = ++gc->asked;
	store_worker_wake(&gc->worker);
	gc->waiting++;
	ret = wait_for_round(gc, mine, watch, e);
	gc->waiting--;
	if (freed)
		*freed = gc->freed;
	if (!ret)
		error = gc->error;
	pthread_mutex_unlock(&gc->worker.mutex);
	if (error.err && e)
		*e = error;
	return ret ? ret : -error.err;
}
