// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page store: equal blocks are found wherever their keys are; row D3. The store
 * is built for these tests with room for 9,216 keys in memory, and moves 1,024 of
 * them when nobody wrote for a second.
 */
#include <sqlite3.h>
#include <time.h>

#include "test_store.h"
#include "vfs.h"

/* What is more than there is room for in memory, three times. */
#define LONG_STREAM ((size_t)120 * MIB)
#define BLOCKS(len) ((len) / STORE_BLOCK)

/* How many keys are in the table on the disk; the store is closed for that. */
static int64_t on_disk(struct fixture *f)
{
	sqlite3_stmt *s = NULL;
	sqlite3 *db = NULL;
	int64_t n = -1;

	store_close(f->st);
	f->st = NULL;
	assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY, STORE_VFS), 0);
	if (!sqlite3_prepare_v2(db, "SELECT count(*) FROM idx", -1, &s, NULL) &&
	    sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	ok(f, store_open(&f->st, f->path, 0, &f->e));
	return n;
}

static void rest(double seconds)
{
	struct timespec ts = { (time_t)seconds, (long)((seconds - (int)seconds) * 1e9) };

	nanosleep(&ts, NULL);
}

/* A burst that is longer than the memory: part of the keys is on the disk, part is not. */
static void test_long(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(LONG_STREAM, 21);
	int64_t moved;

	put(f, "g", "one", data, LONG_STREAM);
	put(f, "g", "two", data, LONG_STREAM);
	assert_int_equal(blocks(f), BLOCKS(LONG_STREAM));
	moved = on_disk(f);
	assert_in_range(moved, BLOCKS(LONG_STREAM) - 9216, BLOCKS(LONG_STREAM));
	put(f, "g", "three", data, LONG_STREAM);
	assert_int_equal(blocks(f), BLOCKS(LONG_STREAM));
	expect(f, "g", "one", data, LONG_STREAM);
	expect(f, "g", "three", data, LONG_STREAM);
	free(data);
}

/* Blocks in another order are not found by following the packs. */
static void test_shuffled(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(LONG_STREAM, 22), *mixed = malloc(LONG_STREAM);

	for (size_t i = 0; i < BLOCKS(LONG_STREAM); i++)
		memcpy(mixed + i * STORE_BLOCK,
		       data + i * 7919 % BLOCKS(LONG_STREAM) * STORE_BLOCK, STORE_BLOCK);
	put(f, "g", "one", data, LONG_STREAM);
	put(f, "g", "mixed", mixed, LONG_STREAM);
	assert_int_equal(blocks(f), BLOCKS(LONG_STREAM));
	expect(f, "g", "mixed", mixed, LONG_STREAM);
	free(data);
	free(mixed);
}

/* What is only in memory is neither lost nor on the disk when the store is closed. */
static void test_close(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(16 * MIB, 23);

	put(f, "g", "one", data, 16 * MIB);
	assert_int_equal(on_disk(f), 0);
	put(f, "g", "two", data, 16 * MIB);
	assert_int_equal(blocks(f), BLOCKS(16 * MIB));
	free(data);
}

/* When nobody writes, the keys go to the disk; and are found there. */
static void test_rest(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(16 * MIB, 24);

	put(f, "g", "one", data, 16 * MIB);
	rest(3);
	put(f, "g", "two", data, 16 * MIB);
	assert_int_equal(blocks(f), BLOCKS(16 * MIB));
	assert_int_equal(on_disk(f), BLOCKS(16 * MIB));
	put(f, "g", "three", data, 16 * MIB);
	assert_int_equal(blocks(f), BLOCKS(16 * MIB));
	expect(f, "g", "three", data, 16 * MIB);
	free(data);
}

/* A writer whose first pack is not full keeps nobody from moving what is his. */
static void test_slow_writer(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(LONG_STREAM, 25), *slow = make_noise(MIB, 26);
	struct store_writer *w;

	ok(f, store_write_begin(f->st, "g", "slow", 0, &w, &f->e));
	ok(f, store_append(w, slow, 3 * STORE_BLOCK, &f->e));
	put(f, "g", "one", data, LONG_STREAM);
	put(f, "g", "two", data, LONG_STREAM);
	assert_int_equal(blocks(f), BLOCKS(LONG_STREAM));
	rest(3);
	ok(f, store_append(w, slow + 3 * STORE_BLOCK, MIB - 3 * STORE_BLOCK, &f->e));
	ok(f, store_commit(w, 0, NULL, 0, &f->e));
	put(f, "g", "again", slow, MIB);
	assert_int_equal(blocks(f), BLOCKS(LONG_STREAM + MIB));
	reopen(f);
	put(f, "g", "three", data, LONG_STREAM);
	put(f, "g", "four", slow, MIB);
	assert_int_equal(blocks(f), BLOCKS(LONG_STREAM + MIB));
	expect(f, "g", "slow", slow, MIB);
	free(data);
	free(slow);
}

/* Freed blocks are found nowhere: not in memory, not on the disk, not half way. */
static void test_freed(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(LONG_STREAM, 27);

	for (int round = 0; round < 3; round++) {
		put(f, "g", "one", data, LONG_STREAM);
		/* on the way to the disk, there, and in memory again */
		rest(round * 1.05);
		ok(f, store_delete(f->st, "g", "one", &f->e));
		ok(f, store_gc(f->st, NULL, NULL, &f->e));
		assert_int_equal(blocks(f), 0);
		put(f, "g", "two", data, LONG_STREAM);
		assert_int_equal(blocks(f), BLOCKS(LONG_STREAM));
		expect(f, "g", "two", data, LONG_STREAM);
		ok(f, store_delete(f->st, "g", "two", &f->e));
		ok(f, store_gc(f->st, NULL, NULL, &f->e));
		assert_int_equal(on_disk(f), 0);
	}
	free(data);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(long), TEST(shuffled), TEST(close), TEST(rest), TEST(slow_writer), TEST(freed),
	};

	return cmocka_run_group_tests_name("store-index", tests, NULL, NULL);
}
