/* SPDX-License-Identifier: GPL-2.0-only */
/* A file that appears when it is whole, and lasts then. */
#ifndef CKPT_CLI_TARGET_H
#define CKPT_CLI_TARGET_H

#include <limits.h>

#include "error.h"

struct target {
	int fd;			/* takes the contents */
	const char *path;	/* what it is to become; NULL: it is there already */
	char dir[PATH_MAX];	/* the directory of that */
	char real[PATH_MAX];	/* path behind symbolic links */
	char partial[PATH_MAX];	/* its name until then, or "": it has none */
};

/*
 * target_open - begin a file
 * @path: its name, or what is no regular file, which is just opened
 *
 * Nobody else may read it: its mode is 0600.  Until target_commit() it has no
 * name; where the file system cannot do that, a signal that ends the program
 * removes it.
 *
 * Returns 0 or a negative errno.
 */
int target_open(struct target *t, const char *path, struct ckpt_error *e);

/*
 * target_commit - give the file its name, in place of another that has it
 *
 * File and directory are on the disk then.  Returns 0, or a negative errno: the
 * file is gone and what was there before is as it was.
 */
int target_commit(struct target *t, struct ckpt_error *e);

/* target_drop - do without it; what was there before is as it was */
void target_drop(struct target *t);

#endif
