// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading ahead. What the kernel reads ahead for SQLite it reads while that has the
 * store's lock, so nobody decompresses meanwhile. A reader who goes forward in the
 * file asks for what comes next himself, without the lock.
 */
#include <fcntl.h>

#include "internal.h"

/* So many steps, none longer than that, are a way forward. */
#define STEPS 8
#define STEP_MAX (2 << 20)
/* How far the kernel is asked to be ahead, and how much it is asked for at a time. */
#define REACH (16 << 20)
#define PIECE (2 << 20)

/* Where in the file something was read last. */
off_t store_ahead_at(struct store *st)
{
	off_t at = 0;

	sqlite3_file_control(st->db, "main", STORE_FCNTL_LAST_READ, &at);
	return at;
}

/* He has read at @at. Several threads may read for one reader, in no strict order. */
void store_ahead(struct store_reader *r, off_t at)
{
	struct ahead *a = &r->ahead;
	off_t from = -1;

	pthread_mutex_lock(&r->mutex);
	if (at > a->at + STEP_MAX || at < a->at - STEP_MAX) {
		a->steps = 0;
		a->at = at;
	} else if (at > a->at) {
		a->steps++;
		a->at = at;
	}
	if (a->steps >= STEPS) {
		if (a->asked < at || a->asked > at + REACH + STEP_MAX)
			a->asked = at;
		if (a->asked < at + REACH) {
			from = a->asked;
			a->asked += PIECE;
		}
	}
	pthread_mutex_unlock(&r->mutex);
	if (from >= 0)
		posix_fadvise(r->st->sync_fd, from, PIECE, POSIX_FADV_WILLNEED);
}
