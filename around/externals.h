/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ends of a container's pipes that are outside of it.  What it writes goes on
 * to the log of its name, and what it reads has an end, unless it is said by its
 * key what is to be there instead.  An image has but the key: it names no path.
 */
#ifndef CKPT_AROUND_EXTERNALS_H
#define CKPT_AROUND_EXTERNALS_H

#include <stddef.h>

#include "error.h"

struct external_choice;

struct externals {
	struct external_choice *choices;
	size_t nr;
};

/* externals_choose - "pipe[KEY]=PATH"; 0 or a negative errno */
int externals_choose(struct externals *x, const char *text, struct ckpt_error *e);

/*
 * externals_connect - be at the other end of what the engine hands out
 * @device: whose restart has succeeded
 * @name: of the container
 * @log: takes a line for each, or -1
 *
 * A process of its own carries what goes over them, until there is nobody more who
 * could write.  Returns 0 or a negative errno.
 */
int externals_connect(const struct externals *x, int device, const char *name, int log,
		      struct ckpt_error *e);

void externals_free(struct externals *x);

#endif
