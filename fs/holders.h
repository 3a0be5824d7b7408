/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who still has a file open. close(2) of any copy of a descriptor comes as a
 * flush, and only the last one is the end of what is written. Two are asked:
 * the process that opened the file and the one that closes it now. So
 * { cat a; cat b; } > file ends when the shell closes it, not when the first cat
 * does.
 */
#ifndef FS_HOLDERS_H
#define FS_HOLDERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * still_open - whether one of two processes has a descriptor of that file
 * @opener, @closer: their pids, 0: not known
 * @dev, @ino: the file's device and inode number
 */
bool still_open(pid_t opener, pid_t closer, dev_t dev, uint64_t ino);

#endif
