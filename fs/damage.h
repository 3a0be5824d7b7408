/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Damage in the history, told where people look: the journal, the container's log
 * and its status. What was told last is kept with the place until that snapshot has
 * gone, or a check of the store finds nothing.
 */
#ifndef FS_DAMAGE_H
#define FS_DAMAGE_H

#include <stdint.h>

#define DAMAGE_MAX 600	/* bytes of a sentence, with its NUL */

/*
 * damage_found - a snapshot can't be read
 * @store_ino: its number in the store
 * @what: the store's sentence
 */
void damage_found(uint64_t store_ino, const char *what);

/* damage_line - a line of a check of the store, which may tell of damage */
void damage_line(const char *line);

/* damage_none - a check has found nothing */
void damage_none(void);

/* damage_get - what is known of a place's history; "": nothing */
void damage_get(const char *place, char text[DAMAGE_MAX]);

#endif
