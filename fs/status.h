/* SPDX-License-Identifier: GPL-2.0-only */
/* /ckpt/NAME/status: what is known of a container, as "key: value" lines. */
#ifndef FS_STATUS_H
#define FS_STATUS_H

#include "handle.h"

/*
 * status_open - take the status as it is now
 * @reader: who wants it, whose pid namespace the pids are given in; 0: ours
 *
 * Returns 0 or a negative errno.
 */
int status_open(const char *place, pid_t reader, struct handle **h);

#endif
