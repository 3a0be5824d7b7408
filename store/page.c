// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of the file as SQLite's format has them (https://www.sqlite.org/fileformat2.html),
 * for what can't be asked in SQL: what a page is used for. The pointer map says so:
 * a page of it stands before the pages that it is about, with five bytes for each.
 */
#include <unistd.h>

#include "internal.h"

#define ENTRY 5
#define GROUP (DB_USABLE / ENTRY + 1)
#define FIRST_MAP 2

uint32_t store_number_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* As it is in the file, damaged or not; false: it is not there. */
bool store_page_read(struct store *st, uint64_t number, uint8_t *page)
{
	return number && pread(st->sync_fd, page, DB_PAGE, (off_t)((number - 1) * DB_PAGE)) ==
		DB_PAGE;
}

/* What a page is used for, and by which one; what an open transaction has changed is not in the file yet. */
enum page_use store_page_use(struct store *st, struct page_map *m, uint64_t number,
			     uint64_t *parent)
{
	uint64_t at = (number - FIRST_MAP) / GROUP * GROUP + FIRST_MAP;
	const uint8_t *entry;

	if (number <= FIRST_MAP || number == at)
		return PAGE_FORMAT;
	if (m->number != at) {
		m->number = 0;
		if (!store_page_read(st, at, m->page) || !store_page_good(m->page, at))
			return PAGE_UNKNOWN;
		m->number = at;
	}
	entry = m->page + (number - at - 1) * ENTRY;
	*parent = store_number_at(entry + 1);
	return entry[0];
}
