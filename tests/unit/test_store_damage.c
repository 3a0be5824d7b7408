// SPDX-License-Identifier: GPL-2.0-only
/* The page store: flipped bits are found and never read as data; rows D3 and D4. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "test_store.h"

#define SNAPSHOTS 4
#define SIZE (MIB / 2 + 777)

struct told {
	bool affected[SNAPSHOTS];	/* fsck has named it */
	bool list;			/* fsck can't say which there are */
	int lines;
};

static int hear(void *arg, const char *line)
{
	struct told *t = arg;
	char name[16];

	for (int i = 0; i < SNAPSHOTS; i++) {
		snprintf(name, sizeof(name), "g/s%d", i);
		if (strstr(line, name))
			t->affected[i] = true;
	}
	if (strstr(line, "the list of snapshots"))
		t->list = true;
	t->lines++;
	return 0;
}

/* Random ones, ones that compress, both; half of each is in the one before as well. */
static uint8_t *contents(int i)
{
	uint8_t *data = make_noise(SIZE, 900 + (uint64_t)i);

	for (size_t at = 0; i % 2 && at < SIZE; at += 64)
		memset(data + at, i, at + 48 < SIZE ? 48 : SIZE - at);
	if (i) {
		uint8_t *before = contents(i - 1);

		memcpy(data, before, SIZE / 2);
		free(before);
	}
	return data;
}

/* All of a snapshot, attributes too, is what it was, or an error: 0 or -EIO. */
static int read_back(struct fixture *f, int i)
{
	struct store_info info;
	struct store_attr *attrs;
	size_t count;
	uint8_t *data = contents(i), *buf = malloc(SIZE);
	struct store_reader *r;
	size_t at = 0;
	char name[16];
	ssize_t n;
	int ret;

	snprintf(name, sizeof(name), "s%d", i);
	ret = store_read_open(f->st, "g", name, &r, &f->e);
	if (!ret) {
		while ((n = store_pread(r, buf + at, SIZE - at, at, &f->e)) > 0)
			at += (size_t)n;
		ret = (int)n;
		store_read_close(r);
		assert_memory_equal(buf, data, at);
		if (!ret)
			assert_int_equal(at, SIZE);
	}
	if (!ret)
		ret = store_stat(f->st, "g", name, &info, &f->e);
	if (!ret)
		ret = store_attr_list(f->st, info.ino, &attrs, &count, &f->e);
	if (!ret)
		free(attrs);
	free(data);
	free(buf);
	return ret;
}

static void flip_bit(const char *path, off_t at, int bit)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= (uint8_t)(1 << bit);
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* One flipped bit: said by fsck, with just the snapshots that can't be read. */
static void check_flip(struct fixture *f, off_t at)
{
	struct store_check check;
	struct told told = { 0 };
	int ret;

	/* SQLite's and our own words of what the file is are looked at first */
	ret = store_open(&f->st, f->path, STORE_READONLY, &f->e);
	if (ret) {
		if (ret != -EIO && ret != -EMEDIUMTYPE)
			fail_msg("byte %lld: %s", (long long)at, f->e.text);
		return;
	}
	ok(f, store_fsck(f->st, hear, &told, NULL, &check, &f->e));
	if (check.bad_pages != 1)
		fail_msg("byte %lld: fsck finds %llu damaged pages", (long long)at,
			 (unsigned long long)check.bad_pages);
	for (int i = 0; i < SNAPSHOTS; i++) {
		ret = read_back(f, i);
		if (ret && ret != -EIO)
			fail_msg("byte %lld: %s", (long long)at, f->e.text);
		if (!ret == told.affected[i] && !told.list)
			fail_msg("byte %lld: snapshot %d: %s, but fsck says %d", (long long)at, i,
				 ret ? f->e.text : "can be read", told.affected[i]);
	}
	store_close(f->st);
	f->st = NULL;
}

static void put_all(struct fixture *f)
{
	char name[16];

	for (int i = 0; i < SNAPSHOTS; i++) {
		uint8_t *data = contents(i);

		snprintf(name, sizeof(name), "s%d", i);
		put(f, "g", name, data, SIZE);
		free(data);
	}
}

static void test_every_page(void **state)
{
	struct fixture *f = *state;
	struct store_check check;
	struct told told = { 0 };
	struct stat sb;

	put_all(f);
	/* free pages, too */
	put(f, "g", "gone", "x", 1);
	ok(f, store_delete(f->st, "g", "gone", &f->e));
	ok(f, store_fsck(f->st, hear, &told, NULL, &check, &f->e));
	assert_int_equal(check.bad_pages + check.bad_blocks + check.bad_snapshots, 0);
	assert_int_equal(check.snapshots, SNAPSHOTS);
	assert_int_equal(told.lines, 2);
	store_close(f->st);
	f->st = NULL;
	assert_int_equal(stat(f->path, &sb), 0);
	for (off_t page = 0; page < sb.st_size / 16384; page++) {
		off_t at = page * 16384 + page * 7919 % 16384;

		flip_bit(f->path, at, page % 8);
		check_flip(f, at);
		flip_bit(f->path, at, page % 8);
	}
	/* and all is well again: looking has changed nothing */
	memset(&told, 0, sizeof(told));
	ok(f, store_open(&f->st, f->path, 0, &f->e));
	ok(f, store_fsck(f->st, hear, &told, NULL, &check, &f->e));
	assert_int_equal(told.lines, 2);
	for (int i = 0; i < SNAPSHOTS; i++)
		assert_int_equal(read_back(f, i), 0);
}

/* A page of another place, with a sum that is right there. */
static void test_misplaced_page(void **state)
{
	struct fixture *f = *state;
	uint8_t a[16384], b[16384];
	uint8_t *data = contents(0);
	struct store_check check;
	struct told told = { 0 };
	struct stat sb;
	off_t at;
	int fd;

	put(f, "g", "s0", data, SIZE);
	free(data);
	store_close(f->st);
	f->st = NULL;
	assert_int_equal(stat(f->path, &sb), 0);
	at = sb.st_size / 2 / 16384 * 16384;
	fd = open(f->path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, a, sizeof(a), at), sizeof(a));
	assert_int_equal(pread(fd, b, sizeof(b), at + 16384), sizeof(b));
	assert_int_equal(pwrite(fd, b, sizeof(b), at), sizeof(b));
	assert_int_equal(pwrite(fd, a, sizeof(a), at + 16384), sizeof(a));
	close(fd);
	ok(f, store_open(&f->st, f->path, 0, &f->e));
	assert_int_equal(read_back(f, 0), -EIO);
	ok(f, store_fsck(f->st, hear, &told, NULL, &check, &f->e));
	assert_int_equal(check.bad_pages, 2);
	assert_true(told.affected[0]);
}

static void wait_for_transaction(struct store *st)
{
	bool open = false;

	for (int i = 0; i < 1000 && !open; i++) {
		store_lock(st);
		open = st->in_txn;
		store_unlock(st);
		usleep(1000);
	}
}

/* Can something be written to the damaged store? When @read, everything is read meanwhile. */
static bool can_write(struct fixture *f, const uint8_t *data, bool read)
{
	struct store_writer *w;
	int ret;

	if (store_open(&f->st, f->path, 0, &f->e)) {
		f->st = NULL;
		return false;
	}
	ret = store_write_begin(f->st, "g", "new", 0, &w, &f->e);
	if (ret) {
		store_close(f->st);
		f->st = NULL;
		return false;
	}
	ret = store_append(w, data, SIZE / 2 + STORE_BLOCK, &f->e);
	if (!ret)
		wait_for_transaction(f->st);
	for (int i = 0; i < SNAPSHOTS && read; i++)
		read_back(f, i);
	if (!ret)
		ret = store_append(w, data + SIZE / 2 + STORE_BLOCK, SIZE / 2 - STORE_BLOCK, &f->e);
	if (!ret)
		ret = store_commit(w, 0, NULL, 0, &f->e);
	if (ret)
		store_abort(w);
	else
		expect(f, "g", "new", data, SIZE / 2 * 2);
	store_close(f->st);
	f->st = NULL;
	return !ret;
}

/* Others go on while a snapshot that is damaged is read, wherever that is. */
static void test_writers_go_on(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(SIZE, 4711);
	char cmd[256], kept[128];
	unsigned int written = 0;
	struct stat sb;

	put_all(f);
	store_close(f->st);
	f->st = NULL;
	snprintf(kept, sizeof(kept), "%s/kept", f->dir);
	snprintf(cmd, sizeof(cmd), "cp '%s' '%s'", f->path, kept);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(stat(f->path, &sb), 0);
	snprintf(cmd, sizeof(cmd), "cp '%s' '%s'", kept, f->path);
	for (off_t page = 0; page < sb.st_size / 16384; page++) {
		off_t at = page * 16384 + page * 7919 % 16384;
		bool can[2];

		for (int read = 0; read < 2; read++) {
			assert_int_equal(system(cmd), 0);
			flip_bit(f->path, at, page % 8);
			can[read] = can_write(f, data, read);
		}
		if (can[0] && !can[1])
			fail_msg("page %lld: %s", (long long)page + 1, f->e.text);
		written += can[0];
	}
	/* most of the pages are of packs */
	assert_in_range(written, sb.st_size / 16384 * 3 / 4, sb.st_size / 16384);
	free(data);
}

/* ---- what the sums of pages don't see: wrong bytes that were written ---- */

static void change(struct fixture *f, const char *sql)
{
	sqlite3 *db;
	char *message = NULL;

	store_close(f->st);
	f->st = NULL;
	assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READWRITE, STORE_VFS),
			 SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message))
		fail_msg("%s", message);
	assert_int_equal(sqlite3_changes(db), 1);
	sqlite3_close(db);
	ok(f, store_open(&f->st, f->path, 0, &f->e));
}

/* Replace byte @at of a blob by one that differs in one bit. */
#define FLIP(table, at) \
	"UPDATE " table " SET data = CAST(substr(data, 1, " #at ") || " \
	"CASE WHEN substr(data, " #at " + 1, 1) = x'41' THEN x'40' ELSE x'41' END || " \
	"substr(data, " #at " + 2) AS BLOB) WHERE id = (SELECT min(id) FROM " table ")"

static void test_wrong_rows(void **state)
{
	static const char *const changes[] = {
		FLIP("pack", 100000), FLIP("pack", 500), FLIP("pack", 3), FLIP("pack", 12),
		FLIP("map", 3), FLIP("map", 17),
		"UPDATE snap SET size = size + 1",
		"UPDATE snap SET digest = zeroblob(16)",
		"UPDATE pack SET id = 9999 WHERE id = (SELECT min(id) FROM pack)",
		"DELETE FROM map WHERE id = (SELECT max(id) FROM map)",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		for (int kind = 0; kind < 2; kind++) {
			uint8_t *data = contents(kind);
			struct store_check check;
			struct told told = { 0 };
			char name[16];

			snprintf(name, sizeof(name), "s%d", kind);
			put(f, "g", name, data, SIZE);
			change(f, changes[i]);
			if (read_back(f, kind) != -EIO)
				fail_msg("%s: can be read", changes[i]);
			assert_non_null(strstr(f->e.text, name));
			ok(f, store_fsck(f->st, hear, &told, NULL, &check, &f->e));
			assert_int_equal(check.bad_pages, 0);
			assert_int_equal(check.bad_snapshots, 1);
			assert_true(told.affected[kind]);
			store_close(f->st);
			f->st = NULL;
			assert_int_equal(unlink(f->path), 0);
			ok(f, store_open(&f->st, f->path, STORE_CREATE, &f->e));
			free(data);
		}
}

/* A map that is whole and leads to other blocks: only the digest knows. */
static void test_digest(void **state)
{
	struct fixture *f = *state;
	struct store_info one, two;
	struct store_check check;
	struct told told = { 0 };
	uint64_t block[MAP_BLOCKS];
	unsigned int count;
	char sql[64];

	put(f, "g", "s0", "one", 3);
	put(f, "g", "s1", "two", 3);
	ok(f, store_stat(f->st, "g", "s0", &one, &f->e));
	ok(f, store_stat(f->st, "g", "s1", &two, &f->e));
	ok(f, store_fsck(f->st, hear, &told, NULL, &check, &f->e));
	assert_int_equal(check.bad_snapshots, 0);
	store_lock(f->st);
	ok(f, store_map_get(f->st, two.ino, 0, block, &count, &f->e));
	ok(f, store_txn_begin(f->st, &f->e));
	snprintf(sql, sizeof(sql), "DELETE FROM map WHERE id = %llu",
		 (unsigned long long)store_map_row(one.ino, 0));
	assert_int_equal(sqlite3_exec(f->st->db, sql, NULL, NULL, NULL), SQLITE_OK);
	ok(f, store_map_insert(f->st, one.ino, 0, block, count, &f->e));
	ok(f, store_txn_commit(f->st, &f->e));
	store_unlock(f->st);
	ok(f, store_fsck(f->st, hear, &told, NULL, &check, &f->e));
	assert_int_equal(check.bad_pages + check.bad_blocks, 0);
	assert_int_equal(check.bad_snapshots, 1);
	assert_true(told.affected[0] && !told.affected[1]);
}

/* Where @text is in the file of a store that is closed. */
static off_t find_text(struct fixture *f, const char *text)
{
	FILE *file = fopen(f->path, "re");
	size_t len = strlen(text), n;
	char *buf = malloc(4 * MIB), *at;

	n = fread(buf, 1, 4 * MIB, file);
	fclose(file);
	at = memmem(buf, n, text, len);
	assert_non_null(at);
	n = (size_t)(at - buf);
	free(buf);
	return (off_t)n;
}

/* What has no hash but that of its page. */
static void test_names_and_attributes(void **state)
{
	static const struct store_attr attrs[] = { { "note", "an attribute that is found" } };
	struct fixture *f = *state;
	struct store_writer *w;
	struct store_info info;
	char *value;
	off_t at;

	ok(f, store_write_begin(f->st, "a group to be found", "s", 0, &w, &f->e));
	ok(f, store_append(w, "abc", 3, &f->e));
	ok(f, store_commit(w, 0, attrs, 1, &f->e));
	ok(f, store_stat(f->st, "a group to be found", "s", &info, &f->e));
	for (int i = 0; i < 2; i++) {
		store_close(f->st);
		f->st = NULL;
		at = find_text(f, i ? "a group to be found" : attrs[0].value) + 5;
		flip_bit(f->path, at, 1);
		ok(f, store_open(&f->st, f->path, 0, &f->e));
		if (i)
			assert_int_equal(store_stat_ino(f->st, info.ino, &info, &f->e), -EIO);
		else
			assert_int_equal(store_attr_get(f->st, info.ino, "note", &value, &f->e),
					 -EIO);
		assert_non_null(strstr(f->e.text, "page"));
		store_close(f->st);
		f->st = NULL;
		flip_bit(f->path, at, 1);
		ok(f, store_open(&f->st, f->path, 0, &f->e));
	}
}

/* A store of another version, or what is none, is left as it is. */
static void test_other_version(void **state)
{
	struct fixture *f = *state;

	store_close(f->st);
	f->st = NULL;
	flip_bit(f->path, 63, 0);	/* where the version is */
	assert_int_equal(store_open(&f->st, f->path, STORE_CREATE, &f->e), -EMEDIUMTYPE);
	assert_non_null(strstr(f->e.text, "version 3"));
	f->st = NULL;
	flip_bit(f->path, 63, 0);
	ok(f, store_open(&f->st, f->path, 0, &f->e));
}

/* The file as it is when the making of a store was cut off, with what @sql adds. */
static void make_half(struct fixture *f, const char *sql)
{
	int reserve = PAGE_SUM;
	sqlite3 *db;

	store_close(f->st);
	f->st = NULL;
	assert_int_equal(truncate(f->path, 0), 0);
	assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READWRITE, STORE_VFS), 0);
	sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
	assert_int_equal(sqlite3_exec(db, "PRAGMA page_size = 16384;"
				      "PRAGMA auto_vacuum = INCREMENTAL;", NULL, NULL, NULL), 0);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), 0);
	sqlite3_close(db);
}

/* It becomes a store; what looks like it but has a table of another is left as it is. */
static void test_half_made(void **state)
{
	struct fixture *f = *state;

	make_half(f, "");
	assert_int_equal(store_open(&f->st, f->path, 0, &f->e), -EMEDIUMTYPE);
	f->st = NULL;
	ok(f, store_open(&f->st, f->path, STORE_CREATE, &f->e));
	put(f, "made", "it", "contents", 8);
	reopen(f);
	expect(f, "made", "it", "contents", 8);

	make_half(f, "CREATE TABLE another(x)");
	assert_int_equal(store_open(&f->st, f->path, STORE_CREATE, &f->e), -EMEDIUMTYPE);
	f->st = NULL;
	assert_int_equal(truncate(f->path, 0), 0);
	ok(f, store_open(&f->st, f->path, STORE_CREATE, &f->e));
}

/* Opened for reading, nothing can be changed. */
static void test_readonly(void **state)
{
	struct fixture *f = *state;
	struct stat before, after;
	struct store_writer *w;

	put(f, "g", "s", "abc", 3);
	store_close(f->st);
	stat(f->path, &before);
	ok(f, store_open(&f->st, f->path, STORE_READONLY, &f->e));
	expect(f, "g", "s", "abc", 3);
	assert_int_equal(store_delete(f->st, "g", "s", &f->e), -EROFS);
	assert_int_equal(store_gc(f->st, NULL, NULL, &f->e), -EROFS);
	ok(f, store_write_begin(f->st, "g", "t", 0, &w, &f->e));
	assert_int_equal(store_commit(w, 0, NULL, 0, &f->e), -EROFS);
	store_abort(w);
	store_close(f->st);
	f->st = NULL;
	stat(f->path, &after);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(every_page), TEST(misplaced_page), TEST(writers_go_on), TEST(wrong_rows),
		TEST(digest), TEST(names_and_attributes), TEST(other_version), TEST(half_made),
		TEST(readonly),
	};

	return cmocka_run_group_tests_name("store-damage", tests, NULL, NULL);
}
