// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of a record, by the table of the format (uapi/ckpt_image_parts.h):
 * what came in is as long and as often there as the table says, before anybody
 * looks at it.  S16.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "record.h"
#include "type.h"

#define CKPT_PART_SIZE_MAX 65536

static const struct row {
	u16 type;
	u16 tag;
	bool text;			/* one string with its NUL */
	u32 size;			/* of an element, as we know it */
	u32 min, max;
	const char *name;
} rows[] = {
#define ROW(r, p, t, element, least, most)				\
	{ CKPT_REC_##r, t,						\
	  __builtin_types_compatible_p(element, char) && CKPT_REC_##r != CKPT_REC_CONTAINER, \
	  sizeof(element), least, most, #p },
	CKPT_PARTS(ROW)
#undef ROW
};

static const struct bits {
	u16 type;
	u16 tag;
	u16 at;				/* in an element: four bytes */
	u32 known;
} bits[] = {
#define BITS(r, p, member, mask)					\
	{ CKPT_REC_##r, CKPT_TAG_##r##_##p,				\
	  offsetof(ckpt_part_##r##_##p, member) +			\
	  BUILD_BUG_ON_ZERO(sizeof_field(ckpt_part_##r##_##p, member) != sizeof(u32)), mask },
	CKPT_BITS(BITS)
#undef BITS
};

/* the rows of a record lie together: where they begin and end */
static void rows_of(u16 type, int *from, int *to)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(rows) && rows[i].type != type; i++)
		;
	*from = i;
	for (; i < ARRAY_SIZE(rows) && rows[i].type == type; i++)
		;
	*to = i;
}

static const struct row *row_of(u16 type, u16 tag)
{
	int i, to;

	rows_of(type, &i, &to);
	for (; i < to; i++)
		if (rows[i].tag == tag)
			return &rows[i];
	return NULL;
}

u32 ckpt_part_max(u16 type, u16 tag)
{
	const struct row *row = row_of(type, tag);

	return row ? row->max : 0;
}

/* objects have theirs in the row of their type */
const char *ckpt_rec_name(u16 type)
{
	static const char * const names[] = {
		[CKPT_REC_HEADER] = "HEADER", [CKPT_REC_CONTAINER] = "CONTAINER",
		[CKPT_REC_TREE] = "TREE", [CKPT_REC_SYSTEM] = "SYSTEM",
		[CKPT_REC_PROCESS] = "PROCESS",
		[CKPT_REC_TASK] = "TASK", [CKPT_REC_EPOLL] = "EPOLL",
		[CKPT_REC_MEMORY] = "MEMORY", [CKPT_REC_PAGES] = "PAGES",
		[CKPT_REC_TRAILER] = "TRAILER", [CKPT_REC_SAME] = "SAME",
	};
	const struct ckpt_type *object = ckpt_type_of(type);

	if (object)
		return object->name;
	return type < ARRAY_SIZE(names) && names[type] ? names[type] : "unknown";
}

int ckpt_malformed(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return ckpt_fail(log, -EINVAL, "the %s in record %u is malformed",
			 ckpt_rec_name(buf->type), buf->seq);
}

/* a place in a body */
struct cursor {
	const u8 *p;
	size_t left;
};

/* the next part, and the bytes behind its head; NULL: the body is not made of parts */
static const struct ckpt_part *next_part(struct cursor *c)
{
	const struct ckpt_part *part = (const void *)c->p;
	u64 len;

	if (c->left < sizeof(*part) || part->len > c->left - sizeof(*part) ||
	    ALIGN(part->len, 8) > c->left - sizeof(*part) || part->flags & ~CKPT_PART_SKIP ||
	    !part->size || part->size > CKPT_PART_SIZE_MAX || part->len % part->size)
		return NULL;
	len = sizeof(*part) + ALIGN(part->len, 8);
	if (memchr_inv(c->p + sizeof(*part) + part->len, 0, ALIGN(part->len, 8) - part->len))
		return NULL;
	c->p += len;
	c->left -= len;
	return part;
}

static int check_text(struct ckpt_log *log, const struct ckpt_rec_buf *buf,
		      const struct ckpt_part *part)
{
	const char *s = (const char *)(part + 1);

	return part->size == 1 && part->len && strnlen(s, part->len) == part->len - 1 ?
		0 : ckpt_malformed(log, buf);
}

static int says_more(struct ckpt_log *log, const struct ckpt_rec_buf *buf, const struct row *row)
{
	return ckpt_fail(log, -EOPNOTSUPP,
			 "the %s of the %s in record %u says more than this version knows",
			 row->name, ckpt_rec_name(buf->type), buf->seq);
}

/* what an element has behind the end that we know must be zero */
static int check_tails(struct ckpt_log *log, const struct ckpt_rec_buf *buf,
		       const struct ckpt_part *part, const struct row *row)
{
	const u8 *p = (const u8 *)(part + 1);
	u64 i;

	for (i = 0; part->size > row->size && i < part->len / part->size; i++)
		if (memchr_inv(p + i * part->size + row->size, 0, part->size - row->size))
			return says_more(log, buf, row);
	return 0;
}

static int check_part(struct ckpt_log *log, const struct ckpt_rec_buf *buf,
		      const struct ckpt_part *part, const struct row *row)
{
	u64 nr = part->len / part->size;

	/* what is one thing is there or is not */
	if (nr < row->min || nr > row->max || (row->max == 1 && !nr))
		return ckpt_fail(log, -EINVAL, "the %s in record %u has %llu of its part %s",
				 ckpt_rec_name(buf->type), buf->seq, nr, row->name);
	if (row->text)
		return check_text(log, buf, part);
	return check_tails(log, buf, part, row);
}

#define CKPT_TAG_BASE 1

static bool has_base(u16 type)
{
	const struct row *row = row_of(type, CKPT_TAG_BASE);

	return row && !strcmp(row->name, "BASE");
}

/* all parts one by one; @len: how long the body is with elements of our sizes */
static int check_each(struct ckpt_log *log, const struct ckpt_rec_buf *buf, u64 *seen, u64 *len)
{
	struct cursor c = { buf->body, buf->len };
	int ret, from, to;

	rows_of(buf->type, &from, &to);
	*seen = 0;
	*len = 0;
	while (c.left) {
		const struct ckpt_part *part = next_part(&c);
		const struct row *row = part ? row_of(buf->type, part->tag) : NULL;

		if (!part)
			return ckpt_malformed(log, buf);
		/* BASE is where a reader looks without looking for it */
		if ((const u8 *)part == buf->body && has_base(buf->type) && part->tag != CKPT_TAG_BASE)
			return ckpt_fail(log, -EINVAL, "the %s in record %u does not begin with its BASE",
					 ckpt_rec_name(buf->type), buf->seq);
		if (!row && part->flags & CKPT_PART_SKIP)
			continue;
		if (!row)
			return ckpt_fail(log, -EOPNOTSUPP,
					 "the %s in record %u has a part %u that this version does not know",
					 ckpt_rec_name(buf->type), buf->seq, part->tag);
		if (*seen & BIT_ULL(row - rows - from))
			return ckpt_fail(log, -EINVAL, "the %s in record %u has its part %s twice",
					 ckpt_rec_name(buf->type), buf->seq, row->name);
		*seen |= BIT_ULL(row - rows - from);
		ret = check_part(log, buf, part, row);
		if (ret)
			return ret;
		*len += sizeof(*part) + ALIGN(part->len / part->size * row->size, 8);
	}
	return 0;
}

static int check_missing(struct ckpt_log *log, const struct ckpt_rec_buf *buf, u64 seen)
{
	int i, from, to;

	rows_of(buf->type, &from, &to);
	BUILD_BUG_ON(ARRAY_SIZE(rows) > 1024);
	for (i = from; i < to; i++)
		if (rows[i].min && !(seen & BIT_ULL(i - from)))
			return ckpt_fail(log, -EINVAL, "the %s in record %u has no %s",
					 ckpt_rec_name(buf->type), buf->seq, rows[i].name);
	return 0;
}

/* the same parts with elements of our sizes, in @to */
static void convert(const struct ckpt_rec_buf *buf, u8 *to)
{
	struct cursor c = { buf->body, buf->len };

	while (c.left) {
		const struct ckpt_part *part = next_part(&c);
		const struct row *row = row_of(buf->type, part->tag);
		const u8 *from = (const u8 *)(part + 1);
		u64 i, nr = part->len / part->size;
		struct ckpt_part *head = (void *)to;

		if (!row)
			continue;
		*head = *part;
		head->size = row->size;
		head->len = nr * row->size;
		to += sizeof(*head);
		for (i = 0; i < nr; i++)
			memcpy(to + i * row->size, from + i * part->size,
			       min(part->size, row->size));
		to += ALIGN(head->len, 8);
	}
}

static bool sizes_are_ours(const struct ckpt_rec_buf *buf)
{
	struct cursor c = { buf->body, buf->len };

	while (c.left) {
		const struct ckpt_part *part = next_part(&c);
		const struct row *row = row_of(buf->type, part->tag);

		if (!row || row->size != part->size)
			return false;
	}
	return true;
}

/* elements of our sizes, and only such parts as we know */
static int resize(struct ckpt_log *log, struct ckpt_rec_buf *buf, u64 len)
{
	u8 *body;

	if (sizes_are_ours(buf))
		return 0;
	if (len > CKPT_RECORDS_MAX)
		return ckpt_malformed(log, buf);
	body = kvzalloc(len ? : 1, GFP_KERNEL_ACCOUNT);
	if (!body)
		return -ENOMEM;
	convert(buf, body);
	kvfree(buf->body);
	buf->body = body;
	buf->len = len;
	return 0;
}

static bool is_known(const struct ckpt_rec_buf *buf, const struct bits *b)
{
	const u8 *p;
	u64 i, nr;
	u32 val;

	p = ckpt_part_find(buf, b->tag, &nr);
	for (i = 0; i < nr; i++) {
		memcpy(&val, p + i * row_of(b->type, b->tag)->size + b->at, sizeof(val));
		if (val & ~b->known)
			return false;
	}
	return true;
}

static int check_bits(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		if (bits[i].type == buf->type && !is_known(buf, &bits[i]))
			return says_more(log, buf, row_of(bits[i].type, bits[i].tag));
	return 0;
}

int ckpt_parts_check(struct ckpt_log *log, struct ckpt_rec_buf *buf)
{
	u64 seen, len;
	int ret;

	ret = check_each(log, buf, &seen, &len);
	if (!ret)
		ret = check_missing(log, buf, seen);
	if (!ret)
		ret = resize(log, buf, len);
	return ret ? ret : check_bits(log, buf);
}

const void *ckpt_part_find(const struct ckpt_rec_buf *buf, u16 tag, u64 *nr)
{
	const u8 *p = buf->body, *end = buf->body + buf->len;

	while (p < end) {
		const struct ckpt_part *part = (const void *)p;

		if (part->tag == tag) {
			if (nr)
				*nr = part->len / part->size;
			return part + 1;
		}
		p += sizeof(*part) + ALIGN(part->len, 8);
	}
	if (nr)
		*nr = 0;
	return NULL;
}
