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

static uint32_t number_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool read_page(struct store *st, uint64_t number, uint8_t *page)
{
	return number && pread(st->sync_fd, page, DB_PAGE, (off_t)((number - 1) * DB_PAGE)) ==
		DB_PAGE;
}

static void tidy_leaf(struct store *st, uint64_t number, uint8_t *page)
{
	if (!read_page(st, number, page) || store_page_good(page, number))
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

	if (!trunk || !leaf || !read_page(st, 1, trunk) || !store_page_good(trunk, 1))
		goto out;
	number = number_at(trunk + FIRST_TRUNK);
	while (left-- && read_page(st, number, trunk) && store_page_good(trunk, number)) {
		count = number_at(trunk + TRUNK_COUNT);
		for (uint32_t i = 0; i < count && TRUNK_LEAVES + 4 * i < DB_USABLE - 4; i++)
			tidy_leaf(st, number_at(trunk + TRUNK_LEAVES + (size_t)4 * i), leaf);
		number = number_at(trunk);
	}
out:
	free(trunk);
	free(leaf);
}
