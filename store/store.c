// SPDX-License-Identifier: GPL-2.0-only
/* Opening, making and closing a store. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

#define APPLICATION_ID 0x636b7074	/* "ckpt" */
#define VERSION 1

#define STR(x) #x
#define XSTR(x) STR(x)

/*
 * page_size and auto_vacuum count before the first table is made only.
 * secure_delete, which Debian's SQLite has on, would write every freed page,
 * to the journal and with zeros, and free no sooner than it had written it.
 */
static const char settings[] =
	"PRAGMA page_size = " XSTR(DB_PAGE) ";"
	"PRAGMA auto_vacuum = INCREMENTAL;"
	"PRAGMA locking_mode = EXCLUSIVE;"
	"PRAGMA journal_mode = TRUNCATE;"
	"PRAGMA synchronous = FULL;"
	"PRAGMA cache_size = -6144;"
	"PRAGMA secure_delete = OFF;"
	"PRAGMA temp_store = MEMORY;"
	"PRAGMA cell_size_check = ON;"
	"PRAGMA trusted_schema = OFF;";

static const char schema[] =
	"PRAGMA application_id = " XSTR(APPLICATION_ID) ";"
	"PRAGMA user_version = " XSTR(VERSION) ";"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;"
	"CREATE TABLE pack(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
	"CREATE TABLE idx(hi INTEGER PRIMARY KEY, lo INTEGER, block INTEGER);"
	"CREATE TABLE map(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
	"CREATE TABLE grp(ino INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, "
		"mtime INTEGER NOT NULL);"
	"CREATE TABLE snap(ino INTEGER PRIMARY KEY, grp INTEGER, name BLOB, "
		"size INTEGER NOT NULL, mtime INTEGER NOT NULL, "
		"stored INTEGER NOT NULL, sum INTEGER NOT NULL);"
	"CREATE UNIQUE INDEX snap_name ON snap(grp, name) WHERE grp IS NOT NULL;"
	"CREATE INDEX snap_time ON snap(grp, mtime, ino) WHERE grp IS NOT NULL;"
	"CREATE TABLE attr(ino INTEGER, key BLOB, value BLOB NOT NULL, "
		"PRIMARY KEY(ino, key)) WITHOUT ROWID;";

/* The file itself, mode 0600 from its first moment; *made when it is new. */
static int make_file(struct store *st, unsigned int flags, struct store_error *e)
{
	int how = O_RDWR | O_CLOEXEC | (flags & STORE_CREATE ? O_CREAT : 0);

	st->sync_fd = open(st->path, how, 0600);
	if (st->sync_fd >= 0)
		return 0;
	if (errno == ENOENT)
		return store_fail(e, ENOENT, flags & STORE_CREATE ?
				  "the directory of the store %s does not exist; make it first" :
				  "there is no store %s", st->path);
	return store_fail(e, errno, "can't open the store %s: %s", st->path,
			  strerror(errno));
}

static int lock_file(struct store *st, struct store_error *e)
{
	char *path;

	if (asprintf(&path, "%s-lock", st->path) < 0)
		return store_fail(e, ENOMEM, "no memory to open the store %s", st->path);
	st->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	if (st->lock_fd < 0)
		return store_fail(e, errno, "can't make the lock file %s-lock: %s", st->path,
				  strerror(errno));
	if (flock(st->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return store_fail(e, errno == EWOULDBLOCK ? EBUSY : errno,
			  "another process is using the store %s; stop it first", st->path);
}

static int get_number(struct store *st, const char *query, int64_t *value,
		      struct store_error *e)
{
	sqlite3_stmt *s = NULL;
	int ret;

	sqlite3_prepare_v2(st->db, query, -1, &s, NULL);
	ret = store_row(st, s, e);
	*value = ret > 0 ? sqlite3_column_int64(s, 0) : 0;
	sqlite3_finalize(s);
	return ret < 0 ? ret : 0;
}

static int make_tables(struct store *st, struct store_error *e)
{
	size_t have = 0;
	int ret;

	while (have < SECRET_SIZE) {
		ssize_t n = getrandom(st->secret + have, SECRET_SIZE - have, 0);

		if (n < 0 && errno != EINTR)
			return store_fail(e, errno, "can't make a secret for the store %s: %s",
					  st->path, strerror(errno));
		have += n > 0 ? (size_t)n : 0;
	}
	st->next_ino = 1;
	ret = store_txn_begin(st, e);
	if (ret)
		return ret;
	if (sqlite3_exec(st->db, schema, NULL, NULL, NULL))
		return store_sql_error(st, "making", e);
	ret = store_meta_set(st, "secret", st->secret, SECRET_SIZE, e);
	return ret ? ret : store_txn_commit(st, e);
}

/* Read what memory holds of an existing store. */
static int load(struct store *st, bool *clean, struct store_error *e)
{
	uint8_t was_clean = 0;
	int64_t id, version;
	int ret;

	ret = get_number(st, "PRAGMA application_id", &id, e);
	if (!ret)
		ret = get_number(st, "PRAGMA user_version", &version, e);
	if (ret)
		return ret;
	if (id != APPLICATION_ID)
		return store_fail(e, EMEDIUMTYPE, "%s is not a store", st->path);
	if (version != VERSION)
		return store_fail(e, EMEDIUMTYPE, "the store %s has version %lld; this program "
				  "reads version %d", st->path, (long long)version, VERSION);
	ret = store_meta_get(st, "secret", st->secret, SECRET_SIZE, e);
	if (!ret)
		ret = store_fail(e, EIO, "the store %s has lost its secret", st->path);
	if (ret > 0)
		ret = store_meta_get(st, "ino", &st->next_ino, sizeof(st->next_ino), e);
	if (ret >= 0)
		ret = store_meta_get(st, "blocks", &st->blocks, sizeof(st->blocks), e);
	if (ret >= 0)
		ret = store_meta_get(st, "clean", &was_clean, sizeof(was_clean), e);
	if (ret < 0)
		return ret;
	if (!st->next_ino)
		st->next_ino = 1;
	st->saved_ino = st->next_ino;
	st->saved_blocks = st->blocks;
	*clean = was_clean;
	return 0;
}

/* From here on a crash leaves something to tidy up; so does what readers held. */
static int begin_use(struct store *st, struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_PACK_MAX);
	uint8_t clean = 0;
	int ret = store_row(st, s, e);

	if (ret < 0)
		return ret;
	st->next_pack = (uint64_t)sqlite3_column_int64(s, 0) + 1;
	sqlite3_reset(s);
	ret = store_txn_begin(st, e);
	if (!ret)
		ret = store_meta_set(st, "clean", &clean, sizeof(clean), e);
	if (!ret)
		ret = store_run(st, store_stmt(st, STMT_SNAP_PURGE), e);
	return ret ? ret : store_txn_commit(st, e);
}

static int open_db(struct store *st, bool *clean, struct store_error *e)
{
	int64_t tables = 0;
	int ret;

	if (sqlite3_open_v2(st->path, &st->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
			    SQLITE_OPEN_PRIVATECACHE, NULL))
		return st->db ? store_sql_error(st, "opening", e) :
			store_fail(e, ENOMEM, "no memory to open the store %s", st->path);
	sqlite3_extended_result_codes(st->db, 1);
	if (sqlite3_exec(st->db, settings, NULL, NULL, NULL) ||
	    get_number(st, "SELECT count(*) FROM sqlite_schema", &tables, NULL)) {
		if ((sqlite3_errcode(st->db) & 0xff) == SQLITE_NOTADB)
			return store_fail(e, EMEDIUMTYPE, "%s is not a store", st->path);
		return store_sql_error(st, "opening", e);
	}
	if (!tables && !(st->flags & STORE_CREATE))
		return store_fail(e, EMEDIUMTYPE, "%s is not a store", st->path);
	*clean = true;
	ret = tables ? load(st, clean, e) : make_tables(st, e);
	return ret ? ret : begin_use(st, e);
}

/* Everything but the last words to the database. */
static void tear_down(struct store *st)
{
	for (int i = 0; i < STMT_COUNT; i++)
		sqlite3_finalize(st->stmt[i]);
	sqlite3_close(st->db);
	store_index_free(st);
	/* After SQLite: closing a file drops this process's locks on it. */
	if (st->sync_fd >= 0)
		close(st->sync_fd);
	if (st->lock_fd >= 0)
		close(st->lock_fd);
	pthread_cond_destroy(&st->lock.moved);
	pthread_mutex_destroy(&st->lock.mutex);
	free(st->path);
	free(st);
}

int store_open(struct store **out, const char *path, unsigned int flags,
	       struct store_error *e)
{
	struct store *st = calloc(1, sizeof(*st));
	bool clean = false;
	int ret;

	if (!st)
		return store_fail(e, ENOMEM, "no memory to open the store %s", path);
	pthread_mutex_init(&st->lock.mutex, NULL);
	pthread_cond_init(&st->lock.moved, NULL);
	list_init(&st->writers);
	list_init(&st->readers);
	st->lock_fd = -1;
	st->sync_fd = -1;
	st->txn = 1;
	st->flags = flags;
	st->path = strdup(path);
	ret = st->path ? make_file(st, flags, e) :
		store_fail(e, ENOMEM, "no memory to open the store %s", path);
	if (!ret)
		ret = lock_file(st, e);
	if (!ret)
		ret = open_db(st, &clean, e);
	if (!ret)
		ret = store_index_init(st, e);
	if (!ret)
		ret = store_gc_start(st, !clean, e);
	if (ret) {
		tear_down(st);
		return ret;
	}
	*out = st;
	return 0;
}

void store_close(struct store *st)
{
	uint8_t clean;

	if (!st)
		return;
	store_gc_stop(st);
	store_lock(st);
	clean = !st->gc.wanted && !st->gc.unfinished;
	/* If this fails, the next store_open does a little more work. */
	if (!store_index_flush(st, NULL) && !store_txn_begin(st, NULL) &&
	    !store_meta_set(st, "clean", &clean, sizeof(clean), NULL))
		store_txn_commit(st, NULL);
	store_unlock(st);
	tear_down(st);
}
