/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the project's other programs are. */
#ifndef CKPT_LIB_PROGRAMS_H
#define CKPT_LIB_PROGRAMS_H

#include <limits.h>

/*
 * program_find - the path of ckpt-checkpoint or ckpt-restart
 * @program: its name
 * @path: takes it
 *
 * It is in the directory that the environment names in CKPTFS_LIBEXEC, or this
 * program is in, or ../sbin or ../around from there, or one of PATH.
 *
 * Returns 0 or -ENOENT.
 */
int program_find(const char *program, char path[PATH_MAX]);

#endif
