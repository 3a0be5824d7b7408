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
#define VERSION 2
/* Of the file: its header, and that of page 1. Where SQLite keeps what in it is part of its file format. */
#define HEAD_SIZE 108

#define STR(x) #x
#define XSTR(x) STR(x)

/*
 * page_size counts before the first table is made only.
 * secure_delete, which Debian's SQLite has on, would write every freed page,
 * to the journal and with zeros, and free no sooner than it had written it.
 */
static const char settings[] =
	"PRAGMA page_size = " XSTR(DB_PAGE) ";"
	"PRAGMA locking_mode = EXCLUSIVE;"
	"PRAGMA journal_mode = TRUNCATE;"
	"PRAGMA synchronous = FULL;"
	"PRAGMA cache_size = -1024;"
	"PRAGMA secure_delete = OFF;"
	"PRAGMA temp_store = MEMORY;"
	"PRAGMA cell_size_check = ON;"
	"PRAGMA trusted_schema = OFF;";

#define INCREMENTAL 2	/* as SQLite gives it */

static const char vacuum_setting[] = "PRAGMA auto_vacuum = INCREMENTAL;";

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
		"stored INTEGER NOT NULL, digest BLOB NOT NULL, sum INTEGER NOT NULL);"
	"CREATE UNIQUE INDEX snap_name ON snap(grp, name) WHERE grp IS NOT NULL;"
	"CREATE INDEX snap_time ON snap(grp, mtime, ino) WHERE grp IS NOT NULL;"
	"CREATE TABLE attr(ino INTEGER, key BLOB, value BLOB NOT NULL, "
		"PRIMARY KEY(ino, key)) WITHOUT ROWID;";

/* The file itself, mode 0600 from its first moment; *made when it is new. */
static int make_file(struct store *st, unsigned int flags, struct store_error *e)
{
	int how = O_RDWR | O_CLOEXEC | (flags & STORE_CREATE ? O_CREAT : 0);

	st->sync_fd = open(st->path, how, 0600);
	st->behind.fd = st->sync_fd;
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

/*
 * Is it what a crash leaves that came after SQLite had made page 1, which it does for the
 * setting of vacuum alone, and before the tables came, and the numbers with them?
 */
static bool half_made(const uint8_t *head)
{
	bool no_tables = head[100] == 0x0d && !head[103] && !head[104];
	bool vacuum = store_number_at(head + 52) && store_number_at(head + 64);
	bool no_wal = head[18] == 1 && head[19] == 1;
	bool ours = (head[16] << 8 | head[17]) == DB_PAGE && head[20] == PAGE_SUM;

	return no_tables && vacuum && no_wal && ours &&
		!store_number_at(head + 68) && !store_number_at(head + 60);
}

/*
 * Is the file one of ours? Looked at before SQLite may touch it, which would put
 * checksums into the pages of one that has none. A file that is empty, or was
 * left by a crash when it was made, is none yet.
 */
static int check_head(struct store *st, struct store_error *e)
{
	uint8_t head[HEAD_SIZE];
	ssize_t n = pread(st->sync_fd, head, sizeof(head), 0);
	unsigned int page;

	if (n < 0)
		return store_fail(e, errno, "can't read the store %s: %s", st->path,
				  strerror(errno));
	if (n == 0)
		return 0;
	if (n < HEAD_SIZE || memcmp(head, "SQLite format 3", 16) ||
	    (store_number_at(head + 68) != APPLICATION_ID && !half_made(head)))
		return store_fail(e, EMEDIUMTYPE, "%s is not a store", st->path);
	if (store_number_at(head + 60) != VERSION && !half_made(head))
		return store_fail(e, EMEDIUMTYPE, "the store %s has version %u; this program "
				  "reads version %d", st->path, store_number_at(head + 60), VERSION);
	page = (unsigned int)head[16] << 8 | head[17];
	if ((page == 1 ? 65536 : page) != DB_PAGE || head[20] != PAGE_SUM)
		return store_fail(e, EIO, "page 1 of the file of the store %s is damaged",
				  st->path);
	return 0;
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

	while (have < sizeof(st->secret)) {
		ssize_t n = getrandom((uint8_t *)st->secret + have, sizeof(st->secret) - have, 0);

		if (n < 0 && errno != EINTR)
			return store_fail(e, errno, "can't make a secret for the store %s: %s",
					  st->path, strerror(errno));
		have += n > 0 ? (size_t)n : 0;
	}
	st->next_ino = 1;
	st->noted = true;	/* a store that has no such note is not a clean one */
	ret = store_txn_begin(st, e);
	if (ret)
		return ret;
	if (sqlite3_exec(st->db, schema, NULL, NULL, NULL))
		return store_sql_error(st, "making", e);
	ret = store_meta_set(st, "secret", st->secret, sizeof(st->secret), e);
	return ret ? ret : store_txn_commit(st, e);
}

/* Read what memory holds of an existing store. */
static int load(struct store *st, bool *clean, struct store_error *e)
{
	uint8_t was_clean = 0;
	int ret;

	ret = store_meta_get(st, "secret", st->secret, sizeof(st->secret), e);
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
	st->noted = !was_clean;
	return 0;
}

/* What was deleted while readers had it goes now. */
static int begin_use(struct store *st, struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_PACK_MAX);
	int64_t orphans;
	int ret = store_row(st, s, e);

	if (ret < 0)
		return ret;
	st->next_pack = (uint64_t)sqlite3_column_int64(s, 0) + 1;
	sqlite3_reset(s);
	if (st->flags & STORE_READONLY)
		return 0;
	if (st->noted)	/* it was not closed */
		store_tidy_free(st);
	orphans = store_number(st, STMT_SNAP_ORPHANS, e);
	if (orphans <= 0)
		return (int)orphans;
	ret = store_txn_begin(st, e);
	if (!ret)
		ret = store_run(st, store_stmt(st, STMT_SNAP_PURGE), e);
	return ret ? ret : store_txn_commit(st, e);
}

/* Saying it writes it, so only when it is not so: gc was cut off, or there are no tables. */
static int set_vacuum(struct store *st)
{
	int64_t mode = 0;

	if (st->flags & STORE_READONLY)
		return 0;
	get_number(st, "PRAGMA auto_vacuum", &mode, NULL);
	return mode == INCREMENTAL ? 0 : sqlite3_exec(st->db, vacuum_setting, NULL, NULL, NULL);
}

static int open_db(struct store *st, bool *clean, struct store_error *e)
{
	int64_t tables = 0;
	int ret, reserve = PAGE_SUM;

	store_vfs_setup();
	if (sqlite3_open_v2(st->path, &st->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
			    SQLITE_OPEN_PRIVATECACHE, STORE_VFS))
		return st->db ? store_sql_error(st, "opening", e) :
			store_fail(e, ENOMEM, "no memory to open the store %s", st->path);
	sqlite3_extended_result_codes(st->db, 1);
	sqlite3_file_control(st->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
	sqlite3_file_control(st->db, "main", STORE_FCNTL_BEHIND, &st->behind);
	if (sqlite3_exec(st->db, settings, NULL, NULL, NULL) ||
	    set_vacuum(st) ||
	    get_number(st, "SELECT count(*) FROM sqlite_schema", &tables, NULL)) {
		if ((sqlite3_errcode(st->db) & 0xff) == SQLITE_NOTADB)
			return store_fail(e, EMEDIUMTYPE, "%s is not a store", st->path);
		return store_sql_error(st, "opening", e);
	}
	if (!tables && !(st->flags & STORE_CREATE))
		return store_fail(e, EMEDIUMTYPE, "%s is not a store", st->path);
	*clean = true;
	ret = tables ? load(st, clean, e) : make_tables(st, e);
	if (!ret)
		ret = store_filter_init(st, !tables, e);
	return ret ? ret : begin_use(st, e);
}

/* Everything but the last words to the database. */
static void tear_down(struct store *st)
{
	struct scratch *s;

	store_pack_close(st);
	for (int i = 0; i < STMT_COUNT; i++)
		sqlite3_finalize(st->stmt[i]);
	sqlite3_close(st->db);
	store_pending_free(&st->pending);
	store_filter_free(st);
	while ((s = st->scratch.free)) {
		st->scratch.free = s->next;
		free(s);
	}
	pthread_mutex_destroy(&st->scratch.mutex);
	pthread_cond_destroy(&st->gc.done);
	pthread_cond_destroy(&st->packer.landed);
	store_worker_free(&st->gc.worker);
	store_worker_free(&st->writeback.worker);
	store_worker_free(&st->packer.worker);
	store_behind_free(&st->behind);
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

static int start_threads(struct store *st, bool gc, struct store_error *e)
{
	int ret = store_writeback_start(st, e);

	if (!ret)
		ret = store_behind_start(st, e);
	if (!ret)
		ret = store_packer_start(st, e);
	return ret ? ret : store_gc_start(st, gc, e);
}

static void stop_threads(struct store *st)
{
	store_worker_stop(&st->packer.worker);
	store_worker_stop(&st->behind.worker);
	store_worker_stop(&st->writeback.worker);
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
	pthread_mutex_init(&st->scratch.mutex, NULL);
	store_worker_init(&st->packer.worker);
	store_worker_init(&st->writeback.worker);
	store_worker_init(&st->gc.worker);
	store_behind_init(&st->behind);
	pthread_cond_init(&st->packer.landed, NULL);
	pthread_cond_init(&st->gc.done, NULL);
	list_init(&st->writers);
	list_init(&st->readers);
	st->lock_fd = -1;
	st->sync_fd = -1;
	st->txn = 1;
	st->flags = flags;
	st->hash = hash_has_avx2() ? store_hash_avx2 : store_hash_plain;
	st->path = strdup(path);
	ret = st->path ? make_file(st, flags, e) :
		store_fail(e, ENOMEM, "no memory to open the store %s", path);
	if (!ret)
		ret = lock_file(st, e);
	if (!ret)
		ret = check_head(st, e);
	if (!ret)
		ret = open_db(st, &clean, e);
	if (!ret && !store_pending_init(&st->pending))
		ret = store_fail(e, ENOMEM, "no memory to open the store %s", path);
	if (!ret && !(flags & STORE_READONLY))
		ret = start_threads(st, !clean, e);
	if (ret) {
		stop_threads(st);
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
	if (st->flags & STORE_READONLY) {
		tear_down(st);
		return;
	}
	store_worker_stop(&st->gc.worker);
	store_worker_stop(&st->packer.worker);
	store_lock(st);
	clean = !st->gc.wanted && !st->gc.unfinished;
	/*
	 * If this fails, the next store_open does a little more work. What the index
	 * has in memory is not moved for that: it is read again as fast.
	 */
	if (st->noted && !store_txn_begin(st, NULL) &&
	    !store_meta_set(st, "clean", &clean, sizeof(clean), NULL))
		store_txn_commit(st, NULL);
	store_unlock(st);
	stop_threads(st);
	tear_down(st);
}
