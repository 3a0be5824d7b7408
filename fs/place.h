/* SPDX-License-Identifier: GPL-2.0-only */
/* /ckpt/NAME: a container of that name that runs, its history, or both. */
#ifndef FS_PLACE_H
#define FS_PLACE_H

#include "container.h"
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

/*
 * place_glance - the same, as true as what the kernel believes for PLACE_TIMEOUT: that
 * a container has just come may be missed where there is a history of that name
 */
int place_glance(const char *name, struct place_info *info);

/* place_time - since when it is as it is: ns since the epoch */
int64_t place_time(const struct place_info *info);

/* places_tidy - remove the logs of places that are no more */
void places_tidy(void);

#endif
