/* SPDX-License-Identifier: GPL-2.0-only */
/* A command line in the making. */
#ifndef FS_WORDS_H
#define FS_WORDS_H

#include <stddef.h>

#define WORDS_MAX 256

struct words {
	char *all[WORDS_MAX + 1];	/* NULL behind the last */
	size_t count;
};

/* words_add - one more; @fmt: as for printf. 0, -ENOMEM or -E2BIG. */
int words_add(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void words_free(struct words *w);

#endif
