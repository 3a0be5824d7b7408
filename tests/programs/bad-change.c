// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "bad-image.h"

static void *need(void *p)
{
	if (!p)
		err(2, "no memory");
	return p;
}

static void read_file(const char *path, struct bytes *to)
{
	FILE *f = fopen(path, "r");

	if (!f || fseek(f, 0, SEEK_END))
		err(2, "%s", path);
	to->len = ftell(f);
	rewind(f);
	to->p = need(malloc(to->len + 1));
	if (fread(to->p, 1, to->len, f) != to->len)
		err(2, "%s", path);
	fclose(f);
}

static int take_record(struct image *im, size_t at)
{
	struct record *r;

	im->recs = need(reallocarray(im->recs, im->nr + 1, sizeof(*im->recs)));
	r = &im->recs[im->nr];
	memset(r, 0, sizeof(*r));
	if (im->raw.len - at < sizeof(r->head))
		return -1;
	memcpy(&r->head, im->raw.p + at, sizeof(r->head));
	if (r->head.magic != CKPT_REC_MAGIC || r->head.len > im->raw.len - at - sizeof(r->head))
		return -1;
	r->at = at;
	r->body = im->raw.p + at + sizeof(r->head);
	if (r->head.type == CKPT_REC_PAGES) {
		struct slice base;

		if (record_part(r, 0, &base) || base.head.len < sizeof(struct ckpt_image_pages))
			return -1;
		r->nr_pages = ((struct ckpt_image_pages *)(r->body + sizeof(base.head)))->nr;
		r->pages = r->body + r->head.len;
	}
	im->nr++;
	return image_end(im, im->nr - 1) > im->raw.len ? -1 : 0;
}

size_t image_end(const struct image *im, size_t n)
{
	const struct record *r = &im->recs[n];

	return r->at + sizeof(r->head) + r->head.len + (size_t)r->nr_pages * CKPT_PAGE_SIZE;
}

int image_take(struct image *im, struct bytes raw)
{
	size_t at = 0;

	memset(im, 0, sizeof(*im));
	im->raw = raw;
	for (; at < im->raw.len; at = image_end(im, im->nr - 1))
		if (take_record(im, at))
			return -1;
	return im->nr && im->recs[im->nr - 1].head.type == CKPT_REC_TRAILER ? 0 : -1;
}

void image_load(struct image *im, const char *path)
{
	struct bytes raw;

	read_file(path, &raw);
	if (image_take(im, raw))
		errx(2, "%s is no image: record %zu is none", path, im->nr);
}

static void add(struct bytes *out, const void *p, size_t len)
{
	memcpy(out->p + out->len, p, len);
	out->len += len;
}

static void put_record(struct bytes *out, const struct record *r, uint32_t seq)
{
	struct ckpt_rec head = r->head;
	uint8_t *start = out->p + out->len;

	head.seq = seq;
	head.sum = 0;
	add(out, &head, sizeof(head));
	add(out, r->body, head.len);
	head.sum = XXH64(start, sizeof(head) + head.len, 0);
	memcpy(start, &head, sizeof(head));
	if (r->pages)
		add(out, r->pages, (size_t)r->nr_pages * CKPT_PAGE_SIZE);
}

/* the trailer tells of what is there */
static void set_trailer(struct record *r, uint64_t nr_records, uint64_t nr_pages, uint64_t at)
{
	struct ckpt_image_trailer t = { nr_records, nr_pages, at + sizeof(r->head) + r->head.len };
	struct slice s;

	if (!record_part(r, 0, &s) && s.head.len >= sizeof(t))
		memcpy(r->body + s.at + sizeof(s.head), &t, sizeof(t));
}

/* put together again; @trailer: it stays as it is */
static struct bytes emit(struct record *recs, size_t nr, int trailer)
{
	struct bytes out = { 0 };
	uint64_t nr_pages = 0;
	size_t room = 1, i;

	for (i = 0; i < nr; i++)
		room += sizeof(recs[i].head) + recs[i].head.len +
			((size_t)recs[i].nr_pages + 3) * CKPT_PAGE_SIZE;
	out.p = need(malloc(room));
	for (i = 0; i < nr; i++) {
		nr_pages += recs[i].nr_pages;
		if (recs[i].pages && !recs[i].keep)
			change_fill(&recs[i], out.len);
		if (recs[i].head.type == CKPT_REC_TRAILER && !trailer)
			set_trailer(&recs[i], i + 1, nr_pages, out.len);
		put_record(&out, &recs[i], i);
	}
	return out;
}

static struct bytes copy_raw(const struct image *im)
{
	struct bytes b = { need(malloc(im->raw.len + 1)), im->raw.len };

	memcpy(b.p, im->raw.p, im->raw.len);
	return b;
}

static uint8_t *copy_body(const struct record *r)
{
	uint8_t *body = need(malloc(r->head.len + 1));

	memcpy(body, r->body, r->head.len);
	return body;
}

/* the records, one more than there are for dup, with bodies that may be written */
static struct record *copy_records(const struct image *im)
{
	struct record *recs = need(calloc(im->nr + 1, sizeof(*recs)));
	size_t i;

	memcpy(recs, im->recs, im->nr * sizeof(*recs));
	for (i = 0; i < im->nr; i++)
		recs[i].body = copy_body(&im->recs[i]);
	return recs;
}

static void free_records(struct record *recs, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		free(recs[i].body);
	free(recs);
}

static int set_number(struct record *r, size_t at, unsigned int width, uint64_t value)
{
	if ((width != 1 && width != 2 && width != 4 && width != 8) || at + width > r->head.len)
		return -1;
	memcpy(r->body + at, &value, width);
	return 0;
}

/* in FILL, or in front of it? */
static int is_fill(const struct record *r, size_t at)
{
	struct slice s;
	size_t p;

	for (p = 0; r->pages && !record_part(r, p, &s); p++)
		if (s.head.tag == CKPT_TAG_PAGES_FILL && s.at <= at)
			return 1;
	return 0;
}

static int change_number(struct record *r, size_t at, unsigned int width, uint64_t value)
{
	r->keep |= is_fill(r, at);
	return set_number(r, at, width, value);
}

static int set_len(struct record *r, uint32_t len)
{
	if (len < r->head.len)
		return record_splice(r, len, r->head.len - len, "", 0);
	return record_splice(r, r->head.len, 0, NULL, len - r->head.len);
}

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t strange_number(uint64_t *state, uint64_t was)
{
	static const uint64_t strange[] = {
		0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 4096, 4095, 0x7ffffffff000, 0xffff800000000000,
		0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff, 0x10000, 0xfffffff0,
	};
	uint64_t r = next_random(state);

	switch (r % 4) {
	case 0:
		return strange[r / 4 % (sizeof(strange) / sizeof(strange[0]))];
	case 1:
		return was ^ 1ull << r / 4 % 64;
	case 2:
		return was + (int64_t)(r / 4 % 17) - 8;
	default:
		return next_random(state);
	}
}

static void set_random(struct record *recs, size_t nr, uint64_t seed)
{
	uint64_t state = seed * 0x2545f4914f6cdd1du + 1;
	int changes = 1 + next_random(&state) % 3, i;

	for (i = 0; i < changes; i++) {
		struct record *r = &recs[next_random(&state) % nr];
		unsigned int width = next_random(&state) % 2 ? 4 : 8;
		uint64_t was = 0;
		size_t at;

		if (r->head.len < 8)
			continue;
		/* not the filling of PAGES, and more often the front than the back */
		at = r->head.len - width;
		if (r->pages && at > 512)
			at = 512;
		if (next_random(&state) % 2 && at > 512)
			at = 512;
		at = next_random(&state) % (at / 4 + 1) * 4;
		if (is_fill(r, at))
			continue;
		memcpy(&was, r->body + at, width);
		set_number(r, at, width, strange_number(&state, was));
	}
}

static size_t find_memory(const struct record *recs, size_t nr)
{
	size_t i;

	for (i = 0; i < nr && recs[i].head.type != CKPT_REC_MEMORY; i++)
		;
	return i;
}

static void move(struct record *recs, size_t from, size_t to)
{
	struct record r = recs[from];

	memmove(recs + from, recs + from + 1, (to - from) * sizeof(*recs));
	recs[to] = r;
}

/* a record cut in two; payloads are behind the second half */
static int cut_record(struct record *recs, size_t nr, size_t n, size_t at)
{
	if (at > recs[n].head.len)
		return -1;
	memmove(recs + n + 1, recs + n, (nr - n) * sizeof(*recs));
	recs[n].body = copy_body(&recs[n + 1]);
	recs[n].head.len = at;
	recs[n].head.flags |= CKPT_REC_MORE;
	recs[n].pages = NULL;
	recs[n].nr_pages = 0;
	recs[n + 1].keep = 1;
	return record_splice(&recs[n + 1], 0, at, "", 0);
}

/* the first part of that name in the first record of that name; 0, or -1 if there is none */
static int find_part(const struct record *recs, size_t nr, const char *record, const char *part,
		     size_t *n, size_t *p)
{
	struct slice s;

	for (*n = 0; *n < nr; ++*n) {
		const char *name = record_name(recs[*n].head.type);

		if (!name || strcmp(name, record))
			continue;
		for (*p = 0; !record_part(&recs[*n], *p, &s); ++*p)
			if (s.row && !strcmp(s.row->name, part))
				return 0;
	}
	return -1;
}

/* of records, in place; returns how many there are then, 0 if the case has no meaning */
static size_t change_records(struct record *recs, size_t nr, const char *what)
{
	unsigned long long n = 0, a = 0, b = 0, c = 0;
	char verb[16] = "", record[16], part[16];
	size_t at, p;

	if (sscanf(what, "random@%llu", &n) == 1) {
		set_random(recs, nr, n);
		return nr;
	}
	if (sscanf(what, "%15[a-z]@%15[A-Z].%15[A-Z0-9_]=%llu", verb, record, part, &b) == 4)
		return find_part(recs, nr, record, part, &at, &p) || change_part(&recs[at], verb, p, b) ? 0 : nr;
	if (sscanf(what, "%15[a-z]@%llu", verb, &n) != 2 || n >= nr)
		return 0;
	if (!strcmp(verb, "drop")) {
		move(recs, n, nr - 1);
		free(recs[nr - 1].body);
		return nr - 1;
	}
	if (!strcmp(verb, "dup")) {
		memmove(recs + n + 1, recs + n, (nr - n) * sizeof(*recs));
		recs[n].body = copy_body(&recs[n + 1]);
		return nr + 1;
	}
	if (sscanf(what, "more@%llu+%llu", &n, &a) == 2)
		return cut_record(recs, nr, n, a) ? 0 : nr + 1;
	if (!strcmp(verb, "swap") && n + 1 < nr)
		move(recs, n, n + 1);
	else if (!strcmp(verb, "late") && n + 1 < find_memory(recs, nr))
		move(recs, n, find_memory(recs, nr) - 1);
	else if (sscanf(what, "type@%llu=%llu", &n, &a) == 2)
		recs[n].head.type = a;
	else if (sscanf(what, "len@%llu=%llu", &n, &a) == 2)
		return set_len(&recs[n], a) ? 0 : nr;
	else if (sscanf(what, "%*[a-z]@%llu.%llu=%llu", &n, &a, &b) >= 2)
		return change_part(&recs[n], verb, a, b) ? 0 : nr;
	else if (sscanf(what, "%*[a-z]@%llu=%llu", &n, &a) == 2)
		return change_part(&recs[n], verb, 0, a) ? 0 : nr;
	else if (sscanf(what, "set@%llu+%llu:%llu=%llx", &n, &a, &b, &c) == 4)
		return change_number(&recs[n], a, b, c) ? 0 : nr;
	else
		return 0;
	return nr;
}

static int changes_bytes(const struct image *im, const char *what, struct bytes *out)
{
	static const char text[] = "This is not an image of a container, but a text that somebody wrote.\n";
	unsigned long long n, at, bit;

	*out = copy_raw(im);
	if (sscanf(what, "flip@%llu+%llu.%llu", &n, &at, &bit) == 3 && n < im->nr &&
	    im->recs[n].at + at < im->raw.len)
		out->p[im->recs[n].at + at] ^= 1 << bit % 8;
	else if (sscanf(what, "cut@%llu", &n) == 1 && n <= im->raw.len)
		out->len = n;
	else if (!strcmp(what, "empty"))
		out->len = 0;
	else if (!strcmp(what, "tail"))
		out->p[out->len++] = 0;
	else if (!strcmp(what, "text") && im->raw.len > sizeof(text))
		memcpy(out->p, text, out->len = sizeof(text) - 1);
	else
		return 0;
	return 1;
}

struct bytes image_change(const struct image *im, const char *what)
{
	struct bytes out;
	struct record *recs;
	size_t nr;

	if (changes_bytes(im, what, &out))
		return out;
	free(out.p);
	out = (struct bytes){ 0 };
	recs = copy_records(im);
	nr = change_records(recs, im->nr, what);
	if (nr)
		out = emit(recs, nr, !strncmp(what, "set@", 4) || !strncmp(what, "random@", 7) ?
			   recs[nr - 1].head.type == CKPT_REC_TRAILER &&
			   memcmp(recs[nr - 1].body, im->recs[im->nr - 1].body, recs[nr - 1].head.len) : 0);
	free_records(recs, nr ? nr : im->nr);
	return out;
}
