// SPDX-License-Identifier: GPL-2.0-only
/* Writers: a stream into blocks, blocks into numbers, new ones into packs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* How far ahead on a trail, and apart to become one, two blocks may be. */
#define TRAIL_REACH 16

static void writer_free(struct store_writer *w)
{
	free(w->group);
	free(w->name);
	for (int i = 0; i < OPEN_PACKS; i++)
		free(w->pack[i].blocks);
	store_digest_end(w->digest);
	free(w);
}

static bool packs_init(struct store_writer *w)
{
	bool good = true;

	for (int i = 0; i < OPEN_PACKS; i++) {
		w->pack[i].writer = w;
		w->pack[i].blocks = malloc((size_t)PACK_SLOTS * STORE_BLOCK);
		good &= w->pack[i].blocks != NULL;
	}
	return good;
}

int store_write_begin(struct store *st, const char *group, const char *name,
		      unsigned int flags, struct store_writer **out,
		      struct store_error *e)
{
	struct store_writer *w;
	struct store_info info;
	int ret;

	ret = store_check_name(group, "group", e);
	if (!ret)
		ret = store_check_name(name, "snapshot", e);
	if (ret)
		return ret;
	w = calloc(1, sizeof(*w));
	if (w) {
		w->st = st;
		w->flags = flags;
		w->group = strdup(group);
		w->name = strdup(name);
		w->digest = store_digest_begin(st);
	}
	if (!w || !w->group || !w->name || !w->digest || !packs_init(w)) {
		ret = store_fail(e, ENOMEM, "no memory to write snapshot '%s/%s'", group,
				 name);
		goto fail;
	}
	store_lock(st);
	ret = flags & STORE_REPLACE ? -ENOENT :
		store_dir_stat(st, group, name, 0, &info, e);
	if (ret == -ENOENT) {
		w->ino = st->next_ino++;
		list_add(&w->list, &st->writers);
	}
	store_unlock(st);
	if (ret == -ENOENT) {
		if (e)
			*e = (struct store_error){ 0 };
		*out = w;
		return 0;
	}
	if (!ret)
		ret = store_fail(e, EEXIST, "snapshot '%s/%s' exists", group, name);
fail:
	if (w)
		writer_free(w);
	return ret;
}

uint64_t store_writer_ino(const struct store_writer *w)
{
	return w->ino;
}

uint64_t store_writer_size(const struct store_writer *w)
{
	return w->size;
}

int store_writer_rename(struct store_writer *w, const char *group,
			const char *name, struct store_error *e)
{
	char *new_group, *new_name;
	int ret;

	ret = store_check_name(group, "group", e);
	if (!ret)
		ret = store_check_name(name, "snapshot", e);
	if (ret)
		return ret;
	new_group = strdup(group);
	new_name = strdup(name);
	if (!new_group || !new_name) {
		free(new_group);
		free(new_name);
		return store_fail(e, ENOMEM, "no memory to rename '%s'", name);
	}
	free(w->group);
	free(w->name);
	w->group = new_group;
	w->name = new_name;
	return 0;
}

/* Enter what an error says into the writer, once, and give it. With the lock. */
int store_writer_fail(struct store_writer *w, const struct store_error *own,
		      struct store_error *e)
{
	if (!w->error.err)
		w->error = *own;
	if (e)
		*e = w->error;
	return -w->error.err;
}

size_t store_encode_pack(struct scratch *s, const struct open_pack *p, bool hurry)
{
	uint64_t mask = p->count == PACK_SLOTS ? UINT64_MAX : (1ULL << p->count) - 1;

	return store_pack_encode(s, p->number, mask, p->key, p->blocks,
				 hurry ? &p->writer->hurry : NULL);
}

/* Write a pack that was encoded; from here on all writers can find its blocks. */
int store_insert_pack(struct open_pack *p, struct scratch *s, size_t len,
		      struct store_error *e)
{
	struct store_writer *w = p->writer;
	struct store *st = w->st;
	int ret = store_txn_begin(st, e);

	if (ret)
		return ret;
	w->txn = st->txn;
	ret = store_pack_insert(st, p->number, p->count, s, len, e);
	if (!ret)
		ret = store_index_put(st, p->key, p->count, p->number * PACK_SLOTS, e);
	if (ret)
		return ret;
	w->stored += (uint64_t)p->count * STORE_BLOCK;
	p->number = 0;
	p->count = 0;
	store_txn_grow(st, len);
	return 0;
}

/*
 * Compress and write the pack in the making. The lock is let go meanwhile: the
 * transaction may get lost, and this writer learns of it here.
 */
static int flush_pack(struct store_writer *w, bool hurry, struct store_error *e)
{
	struct store *st = w->st;
	struct scratch *s;
	size_t len = 0;
	int ret;

	if (!w->pack->count)
		return 0;
	store_unlock(st);
	s = store_scratch_get(st);
	if (s)
		len = store_encode_pack(s, w->pack, hurry);
	store_lock(st);
	if (!s)
		ret = store_fail(e, ENOMEM, "no memory to write to the store %s", st->path);
	else if (w->error.err)
		ret = store_writer_fail(w, &w->error, e);
	else
		ret = store_insert_pack(w->pack, s, len, e);
	store_scratch_put(st, s);
	return ret;
}

static int flush_map(struct store_writer *w, struct store_error *e)
{
	struct store *st = w->st;
	int ret;

	if (!w->map_len)
		return 0;
	ret = store_txn_begin(st, e);
	if (ret)
		return ret;
	w->txn = st->txn;
	ret = store_map_insert(st, w->ino, w->map_seq, w->map, w->map_len, e);
	if (ret)
		return ret;
	w->map_seq++;
	w->map_len = 0;
	return 0;
}

static int push(struct store_writer *w, uint64_t block, struct store_error *e)
{
	w->map[w->map_len++] = block;
	return w->map_len == MAP_BLOCKS ? flush_map(w, e) : 0;
}

static bool trail_load(struct store *st, struct trail *t, uint64_t pack)
{
	unsigned int slot;
	uint64_t mask;

	t->pack = 0;
	t->count = 0;
	t->pos = 0;
	if (store_pack_keys(st, pack, &mask, t->key, NULL))
		return false;
	for (slot = 0; slot < PACK_SLOTS; slot++)
		if (mask >> slot & 1)
			t->slot[t->count++] = (uint8_t)slot;
	t->pack = pack;
	t->epoch = st->gc.epoch;
	return true;
}

/*
 * A stream that is like one before has its blocks where that one had them, one
 * behind the other: look there before asking the index.
 */
static bool trail_find(struct store_writer *w, struct key key, uint64_t *block)
{
	for (struct trail *t = w->trail; t < w->trail + TRAILS; t++) {
		if (!t->pack)
			continue;
		if (t->epoch != w->st->gc.epoch) {
			t->pack = 0;
			continue;
		}
		if (t->pos == t->count && !trail_load(w->st, t, t->pack + 1))
			continue;
		for (unsigned int i = t->pos; i < t->count && i < t->pos + TRAIL_REACH; i++) {
			if (!key_equal(t->key[i], key))
				continue;
			*block = t->pack * PACK_SLOTS + t->slot[i];
			t->pos = i + 1;
			t->used = ++w->trail_clock;
			return true;
		}
	}
	return false;
}

/* The index knew @block: if the one before was close, a trail begins here. */
static void trail_note(struct store_writer *w, uint64_t block)
{
	bool close = block - w->last_hit - 1 < TRAIL_REACH;
	struct trail *t = w->trail;

	w->last_hit = block;
	if (!close)
		return;
	for (int i = 1; i < TRAILS && t->pack; i++)
		if (!w->trail[i].pack || w->trail[i].used < t->used)
			t = &w->trail[i];
	if (!trail_load(w->st, t, block / PACK_SLOTS))
		return;
	while (t->pos < t->count && t->slot[t->pos] <= block % PACK_SLOTS)
		t->pos++;
	t->used = ++w->trail_clock;
}

static bool same_bytes(struct store *st, uint64_t block, const uint8_t *data)
{
	struct scratch *s = store_scratch_get(st);
	uint8_t buf[STORE_BLOCK];
	bool same = s && !store_pack_fetch(st, block, 1, s, NULL) &&
		store_pack_decode(st, s, buf, NULL) == 1 && !memcmp(buf, data, STORE_BLOCK);

	store_scratch_put(st, s);
	return same;
}

/* Look for it in a pack that is on its way. What is in memory anyway is compared. */
static bool find_open(const struct open_pack *p, struct key key, const uint8_t *data,
		      uint64_t *block)
{
	if (!p->number)
		return false;
	for (unsigned int i = 0; i < p->count; i++) {
		if (!key_equal(p->key[i], key) ||
		    memcmp(p->blocks + (size_t)i * STORE_BLOCK, data, STORE_BLOCK))
			continue;
		*block = p->number * PACK_SLOTS + i;
		return true;
	}
	return false;
}

/* Look for the block among those that are stored: 1, 0 or an error. */
static int find_block(struct store_writer *w, struct key key, const uint8_t *data,
		      uint64_t *block, struct store_error *e)
{
	struct store *st = w->st;
	bool trailed;
	int ret;

	for (int i = 0; i < OPEN_PACKS; i++)
		if (find_open(&w->pack[i], key, data, block))
			return 1;
	trailed = trail_find(w, key, block);
	ret = trailed ? 1 : store_index_get(st, key, block, e);
	if (ret <= 0)
		return ret;
	/* In a round of gc that has given it up? Then store it anew. */
	if (!store_gc_keep(st, *block))
		return 0;
	if (st->flags & STORE_CONFIRM && !same_bytes(st, *block, data))
		return 0;
	if (!trailed)
		trail_note(w, *block);
	if (st->in_txn && *block / PACK_SLOTS >= st->txn_pack)
		w->txn = st->txn;
	return 1;
}

static uint64_t new_block(struct store_writer *w, struct key key, const uint8_t *data)
{
	struct open_pack *p = w->pack;

	if (!p->number)
		p->number = w->st->next_pack++;
	memcpy(p->blocks + (size_t)p->count * STORE_BLOCK, data, STORE_BLOCK);
	p->key[p->count] = key;
	return p->number * PACK_SLOTS + p->count++;
}

static int add_block(struct store_writer *w, struct key key, const uint8_t *data,
		     struct store_error *e)
{
	uint64_t block;
	int ret = find_block(w, key, data, &block, e);

	if (ret < 0)
		return ret;
	if (!ret) {
		block = new_block(w, key, data);
		if (w->pack->count == PACK_SLOTS && !store_packer_give(w)) {
			ret = flush_pack(w, true, e);
			if (ret)
				return ret;
		}
	}
	return push(w, block, e);
}

static bool is_zero(const uint8_t *block)
{
	uint64_t first;

	memcpy(&first, block, sizeof(first));
	return !first && !memcmp(block, block + sizeof(first), STORE_BLOCK - sizeof(first));
}

/* Add @n whole blocks, up to 64: hashed outside the lock, placed inside. */
static int add_blocks(struct store_writer *w, const uint8_t *data, unsigned int n,
		      struct store_error *e)
{
	struct store_error own = { 0 };
	struct key key[PACK_SLOTS] = { 0 };
	uint64_t zero = 0;
	int ret = 0;

	for (unsigned int i = 0; i < n; i++) {
		const uint8_t *p = data + (size_t)i * STORE_BLOCK;

		if (is_zero(p))
			zero |= 1ULL << i;
		else
			key[i] = store_key(w->st, p);
	}
	store_digest_add(w->digest, key, n);
	store_lock(w->st);
	if (w->error.err)
		own = w->error;
	ret = -own.err;
	for (unsigned int i = 0; i < n && !ret; i++) {
		if (zero >> i & 1)
			ret = push(w, BLOCK_ZERO, &own);
		else
			ret = add_block(w, key[i], data + (size_t)i * STORE_BLOCK, &own);
	}
	if (ret)
		ret = store_writer_fail(w, &own, e);
	store_unlock(w->st);
	/* What a failed commit took with it, the next call finds in w->error. */
	if (!ret)
		store_txn_settle(w->st, NULL);
	return ret;
}

int store_append(struct store_writer *w, const void *data, size_t len,
		 struct store_error *e)
{
	const uint8_t *p = data;
	int ret = 0;

	if (w->finished)
		return store_fail(e, EINVAL, "snapshot '%s/%s' was already ended", w->group,
				  w->name);
	w->size += len;
	while (len && !ret) {
		size_t n = len / STORE_BLOCK;

		if (!w->partial_len && n) {
			n = n < PACK_SLOTS ? n : PACK_SLOTS;
			ret = add_blocks(w, p, (unsigned int)n, e);
			n *= STORE_BLOCK;
		} else {
			n = STORE_BLOCK - w->partial_len;
			n = n < len ? n : len;
			memcpy(w->partial + w->partial_len, p, n);
			w->partial_len += (unsigned int)n;
			if (w->partial_len == STORE_BLOCK) {
				ret = add_blocks(w, w->partial, 1, e);
				w->partial_len = 0;
			}
		}
		p += n;
		len -= n;
	}
	return ret;
}

/* Whole blocks of zeros. */
static int add_zeros(struct store_writer *w, uint64_t blocks, struct store_error *e)
{
	struct store_error own = { 0 };
	int ret = 0;

	store_digest_zeros(w->digest, blocks);
	while (blocks && !ret) {
		uint64_t n = blocks < MAP_BLOCKS ? blocks : MAP_BLOCKS;

		store_lock(w->st);
		if (w->error.err)
			own = w->error;
		ret = -own.err;
		blocks -= n;
		for (; n && !ret; n--)
			ret = push(w, BLOCK_ZERO, &own);
		if (ret)
			ret = store_writer_fail(w, &own, e);
		store_unlock(w->st);
	}
	return ret;
}

int store_append_zeros(struct store_writer *w, uint64_t len, struct store_error *e)
{
	static const uint8_t zeros[STORE_BLOCK];
	uint64_t head = w->partial_len ? STORE_BLOCK - w->partial_len : 0;
	int ret = 0;

	if (head > len)
		head = len;
	if (head)
		ret = store_append(w, zeros, head, e);
	len -= head;
	if (!ret && len >= STORE_BLOCK) {
		if (w->finished)
			return store_append(w, zeros, 1, e);
		w->size += len - len % STORE_BLOCK;
		ret = add_zeros(w, len / STORE_BLOCK, e);
	}
	if (!ret && len % STORE_BLOCK)
		ret = store_append(w, zeros, len % STORE_BLOCK, e);
	return ret;
}

/* Everything but the entry: the rest of the blocks and of the map. */
static int flush_locked(struct store_writer *w, struct store_error *own)
{
	int ret;

	if (w->error.err) {
		*own = w->error;
		return -own->err;
	}
	ret = flush_pack(w, false, own);
	if (!ret)
		ret = flush_map(w, own);
	if (ret)
		w->error = *own;
	return ret;
}

static int commit_locked(struct store_writer *w, int64_t mtime_ns,
			 const struct store_attr *attrs, size_t count,
			 struct store_error *own)
{
	struct store *st = w->st;
	int ret;

	/* Lost since it was flushed? */
	if (w->error.err) {
		*own = w->error;
		return -own->err;
	}
	ret = store_op_begin(st, own);
	if (!ret) {
		ret = store_dir_add(st, w, mtime_ns, attrs, count, own);
		ret = store_op_end(st, ret, own);
	}
	return ret;
}

int store_commit(struct store_writer *w, int64_t mtime_ns,
		 const struct store_attr *attrs, size_t count,
		 struct store_error *e)
{
	struct store *st = w->st;
	struct store_error own = { 0 };
	int ret = 0;

	if (w->partial_len) {
		memset(w->partial + w->partial_len, 0, STORE_BLOCK - w->partial_len);
		w->partial_len = 0;
		ret = add_blocks(w, w->partial, 1, e);
	}
	w->finished = true;
	if (ret)
		return ret;
	store_packer_wait(w);
	store_lock(st);
	ret = flush_locked(w, &own);
	store_unlock(st);
	if (!ret) {
		store_writeback_wait(st);
		store_lock(st);
		ret = commit_locked(w, mtime_ns, attrs, count, &own);
		if (!ret)
			list_del(&w->list);
		if (store_index_is_large(st))
			store_packer_rest(st);
		store_unlock(st);
	}
	if (!ret)
		writer_free(w);
	else if (e)
		*e = own;
	return ret;
}

void store_abort(struct store_writer *w)
{
	struct store *st;

	if (!w)
		return;
	st = w->st;
	store_packer_wait(w);
	store_lock(st);
	list_del(&w->list);
	if (w->map_seq || w->stored)
		store_gc_kick(st);
	store_unlock(st);
	writer_free(w);
}
