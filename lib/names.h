/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of containers. */
#ifndef CKPT_LIB_NAMES_H
#define CKPT_LIB_NAMES_H

#include <stdbool.h>

#include "error.h"

/* longest name, in bytes: it is a host name, too */
#define NAME_LEN_MAX 63

/*
 * name_check - may a new container get this name?
 *
 * 1 to 63 letters, digits, '.', '_' and '-', the first a letter or digit: it
 * is a directory in /ckpt, a cgroup and a host name.
 *
 * Returns 0 or -EINVAL with the sentence in @e.
 */
int name_check(const char *name, struct ckpt_error *e);

/* longest name of a directory in /ckpt, in bytes */
#define PLACE_LEN_MAX 255

/*
 * name_check_place - may a container be found, or restarted, under this name?
 *
 * It is that of a directory in /ckpt, which others may have chosen, and of a
 * cgroup: 1 to 255 bytes, any but '/' and newline, not "." or "..".
 *
 * Returns 0 or -EINVAL with the sentence in @e.
 */
int name_check_place(const char *name, struct ckpt_error *e);

/*
 * name_default - make a name for a container that has none
 * @command: the program's path, of whose last component the name is made
 * @number: is appended
 * @name: takes the name
 */
void name_default(const char *command, unsigned int number,
		  char name[NAME_LEN_MAX + 1]);

#endif
