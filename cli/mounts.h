/* SPDX-License-Identifier: GPL-2.0-only */
/* Mounts of a container, made from within its new mount namespace. */
#ifndef CKPT_CLI_MOUNTS_H
#define CKPT_CLI_MOUNTS_H

#include <stdbool.h>

#include "description.h"
#include "error.h"

/*
 * mounts_host - keep the host's root, without what must not be seen in it
 *
 * Propagation ends, file systems of the type fuse.ckptfs go, /proc is mounted
 * anew for the caller's pid namespace.  Returns 0 or a negative errno.
 */
int mounts_host(struct ckpt_error *e);

/*
 * mounts_rootfs - make a directory the root, with /proc and simple devices
 * @dir: the directory
 * @console: path of a file to be bound on /dev/console, or NULL
 *
 * Returns 0 or a negative errno.
 */
int mounts_rootfs(const char *dir, const char *console, struct ckpt_error *e);

/*
 * mounts_restore - make the mounts of a description
 * @d: the description out of an image
 * @cgroup: path of the container's cgroup, absolute
 *
 * The caller's root is the new one before anything is mounted in it, so that
 * no path of the description can reach a mount point outside of it.
 *
 * Returns 0 or a negative errno.
 */
int mounts_restore(const struct description *d, const char *cgroup,
		   struct ckpt_error *e);

#endif
