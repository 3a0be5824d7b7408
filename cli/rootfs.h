/* SPDX-License-Identifier: GPL-2.0-only */
/* The root of a new container, made from within its new mount namespace. */
#ifndef CKPT_CLI_ROOTFS_H
#define CKPT_CLI_ROOTFS_H

#include "error.h"

/*
 * rootfs_host - keep the host's root, without what must not be seen in it
 *
 * Propagation ends, file systems of the type fuse.ckptfs go, /proc is mounted
 * anew for the caller's pid namespace.  Returns 0 or a negative errno.
 */
int rootfs_host(struct ckpt_error *e);

/*
 * rootfs_enter - make a directory the root, with /proc and simple devices
 * @dir: the directory
 * @console: path of a file to be bound on /dev/console, or NULL
 *
 * Returns 0 or a negative errno.
 */
int rootfs_enter(const char *dir, const char *console, struct ckpt_error *e);

#endif
