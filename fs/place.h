/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inode numbers. A *place* is the directory /ckpt/NAME, be there a container of
 * that name, a history, or both. Its number is made from its name, so that it
 * is the same whenever the daemon runs; the files in it count on from there.
 * A snapshot has the store's number plus one (the root is 1).
 */
#ifndef FS_PLACE_H
#define FS_PLACE_H

#include <stdint.h>

#include "container.h"

enum node_kind {
	NODE_PLACE,
	NODE_IMAGE,
	NODE_RESTART,
	NODE_STATUS,
	NODE_LOG,
	NODE_SNAPSHOTS,
	NODE_LATEST,
	NODE_ROOT,
	NODE_SNAPSHOT,
	NODE_MAINTENANCE,	/* see maintenance.h */
};

enum node_kind node_kind(uint64_t ino);

static inline uint64_t snapshot_node(uint64_t store_ino)
{
	return store_ino + 1;
}

static inline uint64_t snapshot_store_ino(uint64_t ino)
{
	return ino - 1;
}

/*
 * place_node - the number of a file in the place @name
 * @kind: which, NODE_PLACE ... NODE_LATEST
 * @refs: how many more times the kernel knows it (its lookup count)
 *
 * Returns it, or 0 when there is no memory.
 */
uint64_t place_node(const char *name, enum node_kind kind, uint64_t refs);

/* place_forget - the kernel forgets @ino @refs times */
void place_forget(uint64_t ino, uint64_t refs);

/* place_name - of the place that @ino is or is in. 0 or -ESTALE. */
int place_name(uint64_t ino, char name[CONTAINER_NAME_MAX + 1]);

#endif
