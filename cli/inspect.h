/* SPDX-License-Identifier: GPL-2.0-only */
/* What there is to say of the parts of an image's records. */
#ifndef CKPT_CLI_INSPECT_H
#define CKPT_CLI_INSPECT_H

#include <stddef.h>
#include <stdint.h>
#include <ckpt_image.h>

#include "emit.h"
#include "parts.h"

/*
 * A part and its fields.  One that has none here is printed all the same, by
 * what the table of the format says: text as text, else word by word.
 */
struct inspect_part {
	uint16_t type;
	uint16_t tag;
	struct emit_fields fields;
	/* instead, NULL if the fields are all that there is */
	void (*print)(struct emit *m, const char *name, const struct part *part);
};

#define INSPECT_PART(record, part, list) \
	{ CKPT_REC_##record, CKPT_TAG_##record##_##part, EMIT_FIELDS(list), NULL }
#define INSPECT_PRINT(record, part, function) \
	{ CKPT_REC_##record, CKPT_TAG_##record##_##part, { 0 }, function }

extern const struct inspect_part inspect_objects[], inspect_tasks[];
extern const size_t inspect_nr_objects, inspect_nr_tasks;

#endif
