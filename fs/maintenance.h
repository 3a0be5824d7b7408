/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hidden directory /ckpt/.ckptfs: files that do something with the store
 * when root reads them, since no other process can have it open meanwhile. No
 * listing shows it, and no container can have its name.
 *
 *   stats  for each container, for all, and for the file, numbers in bytes:
 *            container SNAPSHOTS LOGICAL STORED NAME
 *            all SNAPSHOTS LOGICAL STORED
 *            file SIZE UNUSED
 *   fsck   checks everything, and says what is damaged
 *   repair as fsck, but mends what can be
 *   gc     frees what nobody needs any more: freed BLOCKS BYTES-BEFORE BYTES-AFTER
 *
 * When one of them fails, its last line is "error: SENTENCE", and the read fails.
 */
#ifndef FS_MAINTENANCE_H
#define FS_MAINTENANCE_H

#define MAINTENANCE ".ckptfs"

#endif
