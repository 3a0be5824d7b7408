// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

/* a hole in a structure would be bytes that nobody has set */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include <ckpt_image.h>
#pragma GCC diagnostic pop

#include "parts.h"

#define IS_CHAR(type) _Generic((type *)0, char *: true, default: false)

static const struct part_row rows[] = {
#define ROW(record, part, number, element, least, most) {		\
		.type = CKPT_REC_##record,				\
		.tag = number,						\
		.name = #part,						\
		.size = sizeof(element),				\
		.min = least,						\
		.max = most,						\
		.base = sizeof(#part) == sizeof("BASE") &&		\
			number == 1 && least == 1 && most == 1,		\
		.text = IS_CHAR(element),				\
		/* that of CONTAINER is lines */			\
		.string = IS_CHAR(element) && CKPT_REC_##record != CKPT_REC_CONTAINER, \
	},
	CKPT_PARTS(ROW)
#undef ROW
};

static const struct part_bits bits[] = {
#define BITS(record, part, member, mask)				\
	{ CKPT_REC_##record, CKPT_TAG_##record##_##part,		\
	  offsetof(ckpt_part_##record##_##part, member), mask },
	CKPT_BITS(BITS)
#undef BITS
};

const struct part_bits *part_bits(size_t *nr)
{
	*nr = sizeof(bits) / sizeof(*bits);
	return bits;
}

const struct part_row *part_rows(size_t *nr)
{
	*nr = sizeof(rows) / sizeof(*rows);
	return rows;
}

const struct part_row *part_row(uint16_t type, uint16_t tag)
{
	const struct part_row *row;

	for (row = rows; row < rows + sizeof(rows) / sizeof(*rows); row++)
		if (row->type == type && row->tag == tag)
			return row;
	return NULL;
}

const char *record_name(uint16_t type)
{
	static const char *const names[] = {
		[CKPT_REC_HEADER] = "HEADER",
		[CKPT_REC_CONTAINER] = "CONTAINER",
		[CKPT_REC_TREE] = "TREE",
		[CKPT_REC_SYSTEM] = "SYSTEM",
		[CKPT_REC_NAMESPACE] = "NAMESPACE",
		[CKPT_REC_EXTERNAL] = "EXTERNAL",
		[CKPT_REC_FILE] = "FILE",
		[CKPT_REC_PIPE] = "PIPE",
		[CKPT_REC_SHMEM] = "SHMEM",
		[CKPT_REC_FILES] = "FILES",
		[CKPT_REC_FS] = "FS",
		[CKPT_REC_SIGHAND] = "SIGHAND",
		[CKPT_REC_MM] = "MM",
		[CKPT_REC_CRED] = "CRED",
		[CKPT_REC_PROCESS] = "PROCESS",
		[CKPT_REC_TASK] = "TASK",
		[CKPT_REC_EPOLL] = "EPOLL",
		[CKPT_REC_AUTOGROUP] = "AUTOGROUP",
		[CKPT_REC_FILTER] = "FILTER",
		[CKPT_REC_UNIX] = "UNIX",
		[CKPT_REC_TCP] = "TCP",
		[CKPT_REC_TTY] = "TTY",
		[CKPT_REC_INODE] = "INODE",
		[CKPT_REC_TMPFS] = "TMPFS",
		[CKPT_REC_MEMORY] = "MEMORY",
		[CKPT_REC_PAGES] = "PAGES",
		[CKPT_REC_TRAILER] = "TRAILER",
		[CKPT_REC_SAME] = "SAME",
	};

	return type < sizeof(names) / sizeof(*names) ? names[type] : NULL;
}

static bool is_zero(const void *p, size_t len)
{
	const char *c = p;

	return !len || (!c[0] && !memcmp(c, c + 1, len - 1));
}

static uint64_t padded(uint64_t len)
{
	return (len + 7) & ~(uint64_t)7;
}

int part_next(struct part_cursor *c, const struct ckpt_part **part)
{
	const struct ckpt_part *p = (const void *)c->p;
	uint64_t room;

	if (!c->left)
		return 0;
	if (c->left < sizeof(*p))
		return -1;
	room = c->left - sizeof(*p);
	if (p->flags & ~CKPT_PART_SKIP || !p->size || p->size > PART_SIZE_MAX ||
	    p->len > room || padded(p->len) > room || p->len % p->size ||
	    !is_zero(c->p + sizeof(*p) + p->len, padded(p->len) - p->len))
		return -1;
	*part = p;
	c->p += sizeof(*p) + padded(p->len);
	c->left -= sizeof(*p) + padded(p->len);
	return 1;
}

const void *parts_find(const struct parts *p, uint16_t tag, uint32_t *nr)
{
	size_t i;

	for (i = 0; i < p->nr && p->list[i].row->tag != tag; i++)
		;
	if (nr)
		*nr = i < p->nr ? p->list[i].nr : 0;
	return i < p->nr ? p->list[i].data : NULL;
}

void parts_free(struct parts *p)
{
	size_t i;

	for (i = 0; i < p->nr; i++)
		free(p->list[i].copy);
	p->nr = 0;
}

/* what is being taken apart */
struct record {
	uint16_t type;
	uint32_t seq;
	uint64_t bytes;		/* that copies take */
	struct ckpt_error *e;
};

static int refuse(const struct record *r, int err, const char *what, const char *name)
{
	return error_set(r->e, err, "%srecord %u (%s) %s%s",
			 err == EINVAL ? "the image is damaged: " : "", r->seq,
			 record_name(r->type) ? record_name(r->type) : "unknown", what, name);
}

static int check_count(const struct record *r, const struct part_row *row, uint64_t nr)
{
	/* what is one thing is there or is not */
	if (nr >= row->min && nr <= row->max && (nr || row->max > 1))
		return 0;
	return error_set(r->e, EINVAL, "the image is damaged: record %u (%s) has %llu of its part %s",
			 r->seq, record_name(r->type), (unsigned long long)nr, row->name);
}

/* the elements as we know them: shorter ones are zero at the end, and so must longer ones be */
static int convert(struct record *r, struct part *to, const struct ckpt_part *head)
{
	const struct part_row *row = to->row;
	size_t known = head->size < row->size ? head->size : row->size, i;
	const char *from = (const char *)(head + 1);
	char *copy;

	to->data = from;
	if (head->size == row->size)
		return 0;
	r->bytes += (uint64_t)to->nr * row->size;
	if (r->bytes > PARTS_BYTES_MAX)
		return refuse(r, E2BIG, "is longer than memory is given for: its part ", row->name);
	copy = calloc(to->nr ? to->nr : 1, row->size);
	if (!copy)
		return error_set(r->e, ENOMEM, "no memory for record %u of the image", r->seq);
	to->data = to->copy = copy;
	for (i = 0; i < to->nr; i++, from += head->size) {
		if (!is_zero(from + known, head->size - known))
			return refuse(r, EOPNOTSUPP, "says more than this version knows in its part ",
				      row->name);
		memcpy(copy + i * row->size, from, known);
	}
	return 0;
}

static int take_part(struct record *r, struct parts *p, const struct ckpt_part *head,
		     const struct part_row *row)
{
	uint64_t nr = head->len / head->size;
	struct part *to = &p->list[p->nr];
	int ret;

	if (parts_find(p, row->tag, NULL))
		return refuse(r, EINVAL, "has twice its part ", row->name);
	ret = check_count(r, row, nr);
	if (ret)
		return ret;
	p->nr++;
	*to = (struct part){ .row = row, .nr = nr };
	ret = convert(r, to, head);
	if (!ret && row->string && nr && strnlen(to->data, nr) != nr - 1)
		ret = refuse(r, EINVAL, "has no string in its part ", row->name);
	return ret;
}

static int check_missing(const struct record *r, const struct parts *p)
{
	const struct part_row *row;

	for (row = rows; row < rows + sizeof(rows) / sizeof(*rows); row++)
		if (row->type == r->type && row->min && !parts_find(p, row->tag, NULL))
			return refuse(r, EINVAL, "has no part ", row->name);
	return 0;
}

int parts_take(struct parts *p, uint16_t type, uint32_t seq, const void *body, size_t len,
	       struct ckpt_error *e)
{
	struct part_cursor c = { .p = body, .left = len };
	struct record r = { .type = type, .seq = seq, .e = e };
	const struct part_row *first = part_row(type, 1), *row;
	const struct ckpt_part *head;
	int ret;

	p->nr = 0;
	while ((ret = part_next(&c, &head)) > 0) {
		row = part_row(type, head->tag);
		if (first && first->base && head == body && row != first)
			return refuse(&r, EINVAL, "does not begin with its part ", "BASE");
		if (!row && head->flags & CKPT_PART_SKIP)
			continue;
		if (!row)
			return error_set(e, EOPNOTSUPP, "record %u (%s) has a part %u that this version does not know",
					 seq, record_name(type) ? record_name(type) : "unknown",
					 head->tag);
		ret = take_part(&r, p, head, row);
		if (ret)
			return ret;
	}
	return ret ? refuse(&r, EINVAL, "is not made of parts", "") : check_missing(&r, p);
}

static bool is_known(const struct parts *p, const struct part_bits *b)
{
	uint32_t nr, i, val;
	const char *data = parts_find(p, b->tag, &nr);

	for (i = 0; i < nr; i++) {
		memcpy(&val, data + (size_t)i * part_row(b->type, b->tag)->size + b->at, sizeof(val));
		if (val & ~b->known)
			return false;
	}
	return true;
}

int parts_check_bits(const struct parts *p, uint16_t type, uint32_t seq, struct ckpt_error *e)
{
	const struct record r = { .type = type, .seq = seq, .e = e };
	const struct part_bits *b;

	for (b = bits; b < bits + sizeof(bits) / sizeof(*bits); b++)
		if (b->type == type && !is_known(p, b))
			return refuse(&r, EOPNOTSUPP, "says more than this version knows in its part ",
				      part_row(type, b->tag)->name);
	return 0;
}
