/* SPDX-License-Identifier: GPL-2.0-only */
/* A directory's entries, as they were when it was opened. */
#ifndef FS_LISTING_H
#define FS_LISTING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct listing_entry {
	const char *name;
	uint64_t ino;
	mode_t mode;		/* its type */
	const void *what;	/* for the directory's row, or NULL */
};

struct listing {
	struct listing_entry *entries;
	size_t count, room;
	void *data;		/* what names and entries point into; freed with it */
};

/*
 * listing_add - one more
 * @name: stays where it is, in the data or for ever
 *
 * Returns 0 or -ENOMEM.
 */
int listing_add(struct listing *l, const char *name, uint64_t ino, mode_t mode, const void *what);

void listing_free(struct listing *l);

#endif
