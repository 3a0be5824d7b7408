/* SPDX-License-Identifier: GPL-2.0-only */
/* What a block is known by. */
#ifndef STORE_HASH_H
#define STORE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

#define SECRET_SIZE 192

struct key {
	uint64_t hi;
	uint64_t lo;
};

static inline bool key_equal(struct key a, struct key b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

/* The key of STORE_BLOCK bytes under the secrets of a store. */
typedef struct key (*hash_fn)(const uint8_t secret[2][SECRET_SIZE], const void *block);

struct key store_hash_plain(const uint8_t secret[2][SECRET_SIZE], const void *block);
struct key store_hash_avx2(const uint8_t secret[2][SECRET_SIZE], const void *block);

/* XXH3-64 of @len bytes. */
typedef uint64_t (*sum_fn)(const void *data, size_t len, uint64_t seed);

uint64_t store_sum_plain(const void *data, size_t len, uint64_t seed);
uint64_t store_sum_avx2(const void *data, size_t len, uint64_t seed);

static inline bool hash_has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

#endif
