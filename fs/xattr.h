/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Extended attributes of snapshots. user.ckptfs.* say what is known of one: some
 * are read from its image (kernel, pages, pids) or the store (new-pages, stored),
 * others were noted at the checkpoint (pause-us, init, cgroup, id). Any other
 * user.* is its owner's.
 */
#ifndef FS_XATTR_H
#define FS_XATTR_H

#include "fs.h"

/* longest name: that of the store's key, "user." included */
#define XATTR_KEY_MAX STORE_ATTR_KEY_MAX

void xattr_get(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void xattr_list(fuse_req_t req, fuse_ino_t ino, size_t size);
void xattr_set(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
	       int flags);
void xattr_remove(fuse_req_t req, fuse_ino_t ino, const char *name);

#endif
