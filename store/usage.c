// SPDX-License-Identifier: GPL-2.0-only
/*
 * What groups take. Nothing keeps count of it: blocks belong to nobody, so the
 * maps say who reaches which.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct reach {
	struct store *st;
	const struct store_watch *watch;
	uint64_t done, of;	/* snapshots */
	struct bits group;	/* blocks of the group that is looked at */
	struct bits all;	/* blocks of any */
	uint64_t pack;		/* the last one whose size was asked */
	uint64_t each;		/* bytes of its blocks, on average */
};

/* Bytes of a block of a pack; what can't be read takes none that anybody knows of. */
static uint64_t cost(struct reach *r, uint64_t pack)
{
	unsigned int count;
	uint64_t bytes;

	if (r->pack == pack)
		return r->each;
	store_lock(r->st);
	r->each = store_pack_size(r->st, pack, &bytes, &count, NULL) || !count ? 0 : bytes / count;
	store_unlock(r->st);
	r->pack = pack;
	return r->each;
}

/* Enter a block: 0, or -ENOMEM. */
static int reach_block(struct reach *r, uint64_t block, struct store_usage *group,
		       struct store_usage *all)
{
	uint64_t pack = block / PACK_SLOTS, bit = 1ULL << block % PACK_SLOTS;
	uint64_t *mine = store_bits_word(&r->group, pack, true);
	uint64_t *any = store_bits_word(&r->all, pack, true);

	if (!mine || !any)
		return -ENOMEM;
	if (!(*mine & bit))
		group->stored += cost(r, pack);
	if (!(*any & bit))
		all->stored += cost(r, pack);
	*mine |= bit;
	*any |= bit;
	return 0;
}

static int reach_snapshot(struct reach *r, uint64_t ino, struct store_usage *group,
			  struct store_usage *all, struct store_error *e)
{
	uint64_t block[PACK_SLOTS], total;
	struct store_reader *reader;
	int n, ret = 0;

	/* deleted just now? */
	if (store_read_open_ino(r->st, ino, &reader, NULL))
		return 0;
	group->snapshots++;
	group->logical += reader->size;
	total = (reader->size + STORE_BLOCK - 1) / STORE_BLOCK;
	for (uint64_t at = 0; at < total && !ret; at += (uint64_t)n) {
		ret = store_watched(r->watch, "snapshots", r->done, r->of, e);
		if (ret)
			break;
		n = store_reader_map(reader, at, PACK_SLOTS, block, e);
		if (n < 0)
			ret = n;
		for (int i = 0; i < n && !ret; i++)
			if (block[i] != BLOCK_ZERO && reach_block(r, block[i], group, all))
				ret = store_fail(e, ENOMEM, "no memory to count what the store %s has",
						 r->st->path);
	}
	store_read_close(reader);
	r->done++;
	return ret;
}

static int reach_group(struct reach *r, struct store_usage *group, struct store_usage *all,
		       struct store_error *e)
{
	struct store_info *list;
	size_t count;
	int ret = store_list(r->st, group->name, &list, &count, e);

	if (ret == -ENOENT)
		return 0;
	for (size_t i = 0; i < count && !ret; i++)
		ret = reach_snapshot(r, list[i].ino, group, all, e);
	free(list);
	store_bits_free(&r->group);
	all->snapshots += group->snapshots;
	all->logical += group->logical;
	return ret;
}

int store_usage(struct store *st, const struct store_watch *watch, struct store_usage **list,
		size_t *count, struct store_usage *all, struct store_error *e)
{
	struct reach r = { .st = st, .watch = watch };
	struct store_group *groups;
	struct store_stats stats;
	int ret = store_group_list(st, &groups, count, e);

	*list = NULL;
	*all = (struct store_usage){ 0 };
	if (ret)
		return ret;
	*list = calloc(*count + 1, sizeof(**list));
	if (!*list)
		ret = store_fail(e, ENOMEM, "no memory to count what the store %s has", st->path);
	if (!ret)
		ret = store_stats(st, NULL, &stats, e);
	if (!ret)
		r.of = stats.snapshots;
	for (size_t i = 0; i < *count && !ret; i++) {
		strcpy((*list)[i].name, groups[i].name);
		ret = reach_group(&r, &(*list)[i], all, e);
	}
	free(groups);
	store_bits_free(&r.all);
	if (ret) {
		free(*list);
		*list = NULL;
	}
	return ret;
}
