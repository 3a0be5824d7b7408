/* SPDX-License-Identifier: GPL-2.0-only */
/* How far ahead of a reader the kernel asks for a file's contents. */
#ifndef FS_READAHEAD_H
#define FS_READAHEAD_H

/*
 * Let the kernel ask for more at a time than it does of its own accord: several
 * threads then decompress what one reader reads. Once, when the mount is in use;
 * if it may not be set it stays as it is, which is slower and no more than that.
 */
void readahead_widen(void);

#endif
