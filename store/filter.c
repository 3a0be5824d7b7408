// SPDX-License-Identifier: GPL-2.0-only
/*
 * A filter in front of table idx. Most blocks of a stream that is new are in no
 * index; it says so for all but a few of them without asking SQLite. It is a
 * megabyte whatever the size of the store: one that has a few million blocks is
 * asked more often, that is all.
 *
 * Each key sets four bits of one word. What is deleted stays in it.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

#define WORD_BITS 17
#define FILL_SLICE 4096

static uint64_t *word_of(const struct store *st, struct key key)
{
	return &st->filter.word[key.hi >> (64 - WORD_BITS)];
}

static uint64_t bits_of(struct key key)
{
	return 1ULL << (key.lo & 63) | 1ULL << (key.lo >> 6 & 63) |
		1ULL << (key.lo >> 12 & 63) | 1ULL << (key.lo >> 18 & 63);
}

/* @empty: there is nothing in table idx yet */
int store_filter_init(struct store *st, bool empty, struct store_error *e)
{
	st->filter.word = calloc((size_t)1 << WORD_BITS, sizeof(uint64_t));
	if (!st->filter.word)
		return store_fail(e, ENOMEM, "no memory to open the store %s", st->path);
	st->filter.complete = empty;
	st->filter.next = INT64_MIN;
	return 0;
}

void store_filter_free(struct store *st)
{
	free(st->filter.word);
}

void store_filter_add(struct store *st, struct key key)
{
	*word_of(st, key) |= bits_of(key);
}

/* false: table idx does not have the key */
bool store_filter_may(const struct store *st, struct key key)
{
	uint64_t bits = bits_of(key);

	return !st->filter.complete || (*word_of(st, key) & bits) == bits;
}

/* Enter a slice of what table idx had when the store was opened: 1, at the end 0. */
int store_filter_fill(struct store *st, struct store_error *e)
{
	sqlite3_stmt *s;
	int n = 0, ret = 0;

	if (st->filter.complete)
		return 0;
	s = store_stmt(st, STMT_IDX_NEXT);
	if (s)
		sqlite3_bind_int64(s, 1, st->filter.next);
	while (n < FILL_SLICE && (ret = store_row(st, s, e)) > 0) {
		struct key key = {
			.hi = (uint64_t)sqlite3_column_int64(s, 0),
			.lo = (uint64_t)sqlite3_column_int64(s, 1),
		};

		store_filter_add(st, key);
		st->filter.next = (int64_t)key.hi;
		n++;
	}
	if (n == FILL_SLICE) {
		sqlite3_reset(s);
		return 1;
	}
	if (!ret)
		st->filter.complete = true;
	return ret;
}
