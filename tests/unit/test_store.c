// SPDX-License-Identifier: GPL-2.0-only
/* The page store, through its interface; rows D3 and D4. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store.h"

#define MIB (1024 * 1024)

struct fixture {
	char dir[64];
	char path[96];
	struct store *st;
	struct store_error e;
};

static void ok(struct fixture *f, int ret)
{
	if (ret < 0)
		fail_msg("%s (%s)", f->e.text, strerror(-ret));
}

static void reopen(struct fixture *f)
{
	store_close(f->st);
	f->st = NULL;
	ok(f, store_open(&f->st, f->path, 0, &f->e));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/test-store-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/store.db", f->dir);
	*state = f;
	return store_open(&f->st, f->path, STORE_CREATE, &f->e);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char cmd[128];
	int ret;

	store_close(f->st);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", f->dir);
	ret = system(cmd);
	free(f);
	return ret;
}

/* Bytes that look random and depend on @seed alone. */
static void noise(void *buf, size_t len, uint64_t seed)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15ULL + 1;
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++) {
		if (i % 8 == 0) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
		}
		p[i] = (uint8_t)(x >> (i % 8 * 8));
	}
}

static uint8_t *make_noise(size_t len, uint64_t seed)
{
	uint8_t *buf = malloc(len ? len : 1);

	noise(buf, len, seed);
	return buf;
}

static void put(struct fixture *f, const char *group, const char *name,
		const void *data, size_t len)
{
	struct store_writer *w;

	ok(f, store_write_begin(f->st, group, name, 0, &w, &f->e));
	ok(f, store_append(w, data, len, &f->e));
	ok(f, store_commit(w, 0, NULL, 0, &f->e));
}

static void expect_reader(struct fixture *f, struct store_reader *r, const void *data,
			  size_t len)
{
	uint8_t *buf = malloc(len + 1);
	ssize_t n = store_pread(r, buf, len + 1, 0, &f->e);

	ok(f, (int)n);
	assert_int_equal(n, len);
	assert_memory_equal(buf, data, len);
	free(buf);
}

static void expect(struct fixture *f, const char *group, const char *name,
		   const void *data, size_t len)
{
	struct store_reader *r;

	ok(f, store_read_open(f->st, group, name, &r, &f->e));
	expect_reader(f, r, data, len);
	store_read_close(r);
}

static uint64_t blocks(struct fixture *f)
{
	struct store_stats s;

	ok(f, store_stats(f->st, NULL, &s, &f->e));
	return s.blocks;
}

static size_t snapshots(struct fixture *f, const char *group)
{
	struct store_info *list;
	size_t n;

	if (store_list(f->st, group, &list, &n, &f->e))
		return 0;
	free(list);
	return n;
}

/* ---- */

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
	ok(f, store_gc(f->st, NULL, &f->e));
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

static void test_names(void **state)
{
	struct fixture *f = *state;
	struct store_group *groups, g;
	struct store_info info, *list;
	struct store_writer *w;
	char longname[300];
	uint64_t ino;
	size_t n;

	ok(f, store_group_list(f->st, &groups, &n, &f->e));
	assert_int_equal(n, 0);
	free(groups);
	ok(f, store_group_make(f->st, "b", &f->e));
	assert_int_equal(store_group_make(f->st, "b", &f->e), -EEXIST);
	ok(f, store_group_make(f->st, "a\xff\n'\"%", &f->e));
	assert_int_equal(store_group_make(f->st, "", &f->e), -EINVAL);
	assert_int_equal(store_group_make(f->st, "..", &f->e), -EINVAL);
	assert_int_equal(store_group_make(f->st, "a/b", &f->e), -EINVAL);
	memset(longname, 'x', sizeof(longname));
	longname[256] = '\0';
	assert_int_equal(store_group_make(f->st, longname, &f->e), -ENAMETOOLONG);
	longname[255] = '\0';
	ok(f, store_group_make(f->st, longname, &f->e));
	reopen(f);
	ok(f, store_group_list(f->st, &groups, &n, &f->e));
	assert_int_equal(n, 3);
	assert_string_equal(groups[0].name, "a\xff\n'\"%");
	assert_string_equal(groups[1].name, "b");
	free(groups);

	put(f, "b", "one", "1", 1);
	put(f, "b", "two", "22", 2);
	assert_int_equal(store_write_begin(f->st, "b", "one", 0, &w, &f->e), -EEXIST);
	assert_int_equal(store_group_remove(f->st, "b", &f->e), -ENOTEMPTY);
	ok(f, store_stat(f->st, "b", "one", &info, &f->e));
	ino = info.ino;
	ok(f, store_set_mtime(f->st, ino, 1234567890123456789, &f->e));
	ok(f, store_latest(f->st, "b", &info, &f->e));
	assert_string_equal(info.name, "two");
	ok(f, store_rename(f->st, "b", "one", "b", "uno", 0, &f->e));
	assert_int_equal(store_stat(f->st, "b", "one", &info, &f->e), -ENOENT);
	assert_int_equal(store_rename(f->st, "b", "uno", "b", "two", 0, &f->e), -EEXIST);
	assert_int_equal(store_rename(f->st, "b", "uno", "zz", "uno", 0, &f->e), -ENOENT);
	ok(f, store_rename(f->st, "b", "uno", longname, "eins", 0, &f->e));
	ok(f, store_rename(f->st, "b", "two", longname, "eins", STORE_REPLACE, &f->e));
	expect(f, longname, "eins", "22", 2);
	assert_int_equal(store_stat_ino(f->st, ino, &info, &f->e), -ENOENT);
	assert_int_equal(store_latest(f->st, "b", &info, &f->e), -ENOENT);
	ok(f, store_group_remove(f->st, "b", &f->e));
	assert_int_equal(store_group_stat(f->st, "b", &g, &f->e), -ENOENT);
	assert_int_equal(store_list(f->st, "b", &list, &n, &f->e), -ENOENT);
	reopen(f);
	ok(f, store_list(f->st, longname, &list, &n, &f->e));
	assert_int_equal(n, 1);
	assert_string_equal(list[0].name, "eins");
	free(list);
	ok(f, store_delete(f->st, longname, "eins", &f->e));
	assert_int_equal(store_delete(f->st, longname, "eins", &f->e), -ENOENT);
	ok(f, store_group_remove(f->st, longname, &f->e));
	ok(f, store_gc(f->st, NULL, &f->e));
	assert_int_equal(blocks(f), 0);
}

static void test_attributes(void **state)
{
	static const struct store_attr attrs[] = {
		{ "pause-us", "2400" }, { "kernel", "6.1.0" }, { "empty", "" },
	};
	struct fixture *f = *state;
	struct store_writer *w;
	struct store_attr *list;
	struct store_info info;
	uint64_t ino;
	char *value;
	size_t n;

	ok(f, store_write_begin(f->st, "g", "s", 0, &w, &f->e));
	ino = store_writer_ino(w);
	ok(f, store_append(w, "abc", 3, &f->e));
	ok(f, store_commit(w, 1700000000000000001, attrs, 3, &f->e));
	reopen(f);
	ok(f, store_stat_ino(f->st, ino, &info, &f->e));
	assert_int_equal(info.mtime_ns, 1700000000000000001);
	ok(f, store_attr_list(f->st, ino, &list, &n, &f->e));
	assert_int_equal(n, 3);
	assert_string_equal(list[0].key, "empty");
	assert_string_equal(list[0].value, "");
	assert_string_equal(list[2].key, "pause-us");
	assert_string_equal(list[2].value, "2400");
	free(list);
	ok(f, store_attr_set(f->st, ino, "note", "x", &f->e));
	ok(f, store_attr_set(f->st, ino, "kernel", NULL, &f->e));
	assert_int_equal(store_attr_get(f->st, ino, "kernel", &value, &f->e), -ENODATA);
	ok(f, store_attr_get(f->st, ino, "note", &value, &f->e));
	assert_string_equal(value, "x");
	free(value);
	assert_int_equal(store_attr_set(f->st, 999, "a", "b", &f->e), -ENOENT);
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
	ok(f, store_gc(f->st, NULL, &f->e));
	expect_reader(f, r, data, 5 * MIB);
	ok(f, store_reader_info(r, &info, &f->e));
	assert_string_equal(info.name, "");
	ok(f, store_group_remove(f->st, "g", &f->e));
	store_read_close(r);
	ok(f, store_gc(f->st, NULL, &f->e));
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
	ok(f, store_gc(f->st, &freed, &f->e));
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

static void test_open_errors(void **state)
{
	struct fixture *f = *state;
	struct store *other = NULL;
	char path[128];
	struct stat sb;
	FILE *file;

	assert_int_equal(stat(f->path, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	assert_int_equal(store_open(&other, f->path, STORE_CREATE, &f->e), -EBUSY);
	snprintf(path, sizeof(path), "%s/none/store.db", f->dir);
	assert_int_equal(store_open(&other, path, STORE_CREATE, &f->e), -ENOENT);
	assert_non_null(strstr(f->e.text, path));
	snprintf(path, sizeof(path), "%s/other.db", f->dir);
	assert_int_equal(store_open(&other, path, 0, &f->e), -ENOENT);
	file = fopen(path, "w");
	for (int i = 0; i < 1000; i++)
		fputs("this is no database, and never was one\n", file);
	fclose(file);
	assert_int_equal(store_open(&other, path, STORE_CREATE, &f->e), -EMEDIUMTYPE);
}

/* ---- crashes ---- */

/* Write until killed; what was committed is told through the pipe. */
static void victim(const char *path, int out, uint64_t seed)
{
	uint8_t *data = make_noise(6 * MIB, seed);
	struct store_writer *w;
	struct store *st;
	char name[32];

	if (store_open(&st, path, 0, NULL))
		_exit(1);
	for (uint64_t i = 0;; i++) {
		noise(data + i % 6 * MIB, MIB, seed + i);
		snprintf(name, sizeof(name), "%llu-%llu", (unsigned long long)seed,
			 (unsigned long long)i);
		if (store_write_begin(st, "crash", name, 0, &w, NULL))
			_exit(2);
		for (size_t at = 0; at < 6 * MIB; at += MIB / 2)
			if (store_append(w, data + at, MIB / 2, NULL))
				_exit(3);
		if (store_commit(w, 0, NULL, 0, NULL) || write(out, "x", 1) != 1)
			_exit(4);
		if (i > 2 && store_delete(st, "crash", name, NULL))
			_exit(5);
	}
}

static void check_crashed(struct fixture *f, uint64_t seed, size_t told)
{
	uint8_t *data = make_noise(6 * MIB, seed);
	struct store_info info;
	char name[32];

	for (uint64_t i = 0; i < 3; i++) {
		int ret;

		noise(data + i % 6 * MIB, MIB, seed + i);
		snprintf(name, sizeof(name), "%llu-%llu", (unsigned long long)seed,
			 (unsigned long long)i);
		ret = store_stat(f->st, "crash", name, &info, &f->e);
		if (i < told || !ret)
			expect(f, "crash", name, data, 6 * MIB);
		if (!ret)
			ok(f, store_delete(f->st, "crash", name, &f->e));
	}
	free(data);
}

static void test_kill(void **state)
{
	struct fixture *f = *state;
	uint8_t *keep = make_noise(3 * MIB, 11);

	put(f, "g", "keep", keep, 3 * MIB);
	for (uint64_t seed = 1000; seed < 20000; seed += 1000) {
		struct timespec delay = { 0, (long)(seed * 7919 % 211) * 1000000 };
		struct store_info *list;
		size_t told = 0, n;
		int fds[2], status;
		char buf[256];
		pid_t pid;
		ssize_t got;

		store_close(f->st);
		f->st = NULL;
		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (!pid)
			victim(f->path, fds[1], seed);
		close(fds[1]);
		nanosleep(&delay, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		while ((got = read(fds[0], buf, sizeof(buf))) > 0)
			told += (size_t)got;
		close(fds[0]);

		ok(f, store_open(&f->st, f->path, 0, &f->e));
		check_crashed(f, seed, told);
		/* A last one may have been committed and not told or deleted. */
		if (!store_list(f->st, "crash", &list, &n, &f->e)) {
			assert_true(n <= 1);
			for (size_t i = 0; i < n; i++)
				ok(f, store_delete(f->st, "crash", list[i].name, &f->e));
			free(list);
		}
		expect(f, "g", "keep", keep, 3 * MIB);
		ok(f, store_gc(f->st, NULL, &f->e));
		assert_int_equal(blocks(f), 3 * MIB / STORE_BLOCK);
	}
	free(keep);
}

/* ---- many at once ---- */

struct worker {
	struct fixture *f;
	pthread_t thread;
	int number;
	int bad;
};

static int one_snapshot(struct worker *t, int i, uint8_t *data, uint8_t *buf, size_t len)
{
	struct store *st = t->f->st;
	struct store_writer *w;
	struct store_reader *r;
	char group[32], name[32];
	ssize_t n;

	snprintf(group, sizeof(group), "g%d", t->number % 2);
	snprintf(name, sizeof(name), "%d-%d", t->number, i);
	/* Half of it is what all the others have as well. */
	noise(data, len / 2, (uint64_t)i % 3);
	noise(data + len / 2, len / 2, (uint64_t)(t->number * 100 + i));
	if (store_write_begin(st, group, name, 0, &w, NULL))
		return 1;
	for (size_t at = 0; at < len; at += 50000)
		if (store_append(w, data + at, len - at < 50000 ? len - at : 50000, NULL))
			return 2;
	if (i % 4 == 3) {
		store_abort(w);
		return 0;
	}
	if (store_commit(w, 0, NULL, 0, NULL) ||
	    store_read_open(st, group, name, &r, NULL))
		return 3;
	if (i % 3 == 0 && store_delete(st, group, name, NULL))
		return 4;
	n = store_pread(r, buf, len, 0, NULL);
	store_read_close(r);
	if (n != (ssize_t)len || memcmp(buf, data, len))
		return 5;
	if (i % 3 == 1 && store_rename(st, group, name, "g0", name, 0, NULL))
		return 6;
	return 0;
}

static void *work(void *arg)
{
	struct worker *t = arg;
	size_t len = MIB + 12346;
	uint8_t *data = malloc(len), *buf = malloc(len);

	for (int i = 0; i < 12 && !t->bad; i++)
		t->bad = one_snapshot(t, i, data, buf, len);
	free(data);
	free(buf);
	return NULL;
}

static void test_threads(void **state)
{
	struct fixture *f = *state;
	struct worker workers[8];
	size_t len = MIB + 12346;
	uint8_t *data = malloc(len);
	struct store_writer *slow;
	char name[32];

	/* One writer that never comes to an end holds nobody up. */
	ok(f, store_group_make(f->st, "g0", &f->e));
	ok(f, store_write_begin(f->st, "g0", "slow", 0, &slow, &f->e));
	noise(data, len, 77);
	ok(f, store_append(slow, data, len, &f->e));
	for (int i = 0; i < 8; i++) {
		workers[i] = (struct worker){ .f = f, .number = i };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work,
						&workers[i]), 0);
	}
	for (int i = 0; i < 3; i++)
		ok(f, store_gc(f->st, NULL, &f->e));
	for (int i = 0; i < 8; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].bad, 0);
	}
	ok(f, store_append(slow, data, len, &f->e));
	ok(f, store_commit(slow, 0, NULL, 0, &f->e));
	ok(f, store_gc(f->st, NULL, &f->e));
	reopen(f);
	for (int t = 0; t < 8; t++)
		for (int i = 0; i < 12; i++) {
			if (i % 4 == 3 || i % 3 == 0)
				continue;
			noise(data, len / 2, (uint64_t)i % 3);
			noise(data + len / 2, len / 2, (uint64_t)(t * 100 + i));
			snprintf(name, sizeof(name), "%d-%d", t, i);
			expect(f, i % 3 == 1 || t % 2 == 0 ? "g0" : "g1", name, data, len);
		}
	free(data);
}

/* ---- damage ---- */

static void flip(struct fixture *f, const char *sql)
{
	sqlite3 *db;
	char *message = NULL;

	store_close(f->st);
	f->st = NULL;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
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

static void test_bit_flips(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(MIB, 12), *buf = malloc(MIB);
	static const char *const flips[] = {
		FLIP("pack", 100000), FLIP("pack", 500), FLIP("pack", 3),
		FLIP("map", 3), FLIP("map", 17),
		"UPDATE snap SET size = size + 1 WHERE name = CAST('s' AS BLOB)",
		"UPDATE pack SET id = 9999 WHERE id = (SELECT min(id) FROM pack)",
	};

	for (size_t i = 0; i < sizeof(flips) / sizeof(*flips); i++) {
		struct store_reader *r;
		ssize_t n;

		noise(data, MIB, 500 + i);
		put(f, "g", "s", data, MIB);
		flip(f, flips[i]);
		n = store_read_open(f->st, "g", "s", &r, &f->e);
		if (!n) {
			size_t at = 0;

			while ((n = store_pread(r, buf + at, MIB - at, at, &f->e)) > 0)
				at += (size_t)n;
			assert_memory_equal(buf, data, at);
			assert_true(at < MIB);
			store_read_close(r);
		}
		assert_int_equal(n, -EIO);
		assert_non_null(strstr(f->e.text, "g/s"));
		store_close(f->st);
		f->st = NULL;
		assert_int_equal(unlink(f->path), 0);
		ok(f, store_open(&f->st, f->path, STORE_CREATE, &f->e));
	}
	free(data);
	free(buf);
}

/* ---- no room ---- */

static int fill(struct fixture *f, const uint8_t *data, size_t len)
{
	struct store_writer *w;
	int ret;

	ok(f, store_write_begin(f->st, "g", "big", 0, &w, &f->e));
	ret = store_append(w, data, len, &f->e);
	if (!ret)
		ret = store_commit(w, 0, NULL, 0, &f->e);
	if (ret) {
		assert_int_equal(store_append(w, data, STORE_BLOCK, NULL), ret);
		store_abort(w);
	}
	return ret;
}

static void test_no_room(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(90 * MIB, 13);
	struct rlimit old, small = { 8 * MIB, RLIM_INFINITY };
	struct store_writer *other;
	struct store_info info;
	int ret;

	put(f, "g", "keep", data, 2 * MIB);
	ok(f, store_write_begin(f->st, "g", "other", 0, &other, &f->e));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	ret = fill(f, data, 90 * MIB);
	assert_true(ret == -EFBIG || ret == -ENOSPC);
	assert_non_null(strstr(f->e.text, f->path));
	expect(f, "g", "keep", data, 2 * MIB);
	assert_int_equal(store_stat(f->st, "g", "big", &info, &f->e), -ENOENT);
	/* One that had nothing in it yet is none the worse; small things fit. */
	ok(f, store_append(other, data, MIB, &f->e));
	ok(f, store_commit(other, 0, NULL, 0, &f->e));
	ok(f, store_gc(f->st, NULL, &f->e));
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(fill(f, data, 90 * MIB), 0);
	expect(f, "g", "big", data, 90 * MIB);
	expect(f, "g", "other", data, MIB);
	reopen(f);
	expect(f, "g", "big", data, 90 * MIB);
	expect(f, "g", "keep", data, 2 * MIB);
	free(data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(round_trip), TEST(odd_pieces), TEST(dedup), TEST(dedup_within),
		TEST(confirm), TEST(zeros), TEST(abort), TEST(names), TEST(attributes),
		TEST(same_name), TEST(read_deleted), TEST(delete_shared),
		TEST(open_errors), TEST(kill), TEST(threads), TEST(bit_flips),
		TEST(no_room),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
