/* SPDX-License-Identifier: GPL-2.0-only */
/* The history: snapshots as files in /ckpt/NAME/snapshots. */
#ifndef FS_SNAPSHOTS_H
#define FS_SNAPSHOTS_H

#include "handle.h"

/* the name of the link to the newest, which no snapshot may have */
#define LATEST "latest"

/* All return 0 or a negative errno. @place is the container's name. */

int snapshot_lookup(const char *place, const char *name, struct fuse_entry_param *e);

/* the same for one that the store has told of */
int snapshot_entry(const struct store_info *info, struct fuse_entry_param *e);

/* by inode number; also of one that is being imported */
int snapshot_attr(fuse_ino_t ino, struct stat *st);

int snapshot_setattr(fuse_ino_t ino, const struct stat *st, int changed);

/* open an existing one; with O_TRUNC and a way to write: to replace it at close */
int snapshot_open(fuse_ino_t ino, struct fuse_file_info *fi);

/* begin a new one */
int snapshot_create(const char *place, const char *name, struct fuse_file_info *fi,
		    struct fuse_entry_param *e);

int snapshot_delete(const char *place, const char *name);

/* @flags: as for renameat2(2) */
int snapshot_rename(const char *place, const char *name, const char *to_place,
		    const char *to_name, unsigned int flags);

/* snapshot_latest - the name of the newest; -ENOENT: there is none */
int snapshot_latest(const char *place, char name[STORE_NAME_MAX + 1]);

/* snapshots_statfs - of the disk that the history is on */
int snapshots_statfs(struct statvfs *out);

#endif
