/* SPDX-License-Identifier: GPL-2.0-only */
/* An image that has every part of the format's table; what it says makes no sense. */
#ifndef CKPT_TESTS_TEST_EVERYTHING_H
#define CKPT_TESTS_TEST_EVERYTHING_H

#include "parts.h"
#include "test_image.h"

/* no bits that nobody knows */
static inline void builder_known(const struct part_row *row, unsigned char *data, uint32_t nr)
{
	const struct part_bits *bits;
	uint32_t i, val;
	size_t left;

	for (bits = part_bits(&left); left--; bits++)
		for (i = 0; i < nr && bits->type == row->type && bits->tag == row->tag; i++) {
			unsigned char *at = data + (size_t)i * row->size + bits->at;

			memcpy(&val, at, sizeof(val));
			val &= bits->known;
			memcpy(at, &val, sizeof(val));
		}
}

/* as few elements as there can be, but two where there may be many */
static inline void builder_row(struct builder *b, const struct part_row *row)
{
	uint32_t nr = row->min > 2 || row->max == 1 ? row->min + !row->min : 2, i;
	unsigned char *data = builder_part_of(b, row->tag, row->size, nr, NULL);

	for (i = 0; i < nr * row->size; i++)
		data[i] = row->string && i == nr - 1 ? 0 : 'a' + i % 26;
	builder_known(row, data, nr);
	/* the number of an object */
	if (row->base)
		*(uint32_t *)data = b->seq + 1;
}

static inline void builder_everything(struct builder *b)
{
	const struct part_row *row;
	uint16_t type = 0;
	size_t nr;

	memset(b, 0, sizeof(*b));
	builder_header(b, CKPT_IMAGE_VERSION, NULL);
	for (row = part_rows(&nr); nr--; row++) {
		if (row->type == CKPT_REC_HEADER || row->type >= CKPT_REC_MEMORY)
			continue;
		if (type && type != row->type)
			builder_add(b, type);
		type = row->type;
		builder_row(b, row);
	}
	builder_add(b, type);
	builder_add(b, CKPT_REC_MEMORY);
	builder_pages(b, 3);
	builder_row(b, part_row(CKPT_REC_SAME, CKPT_TAG_SAME_BASE));
	builder_add(b, CKPT_REC_SAME);
	builder_trailer(b);
}

#endif
