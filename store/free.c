// SPDX-License-Identifier: GPL-2.0-only
/*
 * Free pages after a crash. SQLite writes to them without a journal, as nobody
 * needs what they hold; so what a crash has cut in two there stays, with a sum
 * that is wrong. It is no damage, and becomes zeros before anybody looks.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

/* Where SQLite's file format has the list: in the first page, then in its trunks. */
#define FIRST_TRUNK 32
#define TRUNK_COUNT 4
#define TRUNK_LEAVES 8

static void tidy_leaf(struct store *st, uint64_t number, uint8_t *page)
{
	if (!store_page_read(st, number, page) || store_page_good(page, number))
		return;
	memset(page, 0, DB_PAGE);
	/* if that fails, it is said to be damaged: no more than that */
	if (pwrite(st->sync_fd, page, DB_PAGE, (off_t)((number - 1) * DB_PAGE)) != DB_PAGE)
		return;
}

/* With the lock and no transaction. What the list itself is in must be right. */
void store_tidy_free(struct store *st)
{
	uint8_t *trunk = malloc(DB_PAGE), *leaf = malloc(DB_PAGE);
	uint64_t number = 1, left = 1 << 20;
	uint32_t count;

	if (!trunk || !leaf || !store_page_read(st, 1, trunk) || !store_page_good(trunk, 1))
		goto out;
	number = store_number_at(trunk + FIRST_TRUNK);
	while (left-- && store_page_read(st, number, trunk) && store_page_good(trunk, number)) {
		count = store_number_at(trunk + TRUNK_COUNT);
		for (uint32_t i = 0; i < count && TRUNK_LEAVES + 4 * i < DB_USABLE - 4; i++)
			tidy_leaf(st, store_number_at(trunk + TRUNK_LEAVES + (size_t)4 * i), leaf);
		number = store_number_at(trunk);
	}
out:
	free(trunk);
	free(leaf);
}
