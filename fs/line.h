/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text that others chose, as names of containers, in lines for people and their
 * terminals: a control character must neither end a line nor move a cursor.
 */
#ifndef FS_LINE_H
#define FS_LINE_H

#include <stdio.h>

/* line_clean - put '?' in place of each control character */
void line_clean(char *line);

/* line_put - write @len bytes, each control character as \ooo */
void line_put(FILE *f, const char *text, size_t len);

#endif
