/* SPDX-License-Identifier: GPL-2.0-only */
/* From names to inode numbers. */
#ifndef FS_LOOKUP_H
#define FS_LOOKUP_H

#include "fs.h"
#include "place.h"

/* names of the files in a place, NODE_IMAGE ... NODE_SNAPSHOTS */
extern const char *const place_files[];

/*
 * node_lookup - what @name in the directory @parent is
 *
 * The kernel then knows the inode once more. Returns 0, or a negative errno.
 */
int node_lookup(fuse_ino_t parent, const char *name, struct fuse_entry_param *e);

/* node_forget - the kernel forgets an inode @times times */
void node_forget(fuse_ino_t ino, uint64_t times);

#endif
