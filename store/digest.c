// SPDX-License-Identifier: GPL-2.0-only
/*
 * The digest of a snapshot: XXH3-128, under the store's secret, of the keys of
 * its blocks from the first to the last, that of a block of zeros being zero. It
 * does not depend on where blocks lie or what packs and maps say of them.
 */
#include <string.h>

#include "internal.h"

XXH3_state_t *store_digest_begin(const struct store *st)
{
	XXH3_state_t *d = XXH3_createState();

	if (d)
		XXH3_128bits_reset_withSecret(d, st->secret[0], SECRET_SIZE);
	return d;
}

void store_digest_add(XXH3_state_t *d, const struct key *key, size_t count)
{
	XXH3_128bits_update(d, key, count * sizeof(*key));
}

void store_digest_zeros(XXH3_state_t *d, uint64_t blocks)
{
	static const struct key zeros[256];
	const uint64_t max = sizeof(zeros) / sizeof(*zeros);

	for (; blocks > max; blocks -= max)
		store_digest_add(d, zeros, max);
	store_digest_add(d, zeros, (size_t)blocks);
}

void store_digest_get(const XXH3_state_t *d, uint8_t digest[STORE_DIGEST])
{
	XXH128_canonical_t c;

	XXH128_canonicalFromHash(&c, XXH3_128bits_digest(d));
	memcpy(digest, &c, STORE_DIGEST);
}

void store_digest_end(XXH3_state_t *d)
{
	XXH3_freeState(d);
}
