// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "listing.h"

int listing_add(struct listing *l, const char *name, uint64_t ino, mode_t mode, const void *what)
{
	struct listing_entry *more;
	size_t room;

	if (l->count == l->room) {
		room = l->room ? l->room * 2 : 16;
		more = reallocarray(l->entries, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		l->entries = more;
		l->room = room;
	}
	l->entries[l->count++] = (struct listing_entry){ name, ino, mode, what };
	return 0;
}

void listing_free(struct listing *l)
{
	free(l->entries);
	free(l->data);
}
