// SPDX-License-Identifier: GPL-2.0-only
/*
 * A checksum in every page of the database, so that a flipped bit is an error
 * wherever it is: in blocks, in their index, in names, in what SQLite itself
 * keeps there, in free pages. The last PAGE_SUM bytes of a page, which SQLite
 * leaves alone on request, are its XXH3-64 seeded with its number; a page in the
 * place of another does not pass either.
 *
 * This is a layer between SQLite and its own way to files. The journal is not
 * guarded: what is rolled back from it are pages, with their sums.
 *
 * Pages that follow each other are also gathered here, into pieces that behind.c
 * writes meanwhile. In large pieces the kernel takes them twice as fast.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "internal.h"
#include "vfs.h"

struct guarded {
	sqlite3_file base;
	uint64_t bad;		/* page that was read last and is damaged; 0: none */
	off_t last;		/* where a page was read last */
	struct behind *behind;	/* NULL: everything goes to the layer below at once */
	struct piece *piece;	/* what is gathered; NULL: nothing */
	/* what was given away and may not be in the file yet lies between these */
	sqlite3_int64 from, to;
	/* the file of the layer below follows */
};

static sqlite3_file *below(sqlite3_file *f)
{
	return (sqlite3_file *)((struct guarded *)f + 1);
}

static sum_fn sum;

static uint64_t page_sum(const void *page, uint64_t number)
{
	return sum(page, DB_PAGE - PAGE_SUM, number);
}

bool store_page_good(const void *page, uint64_t number)
{
	const uint8_t *p = page;
	uint64_t has;

	memcpy(&has, p + DB_PAGE - PAGE_SUM, PAGE_SUM);
	/* a page that was free when it was last to be written is a hole of the file */
	return has == page_sum(page, number) || (!has && !p[0] && !memcmp(p, p + 1, DB_PAGE - 1));
}

/* Have what was gathered written. */
static void give_piece(struct guarded *g)
{
	struct piece *p = g->piece;

	if (!p)
		return;
	if (g->from == g->to) {
		g->from = p->at;
		g->to = p->at;
	}
	if (p->at < g->from)
		g->from = p->at;
	if (p->at + (off_t)p->len > g->to)
		g->to = p->at + (off_t)p->len;
	g->piece = NULL;
	store_behind_give(g->behind, p);
}

/* Everything is in the file after this, or is lost. */
static void write_all(struct guarded *g)
{
	give_piece(g);
	if (g->behind)
		store_behind_wait(g->behind);
	g->from = 0;
	g->to = 0;
}

/* SQLite's code for an errno of what was written behind its back, which it looks at next. */
static int code_of(int err)
{
	if (!err)
		return SQLITE_OK;
	errno = err;
	return err == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

/*
 * A failure is kept until SQLite writes or syncs: there it knows that the
 * transaction can't go on.
 */
static int failure(struct guarded *g)
{
	int err = g->behind ? store_behind_error(g->behind, NULL) : 0;

	if (err) {
		store_behind_forgive(g->behind);
		/* of the same transaction */
		if (g->piece)
			g->piece->len = 0;
	}
	return code_of(err);
}

/* Do any of these bytes wait to be written? */
static bool waits(const struct guarded *g, int amount, sqlite3_int64 offset)
{
	const struct piece *p = g->piece;

	return (offset < g->to && offset + amount > g->from) ||
		(p && offset < p->at + (off_t)p->len && offset + amount > p->at);
}

/* Not a whole page: SQLite looks at the head of the first one. */
static bool is_page(int amount, sqlite3_int64 offset)
{
	return amount == DB_PAGE && offset % DB_PAGE == 0;
}

static int guarded_read(sqlite3_file *f, void *buf, int amount, sqlite3_int64 offset)
{
	struct guarded *g = (struct guarded *)f;
	uint64_t number = (uint64_t)offset / DB_PAGE + 1;
	int rc = SQLITE_OK;

	g->last = offset;
	if (waits(g, amount, offset))
		write_all(g);
	/* What is lost would be read as it was before. */
	if (g->behind)
		rc = code_of(store_behind_error(g->behind, NULL));
	if (!rc)
		rc = below(f)->pMethods->xRead(below(f), buf, amount, offset);
	if (rc || !is_page(amount, offset) || store_page_good(buf, number))
		return rc;
	g->bad = number;
	return STORE_DAMAGED;
}

/* Room in the piece for what follows in the file at @offset; NULL: no memory. */
static void *piece_room(struct guarded *g, size_t amount, sqlite3_int64 offset)
{
	struct piece *p = g->piece;
	void *room;

	if (p && (offset != p->at + (off_t)p->len || p->len + amount > PIECE_BYTES))
		give_piece(g);
	if (!g->piece) {
		g->piece = store_behind_get(g->behind);
		if (!g->piece)
			return NULL;
		g->piece->at = offset;
	}
	room = g->piece->bytes + g->piece->len;
	g->piece->len += amount;
	return room;
}

static int guarded_write(sqlite3_file *f, const void *buf, int amount, sqlite3_int64 offset)
{
	struct guarded *g = (struct guarded *)f;
	void *room = NULL;
	uint64_t has;
	int rc;

	if (is_page(amount, offset)) {
		has = page_sum(buf, (uint64_t)offset / DB_PAGE + 1);
		/* the buffer is a page of SQLite's cache, and this part of it ours */
		memcpy((uint8_t *)(uintptr_t)buf + DB_PAGE - PAGE_SUM, &has, PAGE_SUM);
	}
	rc = failure(g);
	if (rc)
		return rc;
	if (g->behind && amount <= PIECE_BYTES)
		room = piece_room(g, (size_t)amount, offset);
	if (room) {
		memcpy(room, buf, (size_t)amount);
		return SQLITE_OK;
	}
	/* In its turn: what was given before may be an older state of the same page. */
	write_all(g);
	rc = failure(g);
	return rc ? rc : below(f)->pMethods->xWrite(below(f), buf, amount, offset);
}

static int guarded_control(sqlite3_file *f, int op, void *arg)
{
	struct guarded *g = (struct guarded *)f;

	switch (op) {
	case STORE_FCNTL_BAD_PAGE:
		*(uint64_t *)arg = g->bad;
		g->bad = 0;
		return SQLITE_OK;
	case STORE_FCNTL_LAST_READ:
		*(off_t *)arg = g->last;
		return SQLITE_OK;
	case STORE_FCNTL_BEHIND:
		g->behind = arg;
		return SQLITE_OK;
	case STORE_FCNTL_WRITE:
		write_all(g);
		return SQLITE_OK;
	default:
		return below(f)->pMethods->xFileControl(below(f), op, arg);
	}
}

static int guarded_close(sqlite3_file *f)
{
	write_all((struct guarded *)f);
	return below(f)->pMethods->xClose(below(f));
}

/*
 * A rollback begins like this. What is cut off need not be written, and it may
 * be for want of room that it can't.
 */
static int guarded_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct guarded *g = (struct guarded *)f;
	struct piece *p = g->piece;
	off_t lost_at;

	if (p && p->at + (off_t)p->len > size)
		p->len = p->at < size ? (size_t)(size - p->at) : 0;
	write_all(g);
	if (g->behind && store_behind_error(g->behind, &lost_at) && lost_at >= size)
		store_behind_forgive(g->behind);
	return below(f)->pMethods->xTruncate(below(f), size);
}

static int guarded_sync(sqlite3_file *f, int flags)
{
	struct guarded *g = (struct guarded *)f;
	int rc;

	write_all(g);
	rc = failure(g);
	return rc ? rc : below(f)->pMethods->xSync(below(f), flags);
}

static int guarded_size(sqlite3_file *f, sqlite3_int64 *size)
{
	struct guarded *g = (struct guarded *)f;
	int rc = below(f)->pMethods->xFileSize(below(f), size);

	if (*size < g->to)
		*size = g->to;
	if (g->piece && *size < g->piece->at + (off_t)g->piece->len)
		*size = g->piece->at + (off_t)g->piece->len;
	return rc;
}

static int guarded_lock(sqlite3_file *f, int level)
{
	return below(f)->pMethods->xLock(below(f), level);
}

static int guarded_unlock(sqlite3_file *f, int level)
{
	return below(f)->pMethods->xUnlock(below(f), level);
}

static int guarded_reserved(sqlite3_file *f, int *out)
{
	return below(f)->pMethods->xCheckReservedLock(below(f), out);
}

static int guarded_sector(sqlite3_file *f)
{
	return below(f)->pMethods->xSectorSize(below(f));
}

static int guarded_device(sqlite3_file *f)
{
	return below(f)->pMethods->xDeviceCharacteristics(below(f));
}

/* Version 1: no shared memory, no mapping past the checks. */
static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = guarded_close,
	.xRead = guarded_read,
	.xWrite = guarded_write,
	.xTruncate = guarded_truncate,
	.xSync = guarded_sync,
	.xFileSize = guarded_size,
	.xLock = guarded_lock,
	.xUnlock = guarded_unlock,
	.xCheckReservedLock = guarded_reserved,
	.xFileControl = guarded_control,
	.xSectorSize = guarded_sector,
	.xDeviceCharacteristics = guarded_device,
};

static sqlite3_vfs vfs;
static sqlite3_vfs *unix_vfs;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int vfs_open(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *f, int flags,
		    int *out_flags)
{
	struct guarded *g = (struct guarded *)f;
	int rc;

	(void)v;
	if (!(flags & SQLITE_OPEN_MAIN_DB))
		return unix_vfs->xOpen(unix_vfs, name, f, flags, out_flags);
	memset(g, 0, sizeof(*g));
	rc = unix_vfs->xOpen(unix_vfs, name, below(f), flags, out_flags);
	if (!rc)
		f->pMethods = &methods;
	return rc;
}

static void make_vfs(void)
{
	sum = hash_has_avx2() ? store_sum_avx2 : store_sum_plain;
	unix_vfs = sqlite3_vfs_find(NULL);
	if (!unix_vfs)
		return;
	vfs = *unix_vfs;
	vfs.zName = STORE_VFS;
	vfs.szOsFile += (int)sizeof(struct guarded);
	vfs.xOpen = vfs_open;
	vfs.pNext = NULL;
	sqlite3_vfs_register(&vfs, 0);
}

void store_vfs_setup(void)
{
	pthread_once(&once, make_vfs);
}
