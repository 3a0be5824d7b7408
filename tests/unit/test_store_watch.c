// SPDX-License-Identifier: GPL-2.0-only
/* The page store: work that takes long tells how far it is, and can be cancelled; row D4, U17. */
#include <errno.h>
#include <stdbool.h>

#include "test_store.h"

#define SIZE (20 * MIB)

struct seen {
	unsigned int asked;	/* how often */
	unsigned int stop_at;	/* 0: never */
	unsigned int kinds;	/* of things that were counted, one after another */
	char what[32];
	uint64_t done;
	bool wrong;
};

static int more(void *arg, const char *what, uint64_t done, uint64_t of)
{
	struct seen *s = arg;

	if (strcmp(what, s->what)) {
		snprintf(s->what, sizeof(s->what), "%s", what);
		s->kinds++;
	} else if (done < s->done) {
		s->wrong = true;
	}
	if (of && done > of)
		s->wrong = true;
	s->done = done;
	return ++s->asked == s->stop_at;
}

static int quiet(void *arg, const char *line)
{
	if (strstr(line, "nothing is damaged"))
		*(bool *)arg = true;
	return 0;
}

/* Two snapshots of which half is the same. */
static uint8_t *fill(struct fixture *f)
{
	uint8_t *data = make_noise(SIZE, 5);

	put(f, "g", "a", data, SIZE);
	put(f, "h", "b", data + SIZE / 2, SIZE / 2);
	reopen(f);
	return data;
}

typedef typeof(store_fsck) check_fn;

static void watched_check(struct fixture *f, check_fn *fn)
{
	struct seen all = { 0 }, cut = { 0 };
	struct store_check check;
	bool well = false;

	ok(f, fn(f->st, quiet, &well, &(struct store_watch){ more, &all }, &check, &f->e));
	assert_true(well && !all.wrong);
	/* pages, packs, snapshots */
	assert_int_equal(all.kinds, 3);
	assert_true(all.asked > SIZE / STORE_BLOCK / 64);
	/* in each of them */
	for (unsigned int part = 1; part < 20; part++) {
		cut = (struct seen){ .stop_at = 1 + all.asked * part / 20 };
		well = false;
		assert_int_equal(fn(f->st, quiet, &well, &(struct store_watch){ more, &cut }, &check,
				    &f->e), -ECANCELED);
		assert_false(well);
		assert_int_equal(cut.asked, cut.stop_at);
	}
}

static void test_fsck(void **state)
{
	struct fixture *f = *state;

	free(fill(f));
	watched_check(f, store_fsck);
}

static void test_repair(void **state)
{
	struct fixture *f = *state;

	free(fill(f));
	watched_check(f, store_repair);
}

static void test_usage(void **state)
{
	struct fixture *f = *state;
	struct seen all = { 0 }, cut;
	struct store_usage *list, sum;
	size_t count;

	free(fill(f));
	ok(f, store_usage(f->st, &(struct store_watch){ more, &all }, &list, &count, &sum, &f->e));
	assert_int_equal(count, 2);
	assert_int_equal(sum.logical, SIZE + SIZE / 2);
	assert_true(all.asked >= SIZE / STORE_BLOCK / 64 && !all.wrong);
	free(list);
	cut = (struct seen){ .stop_at = all.asked / 2 };
	assert_int_equal(store_usage(f->st, &(struct store_watch){ more, &cut }, &list, &count, &sum,
				     &f->e), -ECANCELED);
	assert_null(list);
	assert_int_equal(cut.asked, cut.stop_at);
}

static void test_gc(void **state)
{
	struct fixture *f = *state;
	struct seen cut = { .stop_at = 1 }, all = { 0 };
	uint8_t *data = fill(f);
	uint64_t freed;

	ok(f, store_delete(f->st, "g", "a", &f->e));
	assert_int_equal(store_gc(f->st, &(struct store_watch){ more, &cut }, NULL, &f->e), -ECANCELED);
	assert_int_equal(cut.asked, 1);
	/* another who waits gets all of it */
	ok(f, store_gc(f->st, &(struct store_watch){ more, &all }, &freed, &f->e));
	assert_true(all.asked && !all.wrong);
	assert_int_equal(blocks(f), SIZE / 2 / STORE_BLOCK);
	expect(f, "h", "b", data + SIZE / 2, SIZE / 2);
	free(data);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(fsck), TEST(repair), TEST(usage), TEST(gc),
	};

	return cmocka_run_group_tests_name("store-watch", tests, NULL, NULL);
}
