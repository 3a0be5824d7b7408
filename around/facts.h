/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What there is in a namespace, as a list of facts that can be compared with
 * those of a new one: so nothing is overlooked that nobody thought of.
 */
#ifndef CKPT_AROUND_FACTS_H
#define CKPT_AROUND_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "reasons.h"

struct fact {
	unsigned int rank;	/* what is the cause of others comes first */
	bool legible;		/* people can read the value */
	char *what;		/* "the sysctl net.ipv4.ip_forward" */
	char *value;
};

struct facts {
	struct fact *list;
	size_t nr;
	bool lost;		/* there was no memory for one */
};

/*
 * facts_add - note a fact
 * @value: as text
 * @what: the name of the thing, as for printf
 *
 * Failure shows in facts_compare().
 */
void facts_add(struct facts *f, unsigned int rank, bool legible, const char *value,
	       const char *what, ...) __attribute__((format(printf, 5, 6)));

/*
 * facts_compare - is everything as in a new one?
 * @has: the container's; is sorted
 * @fresh: those of a new namespace; is sorted
 * @of: "network namespace"
 *
 * Each difference is a reason.  Returns 0, -EOPNOTSUPP for the first if not all are
 * wanted, or -ENOMEM.
 */
int facts_compare(struct facts *has, struct facts *fresh, const char *of, struct reasons *r);

void facts_free(struct facts *f);

#endif
