/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the image of a restart comes from: a snapshot or a file. */
#ifndef CKPT_CLI_SOURCE_H
#define CKPT_CLI_SOURCE_H

#include <limits.h>

#include "error.h"

/*
 * source_open - open a container's snapshot of this name, or else a file
 * @name: the container's
 * @source: "-" is standard input; with a slash it is always a file
 * @path: takes what it is, for the sentences
 *
 * Returns a descriptor, -ENOENT if there is neither, or another negative errno.
 */
int source_open(const char *name, const char *source, char path[PATH_MAX],
		struct ckpt_error *e);

#endif
