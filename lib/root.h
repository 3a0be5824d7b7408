/* SPDX-License-Identifier: GPL-2.0-only */
/* Another root in a new mount namespace, which nobody else is in. */
#ifndef CKPT_LIB_ROOT_H
#define CKPT_LIB_ROOT_H

#include "error.h"

/* root_private - end all propagation of the caller's mounts; 0 or -errno */
int root_private(struct ckpt_error *e);

/* root_slave - end it in one direction: they follow the host's, and do nothing to them */
int root_slave(struct ckpt_error *e);

/*
 * root_enter - make a detached mount the root
 * @tree: its descriptor
 *
 * The old root stays on top of the new one, out of the way of path names, until
 * root_leave().  The new one needs some place in the tree first; in a mount
 * namespace that nobody else is in, any directory does.
 *
 * Returns a descriptor of the old root, or a negative errno.
 */
int root_enter(int tree, struct ckpt_error *e);

/* root_leave - unmount the old root, whose descriptor is @old; 0 or -errno */
int root_leave(int old, struct ckpt_error *e);

/*
 * root_open_plain - open a path that must be there and have no symbolic link in it
 * @root: it is below this directory, or AT_FDCWD: below the caller's root
 *
 * Returns an O_PATH descriptor, or -1 with errno set.
 */
int root_open_plain(int root, const char *path);

/* root_clone - a detached copy of the one mount at such a path; -1 with errno set */
int root_clone(int root, const char *path);

#endif
