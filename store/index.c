// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which block has a key. Keys are random, so each new one would dirty a page
 * of table idx of its own: they gather in memory (pending.c) and move there in
 * order, many at a time. What is only in memory when the process ends is read
 * again from the headers of the packs from number "indexed" on, which meta keeps.
 *
 * The move takes a quarter of the time that storing the blocks takes, and nobody
 * else gets at the file meanwhile. So it waits until nobody has written for a
 * while, and a burst of a GiB goes by before it has to begin; it is made in slices,
 * each of the keys with the same upper bits.
 *
 * The index only saves space: a key that is not in it costs a second copy of
 * a block. So of two keys with equal upper halves, the last one is kept.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define SLICE_BITS 6
#define SLICES (1U << SLICE_BITS)
/* From here on a slice moves with each pack, so that the last finds room left. */
#define PENDING_HIGH (PENDING_MAX - (SLICES + 2) * PACK_SLOTS)

/* All packs below it have their keys in memory, or in table idx. */
static uint64_t complete_below(const struct store *st)
{
	uint64_t min = st->next_pack;

	for (struct list *l = st->writers.next; l != &st->writers; l = l->next) {
		const struct store_writer *w = list_entry(l, struct store_writer, list);

		for (int i = 0; i < OPEN_PACKS; i++)
			if (w->pack[i].number && w->pack[i].number < min)
				min = w->pack[i].number;
	}
	return min;
}

static int no_memory(struct store *st, struct store_error *e)
{
	return store_fail(e, ENOMEM, "no memory for the index of the store %s", st->path);
}

/* ---- from memory to table idx ---- */

/* As table idx sorts them. */
static int compare(const void *a, const void *b)
{
	int64_t x = (int64_t)((const struct pending_entry *)a)->key.hi;
	int64_t y = (int64_t)((const struct pending_entry *)b)->key.hi;

	return (x > y) - (x < y);
}

static bool in_slice(struct key key, unsigned int slice)
{
	return (key.hi ^ 1ULL << 63) >> (64 - SLICE_BITS) == slice;
}

/* The keys of a slice in their order, to be freed; NULL: no memory. */
static struct pending_entry *gather(const struct pending *p, unsigned int slice, size_t *n)
{
	struct pending_entry *list, entry;
	size_t count = 0;

	for (size_t i = 0; i < p->slots; i++)
		count += store_pending_at(p, i, &entry) && in_slice(entry.key, slice);
	list = malloc((count + 1) * sizeof(*list));
	if (!list)
		return NULL;
	*n = 0;
	for (size_t i = 0; i < p->slots; i++)
		if (store_pending_at(p, i, &entry) && in_slice(entry.key, slice))
			list[(*n)++] = entry;
	qsort(list, *n, sizeof(*list), compare);
	return list;
}

/* Into table idx, and into the filter before it. */
int store_index_enter(struct store *st, struct key key, uint64_t block, struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_IDX_PUT);

	if (s) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)key.hi);
		sqlite3_bind_int64(s, 2, (sqlite3_int64)key.lo);
		sqlite3_bind_int64(s, 3, (sqlite3_int64)block);
	}
	store_filter_add(st, key);
	return store_run(st, s, e);
}

static int move_slice(struct store *st, unsigned int slice, struct store_error *e)
{
	struct pending_entry *list;
	size_t n;
	int ret = 0;

	list = gather(&st->pending, slice, &n);
	if (!list)
		return no_memory(st, e);
	for (size_t i = 0; i < n && !ret; i++) {
		ret = store_index_enter(st, list[i].key, list[i].block, e);
		store_pending_moved(&st->pending, &list[i]);
	}
	free(list);
	return ret;
}

/* All slices are in idx: nothing has to be read again of the packs below the mark. */
static int end_move(struct store *st, struct store_error *e)
{
	struct pending *p = &st->pending;
	int ret = store_meta_set(st, "indexed", &p->below, sizeof(p->below), e);

	p->moving = false;
	/* Without memory for what is left it is read anew. */
	if (ret || !store_pending_drop(p, p->below))
		p->stale = true;
	return ret;
}

/*
 * Move a slice to idx: 1, when that was the last one 0. A move that is begun goes on
 * with the next call, whoever makes it. All packs below @below are in memory or in idx.
 */
static int move(struct store *st, uint64_t below, struct store_error *e)
{
	struct pending *p = &st->pending;
	int ret = store_txn_begin(st, e);

	if (ret)
		return ret;
	if (!p->moving) {
		p->moving = true;
		p->slice = 0;
		p->below = below;
	}
	ret = move_slice(st, p->slice, e);
	if (ret) {
		/* Who knows what of it is in idx? */
		p->stale = true;
		return ret;
	}
	if (++p->slice < SLICES)
		return 1;
	return end_move(st, e);
}

/* Room for a pack: if there is none, all slices move at once. */
static int make_room(struct store *st, uint64_t below, struct store_error *e)
{
	int ret = 1;

	while (ret > 0 && st->pending.count + PACK_SLOTS > PENDING_MAX)
		ret = move(st, below, e);
	return ret < 0 ? ret : 0;
}

/* ---- from the packs to memory ---- */

/* Fill the table in memory from the packs that idx does not have yet. */
static int load(struct store *st, struct store_error *e)
{
	struct key key[PACK_SLOTS];
	uint64_t pack = 1, mask;
	int ret;

	ret = store_meta_get(st, "indexed", &pack, sizeof(pack), e);
	if (ret < 0)
		return ret;
	store_pending_clear(&st->pending, pack);
	for (;; pack++) {
		sqlite3_stmt *s = store_stmt(st, STMT_PACK_NEXT);

		if (s)
			sqlite3_bind_int64(s, 1, (sqlite3_int64)pack);
		ret = store_row(st, s, e);
		if (ret <= 0)
			break;
		pack = (uint64_t)sqlite3_column_int64(s, 0);
		sqlite3_reset(s);
		ret = make_room(st, pack, e);
		if (ret)
			return ret;
		/* A damaged pack is of no use for deduplication. */
		if (store_pack_keys(st, pack, &mask, key, NULL))
			mask = 0;
		for (unsigned int slot = 0, i = 0; slot < PACK_SLOTS; slot++)
			if (mask >> slot & 1 &&
			    !store_pending_set(&st->pending, key[i++], pack * PACK_SLOTS + slot))
				return no_memory(st, e);
	}
	if (!ret)
		st->pending.stale = false;
	return ret;
}

/* ---- what others ask for ---- */

/* 1 and the block that has the key, or 0. */
int store_index_get(struct store *st, struct key key, uint64_t *block,
		    struct store_error *e)
{
	sqlite3_stmt *s;
	uint64_t txn;
	int ret;

	if (st->pending.stale) {
		ret = load(st, e);
		if (ret)
			return ret;
	}
	if (store_pending_get(&st->pending, key, block))
		return 1;
	if (!store_filter_may(st, key))
		return 0;
	s = store_stmt(st, STMT_IDX_GET);
	if (s)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)key.hi);
	txn = st->txn;
	ret = store_row(st, s, e);
	/* Because of a damaged page, but nothing is lost: another copy of a block does no harm. */
	if (ret == -EIO && st->txn == txn)
		return 0;
	if (ret <= 0)
		return ret;
	ret = (uint64_t)sqlite3_column_int64(s, 0) == key.lo;
	*block = (uint64_t)sqlite3_column_int64(s, 1);
	sqlite3_reset(s);
	return ret;
}

int store_index_delete(struct store *st, struct key key, uint64_t block,
		       struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_IDX_DELETE);

	if (!st->pending.stale)
		store_pending_forget(&st->pending, key, block);
	if (s) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)key.hi);
		sqlite3_bind_int64(s, 2, (sqlite3_int64)block);
	}
	return store_run(st, s, e);
}

/* Move a slice of what is in memory, if anything is: 1, when that was the last one 0. */
int store_index_move(struct store *st, struct store_error *e)
{
	if (st->pending.stale || !st->pending.count)
		return 0;
	return move(st, complete_below(st), e);
}

/* Is there so much in memory that it should move when there is time? */
bool store_index_is_large(const struct store *st)
{
	return !st->pending.stale && st->pending.slots > PENDING_SMALL;
}

/* The keys of a pack that is in the store now, one for each slot. */
int store_index_put(struct store *st, const struct key *key, unsigned int count, uint64_t block,
		    struct store_error *e)
{
	struct pending *p = &st->pending;
	int ret = p->stale ? load(st, e) : 0;

	if (!ret && p->count >= PENDING_HIGH)
		ret = store_index_move(st, e);
	/* When those before were too few. */
	if (ret >= 0)
		ret = make_room(st, complete_below(st), e);
	for (unsigned int i = 0; i < count && !ret; i++)
		if (!store_pending_set(p, key[i], block + i))
			ret = no_memory(st, e);
	return ret;
}
