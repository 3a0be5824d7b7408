/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hidden directory /ckpt/.ckptfs: files that do something with the store
 * when root reads them, since no other process can have it open meanwhile. No
 * listing shows it, and no container can have its name.
 *
 *   stats  for each container, for all, and for the file, numbers in bytes:
 *            container SNAPSHOTS LOGICAL STORED NAME
 *            all SNAPSHOTS LOGICAL STORED
 *            file SIZE UNUSED
 *   fsck   checks everything, and says what is damaged
 *   repair as fsck, but mends what can be
 *   gc     frees what nobody needs any more: freed BLOCKS BYTES-BEFORE BYTES-AFTER
 *
 * When one of them fails, its last line is "error: SENTENCE", and the read fails.
 */
#ifndef FS_MAINTENANCE_H
#define FS_MAINTENANCE_H

#include <stdbool.h>

#include "handle.h"

#define MAINTENANCE ".ckptfs"

/* maintenance_node - whether an inode number is that directory's or in it */
bool maintenance_node(fuse_ino_t ino);

/*
 * maintenance_lookup - the directory itself, or with it as @parent a file in it
 *
 * Returns 0 or -ENOENT.
 */
int maintenance_lookup(fuse_ino_t parent, const char *name, struct fuse_entry_param *e);

/* maintenance_attr - stat of one */
void maintenance_attr(fuse_ino_t ino, struct stat *st);

/* maintenance_entry - the file at place @i of the directory; NULL: there are no more */
const char *maintenance_entry(size_t i, struct stat *st);

/* maintenance_open - 0 or a negative errno: -EISDIR, -EACCES unless @uid is root */
int maintenance_open(fuse_ino_t ino, uid_t uid, struct handle **h);

#endif
