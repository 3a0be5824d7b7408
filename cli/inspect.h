/* SPDX-License-Identifier: GPL-2.0-only */
/* Printing the bodies of an image's records. */
#ifndef CKPT_CLI_INSPECT_H
#define CKPT_CLI_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emit.h"

/* what is left of a record's body */
struct cursor {
	const char *p;
	size_t left;		/* bytes */
};

/* the next 'size' bytes, NULL if there are not so many */
static inline const void *cursor_take(struct cursor *c, size_t size)
{
	const void *p = c->p;

	if (size > c->left)
		return NULL;
	c->p += size;
	c->left -= size;
	return p;
}

/* the same, for what is filled up to a multiple of 8 bytes */
static inline const void *cursor_take_padded(struct cursor *c, size_t size)
{
	return size > c->left ? NULL : cursor_take(c, (size + 7) & ~(size_t)7);
}

/* a type of record; print() returns false if the body is too short */
struct inspect_type {
	uint16_t type;
	bool (*print)(struct emit *m, struct cursor *c);
};

extern const struct inspect_type inspect_objects[], inspect_tasks[];
extern const size_t inspect_nr_objects, inspect_nr_tasks;

/* a record that is a structure and no more */
static inline bool inspect_plain(struct emit *m, struct cursor *c,
				 struct emit_fields fields, size_t size)
{
	const void *s = cursor_take(c, size);

	if (s)
		emit_struct(m, fields, s);
	return s;
}

/* a list of 'nr' structures of 'size' bytes */
static inline bool inspect_list(struct emit *m, struct cursor *c, const char *name,
				uint64_t nr, struct emit_fields fields, size_t size)
{
	const void *s = NULL;

	emit_list(m, name);
	while (nr-- && (s = cursor_take(c, size))) {
		emit_group(m);
		emit_struct(m, fields, s);
		emit_group_end(m);
	}
	emit_list_end(m);
	return nr == UINT64_MAX;
}

#endif
