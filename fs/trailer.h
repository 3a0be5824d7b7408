/* SPDX-License-Identifier: GPL-2.0-only */
/* Watches an image pass by, to know when the whole of it has. */
#ifndef FS_TRAILER_H
#define FS_TRAILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ckpt_image.h"

/* of a record, as far as it matters */
struct trailer_head {
	struct ckpt_rec rec;
	/* of PAGES */
	struct ckpt_part part;
	struct ckpt_image_pages pages;
};

struct trailer {
	bool seen;		/* the last record has begun */
	bool lost;		/* this is no image */
	uint64_t skip;		/* bytes until the next that matters */
	size_t have;		/* of head */
	unsigned char head[sizeof(struct trailer_head)];
};

/* trailer_watch - the next @len bytes of the stream; begin with a zeroed @t */
void trailer_watch(struct trailer *t, const void *data, size_t len);

/* trailer_zeros - the same for @len bytes that are zero */
void trailer_zeros(struct trailer *t, uint64_t len);

/* trailer_passed - whether that was the whole image */
static inline bool trailer_passed(const struct trailer *t)
{
	return t->seen && !t->skip;
}

#endif
