// SPDX-License-Identifier: GPL-2.0-only
#include "arguments.h"
#include "child.h"
#include "place_options.h"

static int add_all(struct words *w, const char *const *all)
{
	int rc = 0;

	for (; !rc && *all; all++)
		rc = words_add(w, "%s", *all);
	return rc;
}

static int begin(struct words *w, const char *program, const char *log)
{
	int rc;

	*w = (struct words){ .count = 0 };
	rc = add_all(w, (const char *[]){ program, "-r", CHILD_REPORT_FD, NULL });
	if (!rc && log)
		rc = add_all(w, (const char *[]){ "-l", log, NULL });
	return rc;
}

static int end(struct words *w, int rc)
{
	if (rc)
		words_free(w);
	return rc;
}

int arguments_checkpoint(struct words *w, enum checkpoint_kind kind,
			 const struct container *c, const char *log)
{
	static const char *const more[][4] = {
		[CHECKPOINT_IMAGE] = { NULL },
		[CHECKPOINT_FINAL] = { "--final", "--await", "0", NULL },
		[CHECKPOINT_CHECK] = { "--check", NULL },
	};
	int rc = begin(w, "ckpt-checkpoint", log);

	if (!rc)
		rc = place_options_arguments(c->name, FOR_CHECKPOINT, w);
	if (!rc)
		rc = add_all(w, more[kind]);
	if (!rc)
		rc = words_add(w, "%d", c->init);
	return end(w, rc);
}

int arguments_restart(struct words *w, const char *place, const char *log)
{
	int rc = begin(w, "ckpt-restart", log);

	if (!rc)
		rc = add_all(w, (const char *[]){ "-n", place, NULL });
	if (!rc)
		rc = place_options_arguments(place, FOR_RESTART, w);
	return end(w, rc);
}
