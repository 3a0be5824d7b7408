// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page store: damage in the index of keys is mended; row D4. The store is built
 * with pages of 1 KiB, so that the index has three levels with a few thousand keys.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "test_store.h"

#define SIZE (16 * MIB)
#define PAGES_MAX 4096

struct pages {
	size_t count;
	uint64_t number[PAGES_MAX];
	bool leaf[PAGES_MAX];
};

#define NAMED 32	/* pages that fsck tells of one by one */

static int hear(void *arg, const char *line)
{
	if (strstr(line, "index of keys"))
		++*(int *)arg;
	return 0;
}

static void move_keys(struct fixture *f)
{
	int ret = 1;

	store_lock(f->st);
	while (ret > 0)
		ret = store_index_move(f->st, &f->e);
	ok(f, ret);
	ok(f, store_txn_commit(f->st, &f->e));
	store_unlock(f->st);
}

/*
 * A snapshot whose keys are all in table idx; its blocks to be freed. They come there
 * in two parts, so that its pages are not in the order of their keys.
 */
static uint8_t *fill(struct fixture *f)
{
	uint8_t *data = make_noise(SIZE, 17);

	put(f, "g", "first", data, SIZE / 4);
	move_keys(f);
	put(f, "g", "all", data, SIZE);
	move_keys(f);
	return data;
}

/* Rows of table idx that lead somewhere. */
static int64_t count_keys(struct fixture *f)
{
	sqlite3_stmt *s = NULL;
	int64_t count;

	store_lock(f->st);
	sqlite3_prepare_v2(f->st->db, "SELECT count(*) FROM idx WHERE block > 0", -1, &s, NULL);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	count = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	store_unlock(f->st);
	return count;
}

/* The pages of table idx. */
static struct pages *find_pages(struct fixture *f)
{
	struct pages *p = calloc(1, sizeof(*p));
	uint8_t page[DB_PAGE];
	struct mend *m;
	int64_t count;

	store_lock(f->st);
	sqlite3_file_control(f->st->db, "main", STORE_FCNTL_WRITE, NULL);
	m = store_mend_begin(f->st);
	count = store_number(f->st, STMT_PAGE_COUNT, &f->e);
	for (int64_t i = 1; i <= count; i++) {
		if (!store_mend_is_index(m, (uint64_t)i))
			continue;
		assert_true(store_page_read(f->st, (uint64_t)i, page));
		p->leaf[p->count] = page[0] == 0x0d;
		p->number[p->count++] = (uint64_t)i;
		assert_in_range(p->count, 0, PAGES_MAX);
	}
	store_mend_end(m);
	store_unlock(f->st);
	return p;
}

static void shut(struct fixture *f)
{
	store_close(f->st);
	f->st = NULL;
}

static void spoil(struct fixture *f, uint64_t page)
{
	off_t at = (off_t)((page - 1) * DB_PAGE + page * 7919 % DB_PAGE);
	int fd = open(f->path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* SQLite has nothing to say against the file. */
static void check_integrity(struct fixture *f)
{
	sqlite3_stmt *s = NULL;

	store_lock(f->st);
	sqlite3_prepare_v2(f->st->db, "PRAGMA integrity_check(3)", -1, &s, NULL);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(s, 0), "ok");
	sqlite3_finalize(s);
	store_unlock(f->st);
}

/* fsck finds @bad pages of the index, and with @repair mends @mended of them. */
static void check(struct fixture *f, bool repair, uint64_t bad, uint64_t mended)
{
	struct store_check c;
	int lines = 0;

	ok(f, (repair ? store_repair : store_fsck)(f->st, hear, &lines, NULL, &c, &f->e));
	assert_int_equal(c.bad_pages, bad);
	assert_int_equal(c.mended_pages, mended);
	assert_int_equal(lines, (bad < NAMED ? bad : NAMED) + mended);
	assert_int_equal(c.bad_blocks + c.bad_snapshots + c.others, 0);
}

/* Everything is found again: the same data takes no new block. */
static void check_known(struct fixture *f, const uint8_t *data)
{
	uint64_t before = blocks(f);

	put(f, "g", "again", data, SIZE);
	assert_int_equal(blocks(f), before);
	ok(f, store_delete(f->st, "g", "again", &f->e));
}

static void test_each_page(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = fill(f);
	struct pages *p = find_pages(f);
	unsigned int leaves = 0, done = 0;

	for (size_t i = 0; i < p->count; i++)
		leaves += p->leaf[i];
	/* three levels, or there is nothing between root and leaves */
	assert_in_range(leaves, 64, p->count - 3);
	for (size_t i = 0; i < p->count; i++) {
		/* some of the leaves are enough, the first one among them */
		if (p->leaf[i] && done++ % 16)
			continue;
		shut(f);
		spoil(f, p->number[i]);
		ok(f, store_open(&f->st, f->path, 0, &f->e));
		check(f, false, 1, 0);
		check(f, true, 0, 1);
		check(f, false, 0, 0);
		check_integrity(f);
		assert_int_equal(count_keys(f), SIZE / STORE_BLOCK);
		check_known(f, data);
		expect(f, "g", "all", data, SIZE);
	}
	free(p);
	free(data);
}

/* All leaves at once: their keys come from the packs. */
static void test_all_leaves(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = fill(f);
	struct pages *p = find_pages(f);
	uint64_t leaves = 0;

	shut(f);
	for (size_t i = 0; i < p->count; i++) {
		if (!p->leaf[i])
			continue;
		spoil(f, p->number[i]);
		leaves++;
	}
	ok(f, store_open(&f->st, f->path, 0, &f->e));
	check(f, true, 0, leaves);
	check_integrity(f);
	check_known(f, data);
	/* and deleting finds what it has to delete */
	ok(f, store_delete(f->st, "g", "first", &f->e));
	ok(f, store_delete(f->st, "g", "all", &f->e));
	ok(f, store_gc(f->st, NULL, NULL, &f->e));
	assert_int_equal(blocks(f), 0);
	assert_int_equal(count_keys(f), 0);
	check(f, false, 0, 0);
	check_integrity(f);
	free(p);
	free(data);
}

/*
 * All of it: neither leaves nor what is above them say where they were. Something
 * can be stored all the same, and is known while it is in memory.
 */
static void test_all_pages(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = fill(f), *more = make_noise(SIZE / 2, 19);
	uint64_t stored;
	struct pages *p = find_pages(f);

	shut(f);
	for (size_t i = 0; i < p->count; i++)
		spoil(f, p->number[i]);
	ok(f, store_open(&f->st, f->path, 0, &f->e));
	check(f, true, p->count, 0);
	check(f, false, p->count, 0);
	put(f, "g", "more", more, SIZE / 2);
	stored = blocks(f);
	store_lock(f->st);
	assert_int_equal(store_index_move(f->st, &f->e), -EIO);
	store_unlock(f->st);
	put(f, "g", "again", more, SIZE / 2);
	assert_int_equal(blocks(f), stored);
	reopen(f);
	put(f, "g", "and again", more, SIZE / 2);
	assert_int_equal(blocks(f), stored);
	expect(f, "g", "and again", more, SIZE / 2);
	expect(f, "g", "all", data, SIZE);
	free(more);
	free(p);
	free(data);
}

/* What is damaged elsewhere stays so, and what was opened for reading. */
static void test_others(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = fill(f);
	struct pages *p = find_pages(f);
	struct store_check c;
	struct stat sb;
	int lines = 0;

	shut(f);
	assert_int_equal(stat(f->path, &sb), 0);
	spoil(f, p->number[p->count - 1]);
	ok(f, store_open(&f->st, f->path, STORE_READONLY, &f->e));
	assert_int_equal(store_repair(f->st, hear, &lines, NULL, &c, &f->e), -EROFS);
	check(f, false, 1, 0);
	shut(f);
	/* in a pack */
	spoil(f, (uint64_t)sb.st_size / DB_PAGE / 8);
	ok(f, store_open(&f->st, f->path, 0, &f->e));
	ok(f, store_repair(f->st, hear, &lines, NULL, &c, &f->e));
	assert_int_equal(c.mended_pages, 1);
	assert_int_equal(c.bad_pages, 1);
	assert_int_equal(c.bad_snapshots, 2);
	free(p);
	free(data);
}

/* Others write meanwhile, and what they write is there. */
static void test_writers_go_on(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = fill(f), *more = make_noise(SIZE / 2, 18);
	struct pages *p = find_pages(f);
	struct store_writer *w;

	shut(f);
	spoil(f, p->number[0]);
	spoil(f, p->number[p->count / 2]);
	ok(f, store_open(&f->st, f->path, 0, &f->e));
	ok(f, store_write_begin(f->st, "g", "new", 0, &w, &f->e));
	ok(f, store_append(w, more, SIZE / 4, &f->e));
	check(f, true, 0, 2);
	ok(f, store_append(w, more + SIZE / 4, SIZE / 4, &f->e));
	ok(f, store_commit(w, 0, NULL, 0, &f->e));
	expect(f, "g", "new", more, SIZE / 2);
	check_known(f, data);
	check_integrity(f);
	reopen(f);
	check(f, false, 0, 0);
	expect(f, "g", "new", more, SIZE / 2);
	free(p);
	free(more);
	free(data);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_page), TEST(all_leaves), TEST(all_pages), TEST(others),
		TEST(writers_go_on),
	};

	return cmocka_run_group_tests_name("store-repair", tests, NULL, NULL);
}
