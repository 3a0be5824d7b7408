// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packs: rows of up to 64 blocks. With pages of 16 KiB in the file a full pack
 * wastes under half a per cent, while a row for each block would waste a quarter.
 *
 * data = mask of slots (8 bytes), a key for each slot that is there (16 bytes),
 * the blocks. A stored key has the block's number mixed in, so that a block
 * that turns up under a wrong number does not pass for the right one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static void blob_close(sqlite3_blob **blob)
{
	sqlite3_blob_close(*blob);
}

static void free_buf(uint8_t **buf)
{
	free(*buf);
}

#define cleanup_blob __attribute__((cleanup(blob_close)))
#define cleanup_free __attribute__((cleanup(free_buf)))

struct key store_key(const struct store *st, const void *block)
{
	XXH128_hash_t h = XXH3_128bits_withSecret(block, STORE_BLOCK, st->secret,
						  SECRET_SIZE);

	return (struct key){ .hi = h.high64, .lo = h.low64 };
}

static int damaged(struct store *st, uint64_t pack, struct store_error *e)
{
	return store_fail(e, EIO, "pack %llu of the store %s is damaged",
			  (unsigned long long)pack, st->path);
}

/*
 * Write a pack. @buf has room for a header of 64 keys and then the @count
 * blocks; the keys are put right before the blocks.
 */
int store_pack_insert(struct store *st, uint64_t pack, uint64_t mask,
		      const struct key *key, uint8_t *buf, unsigned int count,
		      struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_PACK_INSERT);
	uint8_t *start = buf + PACK_HEADER(PACK_SLOTS) - PACK_HEADER(count);
	uint8_t *p = start + sizeof(mask);
	size_t len = PACK_HEADER(count) + (size_t)count * STORE_BLOCK;
	uint64_t block = pack * PACK_SLOTS;

	memcpy(start, &mask, sizeof(mask));
	for (unsigned int i = 0; i < count; i++, p += sizeof(*key)) {
		struct key k = key[i];

		k.lo ^= block + i;
		memcpy(p, &k, sizeof(k));
	}
	if (s) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)pack);
		sqlite3_bind_blob(s, 2, start, (int)len, SQLITE_STATIC);
	}
	if (st->txn_pack > pack)
		st->txn_pack = pack;
	st->blocks += count;
	return store_run(st, s, e);
}

/* Delete a pack that has the slots in @mask. */
int store_pack_delete(struct store *st, uint64_t pack, uint64_t mask,
		      struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_PACK_DELETE);

	if (s)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)pack);
	st->blocks -= (uint64_t)__builtin_popcountll(mask);
	return store_run(st, s, e);
}

/* Open a pack's data and read and check its mask. */
static int pack_open(struct store *st, uint64_t pack, sqlite3_blob **blob,
		     uint64_t *mask, struct store_error *e)
{
	unsigned int n;
	int rc;

	rc = sqlite3_blob_open(st->db, "main", "pack", "data", (sqlite3_int64)pack, 0,
			       blob);
	if (rc == SQLITE_ERROR)
		return store_fail(e, EIO, "pack %llu of the store %s is missing",
				  (unsigned long long)pack, st->path);
	if (rc)
		return store_sql_error(st, "reading", e);
	if (sqlite3_blob_read(*blob, mask, sizeof(*mask), 0))
		return damaged(st, pack, e);
	n = (unsigned int)__builtin_popcountll(*mask);
	if ((size_t)sqlite3_blob_bytes(*blob) != PACK_HEADER(n) + (size_t)n * STORE_BLOCK)
		return damaged(st, pack, e);
	return 0;
}

/* The keys of a pack, one for each bit of *mask from the lowest; @key: 64. */
int store_pack_keys(struct store *st, uint64_t pack, uint64_t *mask,
		    struct key *key, struct store_error *e)
{
	cleanup_blob sqlite3_blob *blob = NULL;
	int ret = pack_open(st, pack, &blob, mask, e);
	unsigned int n, slot, i = 0;

	if (ret)
		return ret;
	n = (unsigned int)__builtin_popcountll(*mask);
	if (sqlite3_blob_read(blob, key, (int)(n * sizeof(*key)), sizeof(*mask)))
		return damaged(st, pack, e);
	for (slot = 0; slot < PACK_SLOTS; slot++)
		if (*mask >> slot & 1)
			key[i++].lo ^= pack * PACK_SLOTS + slot;
	return 0;
}

/*
 * Read @count blocks that follow each other in one pack, and the keys they
 * should have. The caller compares, when it has let go of the lock.
 */
int store_pack_read(struct store *st, uint64_t block, unsigned int count,
		    struct key *key, uint8_t *buf, struct store_error *e)
{
	cleanup_blob sqlite3_blob *blob = NULL;
	uint64_t pack = block / PACK_SLOTS, mask, want;
	unsigned int slot = block % PACK_SLOTS, n, rank;
	int ret = pack_open(st, pack, &blob, &mask, e);

	if (ret)
		return ret;
	want = (count == 64 ? UINT64_MAX : (1ULL << count) - 1) << slot;
	if ((mask & want) != want)
		return store_fail(e, EIO, "block %llu of the store %s is missing",
				  (unsigned long long)block, st->path);
	n = (unsigned int)__builtin_popcountll(mask);
	rank = (unsigned int)__builtin_popcountll(mask & ((1ULL << slot) - 1));
	if (sqlite3_blob_read(blob, key, (int)(count * sizeof(*key)),
			      (int)PACK_HEADER(rank)) ||
	    sqlite3_blob_read(blob, buf, (int)(count * STORE_BLOCK),
			      (int)(PACK_HEADER(n) + (size_t)rank * STORE_BLOCK)))
		return damaged(st, pack, e);
	for (unsigned int i = 0; i < count; i++)
		key[i].lo ^= block + i;
	return 0;
}

/*
 * Leave only the slots in @keep of a pack that has those in @mask. Keys and
 * damaged blocks are carried along as they are.
 */
int store_pack_shrink(struct store *st, uint64_t pack, uint64_t mask,
		      uint64_t keep, struct store_error *e)
{
	unsigned int n = (unsigned int)__builtin_popcountll(mask), rank = 0;
	unsigned int left = (unsigned int)__builtin_popcountll(keep);
	size_t len = PACK_HEADER(left) + (size_t)left * STORE_BLOCK;
	cleanup_free uint8_t *buf = malloc(len);
	uint8_t *keys = buf + sizeof(keep), *blocks = buf + PACK_HEADER(left);
	sqlite3_blob *blob = NULL;
	sqlite3_stmt *s;
	uint64_t had;
	int ret;

	if (!buf)
		return store_fail(e, ENOMEM, "no memory to free blocks of the store %s",
				  st->path);
	ret = pack_open(st, pack, &blob, &had, e);
	if (!ret && had != mask)
		ret = damaged(st, pack, e);
	memcpy(buf, &keep, sizeof(keep));
	for (unsigned int slot = 0; slot < PACK_SLOTS && !ret; slot++) {
		if (keep >> slot & 1) {
			if (sqlite3_blob_read(blob, keys, sizeof(struct key),
					      (int)PACK_HEADER(rank)) ||
			    sqlite3_blob_read(blob, blocks, STORE_BLOCK,
					      (int)(PACK_HEADER(n) + (size_t)rank * STORE_BLOCK)))
				ret = damaged(st, pack, e);
			keys += sizeof(struct key);
			blocks += STORE_BLOCK;
		}
		rank += mask >> slot & 1;
	}
	sqlite3_blob_close(blob);
	if (ret)
		return ret;
	s = store_stmt(st, STMT_PACK_UPDATE);
	if (s) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)pack);
		sqlite3_bind_blob(s, 2, buf, (int)len, SQLITE_STATIC);
	}
	st->blocks -= n - left;
	return store_run(st, s, e);
}
