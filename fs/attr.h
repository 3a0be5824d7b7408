/* SPDX-License-Identifier: GPL-2.0-only */
/* What stat(2) says of everything in the file system. */
#ifndef FS_ATTR_H
#define FS_ATTR_H

#include <sys/stat.h>

#include "container.h"
#include "place.h"
#include "store.h"

/* what there is under one name */
struct place_info {
	int running;		/* c is valid */
	int stored;		/* g is valid: it has a history, maybe empty */
	struct container c;
	struct store_group g;
};

/* place_look - look a name up. 0, -ENOENT (neither), or a negative errno. */
int place_look(const char *name, struct place_info *info);

/* attr_root - the root directory's */
void attr_root(struct stat *st);

/*
 * attr_place - of a file in the place @name
 * @kind: NODE_PLACE ... NODE_LATEST
 * @info: what place_look said
 *
 * Returns 0, or -ENOENT (no latest, or the store has failed).
 */
int attr_place(const char *name, enum node_kind kind, const struct place_info *info,
	       struct stat *st);

/* attr_snapshot - of a snapshot in the history; 0 or a negative errno */
int attr_snapshot(const struct store_info *info, struct stat *st);

/* attr_setup - once, before anything else */
void attr_setup(void);

#endif
