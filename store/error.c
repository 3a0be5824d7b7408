// SPDX-License-Identifier: GPL-2.0-only
/* Sentences for errors, and which names are allowed. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

int store_fail(struct store_error *e, int err, const char *fmt, ...)
{
	va_list ap;

	if (e) {
		e->err = err;
		va_start(ap, fmt);
		vsnprintf(e->text, sizeof(e->text), fmt, ap);
		va_end(ap);
	}
	return -err;
}

int store_watched(const struct store_watch *watch, const char *what, uint64_t done, uint64_t of,
		  struct store_error *e)
{
	if (!watch || !watch->more(watch->arg, what, done, of))
		return 0;
	return store_fail(e, ECANCELED, "nobody waits for it any more");
}

int store_check_name(const char *name, const char *what, struct store_error *e)
{
	size_t len = strlen(name);

	if (len > STORE_NAME_MAX)
		return store_fail(e, ENAMETOOLONG,
				  "the name of a %s may have %d bytes, not %zu",
				  what, STORE_NAME_MAX, len);
	if (!len || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return store_fail(e, EINVAL, "'%s' can't be the name of a %s",
				  name, what);
	return 0;
}
