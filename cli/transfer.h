/* SPDX-License-Identifier: GPL-2.0-only */
/* Moving an image from one descriptor to another, with a progress bar. */
#ifndef CKPT_CLI_TRANSFER_H
#define CKPT_CLI_TRANSFER_H

#include <stdint.h>
#include <sys/types.h>

#include "error.h"

struct recorded;

struct transfer {
	const char *label;	/* what is moved, for the progress bar */
	const char *from_name;	/* for the sentences */
	const char *to_name;
	int from;
	int to;			/* -1: nowhere */
	uint64_t total;		/* bytes to come, 0: not known */
	uint64_t done;		/* takes the bytes moved */
	int write_failed;	/* takes whether it was the write that failed */
	struct recorded *recorded;	/* is told what passes, NULL: nobody is */
};

/*
 * transfer_run - move everything up to the end
 *
 * Shows a progress bar if standard error is a terminal.  Returns 0 or a
 * negative errno.
 */
int transfer_run(struct transfer *t, struct ckpt_error *e);

/* format a number of bytes for people: "12.3 MiB" */
const char *transfer_size(uint64_t bytes, char buf[32]);

#endif
