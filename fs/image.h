/* SPDX-License-Identifier: GPL-2.0-only */
/* /ckpt/NAME/image: reading it is a checkpoint. */
#ifndef FS_IMAGE_H
#define FS_IMAGE_H

#include "handle.h"

/*
 * image_open - open the image of a container; the checkpoint begins with the
 * first read
 * @uid: who wants it
 *
 * Returns 0 or a negative errno: -ESRCH no such container runs, -EACCES it is
 * not @uid's, -ENODEV the engine is not there.
 */
int image_open(const char *place, uid_t uid, struct handle **h);

#endif
