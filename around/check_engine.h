/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether the engine can take a container, found out without keeping an image. */
#ifndef CKPT_AROUND_CHECK_ENGINE_H
#define CKPT_AROUND_CHECK_ENGINE_H

#include <sys/types.h>

#include "reasons.h"
#include "report.h"

/*
 * check_engine - let the engine look through a container
 * @pid: the container's init
 *
 * The container stands still as for a checkpoint.  What the engine refuses is a
 * reason.  Returns 0 or a negative errno.
 */
int check_engine(const struct report *report, pid_t pid, struct reasons *r);

#endif
