// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which changes are worth a try.  What an image has tells: the parts of its records by the table of the format, and in
 * their elements every number of 4 and of 8 bytes that can be one.  So what comes new into the table is tried, too.
 */
#include <stdlib.h>
#include <string.h>

#include "bad-image.h"

#define UNKNOWN_TAG 999

static uint32_t kind_of(const struct record *r)
{
	struct slice s;

	if (r->head.type != CKPT_REC_FILE || record_part(r, 0, &s) ||
	    s.head.len < sizeof(struct ckpt_image_file))
		return 0;
	return ((struct ckpt_image_file *)(r->body + sizeof(s.head)))->kind;
}

int is_first(const struct image *im, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (im->recs[i].head.type == im->recs[n].head.type &&
		    kind_of(&im->recs[i]) == kind_of(&im->recs[n]))
			return 0;
	return 1;
}

/* a record of the image whose cases are printed */
struct place {
	const struct image *im;
	size_t n;
	int all;
	FILE *out;
};

static const struct record *record_of(const struct place *w)
{
	return &w->im->recs[w->n];
}

/* the number of a record's object, 0 if it has none: the first field of its BASE */
static uint32_t ref_of(const struct record *r)
{
	struct slice s;
	uint32_t ref;

	if (r->head.type < CKPT_REC_NAMESPACE || r->head.type >= CKPT_REC_PROCESS ||
	    record_part(r, 0, &s) || s.head.len < sizeof(ref))
		return 0;
	memcpy(&ref, r->body + sizeof(s.head), sizeof(ref));
	return ref;
}

static uint32_t last_ref(const struct image *im)
{
	uint32_t max = 0;
	size_t i;

	for (i = 0; i < im->nr; i++)
		if (ref_of(&im->recs[i]) > max)
			max = ref_of(&im->recs[i]);
	return max;
}

static void print_set(const struct place *w, size_t at, unsigned int width, uint64_t value)
{
	uint64_t mask = width == 8 ? ~0ull : (1ull << width * 8) - 1, was = 0;

	memcpy(&was, record_of(w)->body + at, width);
	if ((value & mask) != was)
		fprintf(w->out, "set@%zu+%zu:%u=%llx\n", w->n, at, width, (unsigned long long)(value & mask));
}

/* what any number may be */
static void print_number(const struct place *w, size_t at, unsigned int width)
{
	static const uint64_t wide[] = {
		/* addresses: behind the last, the kernel's, none at all; and lengths */
		0x7ffffffff000, 0xffff888000000000, 0xffffffff81000000, 0x800000000000,
		0x1000, 0x100000000, 0x7fffffffffffffff,
	};
	static const uint64_t narrow[] = { 0x1000, 0x10000, 0x7fffffff };
	const uint64_t *more = width == 8 ? wide : narrow;
	size_t nr = width == 8 ? sizeof(wide) / sizeof(*wide) : sizeof(narrow) / sizeof(*narrow), i;
	uint64_t was = 0;

	memcpy(&was, record_of(w)->body + at, width);
	print_set(w, at, width, 0);
	print_set(w, at, width, 1);
	print_set(w, at, width, ~0ull);
	print_set(w, at, width, was ^ 1ull << (width * 8 - 1));
	print_set(w, at, width, was + 1);
	print_set(w, at, width, was - 1);
	for (i = 0; i < nr; i++)
		print_set(w, at, width, more[i]);
}

/*
 * What may be the number of an object: no object, this one, one of another type.  Which type is meant nobody says, so
 * that among the others is the right one, too.
 */
static void print_reference(const struct place *w, size_t at)
{
	uint32_t max = last_ref(w->im), was, type = 0;
	size_t i;

	memcpy(&was, record_of(w)->body + at, sizeof(was));
	if (!was || was > max)
		return;
	print_set(w, at, sizeof(was), max + 1);
	if (ref_of(record_of(w)))
		print_set(w, at, sizeof(was), ref_of(record_of(w)));
	for (i = 0; i < w->im->nr; i++) {
		const struct record *r = &w->im->recs[i];

		if (!ref_of(r) || r->head.type == type || !is_first(w->im, i))
			continue;
		type = r->head.type;
		if (w->all || (type + at / 4) % 4 == 0)
			print_set(w, at, sizeof(was), ref_of(r));
	}
}

/* every number that an element can have */
static void print_element(const struct place *w, size_t at, size_t size)
{
	size_t i;

	for (i = 0; i + 4 <= size; i += 4) {
		print_number(w, at + i, 4);
		print_reference(w, at + i);
		if (i % 8 == 0 && i + 8 <= size)
			print_number(w, at + i, 8);
	}
	for (; i < size; i++) {
		print_set(w, at + i, 1, 0);
		print_set(w, at + i, 1, 0xff);
	}
}

static void print_text(const struct place *w, const struct slice *s)
{
	static const char *const beginnings[] = { "../../..", "AAAAAAAA", "\033[31m %n", "/proc/1/" };
	size_t at = s->at + sizeof(s->head), i;
	uint64_t value;

	if (s->head.len < sizeof(value))
		return;
	for (i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
		memcpy(&value, beginnings[i], sizeof(value));
		print_set(w, at, sizeof(value), value);
		print_set(w, at + (s->head.len - sizeof(value)) / 2, sizeof(value), value);
	}
}

/* the first, a middle and the last element, or all */
static void print_elements(const struct place *w, const struct slice *s)
{
	size_t nr = s->head.len / s->head.size, i;

	if (s->head.tag == CKPT_TAG_PAGES_FILL && record_of(w)->pages)
		return;
	for (i = 0; i < nr; i++)
		if ((w->all && nr <= 256) || !i || i == nr / 2 || i == nr - 1)
			print_element(w, s->at + sizeof(s->head) + i * s->head.size, s->head.size);
	if (s->row && s->row->text)
		print_text(w, s);
}

/* a part's head: what it says of itself */
static void print_head(const struct place *w, const struct slice *s)
{
	print_number(w, s->at + offsetof(struct ckpt_part, len), 8);
	print_set(w, s->at + offsetof(struct ckpt_part, len), 8, s->head.len + 8);
	print_set(w, s->at + offsetof(struct ckpt_part, len), 8, s->head.len - 8);
	print_number(w, s->at + offsetof(struct ckpt_part, size), 4);
	print_set(w, s->at + offsetof(struct ckpt_part, size), 4, s->head.size / 2);
	print_set(w, s->at + offsetof(struct ckpt_part, tag), 2, 0);
	print_set(w, s->at + offsetof(struct ckpt_part, tag), 2, s->head.tag + 1);
}

/* fewer and more elements, of other sizes; the part gone, or elsewhere */
static void print_shape(const struct place *w, size_t p, const struct slice *s)
{
	uint64_t nr = s->head.len / s->head.size;
	struct slice next;
	size_t n = w->n;

	fprintf(w->out, "count@%zu.%zu=0\ncount@%zu.%zu=%llu\n", n, p, n, p, (unsigned long long)nr + 1);
	if (nr > 1)
		fprintf(w->out, "count@%zu.%zu=1\ncount@%zu.%zu=%llu\n", n, p, n, p, (unsigned long long)nr - 1);
	if (s->row && s->row->max != nr)
		fprintf(w->out, "count@%zu.%zu=%u\n", n, p, s->row->max < 65536 ? s->row->max : 65536);
	fprintf(w->out, "size@%zu.%zu=%u\n", n, p, s->head.size / 2 ? s->head.size / 2 : 2);
	if (s->head.size > 8)
		fprintf(w->out, "size@%zu.%zu=4\nsize@%zu.%zu=%u\n", n, p, n, p, s->head.size - 4);
	fprintf(w->out, "without@%zu.%zu\nfill@%zu.%zu=255\n", n, p, n, p);
	if (!record_part(record_of(w), p + 1, &next))
		fprintf(w->out, "after@%zu.%zu\n", n, p);
}

static void print_hostile(const struct place *w)
{
	uint32_t len = record_of(w)->head.len;
	struct slice s;
	size_t n = w->n, p;

	fprintf(w->out, "type@%zu=0\ntype@%zu=17\ntype@%zu=40\ntype@%zu=42\ntype@%zu=65535\n", n, n, n, n, n);
	fprintf(w->out, "len@%zu=0\nlen@%zu=8\nlen@%zu=%u\nlen@%zu=%u\nlen@%zu=%u\n", n, n,
		n, len + 8, n, len + 4, n, CKPT_REC_LEN_MAX + 8);
	if (len >= 8)
		fprintf(w->out, "len@%zu=%u\n", n, len - 8);
	for (p = 0; !record_part(record_of(w), p, &s); p++) {
		print_head(w, &s);
		print_shape(w, p, &s);
		print_elements(w, &s);
	}
	cases_by_hand(w->im, n, w->out);
}

void cases_hostile(const struct image *im, int all, FILE *out)
{
	struct place w = { .im = im, .all = all, .out = out };
	size_t memory;

	for (memory = 0; memory < im->nr && im->recs[memory].head.type != CKPT_REC_MEMORY; memory++)
		;
	for (w.n = 0; w.n < im->nr; w.n++) {
		fprintf(out, "drop@%zu\ndup@%zu\n", w.n, w.n);
		if (w.n + 1 < im->nr)
			fprintf(out, "swap@%zu\n", w.n);
		if (w.n + 1 < memory)
			fprintf(out, "late@%zu\n", w.n);
		if (all || is_first(im, w.n))
			print_hostile(&w);
	}
}

/* of each number of which some bits are known, one more: in the first element, and in the last */
static void print_bits(const struct place *w, const struct slice *s)
{
	size_t data = s->at + sizeof(s->head), nr = s->head.len / s->head.size, i, left;
	const struct part_bits *b;
	uint32_t was;

	if (s->head.size != s->row->size)
		return;
	for (b = part_bits(&left); left--; b++) {
		if (b->type != s->row->type || b->tag != s->row->tag)
			continue;
		for (i = 0; i < nr; i += nr > 1 ? nr - 1 : 1) {
			size_t at = data + i * s->head.size + b->at;

			memcpy(&was, record_of(w)->body + at, sizeof(was));
			fprintf(w->out, "set@%zu+%zu:4=%x\n", w->n, at, was | (~b->known & (b->known + 1)));
		}
	}
}

void cases_bits(const struct image *im, int all, FILE *out)
{
	struct place w = { .im = im, .all = all, .out = out };
	struct slice s;
	size_t p;

	for (w.n = 0; w.n < im->nr; w.n++)
		for (p = 0; (all || is_first(im, w.n)) && !record_part(record_of(&w), p, &s); p++)
			if (s.row)
				print_bits(&w, &s);
}

/* one that the rules of the format do not allow */
static void print_unsound(const struct place *w, size_t p, const struct slice *s)
{
	size_t n = w->n, data = s->at + sizeof(s->head);
	uint64_t nr = s->head.len / s->head.size;
	const struct part_row *row = s->row;
	struct slice next;

	fprintf(w->out, "twice@%zu.%zu\ntag@%zu.%zu=%u\n", n, p, n, p, UNKNOWN_TAG);
	if (nr)
		fprintf(w->out, "junk@%zu.%zu=%u\njunk@%zu.%zu=%u\n", n, p, row->size + 1, n, p, row->size + 8);
	if (row->min)
		fprintf(w->out, "without@%zu.%zu\ncount@%zu.%zu=%u\n", n, p, n, p, row->min - 1);
	else if (row->max == 1)
		fprintf(w->out, "count@%zu.%zu=0\n", n, p);
	if ((uint64_t)row->max * row->size < CKPT_REC_LEN_MAX / 2)
		fprintf(w->out, "count@%zu.%zu=%u\n", n, p, row->max + 1);
	if (row->base && !record_part(record_of(w), p + 1, &next))
		fprintf(w->out, "after@%zu.%zu\n", n, p);
	if (row->string && nr) {
		fprintf(w->out, "set@%zu+%zu:1=41\n", n, data + (size_t)s->head.len - 1);
		if (nr > 1)
			fprintf(w->out, "set@%zu+%zu:1=0\n", n, data + (nr - 1) / 2);
	}
	if (s->head.len % 8)
		fprintf(w->out, "set@%zu+%zu:1=1\n", n, s->at + s->len - 1);
	fprintf(w->out, "set@%zu+%zu:2=2\n", n, s->at + offsetof(struct ckpt_part, flags));
	fprintf(w->out, "set@%zu+%zu:4=0\n", n, s->at + offsetof(struct ckpt_part, size));
	fprintf(w->out, "set@%zu+%zu:4=10001\n", n, s->at + offsetof(struct ckpt_part, size));
	fprintf(w->out, "set@%zu+%zu:8=%zx\n", n, s->at + offsetof(struct ckpt_part, len),
		(size_t)record_of(w)->head.len - data + s->head.size);
}

/* what a record of pages has besides */
static void print_unsound_pages(const struct place *w)
{
	struct slice s;
	size_t n = w->n, p;

	fprintf(w->out, "more@%zu+24\n", n);
	for (p = 0; !record_part(record_of(w), p, &s); p++) {
		size_t data = s.at + sizeof(s.head);

		if (s.head.tag == CKPT_TAG_PAGES_BASE)
			fprintf(w->out, "set@%zu+%zu:4=0\nset@%zu+%zu:4=101\n", n, data + 4, n, data + 4);
		if (s.head.tag == CKPT_TAG_PAGES_RUNS)
			fprintf(w->out, "set@%zu+%zu:4=0\nset@%zu+%zu:4=101\nset@%zu+%zu:8=1\nafter@%zu.%zu\n",
				n, data + 8, n, data + 8, n, data + 16, n, p);
		if (s.head.tag == CKPT_TAG_PAGES_FILL && s.head.len)
			fprintf(w->out, "set@%zu+%zu:1=1\n", n, data + (size_t)s.head.len / 2);
	}
}

void cases_unsound(const struct image *im, int all, FILE *out)
{
	struct place w = { .im = im, .all = all, .out = out };
	struct slice s;
	size_t p;

	for (w.n = 0; w.n < im->nr; w.n++) {
		if (!all && !is_first(im, w.n))
			continue;
		fprintf(out, "extra@%zu=%u\ntype@%zu=65535\n", w.n, UNKNOWN_TAG, w.n);
		for (p = 0; !record_part(record_of(&w), p, &s); p++)
			if (s.row)
				print_unsound(&w, p, &s);
		if (record_of(&w)->pages)
			print_unsound_pages(&w);
	}
}

/* how short its elements may be without a change of what they say */
static size_t shortest(const struct record *r, const struct slice *s)
{
	const uint8_t *data = r->body + s->at + sizeof(s->head);
	size_t size = s->head.size, i;

	for (; size > 1; size--)
		for (i = 0; i < s->head.len; i += s->head.size)
			if (data[i + size - 1])
				return size;
	return size;
}

void cases_sound(const struct image *im, int all, FILE *out)
{
	struct place w = { .im = im, .all = all, .out = out };
	const struct record *r;
	struct slice s;
	size_t n, p;

	for (n = 0; n < im->nr; n++) {
		w.n = n;
		r = record_of(&w);
		if (!all && !is_first(im, n))
			continue;
		fprintf(out, "skip@%zu=%u\n", n, UNKNOWN_TAG);
		/* the trailer's numbers are put right in one piece only */
		if (!r->pages && r->head.len >= 16 && r->head.type != CKPT_REC_TRAILER)
			fprintf(out, "more@%zu+8\nmore@%zu+%u\nmore@%zu+%u\n", n,
				n, r->head.len / 16 * 8, n, r->head.len - 8);
		for (p = 0; !record_part(r, p, &s); p++) {
			fprintf(out, "set@%zu+%zu:2=1\n", n, s.at + offsetof(struct ckpt_part, flags));
			if (r->pages && s.head.tag == CKPT_TAG_PAGES_FILL)
				continue;
			/* a text is made of bytes, and of nothing longer */
			if (s.head.size == 1)
				continue;
			fprintf(out, "size@%zu.%zu=%u\nsize@%zu.%zu=%u\n", n, p, s.head.size + 1,
				n, p, s.head.size + 8);
			if (shortest(r, &s) < s.head.size)
				fprintf(out, "size@%zu.%zu=%zu\n", n, p, shortest(r, &s));
		}
	}
}

void cases_damage(const struct image *im, int all, FILE *out)
{
	/* magic, type, flags, len, seq, sum */
	static const size_t head[] = { 0, 4, 6, 8, 12, 16 };
	size_t n, i, at;

	fprintf(out, "empty\ntext\ntail\ncut@1\n");
	for (n = 0; n < im->nr; n++) {
		const struct record *r = &im->recs[n];
		size_t body = sizeof(r->head), end = image_end(im, n), pages = body + r->head.len;

		for (i = 0; i < 6; i++)
			if (all || i == n % 6)
				fprintf(out, "flip@%zu+%zu.%zu\n", n, head[i], n % 8);
		for (i = 0; i < 3; i++)
			if (r->head.len && (all || i == n % 3))
				fprintf(out, "flip@%zu+%zu.%zu\n", n, body + i * (r->head.len - 1) / 2, i + 3);
		for (i = 0; i < r->nr_pages; i++) {
			at = pages + i * CKPT_PAGE_SIZE;
			if (all || !i || i == r->nr_pages - 1)
				fprintf(out, "flip@%zu+%zu.%zu\n", n, at + (i * 1234 + n) % CKPT_PAGE_SIZE, i % 8);
		}
		if (all || n % 4 == 0)
			fprintf(out, "cut@%zu\n", r->at);
		if (all || n % 4 == 1)
			fprintf(out, "cut@%zu\n", r->at + 12);
		if (all || n % 4 == 2)
			fprintf(out, "cut@%zu\n", r->at + body + r->head.len / 2);
		if (r->nr_pages)
			fprintf(out, "cut@%zu\ncut@%zu\ncut@%zu\n", r->at + pages, r->at + pages + 100,
				end - CKPT_PAGE_SIZE);
		if (all || n % 4 == 3)
			fprintf(out, "cut@%zu\n", end - 1);
	}
}
