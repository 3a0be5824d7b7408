/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether the engine can take a container, found out without keeping an image. */
#ifndef CKPT_AROUND_CHECK_ENGINE_H
#define CKPT_AROUND_CHECK_ENGINE_H

#include <sys/types.h>

#include "reasons.h"
#include "report.h"

/*
 * check_engine - let the engine collect a container, and stop it before its memory
 * @pid: the container's init
 * @name: its name
 *
 * The container stands still as for a checkpoint.  What the engine refuses is a
 * reason.  Returns 0 or a negative errno.
 */
int check_engine(const struct report *report, pid_t pid, const char *name, struct reasons *r);

#endif
