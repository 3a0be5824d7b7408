/* SPDX-License-Identifier: GPL-2.0-only */
/* /ckpt/NAME/restart: an image that is written to it runs again. */
#ifndef FS_RESTART_H
#define FS_RESTART_H

#include <stdbool.h>

/* restart_busy - whether a container is being restarted there */
bool restart_busy(const char *place);

#endif
