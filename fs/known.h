/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which running container has which name, noted on disk, so that a daemon that
 * is started anew calls them as the one before did.
 */
#ifndef FS_KNOWN_H
#define FS_KNOWN_H

#include "container.h"

/*
 * known_load - what was noted since the machine was booted
 * @list: takes an array that the caller frees; only name, init and start are set
 *
 * Returns 0 or a negative errno; a file that is missing or makes no sense gives
 * an empty list.
 */
int known_load(const char *path, struct container **list, size_t *count);

/* known_save - note these; none: remove the file. 0 or a negative errno. */
int known_save(const char *path, const struct container *list, size_t count);

#endif
