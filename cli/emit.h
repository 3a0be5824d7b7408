/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Printing an image's records: for people, or as JSON.
 *
 * A record's fields are described by tables, which name the members of the
 * structures in ckpt_image.h.
 */
#ifndef CKPT_CLI_EMIT_H
#define CKPT_CLI_EMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum emit_format {
	EMIT_DEC,	/* signed */
	EMIT_UNS,	/* unsigned */
	EMIT_HEX,
	EMIT_OCT,
	EMIT_STR,	/* char array */
	EMIT_BYTES,	/* as hexadecimal digits */
};

struct emit_field {
	const char *name;
	size_t offset;		/* bytes */
	size_t size;
	enum emit_format format;
};

#define EMIT_FIELD(type, member, fmt) \
	{ #member, offsetof(struct type, member), sizeof(((struct type *)0)->member), fmt }

/* a list of fields without an end */
struct emit_fields {
	const struct emit_field *list;
	size_t nr;
};

#define EMIT_FIELDS(array) ((struct emit_fields){ array, sizeof(array) / sizeof(*(array)) })

#define EMIT_DEPTH_MAX 8

struct json_object;

struct emit {
	FILE *out;
	bool json;
	unsigned int depth;	/* of lists and groups */
	struct json_object *open[EMIT_DEPTH_MAX];	/* those that are not at their end, by depth */
	bool first;		/* nothing has been printed in this list or group */
	bool inline_group;	/* people get this group on one line */
};

/* the whole: begin once, end once */
void emit_begin(struct emit *m);
void emit_end(struct emit *m);

/* a record: its heading, then what comes until emit_record_end() */
void emit_record(struct emit *m, const char *name, uint32_t seq, uint64_t offset,
		 uint32_t len);
void emit_record_end(struct emit *m);

/* a list of groups, and a group in it; people get one line for each group */
void emit_list(struct emit *m, const char *name);
void emit_list_end(struct emit *m);
void emit_group(struct emit *m);
void emit_group_end(struct emit *m);

/* a group that has a name and is no part of a list */
void emit_named_group(struct emit *m, const char *name);

/*
 * One that may need more than 53 bits is a string in JSON, as a reader that
 * takes numbers for doubles would change it: emit_struct() does so with every
 * field of 8 bytes.
 */
void emit_number(struct emit *m, const char *name, enum emit_format format, bool wide,
		 uint64_t value);
/* @len: bytes at most; what does not print is escaped */
void emit_string(struct emit *m, const char *name, const char *s, size_t len);
/* as hexadecimal digits; people get how many there are, and the first of many */
void emit_bytes(struct emit *m, const char *name, const void *p, size_t len);

/* every field of a table, out of a structure; in JSON one of 64 bits is a string */
void emit_struct(struct emit *m, struct emit_fields fields, const void *s);

#endif
