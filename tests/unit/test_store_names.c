// SPDX-License-Identifier: GPL-2.0-only
/* The page store: groups, snapshots and attributes by name; row D4. */
#include <errno.h>
#include <sys/stat.h>

#include "test_store.h"

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
	ok(f, store_gc(f->st, NULL, NULL, &f->e));
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(names), TEST(attributes), TEST(open_errors),
	};

	return cmocka_run_group_tests_name("store-names", tests, NULL, NULL);
}
