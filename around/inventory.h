/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What there is in a namespace, as a list that can be compared with that of a new
 * one: so nothing is overlooked that nobody thought of.
 */
#ifndef CKPT_AROUND_INVENTORY_H
#define CKPT_AROUND_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "reasons.h"

struct item {
	unsigned int rank;	/* what is the cause of others comes first */
	bool legible;		/* people can read the value */
	char *what;		/* "the sysctl net.ipv4.ip_forward" */
	char *value;
};

struct inventory {
	struct item *list;
	size_t nr;
	bool lost;		/* there was no memory for one */
};

/*
 * inventory_add - an item more
 * @value: as text
 * @what: the name of the thing, as for printf
 *
 * Failure shows in inventory_compare().
 */
void inventory_add(struct inventory *f, unsigned int rank, bool legible, const char *value,
		   const char *what, ...) __attribute__((format(printf, 5, 6)));

/*
 * inventory_compare - is everything as in a new one?
 * @has: the container's; is sorted
 * @fresh: those of a new namespace; is sorted
 * @of: "network namespace"
 *
 * Each difference is a reason.  Returns 0, -EOPNOTSUPP for the first if not all are
 * wanted, or -ENOMEM.
 */
int inventory_compare(struct inventory *has, struct inventory *fresh, const char *of,
		      struct reasons *r);

void inventory_free(struct inventory *f);

#endif
