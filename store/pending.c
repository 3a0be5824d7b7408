// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys of blocks that are not in table idx yet: an open hash table, as large as it
 * has to be. index.c says when they move.
 *
 * A block is its distance from the first pack that there can be, in 30 bits: with
 * the whole number, a GiB of blocks would take a fifth more memory.
 */
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

#define EMPTY 0U
/* What a block can be as well: */
#define GONE 0x80000000U	/* freed since */
#define MOVED 0x40000000U	/* in table idx */
#define DISTANCE 0x3fffffffU

/* How many keys slots take: the way to an empty one gets long beyond. */
#define ROOM(slots) ((slots) / 10 * 9)
#define SLOTS_MAX (PENDING_MAX / 9 * 10)
/* Both are in memory for a moment when it grows: rather seldom. */
#define GROWTH 4
#define SLOT_BYTES (sizeof(struct key) + sizeof(uint32_t))

static uint64_t block_of(const struct pending *p, uint32_t value)
{
	return p->base * PACK_SLOTS + (value & DISTANCE) - 1;
}

/* EMPTY: there is no telling it. */
static uint32_t value_of(const struct pending *p, uint64_t block)
{
	uint64_t distance = block - p->base * PACK_SLOTS + 1;

	return distance <= DISTANCE ? (uint32_t)distance : EMPTY;
}

/* Where the key is, or where it would go. */
static size_t slot_of(const struct pending *p, struct key key)
{
	size_t i = (size_t)((key.lo >> 32) * p->slots >> 32);

	while (p->block[i] != EMPTY && !key_equal(p->key[i], key))
		i = i + 1 < p->slots ? i + 1 : 0;
	return i;
}

static void enter(struct pending *p, struct key key, uint32_t value)
{
	size_t i = slot_of(p, key);

	p->count += p->block[i] == EMPTY;
	p->key[i] = key;
	p->block[i] = value;
}

/* A table of that many slots, for packs from @pack on. */
static bool rebuild(struct pending *p, size_t slots, uint64_t pack)
{
	struct pending new = *p;
	uint32_t value;

	/* Not of the heap, which might keep what is given back. */
	new.key = mmap(NULL, slots * SLOT_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (new.key == MAP_FAILED)
		return false;
	new.block = (uint32_t *)(new.key + slots);
	new.slots = slots;
	new.count = 0;
	new.base = pack;
	for (size_t i = 0; i < p->slots; i++) {
		if (p->block[i] == EMPTY)
			continue;
		value = value_of(&new, block_of(p, p->block[i]));
		if (value != EMPTY)
			enter(&new, p->key[i], value | (p->block[i] & ~DISTANCE));
	}
	store_pending_free(p);
	*p = new;
	return true;
}

/* false: no memory */
bool store_pending_init(struct pending *p)
{
	p->stale = true;
	return rebuild(p, PENDING_SMALL, 1);
}

void store_pending_free(struct pending *p)
{
	if (p->key)
		munmap(p->key, p->slots * SLOT_BYTES);
}

/* Nothing is in it, nor will anything be of packs below @pack. */
void store_pending_clear(struct pending *p, uint64_t pack)
{
	memset(p->block, 0, p->slots * sizeof(*p->block));
	p->count = 0;
	p->base = pack;
	p->moving = false;
}

/*
 * Forget what has moved, and give back the memory. All that did not is in packs
 * from @pack on. false: no memory, and the table is of no use but to be cleared.
 */
bool store_pending_drop(struct pending *p, uint64_t pack)
{
	size_t left = 0, slots = PENDING_SMALL;

	for (size_t i = 0; i < p->slots; i++) {
		if (p->block[i] & (GONE | MOVED))
			p->block[i] = EMPTY;
		left += p->block[i] != EMPTY;
	}
	while (ROOM(slots) < left)
		slots *= GROWTH;
	return rebuild(p, slots < SLOTS_MAX ? slots : SLOTS_MAX, pack);
}

/* The caller sees to it that there are no more than PENDING_MAX. false: no memory */
bool store_pending_set(struct pending *p, struct key key, uint64_t block)
{
	uint32_t value = value_of(p, block);
	size_t slots = p->slots * GROWTH;

	/* As far away as 4 TiB, while somebody has been writing his first pack. */
	if (value == EMPTY)
		return true;
	if (p->count >= ROOM(p->slots) &&
	    !rebuild(p, slots < SLOTS_MAX ? slots : SLOTS_MAX, p->base))
		return false;
	enter(p, key, value);
	return true;
}

bool store_pending_get(const struct pending *p, struct key key, uint64_t *block)
{
	uint32_t value = p->block[slot_of(p, key)];

	if (value == EMPTY || value & GONE)
		return false;
	*block = block_of(p, value);
	return true;
}

/* The block is free: if it is what the key leads to, that leads nowhere. */
void store_pending_forget(struct pending *p, struct key key, uint64_t block)
{
	size_t i = slot_of(p, key);

	if (p->block[i] != EMPTY && (p->block[i] & DISTANCE) == value_of(p, block))
		p->block[i] |= GONE;
}

/* What is in a slot, and has not moved; false: nothing. */
bool store_pending_at(const struct pending *p, size_t slot, struct pending_entry *out)
{
	uint32_t value = p->block[slot];

	if (value == EMPTY || value & (GONE | MOVED))
		return false;
	out->key = p->key[slot];
	out->block = block_of(p, value);
	out->slot = slot;
	return true;
}

void store_pending_moved(struct pending *p, const struct pending_entry *entry)
{
	p->block[entry->slot] |= MOVED;
}
