// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "reasons.h"
#include "text.h"

int reason(struct reasons *r, const char *fmt, ...)
{
	struct ckpt_error e;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e.text, sizeof(e.text), fmt, ap);
	va_end(ap);
	if (!r->all)
		return error_set(r->e, EOPNOTSUPP, "%s", e.text);
	text_put(stdout, e.text);
	putchar('\n');
	r->nr++;
	return 0;
}
