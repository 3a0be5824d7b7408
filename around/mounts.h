/* SPDX-License-Identifier: GPL-2.0-only */
/* Mounts of a container, made from within its new mount namespace. */
#ifndef CKPT_AROUND_MOUNTS_H
#define CKPT_AROUND_MOUNTS_H

#include "description.h"
#include "error.h"

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
