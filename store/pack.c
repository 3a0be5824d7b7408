// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packs: rows of up to 64 blocks.
 *
 *   mask of the slots that are there, 8 bytes
 *   where each chunk ends, 4 times 4 bytes
 *   the keys of the blocks, 16 bytes each
 *   chunks: 16 blocks each, the last one fewer, compressed with LZ4, or as they
 *           are when that saves nothing
 *
 * Chunks are small enough that a single block is quickly had, and as large as
 * LZ4 looks back. A stored key has the block's number mixed in, so that a block
 * that turns up under a wrong number does not pass for the right one.
 */
#include <errno.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define SCRATCH_KEPT 2
/*
 * LZ4's acceleration: 4 is a fifth faster than 1 for a fiftieth more bytes, 16
 * takes half as long for an eighth more. 128 takes a fifth of that, and finds
 * zeros and other long repeats alone.
 */
#define ACCELERATION 4
#define ACCELERATION_HURRY 16
#define ACCELERATION_POOR 128
/* How many packs are taken to compress as poorly as one that was looked at. */
#define POOR_PACKS 4

_Static_assert(LZ4_STATE >= LZ4_STREAM_MINSIZE, "no room for LZ4's state");

/* What stands in front of the keys. */
struct head {
	uint64_t mask;
	uint32_t end[PACK_CHUNKS];
};

_Static_assert(sizeof(struct head) == PACK_HEAD(0), "the head has holes");

/* ---- room to work in ---- */

struct scratch *store_scratch_get(struct store *st)
{
	struct scratch *s;

	pthread_mutex_lock(&st->scratch.mutex);
	s = st->scratch.free;
	if (s) {
		st->scratch.free = s->next;
		st->scratch.count--;
	}
	pthread_mutex_unlock(&st->scratch.mutex);
	return s ? s : malloc(sizeof(*s));
}

void store_scratch_put(struct store *st, struct scratch *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&st->scratch.mutex);
	if (st->scratch.count < SCRATCH_KEPT) {
		s->next = st->scratch.free;
		st->scratch.free = s;
		st->scratch.count++;
		s = NULL;
	}
	pthread_mutex_unlock(&st->scratch.mutex);
	free(s);
}

/* ---- bytes ---- */

static unsigned int ones(uint64_t mask)
{
	return (unsigned int)__builtin_popcountll(mask);
}

/* How many blocks a chunk has. */
static unsigned int chunk_blocks(unsigned int total, unsigned int chunk)
{
	unsigned int first = chunk * PACK_CHUNK;

	if (total <= first)
		return 0;
	return total - first < PACK_CHUNK ? total - first : PACK_CHUNK;
}

static size_t chunk_encode(uint64_t *lz4, const uint8_t *blocks, unsigned int count,
			   int acceleration, uint8_t *to)
{
	int len = (int)(count * STORE_BLOCK);
	/* What saves less than a sixteenth is not worth the time to read it. */
	int got = LZ4_compress_fast_extState(lz4, (const char *)blocks, (char *)to, len,
					     len - len / 16, acceleration);

	if (got > 0)
		return (size_t)got;
	memcpy(to, blocks, (size_t)len);
	return (size_t)len;
}

/*
 * Those who are in a hurry don't spend most of their time on what does not get
 * smaller by a third: the acceleration for what follows @blocks that are @len bytes now.
 */
static int judge(struct hurry *hurry, size_t len, unsigned int blocks)
{
	bool poor = len * 3 > (size_t)blocks * STORE_BLOCK * 2;

	atomic_store(&hurry->poor, poor ? POOR_PACKS : 0);
	return poor ? ACCELERATION_POOR : ACCELERATION_HURRY;
}

/*
 * Make a pack of the blocks whose slots are in @mask, into s->encoded; in a
 * @hurry (NULL: there is none) it gets larger. Returns its length in bytes.
 */
size_t store_pack_encode(struct scratch *s, uint64_t pack, uint64_t mask, const struct key *key,
			 const uint8_t *blocks, struct hurry *hurry)
{
	bool look = hurry && atomic_fetch_sub(&hurry->poor, 1) <= 0;
	int acceleration = !hurry ? ACCELERATION : look ? ACCELERATION_HURRY : ACCELERATION_POOR;
	unsigned int total = ones(mask), i = 0;
	struct head head = { .mask = mask };
	struct key *keys = (struct key *)(s->encoded + sizeof(head));
	uint8_t *start = s->encoded + PACK_HEAD(total), *p = start;

	for (unsigned int slot = 0; slot < PACK_SLOTS; slot++) {
		if (!(mask >> slot & 1))
			continue;
		keys[i] = key[i];
		keys[i++].lo ^= pack * PACK_SLOTS + slot;
	}
	for (unsigned int c = 0; c < PACK_CHUNKS; c++) {
		unsigned int n = chunk_blocks(total, c);

		if (n)
			p += chunk_encode(s->lz4, blocks + (size_t)c * PACK_CHUNK * STORE_BLOCK,
					  n, acceleration, p);
		head.end[c] = (uint32_t)(p - start);
		if (look && !c)
			acceleration = judge(hurry, head.end[0], n);
	}
	memcpy(s->encoded, &head, sizeof(head));
	return (size_t)(p - s->encoded);
}

static int damaged(struct store *st, uint64_t pack, struct store_error *e)
{
	return store_fail(e, EIO, "pack %llu of the store %s is damaged",
			  (unsigned long long)pack, st->path);
}

static int block_damaged(struct store *st, uint64_t block, struct store_error *e)
{
	return store_fail(e, EIO, "block %llu of the store %s is damaged",
			  (unsigned long long)block, st->path);
}

/* Chunk @c of what was fetched, into @to, which has room for it. */
static bool chunk_decode(const struct scratch *s, unsigned int c, uint8_t *to)
{
	uint32_t start = c ? s->end[c - 1] : 0;
	int len = (int)(chunk_blocks(s->total, c) * STORE_BLOCK);

	return LZ4_decompress_safe((const char *)s->encoded + (start - s->from), (char *)to,
				   (int)(s->end[c] - start), len) == len;
}

static bool chunk_raw(const uint32_t *end, unsigned int total, unsigned int c)
{
	return end[c] - (c ? end[c - 1] : 0) == chunk_blocks(total, c) * STORE_BLOCK;
}

/* Ranks @from up to @to, all in one chunk. */
static bool copy_blocks(struct scratch *s, unsigned int from, unsigned int to, uint8_t *buf)
{
	unsigned int c = from / PACK_CHUNK;
	size_t skip = (size_t)(from % PACK_CHUNK) * STORE_BLOCK;
	size_t len = (size_t)(to - from) * STORE_BLOCK;

	if (chunk_raw(s->end, s->total, c)) {
		memcpy(buf, s->encoded + (c ? s->end[c - 1] : 0) + skip - s->from, len);
		return true;
	}
	if (to - from == chunk_blocks(s->total, c))
		return chunk_decode(s, c, buf);
	if (!chunk_decode(s, c, s->chunk))
		return false;
	memcpy(buf, s->chunk + skip, len);
	return true;
}

/*
 * Decode what store_pack_fetch() got, and compare it with its keys. Returns how
 * many blocks are right, or an error if not even the first one is.
 */
int store_pack_decode(struct store *st, struct scratch *s, uint8_t *buf,
		      struct store_error *e)
{
	unsigned int at = s->rank, last = s->rank + s->count, done = 0;

	while (at < last) {
		unsigned int to = (at / PACK_CHUNK + 1) * PACK_CHUNK;

		to = to < last ? to : last;
		if (!copy_blocks(s, at, to, buf + (size_t)done * STORE_BLOCK))
			break;
		for (; at < to; at++, done++)
			if (!key_equal(s->key[done],
				       store_key(st, buf + (size_t)done * STORE_BLOCK)))
				goto out;
	}
out:
	if (done < s->count)
		block_damaged(st, s->block + done, e);
	return done ? (int)done : -EIO;
}

/* ---- rows ---- */

/* Write the pack that store_pack_encode() made. */
int store_pack_insert(struct store *st, uint64_t pack, unsigned int count,
		      const struct scratch *s, size_t len, struct store_error *e)
{
	sqlite3_stmt *stmt = store_stmt(st, STMT_PACK_INSERT);

	if (stmt) {
		sqlite3_bind_int64(stmt, 1, (sqlite3_int64)pack);
		sqlite3_bind_blob(stmt, 2, s->encoded, (int)len, SQLITE_STATIC);
	}
	if (st->txn_pack > pack)
		st->txn_pack = pack;
	st->blocks += count;
	return store_run(st, stmt, e);
}

/* Delete a pack that has the slots in @mask. */
int store_pack_delete(struct store *st, uint64_t pack, uint64_t mask,
		      struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_PACK_DELETE);

	if (s)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)pack);
	st->blocks -= ones(mask);
	return store_run(st, s, e);
}

void store_pack_close(struct store *st)
{
	sqlite3_blob_close(st->blob);
	st->blob = NULL;
}

/* Make st->blob that pack's row; opening one anew takes ten times as long. */
static int pack_seek(struct store *st, uint64_t pack, struct store_error *e)
{
	int rc;

	if (st->blob && !sqlite3_blob_reopen(st->blob, (sqlite3_int64)pack))
		return 0;
	store_pack_close(st);
	rc = sqlite3_blob_open(st->db, "main", "pack", "data", (sqlite3_int64)pack, 0,
			       &st->blob);
	if (!rc)
		return 0;
	st->blob = NULL;
	if (rc == SQLITE_ERROR)
		return store_fail(e, EIO, "pack %llu of the store %s is missing",
				  (unsigned long long)pack, st->path);
	return store_sql_error(st, "reading", e);
}

/* Some bytes of the pack that was sought. */
static int pack_bytes(struct store *st, uint64_t pack, void *buf, size_t len, size_t offset,
		      struct store_error *e)
{
	int rc = sqlite3_blob_read(st->blob, buf, (int)len, (int)offset);

	if (!rc)
		return 0;
	/* An offset behind its end, or what the layer below has to say. */
	return rc == SQLITE_ERROR ? damaged(st, pack, e) : store_sql_error(st, "reading", e);
}

/* Seek a pack; read and check its head. */
static int pack_open(struct store *st, uint64_t pack, struct head *head,
		     struct store_error *e)
{
	int ret = pack_seek(st, pack, e);
	uint32_t before = 0;
	unsigned int total;

	if (!ret)
		ret = pack_bytes(st, pack, head, sizeof(*head), 0, e);
	if (ret)
		return ret;
	total = ones(head->mask);
	for (unsigned int c = 0; c < PACK_CHUNKS; c++) {
		if (head->end[c] < before ||
		    head->end[c] - before > chunk_blocks(total, c) * STORE_BLOCK ||
		    (head->end[c] == before) != !chunk_blocks(total, c))
			return damaged(st, pack, e);
		before = head->end[c];
	}
	if ((size_t)sqlite3_blob_bytes(st->blob) != PACK_HEAD(total) + before)
		return damaged(st, pack, e);
	return 0;
}

/* The keys of a pack, one for each bit of *mask from the lowest; @key: 64. */
int store_pack_keys(struct store *st, uint64_t pack, uint64_t *mask,
		    struct key *key, struct store_error *e)
{
	struct head head;
	int ret = pack_open(st, pack, &head, e);
	unsigned int i = 0;

	if (!ret)
		ret = pack_bytes(st, pack, key, ones(head.mask) * sizeof(*key), sizeof(head), e);
	if (ret)
		return ret;
	*mask = head.mask;
	for (unsigned int slot = 0; slot < PACK_SLOTS; slot++)
		if (head.mask >> slot & 1)
			key[i++].lo ^= pack * PACK_SLOTS + slot;
	return 0;
}

/* How many bytes a pack takes, and how many blocks it has. */
int store_pack_size(struct store *st, uint64_t pack, uint64_t *bytes,
		    unsigned int *count, struct store_error *e)
{
	struct head head;
	int ret = pack_open(st, pack, &head, e);

	if (ret)
		return ret;
	*bytes = (uint64_t)sqlite3_blob_bytes(st->blob);
	*count = ones(head.mask);
	return 0;
}

/* Where the bytes of some ranks, from a rank on, are: as little as has to be read. */
static void find_range(struct scratch *s, uint32_t *to)
{
	unsigned int c = s->rank / PACK_CHUNK, last = s->rank + s->count - 1;
	uint32_t start;

	s->from = c ? s->end[c - 1] : 0;
	if (chunk_raw(s->end, s->total, c))
		s->from += s->rank % PACK_CHUNK * STORE_BLOCK;
	c = last / PACK_CHUNK;
	start = c ? s->end[c - 1] : 0;
	*to = chunk_raw(s->end, s->total, c) ?
		start + (last % PACK_CHUNK + 1) * STORE_BLOCK : s->end[c];
}

/*
 * Read @count blocks that follow each other in one pack, as they are stored,
 * and the keys they should have; store_pack_decode() makes blocks of them.
 */
int store_pack_fetch(struct store *st, uint64_t block, unsigned int count,
		     struct scratch *s, struct store_error *e)
{
	uint64_t pack = block / PACK_SLOTS, want;
	unsigned int slot = block % PACK_SLOTS;
	struct head head;
	uint32_t to;
	int ret = pack_open(st, pack, &head, e);

	if (ret)
		return ret;
	want = (count == 64 ? UINT64_MAX : (1ULL << count) - 1) << slot;
	if ((head.mask & want) != want)
		return store_fail(e, EIO, "block %llu of the store %s is missing",
				  (unsigned long long)block, st->path);
	s->block = block;
	s->count = count;
	s->total = ones(head.mask);
	s->rank = ones(head.mask & ((1ULL << slot) - 1));
	memcpy(s->end, head.end, sizeof(s->end));
	find_range(s, &to);
	ret = pack_bytes(st, pack, s->key, count * sizeof(*s->key), PACK_HEAD(s->rank), e);
	if (!ret)
		ret = pack_bytes(st, pack, s->encoded, to - s->from, PACK_HEAD(s->total) + s->from,
				 e);
	for (unsigned int i = 0; i < count && !ret; i++)
		s->key[i].lo ^= block + i;
	return ret;
}

/* All blocks of a pack, and keep only those in @keep, in @s and @key. */
static int pack_filter(struct store *st, uint64_t pack, uint64_t mask, uint64_t keep,
		       struct scratch *s, struct key *key, uint8_t *blocks)
{
	unsigned int left = 0;

	for (unsigned int slot = 0, n; slot < PACK_SLOTS; slot += n) {
		for (n = 1; slot + n < PACK_SLOTS; n++)
			if ((keep >> slot & 1) != (keep >> (slot + n) & 1))
				break;
		if (!(keep >> slot & 1))
			continue;
		if ((mask >> slot & 1) == 0 ||
		    store_pack_fetch(st, pack * PACK_SLOTS + slot, n, s, NULL) ||
		    store_pack_decode(st, s, blocks + (size_t)left * STORE_BLOCK, NULL) != (int)n)
			return -EIO;
		memcpy(key + left, s->key, n * sizeof(*key));
		left += n;
	}
	return 0;
}

/*
 * Leave only the slots in @keep of a pack that has those in @mask. One with
 * damage stays as it is: who looks into it shall find all that there is.
 */
int store_pack_shrink(struct store *st, uint64_t pack, uint64_t mask,
		      uint64_t keep, struct store_error *e)
{
	uint8_t *blocks = malloc((size_t)ones(keep) * STORE_BLOCK);
	struct scratch *s = store_scratch_get(st);
	struct key key[PACK_SLOTS];
	sqlite3_stmt *stmt;
	int ret = 0;

	if (!s || !blocks) {
		ret = store_fail(e, ENOMEM, "no memory to free blocks of the store %s", st->path);
	} else if (!pack_filter(st, pack, mask, keep, s, key, blocks)) {
		size_t len = store_pack_encode(s, pack, keep, key, blocks, NULL);

		stmt = store_stmt(st, STMT_PACK_UPDATE);
		if (stmt) {
			sqlite3_bind_int64(stmt, 1, (sqlite3_int64)pack);
			sqlite3_bind_blob(stmt, 2, s->encoded, (int)len, SQLITE_STATIC);
		}
		st->blocks -= ones(mask) - ones(keep);
		ret = store_run(st, stmt, e);
	}
	store_scratch_put(st, s);
	free(blocks);
	return ret;
}
