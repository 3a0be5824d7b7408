// SPDX-License-Identifier: GPL-2.0-only
/* The page store: what is deleted frees its space; row D4. */
#include <errno.h>
#include <sys/stat.h>

#include "test_store.h"

static void test_abort(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(20 * MIB, 8);
	struct store_writer *w;
	struct stat before, after;

	put(f, "g", "keep", data, MIB);
	reopen(f);
	stat(f->path, &before);
	ok(f, store_write_begin(f->st, "g", "gone", 0, &w, &f->e));
	ok(f, store_append(w, data, 20 * MIB, &f->e));
	assert_int_equal(snapshots(f, "g"), 1);
	store_abort(w);
	assert_int_equal(snapshots(f, "g"), 1);
	ok(f, store_gc(f->st, NULL, NULL, &f->e));
	assert_int_equal(blocks(f), 256);
	store_close(f->st);
	f->st = NULL;
	stat(f->path, &after);
	assert_true(after.st_size <= before.st_size + 262144);
	ok(f, store_open(&f->st, f->path, 0, &f->e));
	expect(f, "g", "keep", data, MIB);
	/* What was freed is stored anew, not found in an old index. */
	put(f, "g", "again", data, 20 * MIB);
	expect(f, "g", "again", data, 20 * MIB);
	free(data);
}

static void test_read_deleted(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(5 * MIB, 9);
	struct store_reader *r;
	struct store_info info;

	put(f, "g", "s", data, 5 * MIB);
	ok(f, store_read_open(f->st, "g", "s", &r, &f->e));
	ok(f, store_rename(f->st, "g", "s", "g", "t", 0, &f->e));
	ok(f, store_reader_info(r, &info, &f->e));
	assert_string_equal(info.name, "t");
	ok(f, store_delete(f->st, "g", "t", &f->e));
	ok(f, store_gc(f->st, NULL, NULL, &f->e));
	expect_reader(f, r, data, 5 * MIB);
	ok(f, store_reader_info(r, &info, &f->e));
	assert_string_equal(info.name, "");
	ok(f, store_group_remove(f->st, "g", &f->e));
	store_read_close(r);
	ok(f, store_gc(f->st, NULL, NULL, &f->e));
	assert_int_equal(blocks(f), 0);
	free(data);
}

/* Blocks that others have stay; packs that are mostly dead shrink. */
static void test_delete_shared(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(16 * MIB, 10), *part = malloc(4 * MIB);
	uint64_t freed;

	put(f, "g", "all", data, 16 * MIB);
	for (size_t i = 0; i < 1024; i++)
		memcpy(part + i * STORE_BLOCK, data + i * 4 * STORE_BLOCK, STORE_BLOCK);
	put(f, "g", "part", part, 4 * MIB);
	assert_int_equal(blocks(f), 4096);
	ok(f, store_delete(f->st, "g", "all", &f->e));
	ok(f, store_gc(f->st, NULL, &freed, &f->e));
	assert_int_equal(blocks(f), 1024);
	expect(f, "g", "part", part, 4 * MIB);
	put(f, "g", "all", data, 16 * MIB);
	assert_int_equal(blocks(f), 4096);
	expect(f, "g", "all", data, 16 * MIB);
	reopen(f);
	expect(f, "g", "all", data, 16 * MIB);
	expect(f, "g", "part", part, 4 * MIB);
	free(data);
	free(part);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(abort), TEST(read_deleted), TEST(delete_shared),
	};

	return cmocka_run_group_tests_name("store-gc", tests, NULL, NULL);
}
