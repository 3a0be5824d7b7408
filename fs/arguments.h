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

#include "container.h"
#include "words.h"

enum checkpoint_kind {
	CHECKPOINT_IMAGE,
	CHECKPOINT_FINAL,
	CHECKPOINT_CHECK,
};

/*
 * arguments_checkpoint, arguments_restart - what to run
 * @w: takes it; words_free() it
 * @log: path of the log, NULL: none
 *
 * 0, -ENOMEM, -E2BIG, or why the options can't be read; then there is nothing to free.
 */
int arguments_checkpoint(struct words *w, enum checkpoint_kind kind,
			 const struct container *c, const char *log);
int arguments_restart(struct words *w, const char *place, const char *log);

#endif
