// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <unistd.h>

#include "test_store.h"

void ok(struct fixture *f, int ret)
{
	if (ret < 0)
		fail_msg("%s (%s)", f->e.text, strerror(-ret));
}

void reopen(struct fixture *f)
{
	store_close(f->st);
	f->st = NULL;
	ok(f, store_open(&f->st, f->path, 0, &f->e));
}

int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/test-store-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/store.db", f->dir);
	*state = f;
	return store_open(&f->st, f->path, STORE_CREATE, &f->e);
}

int teardown(void **state)
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
void noise(void *buf, size_t len, uint64_t seed)
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

uint8_t *make_noise(size_t len, uint64_t seed)
{
	uint8_t *buf = malloc(len ? len : 1);

	noise(buf, len, seed);
	return buf;
}

void put(struct fixture *f, const char *group, const char *name, const void *data, size_t len)
{
	struct store_writer *w;

	ok(f, store_write_begin(f->st, group, name, 0, &w, &f->e));
	ok(f, store_append(w, data, len, &f->e));
	ok(f, store_commit(w, 0, NULL, 0, &f->e));
}

void expect_reader(struct fixture *f, struct store_reader *r, const void *data, size_t len)
{
	uint8_t *buf = malloc(len + 1);
	ssize_t n = store_pread(r, buf, len + 1, 0, &f->e);

	ok(f, (int)n);
	assert_int_equal(n, len);
	assert_memory_equal(buf, data, len);
	free(buf);
}

void expect(struct fixture *f, const char *group, const char *name, const void *data,
	    size_t len)
{
	struct store_reader *r;

	ok(f, store_read_open(f->st, group, name, &r, &f->e));
	expect_reader(f, r, data, len);
	store_read_close(r);
}

uint64_t blocks(struct fixture *f)
{
	struct store_stats s;

	ok(f, store_stats(f->st, NULL, &s, &f->e));
	return s.blocks;
}

size_t snapshots(struct fixture *f, const char *group)
{
	struct store_info *list;
	size_t n;

	if (store_list(f->st, group, &list, &n, &f->e))
		return 0;
	free(list);
	return n;
}
