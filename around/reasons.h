/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands in the way: the first of it as an error, or all of it, a line each. */
#ifndef CKPT_AROUND_REASONS_H
#define CKPT_AROUND_REASONS_H

#include <stdbool.h>

#include "error.h"

struct reasons {
	bool all;		/* print each and go on */
	unsigned int nr;	/* of those that were printed */
	struct ckpt_error *e;	/* takes the first if not all are wanted */
};

/*
 * reason - one of them
 *
 * Returns 0 if the look goes on, or -EOPNOTSUPP.
 */
int reason(struct reasons *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
