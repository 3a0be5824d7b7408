// SPDX-License-Identifier: GPL-2.0-only
/* Changes of a record's parts: whatever part it is, by its head. */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "bad-image.h"

/* no case needs more, and no reader takes a body that is longer */
#define BODY_MAX (CKPT_REC_LEN_MAX + 4096)

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

int record_part(const struct record *r, size_t p, struct slice *s)
{
	struct part_cursor c = { .p = (char *)r->body, .left = r->head.len };
	const struct ckpt_part *head;
	const char *at;

	do {
		at = c.p;
		if (part_next(&c, &head) <= 0)
			return -1;
	} while (p--);
	s->at = at - (char *)r->body;
	s->len = c.p - at;
	s->head = *head;
	s->row = part_row(r->head.type, head->tag);
	return 0;
}

int record_splice(struct record *r, size_t at, size_t len, const void *bytes, size_t by)
{
	size_t rest = r->head.len - at - len;

	if (at + by + rest > BODY_MAX)
		return -1;
	if (by > len) {
		r->body = realloc(r->body, at + by + rest + 1);
		if (!r->body)
			err(2, "no memory");
	}
	memmove(r->body + at + by, r->body + at + len, rest);
	if (bytes)
		memcpy(r->body + at, bytes, by);
	else
		memset(r->body + at, 0, by);
	r->head.len = at + by + rest;
	return 0;
}

/* a part with its head in front and zeroes behind; ends up in the place of @s */
static int put_part(struct record *r, const struct slice *s, struct ckpt_part head, const void *data)
{
	size_t len = sizeof(head) + padded(head.len);
	uint8_t *part;
	int ret;

	if (head.len > BODY_MAX)
		return -1;
	part = calloc(1, len);
	if (!part)
		err(2, "no memory");
	memcpy(part, &head, sizeof(head));
	memcpy(part + sizeof(head), data, head.len);
	ret = record_splice(r, s->at, s->len, part, len);
	free(part);
	return ret;
}

/* elements of another size; junk: not zero at the end */
static int set_size(struct record *r, const struct slice *s, uint64_t size, int junk)
{
	const uint8_t *from = r->body + s->at + sizeof(s->head);
	uint64_t nr = s->head.len / s->head.size, i;
	size_t keep = size < s->head.size ? size : s->head.size;
	struct ckpt_part head = s->head;
	uint8_t *data;
	int ret;

	if (!size || nr * size > BODY_MAX || (junk && (!nr || size <= s->head.size)))
		return -1;
	head.size = size;
	head.len = nr * size;
	data = calloc(nr + 1, size);
	if (!data)
		err(2, "no memory");
	for (i = 0; i < nr; i++)
		memcpy(data + i * size, from + i * s->head.size, keep);
	if (junk)
		data[head.len - 1] = 0x80;
	ret = put_part(r, s, head, data);
	free(data);
	return ret;
}

/* the last elements, or more of the first: of a string its end stays */
static int set_count(struct record *r, const struct slice *s, uint64_t count)
{
	const uint8_t *from = r->body + s->at + sizeof(s->head);
	uint64_t size = s->head.size, nr = s->head.len / size, i;
	struct ckpt_part head = s->head;
	uint8_t *data;
	int ret;

	if (count > BODY_MAX / size)
		return -1;
	head.len = count * size;
	data = calloc(count + 1, size);
	if (!data)
		err(2, "no memory");
	for (i = 0; nr && i < count; i++)
		memcpy(data + (count - 1 - i) * size, from + (i < nr ? nr - 1 - i : 0) * size, size);
	ret = put_part(r, s, head, data);
	free(data);
	return ret;
}

static int swap_parts(struct record *r, size_t p, const struct slice *s)
{
	struct slice next;
	uint8_t *copy;

	if (record_part(r, p + 1, &next))
		return -1;
	copy = malloc(s->len);
	if (!copy)
		err(2, "no memory");
	memcpy(copy, r->body + s->at, s->len);
	memmove(r->body + s->at, r->body + next.at, next.len);
	memcpy(r->body + s->at + next.len, copy, s->len);
	free(copy);
	return 0;
}

static int double_part(struct record *r, const struct slice *s)
{
	if (record_splice(r, s->at, 0, NULL, s->len))
		return -1;
	memcpy(r->body + s->at, r->body + s->at + s->len, s->len);
	return 0;
}

/* one part more: behind all others, but FILL stays the last */
static int add_part(struct record *r, uint16_t tag, uint16_t flags)
{
	struct ckpt_part head = { .tag = tag, .flags = flags, .size = 3, .len = 9 };
	struct slice end = { .at = r->head.len }, s;
	size_t p;

	for (p = 0; !record_part(r, p, &s); p++)
		if (r->head.type == CKPT_REC_PAGES && s.head.tag == CKPT_TAG_PAGES_FILL)
			end.at = s.at;
	return put_part(r, &end, head, "something");
}

/* all bytes of all its elements are the same: a list has no end, a sum is too big, nothing is in order */
static int fill_part(struct record *r, const struct slice *s, uint64_t value)
{
	if (!s->head.len || value > 0xff)
		return -1;
	memset(r->body + s->at + sizeof(s->head), value, s->head.len);
	return 0;
}

int change_part(struct record *r, const char *verb, size_t p, uint64_t value)
{
	struct slice s;

	if (!strcmp(verb, "extra"))
		return add_part(r, value, 0);
	if (!strcmp(verb, "skip"))
		return add_part(r, value, CKPT_PART_SKIP);
	if (record_part(r, p, &s))
		return -1;
	r->keep |= r->head.type == CKPT_REC_PAGES && s.head.tag == CKPT_TAG_PAGES_FILL;
	if (!strcmp(verb, "size"))
		return set_size(r, &s, value, 0);
	if (!strcmp(verb, "junk"))
		return set_size(r, &s, value, 1);
	if (!strcmp(verb, "count"))
		return set_count(r, &s, value);
	if (!strcmp(verb, "fill"))
		return fill_part(r, &s, value);
	if (!strcmp(verb, "twice"))
		return double_part(r, &s);
	if (!strcmp(verb, "without"))
		return record_splice(r, s.at, s.len, "", 0);
	if (!strcmp(verb, "after"))
		return swap_parts(r, p, &s);
	if (strcmp(verb, "tag"))
		return -1;
	s.head.tag = value;
	memcpy(r->body + s.at, &s.head, sizeof(s.head));
	return 0;
}

void change_fill(struct record *r, size_t at)
{
	struct slice s, last = { 0 };
	struct ckpt_part head;
	size_t p, end;

	for (p = 0; !record_part(r, p, &s); p++)
		last = s;
	if (last.head.tag != CKPT_TAG_PAGES_FILL || last.at + last.len != r->head.len)
		return;
	end = at + sizeof(r->head) + last.at + sizeof(head);
	head = last.head;
	head.size = 1;
	head.len = -end & (CKPT_PAGE_SIZE - 1);
	record_splice(r, last.at, last.len, NULL, sizeof(head) + head.len);
	memcpy(r->body + last.at, &head, sizeof(head));
}
