// SPDX-License-Identifier: GPL-2.0-only
/* The page store: a disk that is full; rows D3 and D4. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "test_store.h"

static int quiet(void *arg, const char *line)
{
	(void)arg;
	(void)line;
	return 0;
}

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
	/* whether a write, a sync or a read meets it first is a matter of time */
	for (int again = 0; again < 20; again++) {
		ret = fill(f, data, 90 * MIB);
		assert_true(ret == -EFBIG || ret == -ENOSPC);
		assert_non_null(strstr(f->e.text, f->path));
	}
	expect(f, "g", "keep", data, 2 * MIB);
	assert_int_equal(store_stat(f->st, "g", "big", &info, &f->e), -ENOENT);
	/* One that had nothing in it yet is none the worse; small things fit. */
	ok(f, store_append(other, data, MIB, &f->e));
	ok(f, store_commit(other, 0, NULL, 0, &f->e));
	ok(f, store_gc(f->st, NULL, NULL, &f->e));
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(fill(f, data, 90 * MIB), 0);
	expect(f, "g", "big", data, 90 * MIB);
	expect(f, "g", "other", data, MIB);
	reopen(f);
	expect(f, "g", "big", data, 90 * MIB);
	expect(f, "g", "keep", data, 2 * MIB);
	free(data);
}

/* A real file system that is full, where the machine lets us mount one. */
static void test_no_space(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = make_noise(40 * MIB, 14);
	struct store_check check;
	struct store_info info;

	store_close(f->st);
	f->st = NULL;
	if ((unshare(CLONE_NEWNS) && unshare(CLONE_NEWNS | CLONE_NEWUSER)) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", f->dir, "tmpfs", 0, "size=24m,mode=700")) {
		print_message("skipped: no file system can be mounted here: %s\n", strerror(errno));
		free(data);
		skip();
	}
	ok(f, store_open(&f->st, f->path, STORE_CREATE, &f->e));
	put(f, "g", "keep", data, 12 * MIB);
	for (int again = 0; again < 3; again++) {
		assert_int_equal(fill(f, data + 12 * MIB, 28 * MIB), -ENOSPC);
		assert_non_null(strstr(f->e.text, f->path));
		assert_int_equal(store_stat(f->st, "g", "big", &info, &f->e), -ENOENT);
		expect(f, "g", "keep", data, 12 * MIB);
	}
	ok(f, store_fsck(f->st, quiet, NULL, NULL, &check, &f->e));
	assert_int_equal(check.bad_pages + check.bad_blocks + check.bad_snapshots, 0);
	/* what did not get so far takes no room; with that of another, it is enough */
	put(f, "g", "small", data + 12 * MIB, 4 * MIB);
	ok(f, store_delete(f->st, "g", "keep", &f->e));
	ok(f, store_gc(f->st, NULL, NULL, &f->e));
	put(f, "g", "large", data + 16 * MIB, 14 * MIB);
	reopen(f);
	expect(f, "g", "small", data + 12 * MIB, 4 * MIB);
	expect(f, "g", "large", data + 16 * MIB, 14 * MIB);
	free(data);
	store_close(f->st);
	f->st = NULL;
	assert_int_equal(umount(f->dir), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(no_room), TEST(no_space),
	};

	return cmocka_run_group_tests_name("store-full", tests, NULL, NULL);
}
