// SPDX-License-Identifier: GPL-2.0-only
/* Numbers: of the whole store, of a group. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* A statement that gives one number: that, or an error. */
int64_t store_number(struct store *st, enum stmt which, struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, which);
	int64_t ret = store_row(st, s, e);

	if (ret > 0) {
		ret = sqlite3_column_int64(s, 0);
		sqlite3_reset(s);
	}
	return ret;
}

static int stats_locked(struct store *st, const char *group, struct store_stats *out,
			struct store_error *e)
{
	sqlite3_stmt *s;
	uint64_t ino = 0;
	int ret = 0;

	if (group)
		ret = store_dir_find_group(st, group, &ino, e);
	if (ret)
		return ret;
	s = store_stmt(st, group ? STMT_STATS_GRP : STMT_STATS);
	if (s && group)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)ino);
	ret = store_row(st, s, e);
	if (ret <= 0)
		return ret;
	out->groups = (uint64_t)sqlite3_column_int64(s, 0);
	out->snapshots = (uint64_t)sqlite3_column_int64(s, 1);
	out->logical = (uint64_t)sqlite3_column_double(s, 2);
	sqlite3_reset(s);
	return 0;
}

int store_stats(struct store *st, const char *group, struct store_stats *out,
		struct store_error *e)
{
	int64_t pages, unused;
	int ret;

	*out = (struct store_stats){ 0 };
	store_lock(st);
	ret = stats_locked(st, group, out, e);
	if (!ret && !group) {
		pages = store_number(st, STMT_PAGE_COUNT, e);
		unused = store_number(st, STMT_FREELIST, e);
		if (pages < 0 || unused < 0)
			ret = (int)(pages < 0 ? pages : unused);
		out->file = (uint64_t)pages * DB_PAGE;
		out->blocks = st->blocks;
		out->unused = (uint64_t)unused * DB_PAGE;
	}
	store_unlock(st);
	return ret;
}
