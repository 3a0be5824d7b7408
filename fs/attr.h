/* SPDX-License-Identifier: GPL-2.0-only */
/* What stat(2) says, as far as it is the same for all. */
#ifndef FS_ATTR_H
#define FS_ATTR_H

#include <stdint.h>
#include <sys/stat.h>

/* attr_setup - once, before anything else */
void attr_setup(void);

/* attr_base - all that is known of what has a number and a mode alone */
void attr_base(struct stat *st, uint64_t ino, mode_t mode);

/* attr_time - set the times; @ns: since the epoch */
void attr_time(struct stat *st, int64_t ns);

/* attr_ctime - set the time of change alone */
void attr_ctime(struct stat *st, int64_t ns);

/* attr_size - set the size, in bytes, of what has contents */
void attr_size(struct stat *st, uint64_t size);

/* attr_boot - when a moment was that is so many ns after the machine's boot, since the epoch */
int64_t attr_boot(int64_t ns);

#endif
