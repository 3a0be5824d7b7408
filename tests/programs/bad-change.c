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
		r->nr_pages = ((struct ckpt_image_pages *)r->body)->nr;
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

void image_load(struct image *im, const char *path)
{
	size_t at = 0;

	memset(im, 0, sizeof(*im));
	read_file(path, &im->raw);
	while (at < im->raw.len) {
		if (take_record(im, at))
			errx(2, "%s is no image from byte %zu on", path, at);
		at = image_end(im, im->nr - 1);
	}
	if (!im->nr || im->recs[im->nr - 1].head.type != CKPT_REC_TRAILER)
		errx(2, "%s has no trailer", path);
}

static void add(struct bytes *out, const void *p, size_t len)
{
	memcpy(out->p + out->len, p, len);
	out->len += len;
}

/* PAGES are filled so that the payloads start at a multiple of a page */
static uint32_t pages_len(const struct record *r, size_t at)
{
	size_t used = sizeof(struct ckpt_image_pages) + r->nr_pages * sizeof(struct ckpt_image_page);
	size_t end = (at + sizeof(r->head) + used + CKPT_PAGE_SIZE - 1) / CKPT_PAGE_SIZE * CKPT_PAGE_SIZE;

	return end - at - sizeof(r->head);
}

static void put_record(struct bytes *out, const struct record *r, uint32_t seq)
{
	struct ckpt_rec head = r->head;
	uint8_t *start = out->p + out->len;
	uint32_t have = head.len;

	if (r->pages) {
		uint32_t want = pages_len(r, out->len);

		have = have < want ? have : want;
		head.len = want;
	}
	head.seq = seq;
	head.sum = 0;
	add(out, &head, sizeof(head));
	add(out, r->body, have);
	memset(out->p + out->len, 0, head.len - have);
	out->len += head.len - have;
	head.sum = XXH64(start, sizeof(head) + head.len, 0);
	memcpy(start, &head, sizeof(head));
	if (r->pages)
		add(out, r->pages, (size_t)r->nr_pages * CKPT_PAGE_SIZE);
}

/* put together again; the trailer tells of what is there, unless @trailer */
static struct bytes emit(const struct record *recs, size_t nr, int trailer)
{
	struct bytes out = { 0 };
	uint64_t nr_pages = 0;
	size_t room = 0, i;

	for (i = 0; i < nr; i++)
		room += sizeof(recs[i].head) + recs[i].head.len +
			((size_t)recs[i].nr_pages + 1) * CKPT_PAGE_SIZE;
	out.p = need(malloc(room));
	for (i = 0; i < nr; i++) {
		struct ckpt_image_trailer t;
		struct record r = recs[i];

		nr_pages += r.nr_pages;
		if (r.head.type == CKPT_REC_TRAILER && r.head.len == sizeof(t) && !trailer) {
			t.nr_records = i + 1;
			t.nr_pages = nr_pages;
			t.bytes = out.len + sizeof(r.head) + sizeof(t);
			r.body = (uint8_t *)&t;
		}
		put_record(&out, &r, i);
	}
	return out;
}

static struct bytes copy_raw(const struct image *im)
{
	struct bytes b = { need(malloc(im->raw.len + 1)), im->raw.len };

	memcpy(b.p, im->raw.p, im->raw.len);
	return b;
}

/* the records, one more than there are for dup, with bodies that may be written */
static struct record *copy_records(const struct image *im)
{
	struct record *recs = need(calloc(im->nr + 1, sizeof(*recs)));
	size_t i;

	memcpy(recs, im->recs, im->nr * sizeof(*recs));
	for (i = 0; i < im->nr; i++) {
		recs[i].body = need(malloc(recs[i].head.len + 1));
		memcpy(recs[i].body, im->recs[i].body, recs[i].head.len);
	}
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

static int set_len(struct record *r, uint32_t len)
{
	if (len > CKPT_REC_LEN_MAX + 4096)
		return -1;
	r->body = need(realloc(r->body, len + 1));
	if (len > r->head.len)
		memset(r->body + r->head.len, 0, len - r->head.len);
	r->head.len = len;
	return 0;
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
		if (r->pages)
			at = sizeof(struct ckpt_image_pages) + r->nr_pages * sizeof(struct ckpt_image_page) - width;
		if (next_random(&state) % 2 && at > 512)
			at = 512;
		at = next_random(&state) % (at / 4 + 1) * 4;
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

/* of records, in place; returns how many there are then, 0 if the case has no meaning */
static size_t change_records(struct record *recs, size_t nr, const char *what)
{
	unsigned long long n = 0, a = 0, b = 0, c = 0;
	char verb[16] = "";

	if (sscanf(what, "random@%llu", &n) == 1) {
		set_random(recs, nr, n);
		return nr;
	}
	if (sscanf(what, "%15[a-z]@%llu", verb, &n) != 2 || n >= nr)
		return 0;
	if (!strcmp(verb, "drop")) {
		move(recs, n, nr - 1);
		free(recs[nr - 1].body);
		return nr - 1;
	}
	if (!strcmp(verb, "dup")) {
		memmove(recs + n + 1, recs + n, (nr - n) * sizeof(*recs));
		recs[n].body = need(malloc(recs[n + 1].head.len + 1));
		memcpy(recs[n].body, recs[n + 1].body, recs[n + 1].head.len);
		return nr + 1;
	}
	if (!strcmp(verb, "swap") && n + 1 < nr)
		move(recs, n, n + 1);
	else if (!strcmp(verb, "late") && n + 1 < find_memory(recs, nr))
		move(recs, n, find_memory(recs, nr) - 1);
	else if (sscanf(what, "type@%llu=%llu", &n, &a) == 2)
		recs[n].head.type = a;
	else if (sscanf(what, "len@%llu=%llu", &n, &a) == 2)
		return set_len(&recs[n], a) ? 0 : nr;
	else if (sscanf(what, "set@%llu+%llu:%llu=%llx", &n, &a, &b, &c) == 4)
		return set_number(&recs[n], a, b, c) ? 0 : nr;
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
