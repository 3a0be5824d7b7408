/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the store share.
 *
 * One SQLite connection does everything, in locking_mode=EXCLUSIVE with
 * a rollback journal: blocks are appended, and appended pages of the file need
 * no journal, so they are written once (a write-ahead log writes them twice).
 * A rollback journal would let readers and the writer shut each other out if
 * they had connections of their own; on one connection they only take turns
 * at store->lock, which nobody holds for longer than a piece of work on a few
 * hundred KiB, or a commit. Reads see the open transaction, which harms nobody,
 * since what is in it is invisible until its snapshot is committed.
 *
 * All writers share the open transaction. It is committed when a snapshot or
 * an operation on names is, or when TXN_BYTES have gathered.
 *
 * Tables
 *   pack   up to 64 blocks a row: a mask of the slots that are there, their
 *          keys, their bytes. Block number = pack number * 64 + slot.
 *   idx    key -> block number, for deduplication only
 *   map    which blocks a snapshot consists of, MAP_BLOCKS a row
 *   snap, grp, attr   the names
 *   meta   the secret and a few numbers
 *
 * Functions below that take a struct store want store->lock held, unless they
 * say otherwise.
 */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "store.h"

#define PACK_SLOTS 64
#define PACK_HEADER(n) (sizeof(uint64_t) + (size_t)(n) * sizeof(struct key))
#define MAP_BLOCKS 2048
#define SECRET_SIZE 192
#define DB_PAGE 16384
#define TXN_BYTES (256ULL << 20)
#define WRITEBACK_BYTES (8ULL << 20)

/* Block number 0 stands for a block of zeros; pack 0 is never used. */
#define BLOCK_ZERO 0

struct key {
	uint64_t hi;
	uint64_t lo;
};

static inline bool key_equal(struct key a, struct key b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

struct list {
	struct list *next, *prev;
};

#define list_entry(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline void list_add(struct list *l, struct list *head)
{
	l->next = head->next;
	l->prev = head;
	head->next->prev = l;
	head->next = l;
}

static inline void list_del(struct list *l)
{
	l->next->prev = l->prev;
	l->prev->next = l->next;
}

/* First come, first served: a busy writer can't shut readers out. */
struct turnstile {
	pthread_mutex_t mutex;
	pthread_cond_t moved;
	uint64_t next;
	uint64_t serving;
};

enum stmt {
	STMT_BEGIN,
	STMT_COMMIT,
	STMT_SAVEPOINT,
	STMT_RELEASE,
	STMT_ROLLBACK_TO,
	STMT_META_GET,
	STMT_META_SET,
	STMT_PACK_INSERT,
	STMT_PACK_UPDATE,
	STMT_PACK_DELETE,
	STMT_PACK_NEXT,
	STMT_PACK_MAX,
	STMT_IDX_GET,
	STMT_IDX_PUT,
	STMT_IDX_DELETE,
	STMT_MAP_INSERT,
	STMT_MAP_GET,
	STMT_MAP_NEXT,
	STMT_MAP_DELETE,
	STMT_GRP_INSERT,
	STMT_GRP_DELETE,
	STMT_GRP_GET,
	STMT_GRP_LIST,
	STMT_GRP_TOUCH,
	STMT_SNAP_INSERT,
	STMT_SNAP_BY_NAME,
	STMT_SNAP_BY_INO,
	STMT_SNAP_LATEST,
	STMT_SNAP_LIST,
	STMT_SNAP_MOVE,
	STMT_SNAP_ORPHAN,
	STMT_SNAP_DELETE,
	STMT_SNAP_PURGE,
	STMT_SNAP_MTIME,
	STMT_ATTR_PUT,
	STMT_ATTR_DELETE,
	STMT_ATTR_DELETE_ALL,
	STMT_ATTR_GET,
	STMT_ATTR_LIST,
	STMT_STATS,
	STMT_STATS_GRP,
	STMT_FREELIST,
	STMT_PAGE_COUNT,
	STMT_COUNT
};

/* Keys of blocks in packs that are not in table idx yet: an open hash table. */
struct pending {
	struct pending_entry {
		struct key key;
		uint64_t block;		/* 0: empty, or taken out again */
		bool used;
	} *entry;
	size_t count;
	bool stale;	/* a transaction was lost: read it anew from the packs */
};

enum gc_phase { GC_IDLE, GC_MARK, GC_SWEEP };

/* One bit a block, in pieces that exist where a bit is set. */
struct bits {
	uint64_t **piece;
	size_t pieces;
};

struct gc {
	pthread_t thread;
	bool running;		/* there is a thread */
	pthread_mutex_t mutex;	/* for what follows, up to error */
	pthread_cond_t wake;
	pthread_cond_t done;
	bool stop;
	bool wanted;
	bool unfinished;	/* the last round was cut or failed */
	uint64_t asked;		/* number of the last store_gc() */
	uint64_t answered;
	uint64_t freed;
	struct store_error error;

	/* Under store->lock. */
	enum gc_phase phase;
	uint64_t epoch;		/* moves when packs may have gone */
	uint64_t limit;		/* first pack that is too new for this round */
	struct bits live;
	bool nomem;
};

struct store {
	struct turnstile lock;
	sqlite3 *db;
	sqlite3_stmt *stmt[STMT_COUNT];
	char *path;
	int lock_fd;
	int sync_fd;
	unsigned int flags;
	uint8_t secret[SECRET_SIZE];

	uint64_t next_ino;
	uint64_t saved_ino;	/* what meta has */
	uint64_t blocks;	/* in packs */
	uint64_t saved_blocks;
	uint64_t next_pack;

	bool in_txn;
	uint64_t txn;		/* number of the open transaction */
	uint64_t txn_bytes;
	uint64_t txn_pack;	/* smallest pack written in it */
	uint64_t writeback;	/* bytes since writeback was last started */

	struct list writers;
	struct list readers;
	struct pending pending;
	struct gc gc;
};

/* Keys of a pack that the stream seems to follow, to save looking up each. */
struct trail {
	uint64_t pack;		/* 0: unused */
	uint64_t epoch;
	uint64_t used;
	unsigned int count;
	unsigned int pos;
	uint8_t slot[PACK_SLOTS];
	struct key key[PACK_SLOTS];
};

#define TRAILS 4

struct store_writer {
	struct store *st;
	struct list list;
	uint64_t ino;
	uint64_t size;
	uint64_t stored;
	unsigned int flags;
	struct store_error error;	/* sticky */
	bool finished;		/* the last block is in; nothing can follow */
	uint64_t txn;		/* transaction that it depends on */
	char *group;
	char *name;

	unsigned int partial_len;
	uint8_t partial[STORE_BLOCK];

	uint64_t map_seq;
	unsigned int map_len;
	uint64_t map[MAP_BLOCKS];

	struct trail trail[TRAILS];
	uint64_t trail_clock;
	uint64_t last_hit;

	/* The pack in the making; its keys end where the blocks begin. */
	uint64_t pack;		/* its number; 0: none */
	unsigned int pack_len;
	struct key pack_key[PACK_SLOTS];
	uint8_t *pack_buf;	/* PACK_HEADER(64) + 64 blocks */
};

struct store_reader {
	struct store *st;
	struct list list;
	uint64_t ino;
	uint64_t size;
	pthread_mutex_t mutex;	/* map cache; taken before store->lock */
	uint64_t map_seq;
	bool map_valid;
	unsigned int map_len;
	uint64_t map[MAP_BLOCKS];
};

/* error.c */
int store_fail(struct store_error *e, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int store_check_name(const char *name, const char *what, struct store_error *e);

/* db.c */
void store_lock(struct store *st);	/* without the lock, of course */
void store_unlock(struct store *st);
int store_sql_error(struct store *st, const char *doing, struct store_error *e);
sqlite3_stmt *store_stmt(struct store *st, enum stmt which);
int store_run(struct store *st, sqlite3_stmt *s, struct store_error *e);
int store_row(struct store *st, sqlite3_stmt *s, struct store_error *e);
void store_bind_name(sqlite3_stmt *s, int i, const char *name);
int store_meta_get(struct store *st, const char *key, void *buf, int len,
		   struct store_error *e);
int store_meta_set(struct store *st, const char *key, const void *buf, int len,
		   struct store_error *e);
int store_txn_begin(struct store *st, struct store_error *e);
int store_txn_commit(struct store *st, struct store_error *e);
int store_txn_grow(struct store *st, uint64_t bytes, struct store_error *e);
int store_op_begin(struct store *st, struct store_error *e);
int store_op_end(struct store *st, int ret, struct store_error *e);

/* pack.c */
struct key store_key(const struct store *st, const void *block);	/* no lock */
int store_pack_insert(struct store *st, uint64_t pack, uint64_t mask,
		      const struct key *key, uint8_t *buf, unsigned int count,
		      struct store_error *e);
int store_pack_keys(struct store *st, uint64_t pack, uint64_t *mask,
		    struct key *key, struct store_error *e);
int store_pack_read(struct store *st, uint64_t block, unsigned int count,
		    struct key *key, uint8_t *buf, struct store_error *e);
int store_pack_delete(struct store *st, uint64_t pack, uint64_t mask,
		      struct store_error *e);
int store_pack_shrink(struct store *st, uint64_t pack, uint64_t mask,
		      uint64_t keep, struct store_error *e);

/* index.c */
int store_index_init(struct store *st, struct store_error *e);
void store_index_free(struct store *st);
int store_index_get(struct store *st, struct key key, uint64_t *block,
		    struct store_error *e);
int store_index_put(struct store *st, struct key key, uint64_t block,
		    struct store_error *e);
int store_index_delete(struct store *st, struct key key, uint64_t block,
		       struct store_error *e);
int store_index_flush(struct store *st, struct store_error *e);

/* map.c */
int store_map_insert(struct store *st, uint64_t ino, uint64_t seq,
		     const uint64_t *block, unsigned int count,
		     struct store_error *e);
int store_map_decode(struct store *st, uint64_t row, const void *data, int len,
		     uint64_t *block, unsigned int *count, struct store_error *e);
int store_map_get(struct store *st, uint64_t ino, uint64_t seq, uint64_t *block,
		  unsigned int *count, struct store_error *e);
uint64_t store_map_row(uint64_t ino, uint64_t seq);	/* no lock */
#define MAP_ROW_INO(row) ((uint64_t)(row) >> 24)

/* dir.c */
int store_dir_find_group(struct store *st, const char *group, uint64_t *ino,
			 struct store_error *e);
int store_dir_add(struct store *st, const struct store_writer *w,
		  int64_t mtime_ns, const struct store_attr *attrs, size_t count,
		  struct store_error *e);
int store_dir_forget(struct store *st, uint64_t ino, struct store_error *e);
int store_dir_stat(struct store *st, const char *group, const char *name,
		   uint64_t ino, struct store_info *out, struct store_error *e);
bool store_is_open(struct store *st, uint64_t ino);

/* gc.c */
int store_gc_start(struct store *st, bool now, struct store_error *e);
void store_gc_stop(struct store *st);	/* without the lock */
void store_gc_kick(struct store *st);
bool store_gc_keep(struct store *st, uint64_t block);

#endif
