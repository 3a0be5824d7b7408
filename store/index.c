// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which block has a key. Keys are random, so each new one would dirty a page
 * of table idx of its own: they gather in memory and go there in order, many at
 * a time. What is only in memory when the process dies is read again from the
 * headers of the packs from number "indexed" on, which meta keeps.
 *
 * The index only saves space: a key that is not in it costs a second copy of
 * a block. So of two keys with equal upper halves, the last one is kept.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define PENDING_SLOTS 65536
#define PENDING_MAX (PENDING_SLOTS / 4 * 3)

int store_index_init(struct store *st, struct store_error *e)
{
	st->pending.entry = calloc(PENDING_SLOTS, sizeof(*st->pending.entry));
	if (!st->pending.entry)
		return store_fail(e, ENOMEM, "no memory to open the store %s", st->path);
	st->pending.stale = true;
	return 0;
}

void store_index_free(struct store *st)
{
	free(st->pending.entry);
}

/* Where the key is, or where it would go. */
static struct pending_entry *pending_find(struct store *st, struct key key)
{
	size_t i = key.lo % PENDING_SLOTS;

	while (st->pending.entry[i].block && !key_equal(st->pending.entry[i].key, key))
		i = (i + 1) % PENDING_SLOTS;
	return &st->pending.entry[i];
}

static void pending_set(struct store *st, struct key key, uint64_t block)
{
	struct pending_entry *p = pending_find(st, key);

	if (!p->block) {
		p->key = key;
		st->pending.count++;
	}
	p->block = block;
}

static void pending_clear(struct store *st)
{
	memset(st->pending.entry, 0, PENDING_SLOTS * sizeof(*st->pending.entry));
	st->pending.count = 0;
}

/* All packs below it have their keys in table idx. */
static uint64_t indexed_below(const struct store *st)
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

/* Fill the table in memory from the packs that idx does not have yet. */
static int pending_load(struct store *st, struct store_error *e)
{
	struct key key[PACK_SLOTS];
	uint64_t pack = 1, mask;
	int ret;

	pending_clear(st);
	ret = store_meta_get(st, "indexed", &pack, sizeof(pack), e);
	if (ret < 0)
		return ret;
	while (st->pending.count + PACK_SLOTS <= PENDING_MAX) {
		sqlite3_stmt *s = store_stmt(st, STMT_PACK_NEXT);

		if (s)
			sqlite3_bind_int64(s, 1, (sqlite3_int64)pack);
		ret = store_row(st, s, e);
		if (ret <= 0)
			break;
		pack = (uint64_t)sqlite3_column_int64(s, 0);
		sqlite3_reset(s);
		/* A damaged pack is of no use for deduplication. */
		if (!store_pack_keys(st, pack, &mask, key, NULL))
			for (unsigned int slot = 0, i = 0; slot < PACK_SLOTS; slot++)
				if (mask >> slot & 1)
					pending_set(st, key[i++], pack * PACK_SLOTS + slot);
		pack++;
	}
	if (ret >= 0)
		st->pending.stale = false;
	return ret < 0 ? ret : 0;
}

/* 1 and the block that has the key, or 0. */
int store_index_get(struct store *st, struct key key, uint64_t *block,
		    struct store_error *e)
{
	struct pending_entry *p;
	sqlite3_stmt *s;
	int ret;

	if (st->pending.stale) {
		ret = pending_load(st, e);
		if (ret)
			return ret;
	}
	p = pending_find(st, key);
	if (p->block && p->block != BLOCK_GONE) {
		*block = p->block;
		return 1;
	}
	if (!store_filter_may(st, key))
		return 0;
	s = store_stmt(st, STMT_IDX_GET);
	if (s)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)key.hi);
	ret = store_row(st, s, e);
	if (ret <= 0)
		return ret;
	ret = (uint64_t)sqlite3_column_int64(s, 0) == key.lo;
	*block = (uint64_t)sqlite3_column_int64(s, 1);
	sqlite3_reset(s);
	return ret;
}

int store_index_put(struct store *st, struct key key, uint64_t block,
		    struct store_error *e)
{
	int ret;

	if (st->pending.stale) {
		ret = pending_load(st, e);
		if (ret)
			return ret;
	}
	if (st->pending.count >= PENDING_MAX) {
		ret = store_index_flush(st, e);
		if (ret)
			return ret;
	}
	pending_set(st, key, block);
	return 0;
}

int store_index_delete(struct store *st, struct key key, uint64_t block,
		       struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_IDX_DELETE);

	if (!st->pending.stale) {
		struct pending_entry *p = pending_find(st, key);

		if (p->block == block)
			p->block = BLOCK_GONE;
	}
	if (s) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)key.hi);
		sqlite3_bind_int64(s, 2, (sqlite3_int64)block);
	}
	return store_run(st, s, e);
}

static bool is_less(const struct pending_entry *a, const struct pending_entry *b)
{
	return (int64_t)a->key.hi < (int64_t)b->key.hi;
}

/* Put @p[@i] where it belongs in the heap of @n below it. */
static void sift(struct pending_entry *p, size_t i, size_t n)
{
	struct pending_entry moved = p[i];
	size_t child;

	for (; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && is_less(&p[child], &p[child + 1]))
			child++;
		if (!is_less(&moved, &p[child]))
			break;
		p[i] = p[child];
	}
	p[i] = moved;
}

/* By key, in place: qsort(3) would take as much memory again. */
static void sort(struct pending_entry *p, size_t n)
{
	struct pending_entry first;

	for (size_t i = n / 2; i-- > 0;)
		sift(p, i, n);
	while (n > 1) {
		first = p[0];
		p[0] = p[--n];
		p[n] = first;
		sift(p, 0, n);
	}
}

/* Move what is in memory to table idx, within a transaction. */
int store_index_flush(struct store *st, struct store_error *e)
{
	struct pending_entry *p = st->pending.entry;
	uint64_t below = indexed_below(st);
	size_t n = 0;
	int ret = 0;

	if (st->pending.stale || !st->pending.count)
		return 0;
	ret = store_txn_begin(st, e);
	if (ret)
		return ret;
	for (size_t i = 0; i < PENDING_SLOTS; i++)
		if (p[i].block && p[i].block != BLOCK_GONE)
			p[n++] = p[i];
	/* From here on the table is a sorted list; it is rebuilt on an error. */
	sort(p, n);
	for (size_t i = 0; i < n && !ret; i++) {
		sqlite3_stmt *s = store_stmt(st, STMT_IDX_PUT);

		if (s) {
			sqlite3_bind_int64(s, 1, (sqlite3_int64)p[i].key.hi);
			sqlite3_bind_int64(s, 2, (sqlite3_int64)p[i].key.lo);
			sqlite3_bind_int64(s, 3, (sqlite3_int64)p[i].block);
		}
		ret = store_run(st, s, e);
		store_filter_add(st, p[i].key);
	}
	if (!ret)
		ret = store_meta_set(st, "indexed", &below, sizeof(below), e);
	if (ret)
		st->pending.stale = true;
	else
		pending_clear(st);
	return ret;
}
