/* SPDX-License-Identifier: GPL-2.0-only */
/* /ckpt/NAME/restart: an image that is written to it runs again. */
#ifndef FS_RESTART_H
#define FS_RESTART_H

#include <stdbool.h>

#include "handle.h"

/*
 * restart_open - open it; the restart begins with the first write
 * @uid: who wants it
 * @flags: of open(2); with O_TRUNC somebody means to write an image, and to close
 *	it without a byte of one is an error
 *
 * Returns 0 or a negative errno: -EBUSY a container of that name runs or is
 * being restarted, -EACCES not for @uid, -ENODEV the engine is not there.
 */
int restart_open(const char *place, uid_t uid, int flags, struct handle **h);

/* restart_busy - whether a container is being restarted there */
bool restart_busy(const char *place);

#endif
