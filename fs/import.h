/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A snapshot that comes in from outside, by cp: it is seen by nobody but its
 * writer until it is closed, and by nobody at all when it is no image.
 */
#ifndef FS_IMPORT_H
#define FS_IMPORT_H

#include <stdbool.h>

#include "handle.h"

/*
 * import_begin - a new file in the history of @place
 * @replaces: store number of the snapshot that it will replace, 0: none
 * @ino: takes its inode number
 *
 * Returns 0 or a negative errno.
 */
int import_begin(const char *place, const char *name, uint64_t replaces,
		 struct handle **h, fuse_ino_t *ino);

/* import_attr - stat of @ino if it is being written; false: it is not */
bool import_attr(fuse_ino_t ino, struct stat *st);

/* import_has - whether @ino is being written */
bool import_has(fuse_ino_t ino);

/*
 * import_set_attr - an attribute that it will have in the store
 *
 * Returns 0 or a negative errno; -ENOENT: @ino is not being written.
 */
int import_set_attr(fuse_ino_t ino, const char *key, const char *value);

/*
 * import_setattr - change one that is being written
 * @changed: FUSE_SET_ATTR_*
 *
 * Returns 0 or a negative errno; -ENOENT: @ino is not being written.
 */
int import_setattr(fuse_ino_t ino, const struct stat *st, int changed);

#endif
