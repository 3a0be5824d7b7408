/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inode numbers. A *place* is the directory /ckpt/NAME, be there a container of
 * that name, a history, or both. Its number is made from its name, so that it
 * is the same whenever the daemon runs; the files in it count on from there.
 * A snapshot has the store's number plus one (the root is 1). What is there once
 * and for all has a number made from its kind.
 */
#ifndef FS_INODE_H
#define FS_INODE_H

#include <stdint.h>

#include "container.h"

#define ROOT_INO 1

#define NODE(kind, name) NODE_##kind,
enum node_kind {
#include "nodes.def"
	NR_NODES
};
#undef NODE

enum node_kind inode_kind(uint64_t ino);

static inline uint64_t inode_of_snapshot(uint64_t store_ino)
{
	return store_ino + 1;
}

static inline uint64_t inode_store_ino(uint64_t ino)
{
	return ino - 1;
}

/*
 * inode_of - the number of something that there is once, or once in each place
 * @place: the place's name; "": it is in none
 * @refs: how many more times the kernel knows it (its lookup count)
 *
 * Returns it, or 0 when there is no memory.
 */
uint64_t inode_of(const char *place, enum node_kind kind, uint64_t refs);

/* inode_forget - the kernel forgets @ino @refs times */
void inode_forget(uint64_t ino, uint64_t refs);

/* inode_place - of the place that @ino is or is in; "": it is in none. 0 or -ESTALE. */
int inode_place(uint64_t ino, char name[CONTAINER_NAME_MAX + 1]);

#endif
