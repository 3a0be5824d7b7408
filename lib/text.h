/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text of others' for people: names of containers, snapshots and tasks may hold
 * any byte, and some make a terminal do what nobody asked for.
 */
#ifndef CKPT_LIB_TEXT_H
#define CKPT_LIB_TEXT_H

#include <stdio.h>

/*
 * text_put - write a text; what cannot be shown becomes \xNN
 *
 * What can be shown is the locale's to say; see setlocale(3).
 */
void text_put(FILE *f, const char *s);

/*
 * text_name - a name, for a line that people read or programs take apart
 * @buf: is used if the name must change
 *
 * Into a terminal what cannot be shown becomes \xNN; anything else gets the name as it is.
 * Returns the name or @buf.
 */
#define TEXT_NAME_MAX (4 * 255 + 1)
const char *text_name(FILE *f, const char *name, char buf[TEXT_NAME_MAX]);

#endif
