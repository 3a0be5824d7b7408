// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps: which block is where in a snapshot. A row holds MAP_BLOCKS of them
 * (the last one fewer), as a checksum and then runs of blocks whose numbers
 * follow each other, or of zero blocks:
 *
 *   varint(length << 1 | zero) [varint(zigzag(first - one behind the last run))]
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define SUM_SIZE 16
/* A run takes up to 2 + 10 bytes. */
#define ROW_MAX (SUM_SIZE + MAP_BLOCKS * 12)

uint64_t store_map_row(uint64_t ino, uint64_t seq)
{
	return ino << 24 | seq;
}

/* The checksum covers the row's number: a row in a wrong place does not pass. */
static void row_sum(const struct store *st, uint64_t row, uint8_t *buf, size_t len,
		    uint8_t *sum)
{
	XXH128_hash_t h;
	uint8_t keep[SUM_SIZE];

	/* @buf has room for the checksum in front: the number goes there. */
	memcpy(keep, buf, SUM_SIZE);
	memset(buf, 0, SUM_SIZE);
	memcpy(buf, &row, sizeof(row));
	h = store_sum(st, buf, len);
	memcpy(buf, keep, SUM_SIZE);
	memcpy(sum, &h, SUM_SIZE);
}

static uint8_t *put_varint(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)v | 0x80;
	*p++ = (uint8_t)v;
	return p;
}

static const uint8_t *get_varint(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
	*v = 0;
	for (unsigned int shift = 0; p < end && shift < 64; shift += 7) {
		*v |= (uint64_t)(*p & 0x7f) << shift;
		if (!(*p++ & 0x80))
			return p;
	}
	return NULL;
}

static uint8_t *encode(uint8_t *p, const uint64_t *block, unsigned int count)
{
	uint64_t expect = 0;

	for (unsigned int i = 0, n; i < count; i += n) {
		bool zero = block[i] == BLOCK_ZERO;
		int64_t delta = (int64_t)(block[i] - expect);

		for (n = 1; i + n < count; n++)
			if (block[i + n] != (zero ? BLOCK_ZERO : block[i] + n))
				break;
		p = put_varint(p, (uint64_t)n << 1 | zero);
		if (zero)
			continue;
		p = put_varint(p, (uint64_t)delta << 1 ^ (uint64_t)(delta >> 63));
		expect = block[i] + n;
	}
	return p;
}

int store_map_insert(struct store *st, uint64_t ino, uint64_t seq,
		     const uint64_t *block, unsigned int count,
		     struct store_error *e)
{
	uint64_t row = store_map_row(ino, seq);
	uint8_t buf[ROW_MAX] = { 0 }, sum[SUM_SIZE];
	sqlite3_stmt *s = store_stmt(st, STMT_MAP_INSERT);
	size_t len = (size_t)(encode(buf + SUM_SIZE, block, count) - buf);

	if (seq >> 24)
		return store_fail(e, EFBIG, "a snapshot can't be larger than 128 TiB");
	row_sum(st, row, buf, len, sum);
	memcpy(buf, sum, SUM_SIZE);
	if (s) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)row);
		sqlite3_bind_blob(s, 2, buf, (int)len, SQLITE_STATIC);
	}
	return store_run(st, s, e);
}

int store_map_decode(struct store *st, uint64_t row, const void *data, int len,
		     uint64_t *block, unsigned int *count, struct store_error *e)
{
	uint8_t buf[ROW_MAX], sum[SUM_SIZE];
	const uint8_t *p = buf + SUM_SIZE, *end = buf + len;
	uint64_t expect = 0, run, delta;

	*count = 0;
	if (len < SUM_SIZE || len > ROW_MAX)
		goto damaged;
	memcpy(buf, data, (size_t)len);
	row_sum(st, row, buf, (size_t)len, sum);
	if (memcmp(sum, buf, SUM_SIZE))
		goto damaged;
	while (p < end) {
		p = get_varint(p, end, &run);
		if (!p || !(run >> 1) || run >> 1 > MAP_BLOCKS - *count)
			goto damaged;
		if (!(run & 1)) {
			p = get_varint(p, end, &delta);
			if (!p)
				goto damaged;
			expect += delta >> 1 ^ -(delta & 1);
		}
		for (uint64_t i = 0; i < run >> 1; i++)
			block[(*count)++] = run & 1 ? BLOCK_ZERO : expect++;
	}
	return 0;
damaged:
	return store_fail(e, EIO, "part %llu of the map of snapshot %llu of the store %s "
			  "is damaged", (unsigned long long)row & 0xffffff,
			  (unsigned long long)MAP_ROW_INO(row), st->path);
}

int store_map_get(struct store *st, uint64_t ino, uint64_t seq, uint64_t *block,
		  unsigned int *count, struct store_error *e)
{
	uint64_t row = store_map_row(ino, seq);
	sqlite3_stmt *s = store_stmt(st, STMT_MAP_GET);
	int ret;

	if (s)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)row);
	ret = store_row(st, s, e);
	if (ret < 0)
		return ret;
	if (!ret)
		return store_fail(e, EIO, "part %llu of the map of snapshot %llu of the "
				  "store %s is missing", (unsigned long long)seq,
				  (unsigned long long)ino, st->path);
	ret = store_map_decode(st, row, sqlite3_column_blob(s, 0),
			       sqlite3_column_bytes(s, 0), block, count, e);
	sqlite3_reset(s);
	return ret;
}
