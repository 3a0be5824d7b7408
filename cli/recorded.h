/* SPDX-License-Identifier: GPL-2.0-only */
/* As which snapshot an image has come into its container's history. */
#ifndef CKPT_CLI_RECORDED_H
#define CKPT_CLI_RECORDED_H

#include <limits.h>
#include <stddef.h>

/* more than an image's first record, which no two have in common */
#define RECORDED_HEAD 4096

struct recorded {
	char head[RECORDED_HEAD];	/* how the image begins */
	size_t head_len;
	char snapshot[NAME_MAX + 1];	/* its name, "": there is none */
};

/* recorded_note - the next bytes of the image that was read */
void recorded_note(struct recorded *r, const void *data, size_t len);

/*
 * recorded_find - find the snapshot
 * @name: the container's
 *
 * Status tells of the container's last checkpoint.  That may be somebody else's
 * by now: then this one's snapshot is looked for.
 */
void recorded_find(struct recorded *r, const char *name);

#endif
