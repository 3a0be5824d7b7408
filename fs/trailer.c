// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "trailer.h"

static size_t head_size(uint16_t type)
{
	size_t size = sizeof(struct ckpt_rec);

	/* it says how many pages follow */
	return type == CKPT_REC_PAGES ? size + sizeof(struct ckpt_image_pages) : size;
}

/* a record's head is there as far as it matters: what follows it? */
static void take_head(struct trailer *t)
{
	struct ckpt_image_pages pages;
	struct ckpt_rec rec;

	memcpy(&rec, t->head, sizeof(rec));
	if (rec.magic != CKPT_REC_MAGIC || rec.len > CKPT_REC_LEN_MAX) {
		t->lost = true;
		return;
	}
	if (t->have < head_size(rec.type))
		return;
	t->have = 0;
	t->skip = rec.len;
	if (rec.type == CKPT_REC_PAGES) {
		memcpy(&pages, t->head + sizeof(rec), sizeof(pages));
		t->lost = rec.len < sizeof(pages);
		t->skip = rec.len - sizeof(pages) + (uint64_t)pages.nr * CKPT_PAGE_SIZE;
	}
	t->seen = rec.type == CKPT_REC_TRAILER;
}

void trailer_watch(struct trailer *t, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t n, want;

	while (len && !t->lost) {
		if (t->skip) {
			n = len < t->skip ? len : t->skip;
			t->skip -= n;
		} else {
			want = head_size(t->have < sizeof(struct ckpt_rec) ? 0 : CKPT_REC_PAGES);
			n = want - t->have;
			n = len < n ? len : n;
			memcpy(t->head + t->have, p, n);
			t->have += n;
			if (t->have == want)
				take_head(t);
		}
		p += n;
		len -= n;
	}
}

void trailer_zeros(struct trailer *t, uint64_t len)
{
	static const char zeros[sizeof(t->head)];
	uint64_t n;

	for (; len && !t->lost; len -= n) {
		if (t->skip) {
			n = len < t->skip ? len : t->skip;
			t->skip -= n;
		} else {
			n = len < sizeof(zeros) ? len : sizeof(zeros);
			trailer_watch(t, zeros, n);
		}
	}
}
