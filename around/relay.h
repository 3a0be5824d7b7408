/* SPDX-License-Identifier: GPL-2.0-only */
/* A process that carries what goes over a container's pipes, for as long as anybody can write. */
#ifndef CKPT_AROUND_RELAY_H
#define CKPT_AROUND_RELAY_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* what comes from one descriptor goes to the other */
struct way {
	const char *name;	/* for the log */
	int from, to;		/* from: -1: no more */
	bool patient;		/* what cannot be written is lost, and the next is tried */
	bool losing;		/* and that was said */
};

struct ways {
	struct way *way;
	size_t nr;
};

/*
 * relay_start - a process that waits for a byte from @go, and then carries
 * @go: one that has its end before is the end of it, too, with nothing read
 * @log: takes a line when something is lost, or -1
 *
 * It outlives its caller, and keeps nothing open but what it needs: somebody may
 * wait for the end of another thing.  The descriptors stay the caller's.  Returns 0
 * or a negative errno.
 */
int relay_start(struct ways *ways, int go, int log, struct ckpt_error *e);

#endif
