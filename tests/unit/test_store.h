/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the store share: a store in a directory of its own. */
#ifndef TEST_STORE_H
#define TEST_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store.h"

#define MIB (1024 * 1024)

struct fixture {
	char dir[64];
	char path[96];
	struct store *st;
	struct store_error e;
};

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int setup(void **state);
int teardown(void **state);

/* Fail with the store's sentence when @ret is an error. */
void ok(struct fixture *f, int ret);

void reopen(struct fixture *f);

/* Bytes that look random and depend on @seed alone; make_noise: to be freed. */
void noise(void *buf, size_t len, uint64_t seed);
uint8_t *make_noise(size_t len, uint64_t seed);

/* Store a snapshot, in one piece. */
void put(struct fixture *f, const char *group, const char *name, const void *data, size_t len);

/* It is there, and these are its bytes. */
void expect(struct fixture *f, const char *group, const char *name, const void *data,
	    size_t len);
void expect_reader(struct fixture *f, struct store_reader *r, const void *data, size_t len);

uint64_t blocks(struct fixture *f);	/* stored ones */
size_t snapshots(struct fixture *f, const char *group);

#endif
