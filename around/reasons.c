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
	e.err = EOPNOTSUPP;
	text_put(r->to, e.text);
	putc('\n', r->to);
	if (!r->nr++)
		r->first = e;
	return 0;
}
