/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether an image can be restarted on this machine, found out without doing it. */
#ifndef CKPT_AROUND_CHECK_RESTART_H
#define CKPT_AROUND_CHECK_RESTART_H

#include "description.h"
#include "error.h"
#include "image.h"
#include "reasons.h"
#include "report.h"

struct externals;

/* what an image is held against */
struct image_check {
	struct reasons reasons;
	const struct description *description;
	const char *name;	/* under which the container is to come back */
};

/*
 * check_restart - read the image on standard input, and print a line for each
 * thing that stands in the way of its restart
 * @name: under which it is to come back, NULL: its own
 * @x: what is to be at the ends of its pipes that were outside
 *
 * Kernel, processor, pids, name, mounts, files, addresses, ends outside.  Nothing is made or
 * changed.  Returns how many there are, or a negative errno for what is no
 * whole image.
 */
int check_restart(const struct report *report, const char *name, struct externals *x,
		  struct ckpt_error *e);

struct files;

/*
 * files_new - a check of the files that an image needs
 *
 * files_note() takes its FILE and MM records in their order, and files_end() frees
 * it, and before that prints the reasons if it is told to.  Returns NULL without memory.
 */
struct files *files_new(struct image_check *c);
int files_note(struct files *f, struct image_reader *im, struct ckpt_error *e);
void files_end(struct files *f, bool print);

#endif
