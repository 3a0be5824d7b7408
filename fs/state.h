/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is kept of a place beside its history: small files STATE/NAME/FILE, which
 * go with the place.
 */
#ifndef FS_STATE_H
#define FS_STATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* All return 0 or a negative errno. */

/* state_path - where one is */
int state_path(const char *place, const char *file, char path[PATH_MAX]);

/* state_make - the same, and there is a directory for it */
int state_make(const char *place, const char *file, char path[PATH_MAX]);

/* state_read - all of it, in a string that the caller frees; "" when there is none */
int state_read(const char *place, const char *file, char **text);

/* state_write - all of it at once; @sync: and it is on the disk when this returns */
int state_write(const char *place, const char *file, const char *text, size_t len, bool sync);

/* state_remove - a place has been removed */
void state_remove(const char *place);

/* state_setup - make the directory of all */
int state_setup(void);

#endif
