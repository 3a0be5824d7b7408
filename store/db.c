// SPDX-License-Identifier: GPL-2.0-only
/* The connection: statements, the shared transaction, errors of SQLite. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define SNAP_COLUMNS \
	"s.ino, s.size, s.mtime, s.stored, g.name, s.name, s.digest, s.sum " \
	"FROM snap s LEFT JOIN grp g ON g.ino = s.grp "

static const char *const sql[STMT_COUNT] = {
	[STMT_BEGIN] = "BEGIN IMMEDIATE",
	[STMT_COMMIT] = "COMMIT",
	[STMT_SAVEPOINT] = "SAVEPOINT op",
	[STMT_RELEASE] = "RELEASE op",
	[STMT_ROLLBACK_TO] = "ROLLBACK TO op",
	[STMT_META_GET] = "SELECT value FROM meta WHERE key = ?",
	[STMT_META_SET] = "INSERT OR REPLACE INTO meta VALUES(?, ?)",
	[STMT_PACK_INSERT] = "INSERT INTO pack VALUES(?, ?)",
	[STMT_PACK_UPDATE] = "UPDATE pack SET data = ?2 WHERE id = ?1",
	[STMT_PACK_DELETE] = "DELETE FROM pack WHERE id = ?",
	[STMT_PACK_NEXT] = "SELECT id FROM pack WHERE id >= ? ORDER BY id LIMIT 1",
	[STMT_PACK_MAX] = "SELECT max(id) FROM pack",
	[STMT_IDX_GET] = "SELECT lo, block FROM idx WHERE hi = ?",
	[STMT_IDX_PUT] = "INSERT OR REPLACE INTO idx VALUES(?, ?, ?)",
	[STMT_IDX_DELETE] = "DELETE FROM idx WHERE hi = ? AND block = ?",
	[STMT_IDX_ROOT] = "SELECT rootpage FROM sqlite_schema WHERE name = 'idx'",
	[STMT_IDX_NEXT] = "SELECT hi, lo FROM idx WHERE hi >= ? ORDER BY hi",
	[STMT_MAP_INSERT] = "INSERT INTO map VALUES(?, ?)",
	[STMT_MAP_GET] = "SELECT data FROM map WHERE id = ?",
	[STMT_MAP_NEXT] = "SELECT id, data FROM map WHERE id >= ? ORDER BY id LIMIT 1",
	[STMT_MAP_DELETE] = "DELETE FROM map WHERE id BETWEEN ? AND ?",
	[STMT_GRP_INSERT] = "INSERT INTO grp(ino, name, mtime) VALUES(?, ?, ?)",
	[STMT_GRP_DELETE] = "DELETE FROM grp WHERE ino = ?",
	[STMT_GRP_GET] = "SELECT g.ino, g.mtime, "
		"(SELECT count(*) FROM snap s WHERE s.grp = g.ino), g.name "
		"FROM grp g WHERE g.name = ?",
	[STMT_GRP_LIST] = "SELECT g.ino, g.mtime, "
		"(SELECT count(*) FROM snap s WHERE s.grp = g.ino), g.name "
		"FROM grp g ORDER BY g.name",
	[STMT_GRP_TOUCH] = "UPDATE grp SET mtime = ?2 WHERE ino = ?1",
	[STMT_SNAP_INSERT] = "INSERT INTO snap(ino, grp, name, size, mtime, stored, digest, sum) "
		"VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
	[STMT_SNAP_BY_NAME] = "SELECT " SNAP_COLUMNS
		"WHERE s.grp = (SELECT ino FROM grp WHERE name = ?) AND s.name = ?",
	[STMT_SNAP_BY_INO] = "SELECT " SNAP_COLUMNS "WHERE s.ino = ?",
	[STMT_SNAP_LATEST] = "SELECT " SNAP_COLUMNS
		"WHERE s.grp = ? ORDER BY s.mtime DESC, s.ino DESC LIMIT 1",
	[STMT_SNAP_LIST] = "SELECT " SNAP_COLUMNS "WHERE s.grp = ? ORDER BY s.name",
	[STMT_SNAP_NEXT] = "SELECT " SNAP_COLUMNS
		"WHERE s.ino >= ? AND s.grp IS NOT NULL ORDER BY s.ino LIMIT 1",
	[STMT_SNAP_MOVE] = "UPDATE snap SET grp = ?2, name = ?3 WHERE ino = ?1",
	[STMT_SNAP_ORPHAN] = "UPDATE snap SET grp = NULL, name = NULL WHERE ino = ?",
	[STMT_SNAP_DELETE] = "DELETE FROM snap WHERE ino = ?",
	[STMT_SNAP_ORPHANS] = "SELECT count(*) FROM snap WHERE grp IS NULL",
	[STMT_SNAP_PURGE] = "DELETE FROM snap WHERE grp IS NULL",
	[STMT_SNAP_MTIME] = "UPDATE snap SET mtime = ?2 WHERE ino = ?1",
	[STMT_ATTR_PUT] = "INSERT OR REPLACE INTO attr VALUES(?, ?, ?)",
	[STMT_ATTR_DELETE] = "DELETE FROM attr WHERE ino = ? AND key = ?",
	[STMT_ATTR_DELETE_ALL] = "DELETE FROM attr WHERE ino = ?",
	[STMT_ATTR_GET] = "SELECT value FROM attr WHERE ino = ? AND key = ?",
	[STMT_ATTR_LIST] = "SELECT key, value FROM attr WHERE ino = ? ORDER BY key",
	[STMT_STATS] = "SELECT (SELECT count(*) FROM grp), "
		"(SELECT count(*) FROM snap WHERE grp IS NOT NULL), "
		"(SELECT total(size) FROM snap WHERE grp IS NOT NULL)",
	[STMT_STATS_GRP] = "SELECT 1, count(*), total(size) FROM snap WHERE grp = ?",
	[STMT_FREELIST] = "PRAGMA freelist_count",
	[STMT_PAGE_COUNT] = "PRAGMA page_count",
};

void store_lock(struct store *st)
{
	struct turnstile *t = &st->lock;
	uint64_t mine;

	pthread_mutex_lock(&t->mutex);
	mine = t->next++;
	while (t->serving != mine)
		pthread_cond_wait(&t->moved, &t->mutex);
	pthread_mutex_unlock(&t->mutex);
}

void store_unlock(struct store *st)
{
	struct turnstile *t = &st->lock;
	bool wanted;

	pthread_mutex_lock(&t->mutex);
	t->serving++;
	wanted = t->serving != t->next;
	pthread_mutex_unlock(&t->mutex);
	/* Without the mutex, which those who wake up take at once. */
	if (wanted)
		pthread_cond_broadcast(&t->moved);
}

/* The open transaction is gone: so is what writers had put into it. */
static void txn_lost(struct store *st, const struct store_error *why)
{
	struct list *l;

	/* As long as it is open SQLite does not leave the state of error. */
	store_pack_close(st);
	st->noted = false;
	for (l = st->writers.next; l != &st->writers; l = l->next) {
		struct store_writer *w = list_entry(l, struct store_writer, list);

		if (w->txn == st->txn && !w->error.err)
			w->error = *why;
	}
	st->in_txn = false;
	st->txn_bytes = 0;
	st->txn++;
	st->saved_ino = 0;
	st->blocks = st->saved_blocks;
	st->pending.stale = true;
	/* Numbers that were rolled back may be read about in trails. */
	st->gc.epoch++;
}

static int sql_errno(struct store *st)
{
	int sys = sqlite3_system_errno(st->db);

	switch (sqlite3_errcode(st->db) & 0xff) {
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_TOOBIG:
		return EFBIG;
	case SQLITE_CONSTRAINT:
		return EEXIST;
	case SQLITE_READONLY:
		return EROFS;
	case SQLITE_CANTOPEN:
		return sys ? sys : EACCES;
	case SQLITE_IOERR:
		if (sys == EFBIG || sys == EDQUOT || sys == ENOSPC || sys == ENOMEM)
			return sys;
		return EIO;
	default:
		return EIO;	/* STORE_DAMAGED, SQLITE_CORRUPT … */
	}
}

/*
 * What SQLite said last, as an error of ours: @doing says what was being done,
 * NULL: using the store. Must follow the failed call at once. When SQLite has
 * rolled back the transaction, those who depended on it learn it here.
 */
int store_sql_error(struct store *st, const char *doing, struct store_error *e)
{
	struct store_error own;
	int err = sql_errno(st), rc = sqlite3_errcode(st->db) & 0xff;
	uint64_t page = 0;

	if (rc == STORE_DAMAGED)
		sqlite3_file_control(st->db, "main", STORE_FCNTL_BAD_PAGE, &page);
	if (page)
		store_fail(&own, EIO, "page %llu of the file of the store %s is damaged",
			   (unsigned long long)page, st->path);
	else if (err == ENOSPC || err == EFBIG || err == EDQUOT)
		store_fail(&own, err, "no room for the store %s to grow: %s", st->path,
			   strerror(err));
	else
		store_fail(&own, err, "%s the store %s failed: %s",
			   doing ? doing : "using", st->path, sqlite3_errmsg(st->db));
	/*
	 * Of some errors SQLite rolls back a statement alone, and nothing but a
	 * rollback of all helps: it can't even read until then.
	 */
	if (st->in_txn && (rc == SQLITE_FULL || rc == SQLITE_IOERR || rc == SQLITE_NOMEM))
		sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
	if (st->in_txn && sqlite3_get_autocommit(st->db))
		txn_lost(st, &own);
	if (e)
		*e = own;
	return -err;
}

/* A prepared statement, ready for binding; NULL: store_sql_error() says why. */
sqlite3_stmt *store_stmt(struct store *st, enum stmt which)
{
	if (!st->stmt[which])
		sqlite3_prepare_v3(st->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT,
				   &st->stmt[which], NULL);
	return st->stmt[which];
}

/* Run a statement that gives no rows. NULL (not prepared) is an error. */
int store_run(struct store *st, sqlite3_stmt *s, struct store_error *e)
{
	struct store_error own;
	int ret = 0;

	if (!s || sqlite3_step(s) != SQLITE_DONE)
		ret = store_sql_error(st, "writing to", &own);
	if (s) {
		sqlite3_reset(s);
		sqlite3_clear_bindings(s);
	}
	/* What has stopped half way because of damage must not get to the disk. */
	if (ret == -EIO && st->in_txn) {
		sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
		txn_lost(st, &own);
	}
	if (ret && e)
		*e = own;
	return ret;
}

/* The next row: 1, at the end 0, else an error; but for 1 the statement is reset. */
int store_row(struct store *st, sqlite3_stmt *s, struct store_error *e)
{
	int ret;

	if (!s)
		return store_sql_error(st, "reading", e);
	switch (sqlite3_step(s)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		ret = 0;
		break;
	default:
		ret = store_sql_error(st, "reading", e);
	}
	sqlite3_reset(s);
	return ret;
}

/* Names are bytes, not text: any encoding, compared bytewise. */
void store_bind_name(sqlite3_stmt *s, int i, const char *name)
{
	sqlite3_bind_blob(s, i, name, (int)strlen(name), SQLITE_STATIC);
}

/* Exactly @len bytes of a value: 1; no such key, or another length: 0. */
int store_meta_get(struct store *st, const char *key, void *buf, int len,
		   struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_META_GET);
	int ret;

	if (s)
		sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	ret = store_row(st, s, e);
	if (ret <= 0)
		return ret;
	ret = sqlite3_column_bytes(s, 0) == len;
	if (ret)
		memcpy(buf, sqlite3_column_blob(s, 0), (size_t)len);
	sqlite3_reset(s);
	return ret;
}

int store_meta_set(struct store *st, const char *key, const void *buf, int len,
		   struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_META_SET);

	if (s) {
		sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
		sqlite3_bind_blob(s, 2, buf, len, SQLITE_STATIC);
	}
	return store_run(st, s, e);
}

/* From the first change on, a crash leaves something to tidy up. */
static int note_use(struct store *st, struct store_error *e)
{
	uint8_t clean = 0;

	if (st->noted)
		return 0;
	st->noted = true;
	return store_meta_set(st, "clean", &clean, sizeof(clean), e);
}

/* Open the transaction, if it is not. */
int store_txn_begin(struct store *st, struct store_error *e)
{
	int ret;

	if (st->in_txn)
		return 0;
	if (st->flags & STORE_READONLY)
		return store_fail(e, EROFS, "the store %s was opened for reading", st->path);
	ret = store_run(st, store_stmt(st, STMT_BEGIN), e);
	if (ret)
		return ret;
	st->in_txn = true;
	st->txn_bytes = 0;
	st->txn_pack = UINT64_MAX;
	return note_use(st, e);
}

/* Put on disk what the transaction holds; on an error nothing of it is. */
int store_txn_commit(struct store *st, struct store_error *e)
{
	struct store_error own = { 0 };
	int ret = 0;

	if (!st->in_txn)
		return 0;
	if (st->saved_ino != st->next_ino)
		ret = store_meta_set(st, "ino", &st->next_ino, sizeof(st->next_ino),
				     &own);
	if (!ret && st->saved_blocks != st->blocks)
		ret = store_meta_set(st, "blocks", &st->blocks, sizeof(st->blocks),
				     &own);
	if (!ret)
		ret = store_run(st, store_stmt(st, STMT_COMMIT), &own);
	if (ret) {
		if (st->in_txn) {
			sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
			txn_lost(st, &own);
		}
		if (e)
			*e = own;
		return ret;
	}
	st->in_txn = false;
	st->txn_bytes = 0;
	st->txn++;
	st->saved_ino = st->next_ino;
	st->saved_blocks = st->blocks;
	return 0;
}

/* @bytes more are in the transaction. */
void store_txn_grow(struct store *st, uint64_t bytes)
{
	st->txn_bytes += bytes;
	store_writeback(st, bytes);
}

/*
 * Commit when enough is in the transaction. Most of the waiting for the disk is
 * done without the lock, so that others may read and write meanwhile.
 */
int store_txn_settle(struct store *st, struct store_error *e)
{
	int ret = 0;

	if (st->txn_bytes < TXN_BYTES)
		return 0;
	store_writeback_wait(st);
	store_lock(st);
	if (st->txn_bytes >= TXN_BYTES)
		ret = store_txn_commit(st, e);
	store_unlock(st);
	return ret;
}

/*
 * An operation of several statements of which all or none take place. After
 * store_op_begin() succeeded, hand the result to store_op_end(), which
 * commits, or undoes the operation and leaves the transaction as it was.
 */
int store_op_begin(struct store *st, struct store_error *e)
{
	int ret = store_txn_begin(st, e);

	return ret ? ret : store_run(st, store_stmt(st, STMT_SAVEPOINT), e);
}

int store_op_end(struct store *st, int ret, struct store_error *e)
{
	if (!st->in_txn)	/* lost on the way, and *e says why */
		return ret ? ret : store_fail(e, EIO, "a transaction was lost");
	if (ret) {
		struct store_error ignored;

		store_run(st, store_stmt(st, STMT_ROLLBACK_TO), &ignored);
		if (st->in_txn)
			store_run(st, store_stmt(st, STMT_RELEASE), &ignored);
		return ret;
	}
	ret = store_run(st, store_stmt(st, STMT_RELEASE), e);
	return ret ? ret : store_txn_commit(st, e);
}
