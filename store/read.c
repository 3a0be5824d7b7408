// SPDX-License-Identifier: GPL-2.0-only
/* Readers: numbers into blocks, each checked against its key. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static int reader_open(struct store *st, const char *group, const char *name,
		       uint64_t ino, struct store_reader **out, struct store_error *e)
{
	struct store_reader *r = calloc(1, sizeof(*r));
	struct store_info info;
	int ret;

	if (!r)
		return store_fail(e, ENOMEM, "no memory to read a snapshot");
	store_lock(st);
	ret = store_dir_stat(st, group, name, ino, &info, e);
	if (!ret) {
		r->st = st;
		r->ino = info.ino;
		r->size = info.size;
		list_add(&r->list, &st->readers);
	}
	store_unlock(st);
	if (ret) {
		free(r);
		return ret;
	}
	pthread_mutex_init(&r->mutex, NULL);
	*out = r;
	return 0;
}

int store_read_open(struct store *st, const char *group, const char *name,
		    struct store_reader **r, struct store_error *e)
{
	return reader_open(st, group, name, 0, r, e);
}

int store_read_open_ino(struct store *st, uint64_t ino, struct store_reader **r,
			struct store_error *e)
{
	return reader_open(st, NULL, NULL, ino, r, e);
}

int store_reader_info(struct store_reader *r, struct store_info *out,
		      struct store_error *e)
{
	return store_stat_ino(r->st, r->ino, out, e);
}

void store_read_close(struct store_reader *r)
{
	struct store_info info;
	struct store *st;

	if (!r)
		return;
	st = r->st;
	store_lock(st);
	list_del(&r->list);
	/* If that fails, the next store_open sees to it. */
	if (!store_is_open(st, r->ino) &&
	    !store_dir_stat(st, NULL, NULL, r->ino, &info, NULL) && !info.name[0] &&
	    !store_op_begin(st, NULL)) {
		store_op_end(st, store_dir_forget(st, r->ino, NULL), NULL);
		store_gc_kick(st);
	}
	store_unlock(st);
	pthread_mutex_destroy(&r->mutex);
	free(r);
}

bool store_is_open(struct store *st, uint64_t ino)
{
	for (struct list *l = st->readers.next; l != &st->readers; l = l->next)
		if (list_entry(l, struct store_reader, list)->ino == ino)
			return true;
	return false;
}

/* Have the part of the map with number @seq in the cache; r->mutex is held. */
static int load_map(struct store_reader *r, uint64_t seq, struct store_error *e)
{
	uint64_t left = (r->size + STORE_BLOCK - 1) / STORE_BLOCK - seq * MAP_BLOCKS;
	unsigned int want = left < MAP_BLOCKS ? (unsigned int)left : MAP_BLOCKS;
	int ret;

	if (r->map_valid && r->map_seq == seq)
		return 0;
	r->map_valid = false;
	store_lock(r->st);
	ret = store_map_get(r->st, r->ino, seq, r->map, &r->map_len, e);
	store_unlock(r->st);
	if (ret)
		return ret;
	if (r->map_len != want)
		return store_fail(e, EIO, "the map does not fit the size");
	r->map_seq = seq;
	r->map_valid = true;
	return 0;
}

/* The numbers of up to @max blocks from @first on; returns how many. */
int store_reader_map(struct store_reader *r, uint64_t first, unsigned int max,
		     uint64_t *block, struct store_error *e)
{
	unsigned int at = first % MAP_BLOCKS;
	int ret;

	pthread_mutex_lock(&r->mutex);
	ret = load_map(r, first / MAP_BLOCKS, e);
	if (!ret) {
		if (max > r->map_len - at)
			max = r->map_len - at;
		memcpy(block, r->map + at, max * sizeof(*block));
		ret = (int)max;
	}
	pthread_mutex_unlock(&r->mutex);
	return ret;
}

/*
 * Read whole blocks. Returns how many were read and right, or an error if not
 * even the first one was.
 */
static int read_blocks(struct store_reader *r, const uint64_t *block,
		       unsigned int count, uint8_t *buf, struct store_error *e)
{
	struct scratch *s = store_scratch_get(r->st);
	unsigned int done = 0, n;
	off_t at;
	int ret = 0;

	if (!s)
		return store_fail(e, ENOMEM, "no memory to read the store %s", r->st->path);
	for (; done < count; done += n) {
		for (n = 1; done + n < count; n++)
			if (block[done] == BLOCK_ZERO ? block[done + n] != BLOCK_ZERO :
			    block[done + n] != block[done] + n ||
			    block[done + n] % PACK_SLOTS == 0)
				break;
		if (block[done] == BLOCK_ZERO) {
			memset(buf + (size_t)done * STORE_BLOCK, 0, (size_t)n * STORE_BLOCK);
			continue;
		}
		store_lock(r->st);
		ret = store_pack_fetch(r->st, block[done], n, s, e);
		at = store_ahead_at(r->st);
		store_unlock(r->st);
		store_ahead(r, at);
		if (!ret)
			ret = store_pack_decode(r->st, s, buf + (size_t)done * STORE_BLOCK, e);
		if (ret < (int)n) {
			done += ret > 0 ? (unsigned int)ret : 0;
			break;
		}
	}
	store_scratch_put(r->st, s);
	return done ? (int)done : ret;
}

/* A part of one block. */
static int read_part(struct store_reader *r, uint64_t block, size_t skip, size_t len,
		     uint8_t *buf, struct store_error *e)
{
	uint8_t whole[STORE_BLOCK];
	int ret = read_blocks(r, &block, 1, whole, e);

	if (ret < 0)
		return ret;
	memcpy(buf, whole + skip, len);
	return 0;
}

/* As much of the range, which lies within the snapshot, as one piece can be. */
static ssize_t read_piece(struct store_reader *r, uint8_t *buf, size_t len,
			  uint64_t offset, struct store_error *e)
{
	uint64_t block[PACK_SLOTS];
	size_t skip = offset % STORE_BLOCK;
	unsigned int max = (unsigned int)(len / STORE_BLOCK < PACK_SLOTS ?
					  len / STORE_BLOCK : PACK_SLOTS);
	int n;

	if (skip || !max) {
		if (len > STORE_BLOCK - skip)
			len = STORE_BLOCK - skip;
		n = store_reader_map(r, offset / STORE_BLOCK, 1, block, e);
		if (n > 0)
			n = read_part(r, block[0], skip, len, buf, e);
		return n < 0 ? n : (ssize_t)len;
	}
	n = store_reader_map(r, offset / STORE_BLOCK, max, block, e);
	if (n > 0)
		n = read_blocks(r, block, (unsigned int)n, buf, e);
	return n < 0 ? n : (ssize_t)n * STORE_BLOCK;
}

ssize_t store_pread(struct store_reader *r, void *buf, size_t len,
		    uint64_t offset, struct store_error *e)
{
	struct store_error own = { 0 };
	struct store_info info;
	ssize_t done = 0, n = 0;

	if (offset >= r->size)
		return 0;
	if (len > r->size - offset)
		len = r->size - offset;
	while ((size_t)done < len) {
		n = read_piece(r, (uint8_t *)buf + done, len - (size_t)done,
			       offset + (uint64_t)done, &own);
		if (n < 0)
			break;
		done += n;
	}
	if (done || !len)
		return done;
	if (store_reader_info(r, &info, NULL))
		info.group[0] = info.name[0] = '\0';
	return store_fail(e, own.err, "snapshot '%s/%s' can't be read at byte %llu: %s",
			  info.group, info.name, (unsigned long long)offset, own.text);
}

int store_seek(struct store_reader *r, uint64_t offset, int data, uint64_t *out,
	       struct store_error *e)
{
	uint64_t block[PACK_SLOTS], at = offset;
	int n;

	while (at < r->size) {
		n = store_reader_map(r, at / STORE_BLOCK, PACK_SLOTS, block, e);
		if (n < 0)
			return n;
		for (int i = 0; i < n; i++) {
			if ((block[i] != BLOCK_ZERO) == !!data) {
				*out = at < r->size ? at : r->size;
				return 0;
			}
			at = (at / STORE_BLOCK + 1) * STORE_BLOCK;
		}
	}
	if (offset < r->size && !data) {
		*out = r->size;
		return 0;
	}
	return store_fail(e, ENXIO, "nothing behind byte %llu", (unsigned long long)offset);
}
