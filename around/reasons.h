/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands in the way: all of it, a line each. */
#ifndef CKPT_AROUND_REASONS_H
#define CKPT_AROUND_REASONS_H

#include <stdio.h>

#include "error.h"

struct reasons {
	FILE *to;		/* takes them */
	unsigned int nr;	/* how many it took */
	struct ckpt_error first;
	struct ckpt_error *e;	/* what ends the look; no reason does */
};

/* reason - one of them; returns 0, as the look goes on */
int reason(struct reasons *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
