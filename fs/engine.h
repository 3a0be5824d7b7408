/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether the kernel has the engine. */
#ifndef FS_ENGINE_H
#define FS_ENGINE_H

#include <unistd.h>

#define ENGINE_DEVICE "/dev/ckpt"
#define ENGINE_MISSING "the engine is not loaded: insmod ckpt.ko"

static inline int engine_there(void)
{
	return !access(ENGINE_DEVICE, F_OK);
}

#endif
