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
 * Pages that follow each other are also gathered here and written together. In
 * large pieces the kernel takes them twice as fast.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "vfs.h"

#define GATHER (16 * 16384)	/* bytes */

struct guarded {
	sqlite3_file base;
	uint64_t bad;		/* page that was read last and is damaged; 0: none */
	uint8_t *gather;	/* what is to be written */
	int gathered;		/* bytes of it */
	sqlite3_int64 at;	/* where */
	int fd;			/* to write it with */
	int failed;		/* why something that was to be written is lost: SQLite's code */
	int error;		/* and errno */
	sqlite3_int64 lost_at;	/* where in the file it begins */
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

/*
 * Write what was gathered. A failure is kept until SQLite writes or syncs: there
 * it knows that the transaction can't go on.
 */
static void write_gathered(struct guarded *g)
{
	int done = 0;
	ssize_t n;

	/* not by the layer below: it writes 64 KiB at a time at the most */
	while (done < g->gathered) {
		n = pwrite(g->fd, g->gather + done, (size_t)(g->gathered - done), g->at + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			g->error = n ? errno : ENOSPC;
			g->failed = g->error == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
			g->lost_at = g->at + done;
			break;
		}
		done += (int)n;
	}
	g->gathered = 0;
}

/* The errno is what SQLite looks at next. */
static int failure(struct guarded *g)
{
	int rc = g->failed;

	errno = g->error;
	g->failed = SQLITE_OK;
	return rc;
}

static bool overlaps(const struct guarded *g, int amount, sqlite3_int64 offset)
{
	return offset < g->at + g->gathered && offset + amount > g->at;
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
	int rc;

	if (overlaps(g, amount, offset))
		write_gathered(g);
	if (g->failed)
		return g->failed;
	rc = below(f)->pMethods->xRead(below(f), buf, amount, offset);
	if (rc || !is_page(amount, offset) || store_page_good(buf, number))
		return rc;
	g->bad = number;
	/* not SQLITE_IOERR: that would roll back what others are writing */
	return SQLITE_CORRUPT;
}

static int guarded_write(sqlite3_file *f, const void *buf, int amount, sqlite3_int64 offset)
{
	struct guarded *g = (struct guarded *)f;
	uint64_t has;

	if (is_page(amount, offset)) {
		has = page_sum(buf, (uint64_t)offset / DB_PAGE + 1);
		/* the buffer is a page of SQLite's cache, and this part of it ours */
		memcpy((uint8_t *)(uintptr_t)buf + DB_PAGE - PAGE_SUM, &has, PAGE_SUM);
	}
	if (offset != g->at + g->gathered || g->gathered + amount > GATHER)
		write_gathered(g);
	if (g->failed)
		return failure(g);
	if (amount > GATHER || g->fd < 0)
		return below(f)->pMethods->xWrite(below(f), buf, amount, offset);
	if (!g->gathered)
		g->at = offset;
	memcpy(g->gather + g->gathered, buf, (size_t)amount);
	g->gathered += amount;
	return SQLITE_OK;
}

static int guarded_control(sqlite3_file *f, int op, void *arg)
{
	struct guarded *g = (struct guarded *)f;

	switch (op) {
	case STORE_FCNTL_BAD_PAGE:
		*(uint64_t *)arg = g->bad;
		g->bad = 0;
		return SQLITE_OK;
	case STORE_FCNTL_FD:
		g->fd = *(int *)arg;
		return SQLITE_OK;
	case STORE_FCNTL_WRITE:
		write_gathered(g);
		return SQLITE_OK;
	default:
		return below(f)->pMethods->xFileControl(below(f), op, arg);
	}
}

static int guarded_close(sqlite3_file *f)
{
	struct guarded *g = (struct guarded *)f;

	write_gathered(g);
	free(g->gather);
	return below(f)->pMethods->xClose(below(f));
}

/*
 * A rollback begins like this. What is cut off need not be written, and it may
 * be for want of room that it can't.
 */
static int guarded_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct guarded *g = (struct guarded *)f;

	if (g->gathered && g->at + g->gathered > size)
		g->gathered = g->at < size ? (int)(size - g->at) : 0;
	write_gathered(g);
	if (g->failed && g->lost_at >= size)
		g->failed = SQLITE_OK;
	return below(f)->pMethods->xTruncate(below(f), size);
}

static int guarded_sync(sqlite3_file *f, int flags)
{
	struct guarded *g = (struct guarded *)f;

	write_gathered(g);
	if (g->failed)
		return failure(g);
	return below(f)->pMethods->xSync(below(f), flags);
}

static int guarded_size(sqlite3_file *f, sqlite3_int64 *size)
{
	struct guarded *g = (struct guarded *)f;
	int rc = below(f)->pMethods->xFileSize(below(f), size);

	if (g->gathered && *size < g->at + g->gathered)
		*size = g->at + g->gathered;
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
	g->fd = -1;
	g->gather = malloc(GATHER);
	rc = g->gather ? unix_vfs->xOpen(unix_vfs, name, below(f), flags, out_flags) :
		SQLITE_NOMEM;
	if (!rc)
		f->pMethods = &methods;
	else
		free(g->gather);
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
