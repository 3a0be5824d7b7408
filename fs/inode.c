// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "inode.h"

#define FIXED_BIT (1ULL << 63)
#define PLACE_BIT (1ULL << 62)
#define KIND_MASK 31ULL
#define NR_CHAINS 1024

_Static_assert(NR_NODES <= KIND_MASK + 1, "an inode number has room for so many kinds");

struct place {
	struct place *next;
	uint64_t hash;
	uint64_t id;		/* inode number of the directory */
	uint64_t refs;		/* sum of the lookup counts of all its files */
	char name[];
};

/*
 * All places that the kernel knows. Those whose names have one hash are in one
 * chain and have different ids.
 */
static struct place *chains[NR_CHAINS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct place **chain_of(uint64_t id)
{
	/* ids are given out upwards from the hash, which has zeroes there */
	return &chains[(id >> 12) % NR_CHAINS];
}

enum node_kind inode_kind(uint64_t ino)
{
	if (ino == ROOT_INO)
		return NODE_ROOT;
	return ino & (FIXED_BIT | PLACE_BIT) ? (enum node_kind)(ino & KIND_MASK) : NODE_SNAPSHOT;
}

/* 128 numbers for names of one hash: more than anybody can have by accident */
static uint64_t hash_name(const char *name)
{
	return PLACE_BIT | (XXH64(name, strlen(name), 0) & (PLACE_BIT - 1) & ~0xfffULL);
}

static struct place *find_name(uint64_t hash, const char *name)
{
	struct place *p;

	for (p = *chain_of(hash); p; p = p->next)
		if (p->hash == hash && !strcmp(p->name, name))
			return p;
	return NULL;
}

static struct place *find_id(uint64_t id)
{
	struct place *p;

	for (p = *chain_of(id); p; p = p->next)
		if (p->id == id)
			return p;
	return NULL;
}

static struct place *make(uint64_t hash, const char *name)
{
	struct place *p;
	uint64_t id = hash;

	while (find_id(id)) {
		id += KIND_MASK + 1;
		if ((id & 0xfff) == 0)
			return NULL;
	}
	p = malloc(sizeof(*p) + strlen(name) + 1);
	if (!p)
		return NULL;
	p->hash = hash;
	p->id = id;
	p->refs = 0;
	strcpy(p->name, name);
	p->next = *chain_of(hash);
	*chain_of(hash) = p;
	return p;
}

static uint64_t in_place(const char *name, enum node_kind kind, uint64_t refs)
{
	uint64_t hash = hash_name(name), ino = 0;
	struct place *p;

	pthread_mutex_lock(&lock);
	p = find_name(hash, name);
	if (!p && refs)
		p = make(hash, name);
	if (p) {
		p->refs += refs;
		ino = p->id | kind;
	} else if (!refs) {
		ino = hash | kind;	/* the number alone, for a listing */
	}
	pthread_mutex_unlock(&lock);
	return ino;
}

uint64_t inode_of(const char *place, enum node_kind kind, uint64_t refs)
{
	if (place[0])
		return in_place(place, kind, refs);
	return kind == NODE_ROOT ? ROOT_INO : FIXED_BIT | kind;
}

void inode_forget(uint64_t ino, uint64_t refs)
{
	struct place **at, *p;

	if (!(ino & PLACE_BIT))
		return;
	pthread_mutex_lock(&lock);
	p = find_id(ino & ~KIND_MASK);
	if (p) {
		p->refs -= refs < p->refs ? refs : p->refs;
		if (!p->refs) {
			for (at = chain_of(p->id); *at != p; at = &(*at)->next)
				;
			*at = p->next;
			free(p);
		}
	}
	pthread_mutex_unlock(&lock);
}

int inode_place(uint64_t ino, char name[CONTAINER_NAME_MAX + 1])
{
	struct place *p;

	name[0] = '\0';
	if (!(ino & PLACE_BIT))
		return 0;
	pthread_mutex_lock(&lock);
	p = find_id(ino & ~KIND_MASK);
	if (p)
		strcpy(name, p->name);
	pthread_mutex_unlock(&lock);
	return p ? 0 : -ESTALE;
}
