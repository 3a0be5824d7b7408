/* SPDX-License-Identifier: GPL-2.0-only */
/* What is known of a snapshot, as words: from its image and from the store. */
#ifndef FS_FACTS_H
#define FS_FACTS_H

#include <stdbool.h>

#include "fs.h"

/* names of those that are worked out and never set; NULL last */
extern const char *const fact_names[];

/* fact_is - whether @name is one of them */
bool fact_is(const char *name);

/*
 * fact_get - one of a snapshot
 * @store_ino: its number in the store
 * @value: takes a string that the caller frees
 *
 * Returns 0, -ENODATA when there is no such fact or the image does not tell, or
 * another negative errno.
 */
int fact_get(uint64_t store_ino, const char *name, char **value);

#endif
