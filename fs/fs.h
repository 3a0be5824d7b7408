/* SPDX-License-Identifier: GPL-2.0-only */
/* What all parts of the daemon share: the one file system it serves. */
#ifndef FS_H
#define FS_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "options.h"
#include "store.h"

struct ckptfs {
	struct options opt;
	struct store *store;
	struct fuse_session *session;
	dev_t dev;		/* of the mount */
};

/* set once by main before the first request, then only read */
extern struct ckptfs fs;

/*
 * How long the kernel may believe an answer, in seconds. A container's
 * directory comes and goes with the container; a snapshot's entry changes
 * through this mount only. What is not there is never remembered.
 */
#define PLACE_TIMEOUT 0.1
#define SNAPSHOT_TIMEOUT 5.0

extern const struct fuse_lowlevel_ops ckptfs_ops;

#endif
