// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "error.h"

static void error_vset(struct ckpt_error *e, int err, const char *fmt, va_list ap)
{
	e->err = err;
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
}

int error_set(struct ckpt_error *e, int err, const char *fmt, ...)
{
	va_list ap;

	if (e) {
		va_start(ap, fmt);
		error_vset(e, err, fmt, ap);
		va_end(ap);
	}
	return -err;
}

int error_sys(struct ckpt_error *e, int err, const char *fmt, ...)
{
	va_list ap;
	size_t used;

	if (e) {
		va_start(ap, fmt);
		error_vset(e, err, fmt, ap);
		va_end(ap);
		used = strlen(e->text);
		snprintf(e->text + used, sizeof(e->text) - used, ": %s",
			 strerror(err));
	}
	return -err;
}
