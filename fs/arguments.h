/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command lines of ckpt-checkpoint and ckpt-restart: the one place that knows
 * them. What a container's options say comes along (see place_options.h).
 *
 * ckpt-checkpoint [-l LOG] -r 3 [OPTION...] [--final --await 0 | --check] PID
 *   --final	the container stands still until a byte comes from the descriptor
 *		behind --await: then all of the image has been taken, and it is
 *		killed. The end of that file instead of a byte: it runs on.
 *   --check	says what stands in the way of a checkpoint, a line each, and exits
 *		with 1 if there is anything
 * Its report, on descriptor 3, ends with "errno: N", which is 0 when it has done
 * its work.
 */
#ifndef FS_ARGUMENTS_H
#define FS_ARGUMENTS_H

#include <stddef.h>

#include "container.h"

#define ARGUMENTS_MAX 256

struct arguments {
	char *words[ARGUMENTS_MAX + 1];	/* NULL behind the last */
	size_t count;
};

enum checkpoint_kind {
	CHECKPOINT_IMAGE,
	CHECKPOINT_FINAL,
	CHECKPOINT_CHECK,
};

/*
 * arguments_checkpoint, arguments_restart - what to run
 * @log: path of the log, NULL: none
 *
 * 0, -ENOMEM, -E2BIG, or why the options can't be read; then there is nothing to free.
 */
int arguments_checkpoint(struct arguments *a, enum checkpoint_kind kind,
			 const struct container *c, const char *log);
int arguments_restart(struct arguments *a, const char *place, const char *log);

/* arguments_add - one more word; @fmt: as for printf. 0 or a negative errno. */
int arguments_add(struct arguments *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void arguments_free(struct arguments *a);

#endif
