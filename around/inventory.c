// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory.h"

void inventory_add(struct inventory *f, unsigned int rank, bool legible, const char *value,
		   const char *what, ...)
{
	struct item *more = reallocarray(f->list, f->nr + 1, sizeof(*more)), *new;
	va_list ap;
	int n;

	if (!more) {
		f->lost = true;
		return;
	}
	f->list = more;
	new = &more[f->nr];
	*new = (struct item){ .rank = rank, .legible = legible, .value = strdup(value) };
	va_start(ap, what);
	n = vasprintf(&new->what, what, ap);
	va_end(ap);
	if (n < 0 || !new->value) {
		free(new->value);
		if (n >= 0)
			free(new->what);
		f->lost = true;
		return;
	}
	f->nr++;
}

static int by_name(const struct item *x, const struct item *y)
{
	return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank) :
		strcmp(x->what, y->what);
}

static int by_all(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = by_name(x, y);

	return order ? order : strcmp(x->value, y->value);
}

static int differs(const struct item *has, const struct item *fresh, const char *of,
		   struct reasons *r)
{
	if (!has)
		return reason(r, "the container lacks %s, which a new %s has: that is not supported yet",
			      fresh->what, of);
	if (!fresh)
		return reason(r, "the container has %s, which is not supported yet", has->what);
	if (!has->legible)
		return reason(r, "the container has %s with other properties than in a new %s, which is not supported yet",
			      has->what, of);
	return reason(r, "the container has %s at '%.80s', and a new %s at '%.80s', which is not supported yet: set it back",
		      has->what, has->value, of, fresh->value);
}

int inventory_compare(struct inventory *has, struct inventory *fresh, const char *of,
		      struct reasons *r)
{
	const struct item *a, *b;
	size_t i = 0, j = 0;
	int order, ret = 0;

	if (has->lost || fresh->lost)
		return error_set(r->e, ENOMEM, "no memory to compare the container's %s", of);
	if (has->nr)
		qsort(has->list, has->nr, sizeof(*has->list), by_all);
	if (fresh->nr)
		qsort(fresh->list, fresh->nr, sizeof(*fresh->list), by_all);
	while (!ret && (i < has->nr || j < fresh->nr)) {
		a = i < has->nr ? &has->list[i] : NULL;
		b = j < fresh->nr ? &fresh->list[j] : NULL;
		order = !a ? 1 : !b ? -1 : by_name(a, b);
		if (order || strcmp(a->value, b->value))
			ret = differs(order > 0 ? NULL : a, order < 0 ? NULL : b, of, r);
		i += order <= 0;
		j += order >= 0;
	}
	return ret;
}

void inventory_free(struct inventory *f)
{
	size_t i;

	for (i = 0; i < f->nr; i++) {
		free(f->list[i].what);
		free(f->list[i].value);
	}
	free(f->list);
	*f = (struct inventory){ 0 };
}
