/* SPDX-License-Identifier: GPL-2.0-only */
/* The history: snapshots as files in /ckpt/NAME/snapshots. */
#ifndef FS_SNAPSHOTS_H
#define FS_SNAPSHOTS_H

#include <sys/statvfs.h>

/* snapshots_statfs - of the disk that the history is on. 0 or a negative errno. */
int snapshots_statfs(struct statvfs *out);

#endif
