// SPDX-License-Identifier: GPL-2.0-only
/* The page store, through its interface: streams in and out; row D3. */
#include <errno.h>

#include "test_store.h"

static void test_round_trip(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 8192, 262144, 262145,
					3 * MIB + 5, 9 * MIB - 1 };
	struct fixture *f = *state;
	char name[32];

	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			uint8_t *data = make_noise(sizes[i], 100 + i);
			struct store_info info;

			snprintf(name, sizeof(name), "s%zu", sizes[i]);
			if (!again)
				put(f, "web", name, data, sizes[i]);
			ok(f, store_stat(f->st, "web", name, &info, &f->e));
			assert_int_equal(info.size, sizes[i]);
			assert_string_equal(info.name, name);
			assert_string_equal(info.group, "web");
			expect(f, "web", name, data, sizes[i]);
			free(data);
		}
		reopen(f);
	}
}

/* Any cut of the stream into appends, any cut into reads. */
static void test_odd_pieces(void **state)
{
	struct fixture *f = *state;
	size_t len = 2 * MIB + 777, step = 1;
	uint8_t *data = make_noise(len, 7), *buf = malloc(len);
	struct store_writer *w;
	struct store_reader *r;

	memset(data + 100000, 0, 50000);
	ok(f, store_write_begin(f->st, "g", "odd", 0, &w, &f->e));
	for (size_t at = 0; at < len; at += step) {
		step = step * 7 % 30011 + 1;
		if (step > len - at)
			step = len - at;
		ok(f, store_append(w, data + at, step, &f->e));
		assert_int_equal(store_writer_size(w), at + step);
	}
	ok(f, store_commit(w, 0, NULL, 0, &f->e));
	ok(f, store_read_open(f->st, "g", "odd", &r, &f->e));
	for (size_t at = 0; at < len; at += step) {
		step = step * 11 % 50021 + 1;
		if (step > len - at)
			step = len - at;
		assert_int_equal(store_pread(r, buf + at, step, at, &f->e), step);
	}
	assert_memory_equal(buf, data, len);
	assert_int_equal(store_pread(r, buf, 10, len, &f->e), 0);
	assert_int_equal(store_pread(r, buf, 10, len + 5000000, &f->e), 0);
	assert_int_equal(store_pread(r, buf, 10, len - 3, &f->e), 3);
	store_read_close(r);
	free(data);
	free(buf);
}

static void test_dedup(void **state)
{
	struct fixture *f = *state;
	size_t len = 8 * MIB;
	uint8_t *data = make_noise(len, 1);
	struct store_info info;

	put(f, "a", "1", data, len);
	assert_int_equal(blocks(f), len / STORE_BLOCK);
	/* Another group, another stream position, after a reopen: all known. */
	put(f, "b", "1", data, len);
	reopen(f);
	put(f, "b", "2", data + 3 * STORE_BLOCK, len - 3 * STORE_BLOCK);
	assert_int_equal(blocks(f), len / STORE_BLOCK);
	for (int i = 0; i < 20; i++)
		noise(data + (size_t)i * 97 * STORE_BLOCK, 64, 1000 + (uint64_t)i);
	put(f, "a", "2", data, len);
	assert_int_equal(blocks(f), len / STORE_BLOCK + 20);
	ok(f, store_stat(f->st, "a", "2", &info, &f->e));
	assert_int_equal(info.stored, 20 * STORE_BLOCK);
	expect(f, "a", "2", data, len);
	free(data);
}

static void test_dedup_within(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(MIB, 3);

	for (int i = 1; i < 256; i += 2)
		memcpy(data + (size_t)i * STORE_BLOCK, data, STORE_BLOCK);
	put(f, "g", "s", data, MIB);
	assert_int_equal(blocks(f), 128);
	expect(f, "g", "s", data, MIB);
	free(data);
}

static void test_confirm(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(MIB, 4);

	store_close(f->st);
	ok(f, store_open(&f->st, f->path, STORE_CONFIRM, &f->e));
	put(f, "g", "1", data, MIB);
	put(f, "g", "2", data, MIB);
	assert_int_equal(blocks(f), 256);
	expect(f, "g", "2", data, MIB);
	free(data);
}

static void test_zeros(void **state)
{
	struct fixture *f = *state;
	size_t len = 4 * MIB;
	uint8_t *data = calloc(1, len);
	struct store_writer *w;
	struct store_reader *r;
	uint64_t at;

	put(f, "g", "zero", data, len);
	assert_int_equal(blocks(f), 0);
	expect(f, "g", "zero", data, len);

	noise(data + 1000, 100, 5);
	noise(data + len - 5, 5, 6);
	ok(f, store_write_begin(f->st, "g", "holes", 0, &w, &f->e));
	ok(f, store_append_zeros(w, 1000, &f->e));
	ok(f, store_append(w, data + 1000, 100, &f->e));
	ok(f, store_append_zeros(w, len - 1100 - 5, &f->e));
	ok(f, store_append(w, data + len - 5, 5, &f->e));
	ok(f, store_commit(w, 0, NULL, 0, &f->e));
	assert_int_equal(blocks(f), 2);
	expect(f, "g", "holes", data, len);

	ok(f, store_read_open(f->st, "g", "holes", &r, &f->e));
	ok(f, store_seek(r, 10, 1, &at, &f->e));
	assert_int_equal(at, 10);
	ok(f, store_seek(r, 10, 0, &at, &f->e));
	assert_int_equal(at, STORE_BLOCK);
	ok(f, store_seek(r, STORE_BLOCK, 1, &at, &f->e));
	assert_int_equal(at, len - STORE_BLOCK);
	ok(f, store_seek(r, at, 0, &at, &f->e));
	assert_int_equal(at, len);
	assert_int_equal(store_seek(r, len, 1, &at, &f->e), -ENXIO);
	store_read_close(r);

	/* 100 GiB of nothing. */
	ok(f, store_write_begin(f->st, "g", "huge", 0, &w, &f->e));
	ok(f, store_append_zeros(w, 100ULL << 30, &f->e));
	ok(f, store_append(w, "x", 1, &f->e));
	ok(f, store_commit(w, 0, NULL, 0, &f->e));
	ok(f, store_read_open(f->st, "g", "huge", &r, &f->e));
	assert_int_equal(store_pread(r, data, 10, (100ULL << 30) - 2, &f->e), 3);
	assert_memory_equal(data, "\0\0x", 3);
	store_read_close(r);
	free(data);
}

/* Two writers, one name: the first to commit has it, the other may be renamed. */
static void test_same_name(void **state)
{
	struct fixture *f = *state;
	struct store_writer *a, *b, *c;

	ok(f, store_write_begin(f->st, "g", "s", 0, &a, &f->e));
	ok(f, store_write_begin(f->st, "g", "s", 0, &b, &f->e));
	ok(f, store_write_begin(f->st, "g", "s", STORE_REPLACE, &c, &f->e));
	ok(f, store_append(a, "a", 1, &f->e));
	ok(f, store_append(b, "bb", 2, &f->e));
	ok(f, store_append(c, "ccc", 3, &f->e));
	ok(f, store_commit(a, 0, NULL, 0, &f->e));
	assert_int_equal(store_commit(b, 0, NULL, 0, &f->e), -EEXIST);
	assert_int_equal(f->e.err, EEXIST);
	expect(f, "g", "s", "a", 1);
	ok(f, store_writer_rename(b, "g", "t", &f->e));
	ok(f, store_commit(b, 0, NULL, 0, &f->e));
	ok(f, store_commit(c, 0, NULL, 0, &f->e));
	expect(f, "g", "s", "ccc", 3);
	expect(f, "g", "t", "bb", 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(round_trip), TEST(odd_pieces), TEST(dedup), TEST(dedup_within), TEST(confirm),
		TEST(zeros), TEST(same_name),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
