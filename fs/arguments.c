// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"
#include "child.h"
#include "place_options.h"

int arguments_add(struct arguments *a, const char *fmt, ...)
{
	va_list ap;
	int len;

	if (a->count == ARGUMENTS_MAX)
		return -E2BIG;
	va_start(ap, fmt);
	len = vasprintf(&a->words[a->count], fmt, ap);
	va_end(ap);
	if (len < 0) {
		a->words[a->count] = NULL;
		return -ENOMEM;
	}
	a->count++;
	return 0;
}

void arguments_free(struct arguments *a)
{
	while (a->count)
		free(a->words[--a->count]);
}

static int add_all(struct arguments *a, const char *const *words)
{
	int rc = 0;

	for (; !rc && *words; words++)
		rc = arguments_add(a, "%s", *words);
	return rc;
}

static int begin(struct arguments *a, const char *program, const char *log)
{
	int rc;

	*a = (struct arguments){ .count = 0 };
	rc = add_all(a, (const char *[]){ program, "-r", CHILD_REPORT_FD, NULL });
	if (!rc && log)
		rc = add_all(a, (const char *[]){ "-l", log, NULL });
	return rc;
}

static int end(struct arguments *a, int rc)
{
	if (rc)
		arguments_free(a);
	return rc;
}

int arguments_checkpoint(struct arguments *a, enum checkpoint_kind kind,
			 const struct container *c, const char *log)
{
	static const char *const words[][4] = {
		[CHECKPOINT_IMAGE] = { NULL },
		[CHECKPOINT_FINAL] = { "--final", "--await", "0", NULL },
		[CHECKPOINT_CHECK] = { "--check", NULL },
	};
	int rc = begin(a, "ckpt-checkpoint", log);

	if (!rc)
		rc = place_options_arguments(c->name, FOR_CHECKPOINT, a);
	if (!rc)
		rc = add_all(a, words[kind]);
	if (!rc)
		rc = arguments_add(a, "%d", c->init);
	return end(a, rc);
}

int arguments_restart(struct arguments *a, const char *place, const char *log)
{
	int rc = begin(a, "ckpt-restart", log);

	if (!rc)
		rc = add_all(a, (const char *[]){ "-n", place, NULL });
	if (!rc)
		rc = place_options_arguments(place, FOR_RESTART, a);
	return end(a, rc);
}
