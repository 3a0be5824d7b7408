// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys of blocks, sums of pages. This file is compiled twice: for every x86-64, and with
 * STORE_HASH_AVX2 for processors that have it, where it is twice as fast.
 *
 * A key is the sum of two XXH3-128 under secrets that have nothing to do with
 * each other. XXH3 multiplies 32-bit halves; a pair of changes whose effects
 * cancel out for one secret in 2^32 can be had by anybody who knows how it
 * works. It must then do so for both.
 */
#define XXH_INLINE_ALL
#ifdef STORE_HASH_AVX2
#define XXH_VECTOR XXH_AVX2
#define HASH store_hash_avx2
#define SUM store_sum_avx2
#else
#define HASH store_hash_plain
#define SUM store_sum_plain
#endif
#include <string.h>
#include <xxhash.h>

#include "hash.h"

struct key HASH(const uint8_t secret[2][SECRET_SIZE], const void *block)
{
	XXH128_hash_t a = XXH3_128bits_withSecret(block, STORE_BLOCK, secret[0], SECRET_SIZE);
	XXH128_hash_t b = XXH3_128bits_withSecret(block, STORE_BLOCK, secret[1], SECRET_SIZE);

	return (struct key){ .hi = a.high64 + b.high64, .lo = a.low64 + b.low64 };
}

uint64_t SUM(const void *data, size_t len, uint64_t seed)
{
	return XXH3_64bits_withSeed(data, len, seed);
}
