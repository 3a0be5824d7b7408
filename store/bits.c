// SPDX-License-Identifier: GPL-2.0-only
/* One bit for each block, a word for each pack, in pieces that exist where a bit is set. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define PIECE_WORDS 1024

/* The word of that pack, made when @make; NULL: there is none, or no memory. */
uint64_t *store_bits_word(struct bits *b, uint64_t pack, bool make)
{
	size_t piece = pack / PIECE_WORDS;

	if (piece >= b->pieces) {
		size_t n = piece + piece / 2 + 16;
		uint64_t **bigger;

		if (!make)
			return NULL;
		bigger = reallocarray(b->piece, n, sizeof(*bigger));
		if (!bigger)
			return NULL;
		memset(bigger + b->pieces, 0, (n - b->pieces) * sizeof(*bigger));
		b->piece = bigger;
		b->pieces = n;
	}
	if (!b->piece[piece] && make)
		b->piece[piece] = calloc(PIECE_WORDS, sizeof(uint64_t));
	return b->piece[piece] ? &b->piece[piece][pack % PIECE_WORDS] : NULL;
}

void store_bits_free(struct bits *b)
{
	for (size_t i = 0; i < b->pieces; i++)
		free(b->piece[i]);
	free(b->piece);
	*b = (struct bits){ 0 };
}
