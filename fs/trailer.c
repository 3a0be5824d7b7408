// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "trailer.h"

static size_t head_size(uint16_t type)
{
	/* it says how many pages follow */
	return type == CKPT_REC_PAGES ? sizeof(struct trailer_head) : sizeof(struct ckpt_rec);
}

/* a PAGES record begins with its BASE, and that with what a reader needs at least */
static bool says_pages(const struct trailer_head *h)
{
	return h->rec.len >= sizeof(h->part) + sizeof(h->pages) &&
	       h->part.tag == CKPT_TAG_PAGES_BASE && h->part.size >= sizeof(h->pages) &&
	       h->part.len >= sizeof(h->pages) && h->pages.nr && h->pages.nr <= CKPT_PAGES_MAX;
}

/* a record's head is there as far as it matters: what follows it? */
static void take_head(struct trailer *t)
{
	struct trailer_head h;

	memcpy(&h, t->head, sizeof(h));
	if (h.rec.magic != CKPT_REC_MAGIC || h.rec.len > CKPT_REC_LEN_MAX) {
		t->lost = true;
		return;
	}
	if (t->have < head_size(h.rec.type))
		return;
	t->have = 0;
	t->skip = h.rec.len;
	if (h.rec.type == CKPT_REC_PAGES) {
		t->lost = !says_pages(&h);
		t->skip -= sizeof(h) - sizeof(h.rec);
		t->skip += (uint64_t)h.pages.nr * CKPT_PAGE_SIZE;
	}
	t->seen = h.rec.type == CKPT_REC_TRAILER && !(h.rec.flags & CKPT_REC_MORE);
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
