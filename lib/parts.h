/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of a record, by the table in ckpt_image_parts.h.
 *
 * What comes out of parts_take() has elements of the sizes that this build
 * knows, each part as often and with as many elements as the table says.  What
 * the elements say is for somebody else to check.
 */
#ifndef CKPT_LIB_PARTS_H
#define CKPT_LIB_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ckpt_image.h>

#include "error.h"

/* bytes of a record, all its pieces together, and of its parts in our sizes; less in tests */
#ifndef PARTS_BYTES_MAX
#define PARTS_BYTES_MAX (256U << 20)
#endif

/* bytes of an element */
#define PART_SIZE_MAX 65536

/* a row of the table */
struct part_row {
	uint16_t type;		/* enum ckpt_rec_type */
	uint16_t tag;
	const char *name;	/* "BASE" */
	uint32_t size;		/* bytes of an element */
	uint32_t min, max;	/* elements */
	bool base;		/* the first part of its record */
	bool text;		/* of characters */
	bool string;		/* one, with its NUL */
};

/* a number of which some bits are known: four bytes */
struct part_bits {
	uint16_t type;
	uint16_t tag;
	uint32_t at;		/* byte of an element */
	uint32_t known;
};

struct part {
	const struct part_row *row;
	uint32_t nr;		/* elements */
	const void *data;	/* of row->size bytes each */
	void *copy;		/* of ours, if they had another size in the image */
};

#define PARTS_COUNT(record, part, tag, type, min, max) + 1
enum { PARTS_MAX = 0 CKPT_PARTS(PARTS_COUNT) };

/* of one record, in the image's order */
struct parts {
	struct part list[PARTS_MAX];
	size_t nr;
};

/*
 * parts_take - check and convert the parts of a record
 * @p: takes them; to be given back with parts_free() in any case
 * @type: enum ckpt_rec_type
 * @seq: the record's number, for sentences
 * @body: the record's body, aligned to 8 bytes; it has to outlive @p
 * @len: its length in bytes
 *
 * Parts that are not known and may be skipped are left out.
 *
 * Returns 0, -EOPNOTSUPP if it has what this build does not know, -E2BIG if it
 * is too large, -EINVAL if it is no record of this type, -ENOMEM.
 */
int parts_take(struct parts *p, uint16_t type, uint32_t seq, const void *body, size_t len,
	       struct ckpt_error *e);

void parts_free(struct parts *p);

/*
 * parts_find - the elements of a part
 * @nr: takes how many there are, 0 if the record has no such part; may be NULL
 *
 * Returns NULL if it has none.
 */
const void *parts_find(const struct parts *p, uint16_t tag, uint32_t *nr);

/* part_row - the row of the table; NULL if it has none */
const struct part_row *part_row(uint16_t type, uint16_t tag);

/* part_rows - all rows; those of a record follow each other */
const struct part_row *part_rows(size_t *nr);

/* part_bits - all numbers of which some bits are known */
const struct part_bits *part_bits(size_t *nr);

/*
 * parts_check_bits - does a record that was taken say no more than is known?
 *
 * Returns 0 or -EOPNOTSUPP.
 */
int parts_check_bits(const struct parts *p, uint16_t type, uint32_t seq, struct ckpt_error *e);

/* record_name - the name of a type of record, "TASK"; NULL if not known */
const char *record_name(uint16_t type);

/* a place in a body */
struct part_cursor {
	const char *p;
	size_t left;		/* bytes */
};

/*
 * part_next - the next part as it is in the image
 * @c: at its head, then behind it
 * @part: takes its head; its bytes are behind it
 *
 * Returns 1, 0 at the end, -1 if there is no part.
 */
int part_next(struct part_cursor *c, const struct ckpt_part **part);

#endif
