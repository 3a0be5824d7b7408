/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A checkpoint on its way into the history, and what became of it. Whoever reads
 * the image gets it although the history has trouble; the log says why it was not
 * recorded, and status under which name it was.
 */
#ifndef FS_RECORD_H
#define FS_RECORD_H

#include <time.h>

#include "container.h"
#include "store.h"

struct record {
	struct store_writer *writer;	/* NULL: nothing is recorded */
	const struct container *c;
	int log;
	struct timespec began;
	char time[32];			/* the same, the snapshot's name */
	int nth;			/* of that name */
	int failed;			/* why it is not recorded although it should be */
	char name[STORE_NAME_MAX + 1];	/* of the snapshot; "": there is none yet */
	uint64_t ino;			/* its number in the store */
};

/* record_wanted - whether a checkpoint of @c goes into the history; 0, or why not */
const char *record_wanted(const struct container *c);


/*
 * record_begin - a checkpoint of @c begins now
 * @c: stays where it is until the end
 * @log: takes what there is to say, as for log_line
 */
void record_begin(struct record *r, const struct container *c, int log);

/* record_append - the next bytes of the image */
void record_append(struct record *r, const void *data, size_t len);

/*
 * record_keep - the image is complete
 * @report: what is known of it, as the program's report says it
 *
 * Returns 0 when it is in the history, or is not wanted there, else a negative errno.
 */
int record_keep(struct record *r, const char *report);

/*
 * record_end - the checkpoint is complete
 * @report: of the program
 *
 * Keeps it, if that was not done before, and notes the checkpoint as the last one of
 * its container, recorded or not.
 */
void record_end(struct record *r, const char *report);

/* record_drop - there will be no more of it; nothing is kept. Also after the end. */
void record_drop(struct record *r);

#endif
