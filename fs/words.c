// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "words.h"

int words_add(struct words *w, const char *fmt, ...)
{
	va_list ap;
	int len;

	if (w->count == WORDS_MAX)
		return -E2BIG;
	va_start(ap, fmt);
	len = vasprintf(&w->all[w->count], fmt, ap);
	va_end(ap);
	if (len < 0) {
		w->all[w->count] = NULL;
		return -ENOMEM;
	}
	w->count++;
	return 0;
}

void words_free(struct words *w)
{
	while (w->count) {
		free(w->all[--w->count]);
		w->all[w->count] = NULL;
	}
}
