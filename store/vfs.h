/* SPDX-License-Identifier: GPL-2.0-only */
/* The layer below SQLite that guards pages with checksums. */
#ifndef STORE_VFS_H
#define STORE_VFS_H

#include <stdbool.h>
#include <stdint.h>

#define STORE_VFS "ckptfs"	/* its name for sqlite3_open_v2 */
#define PAGE_SUM 8		/* bytes of a page that are its checksum */

/*
 * The result of a statement that has read a damaged page. It should leave what others
 * are writing as it is: of SQLITE_IOERR a transaction is rolled back, and after
 * SQLITE_CORRUPT SQLite lets it write no more. This one SQLite does not use itself.
 */
#define STORE_DAMAGED SQLITE_FORMAT

/* sqlite3_file_control: the damaged page that was read last, 0: none; forgets it */
#define STORE_FCNTL_BAD_PAGE 0x636b7001

/*
 * sqlite3_file_control: the struct behind that writes to the same file; it stays
 * the caller's, and as long as the database is open
 */
#define STORE_FCNTL_BEHIND 0x636b7003

/* sqlite3_file_control: write to the file what was gathered */
#define STORE_FCNTL_WRITE 0x636b7002

/* sqlite3_file_control: where in the file (off_t, bytes) a page was read last */
#define STORE_FCNTL_LAST_READ 0x636b7004

/* store_vfs_setup - make it known to SQLite; any number of times, from any thread */
void store_vfs_setup(void);

/* store_page_good - whether the page with that number (from 1) has its checksum */
bool store_page_good(const void *page, uint64_t number);

#endif
