/* SPDX-License-Identifier: GPL-2.0-only */
/* The root of a new container, made from within its new mount namespace. */
#ifndef CKPT_CLI_ROOTFS_H
#define CKPT_CLI_ROOTFS_H

#include "console.h"
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
 * @console: is mounted on its /dev/console; NULL: it has none
 *
 * Returns 0 or a negative errno.
 */
int rootfs_enter(const char *dir, const struct console *console, struct ckpt_error *e);

#endif
