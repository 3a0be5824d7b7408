// SPDX-License-Identifier: GPL-2.0-only
/* The page store: many who use it at once; rows D3 and D4. */
#include <errno.h>
#include <pthread.h>

#include "test_store.h"

#define WORKERS 10

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
	struct worker workers[WORKERS];
	size_t len = MIB + 12346;
	uint8_t *data = malloc(len);
	struct store_writer *slow;
	char name[32];

	/* One writer that never comes to an end holds nobody up. */
	ok(f, store_group_make(f->st, "g0", &f->e));
	ok(f, store_write_begin(f->st, "g0", "slow", 0, &slow, &f->e));
	noise(data, len, 77);
	ok(f, store_append(slow, data, len, &f->e));
	for (int i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){ .f = f, .number = i };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work,
						&workers[i]), 0);
	}
	for (int i = 0; i < 3; i++)
		ok(f, store_gc(f->st, NULL, NULL, &f->e));
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].bad, 0);
	}
	ok(f, store_append(slow, data, len, &f->e));
	ok(f, store_commit(slow, 0, NULL, 0, &f->e));
	ok(f, store_gc(f->st, NULL, NULL, &f->e));
	reopen(f);
	for (int t = 0; t < WORKERS; t++)
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(threads),
	};

	return cmocka_run_group_tests_name("store-threads", tests, NULL, NULL);
}
