/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ends of a container's pipes that are outside of it.  What it writes goes on
 * to the log of its name, and what it reads has an end, unless it is said by its
 * key what is to be there instead.  An image has but the key: it names no path.
 */
#ifndef CKPT_AROUND_EXTERNALS_H
#define CKPT_AROUND_EXTERNALS_H

#include <stdbool.h>
#include <stddef.h>

#include "console.h"
#include "error.h"
#include "image.h"
#include "reasons.h"
#include "relay.h"

struct external_choice;
struct external_end;

struct externals {
	struct external_choice *choices;
	size_t nr;
	/* of a restart, all zero before */
	struct external_end *ends;
	size_t nr_ends;
	struct console console;		/* where output goes of which nothing is said */
	int console_fd, go;		/* taken + 1 */
	size_t nr_relays;
	bool gone;			/* they carry */
};

/* externals_choose - "pipe[KEY]=PATH"; 0 or a negative errno */
int externals_choose(struct externals *x, const char *text, struct ckpt_error *e);

/*
 * externals_take - take from the engine what it hands out, and be ready at the other ends
 * @device: whose tasks are restored and wait
 * @name: of the container
 * @log: of its restart, takes a line for what is lost later, or -1
 *
 * Nothing is read or written yet.  Returns 0 or a negative errno.
 */
int externals_take(struct externals *x, int device, const char *name, int log,
		   struct ckpt_error *e);

/* externals_go - the tasks run: what they write is carried from here on; @log: takes a line for each */
void externals_go(struct externals *x, int log);

/* without externals_go() before nothing is left of what was taken */
void externals_free(struct externals *x);

/*
 * externals_note - what is at the other end of an EXTERNAL, the reader's record
 *
 * Prints it, or the reason why nothing can be.  When all are noted, externals_check()
 * says what is nowhere.  Both return 0 or a negative errno.
 */
int externals_note(struct externals *x, struct image_reader *im, struct reasons *r);
int externals_check(const struct externals *x, struct reasons *r);

#endif
