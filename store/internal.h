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
 *   pack   up to 64 blocks a row, compressed, behind their keys; see pack.c.
 *          Block number = pack number * 64 + slot.
 *   idx    key -> block number, for deduplication only
 *   map    which blocks a snapshot consists of, MAP_BLOCKS a row
 *   snap, grp, attr   the names
 *   meta   the secrets and a few numbers
 *
 * Functions below that take a struct store want store->lock held, unless they
 * say otherwise.
 */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "hash.h"
#include "store.h"
#include "vfs.h"

#define PACK_SLOTS 64
#define PACK_CHUNK 16		/* blocks that are compressed together */
#define PACK_CHUNKS (PACK_SLOTS / PACK_CHUNK)
#define PACK_HEAD(n) (sizeof(uint64_t) + PACK_CHUNKS * sizeof(uint32_t) + \
		      (size_t)(n) * sizeof(struct key))
#define PACK_MAX (PACK_HEAD(PACK_SLOTS) + (size_t)PACK_SLOTS * STORE_BLOCK)
#define LZ4_STATE 16416
#define MAP_BLOCKS 2048
#ifndef DB_PAGE
#define DB_PAGE 16384
#endif
/* What SQLite has of a page. */
#define DB_USABLE (DB_PAGE - PAGE_SUM)
#define TXN_BYTES (256ULL << 20)

/* Block number 0 stands for a block of zeros; pack 0 is never used. */
#define BLOCK_ZERO 0
#define BLOCK_GONE UINT64_MAX

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
	STMT_IDX_NEXT,
	STMT_IDX_ROOT,
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
	STMT_SNAP_NEXT,
	STMT_SNAP_MOVE,
	STMT_SNAP_ORPHAN,
	STMT_SNAP_DELETE,
	STMT_SNAP_ORPHANS,
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

/* Keys of blocks in packs that are not in table idx yet; see pending.c and index.c. */
struct pending {
	struct key *key;
	uint32_t *block;
	size_t slots, count;
	uint64_t base;		/* number of the first pack that there can be */
	bool stale;		/* a transaction was lost: read it anew from the packs */
	bool moving;
	unsigned int slice;	/* that moves next */
	uint64_t below;		/* the packs whose keys are all in idx after this move */
};

struct pending_entry {
	struct key key;
	uint64_t block;
	size_t slot;
};

/* Keys that there may be, 6.25 MiB of them: blocks of more than a GiB. */
#ifndef PENDING_MAX
#define PENDING_MAX 294912
#endif
/* Slots of a table that is hardly worth moving. */
#ifndef PENDING_SMALL
#define PENDING_SMALL 20480
#endif

/*
 * Which keys may be in table idx: asking SQLite for each new block would take
 * longer than storing it.
 */
struct filter {
	uint64_t *word;
	bool complete;		/* has all of them */
	int64_t next;		/* upper half of the key to go on with, until it is */
};

/* Room to encode or decode a pack: half a megabyte that all take turns with. */
struct scratch {
	struct scratch *next;
	/* what store_pack_fetch() found */
	uint64_t block;			/* the first one */
	unsigned int count;
	unsigned int rank;		/* of the first one among those of the pack */
	unsigned int total;		/* in the pack */
	uint32_t end[PACK_CHUNKS];
	uint32_t from;			/* encoded[] begins with this byte of the blocks' part */
	struct key key[PACK_SLOTS];	/* that they should have */
	uint8_t encoded[PACK_MAX];
	uint8_t chunk[PACK_CHUNK * STORE_BLOCK];
	uint64_t lz4[LZ4_STATE / sizeof(uint64_t)];
};

/* What a page of the file is used for; most of these are the file format's numbers. */
enum page_use {
	PAGE_UNKNOWN = -1,	/* it can't be read */
	PAGE_NONE,
	PAGE_ROOT,
	PAGE_FREE,
	PAGE_OVERFLOW_FIRST,
	PAGE_OVERFLOW,
	PAGE_TREE,		/* of the page that is said to be its parent */
	PAGE_FORMAT,		/* the first one, or of the pointer map */
};

/* The page of the pointer map that was read last. */
struct page_map {
	uint64_t number;	/* 0: none */
	uint8_t page[DB_PAGE];
};

/* A thread of the store's own, that waits for work until it is to stop. */
struct worker {
	pthread_t thread;
	bool running;
	pthread_mutex_t mutex;	/* for what follows, and the work to do */
	pthread_cond_t wake;	/* of the monotonic clock */
	bool stop;
};

/* The thread that compresses and inserts most packs of a busy writer. */
struct packer {
	struct worker worker;	/* its mutex is for what follows, and for flying */
	pthread_cond_t landed;
	struct open_pack *waiting;	/* to be taken; NULL: none */
	bool unmoved;		/* much of the index is in memory */
};

struct writeback {
	struct worker worker;
	uint64_t bytes;		/* since it was asked last; under store->lock */
	bool wanted;
};

#define PIECE_BYTES (256 * 1024)

/* Bytes for one place of the file. */
struct piece {
	struct piece *next;
	off_t at;
	size_t len;
	uint8_t bytes[PIECE_BYTES];
};

struct behind {
	struct worker worker;	/* its mutex is for what follows, but fd */
	pthread_cond_t settled;
	int fd;
	struct piece *free;
	struct piece *first;	/* in the order in which they are written */
	unsigned int made;
	unsigned int given;	/* and neither written nor lost yet */
	int error;		/* errno of what is lost; 0: nothing */
	off_t lost_at;		/* the first byte of the file that it has */
};

struct scratch_pool {
	pthread_mutex_t mutex;
	struct scratch *free;
	unsigned int count;	/* of those */
};

enum gc_phase { GC_IDLE, GC_MARK, GC_SWEEP };

struct bits {
	uint64_t **piece;
	size_t pieces;
};

struct gc {
	struct worker worker;	/* its mutex is for what follows, up to error */
	pthread_cond_t done;
	bool wanted;
	bool unfinished;	/* the last round was cut or failed */
	uint64_t asked;		/* number of the last store_gc() */
	uint64_t answered;
	unsigned int waiting;	/* calls of it */
	bool for_them;		/* the round under way is one that they asked for */
	const char *what;	/* how far it is: see struct store_watch */
	uint64_t at, of;
	uint64_t freed;
	struct store_error error;

	/* Under store->lock. */
	enum gc_phase phase;
	uint64_t epoch;		/* moves when packs may have gone */
	uint64_t limit;		/* first pack that is too new for this round */
	uint64_t last_ino;	/* first snapshot that is */
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
	uint8_t secret[2][SECRET_SIZE];
	hash_fn hash;
	sqlite3_blob *blob;	/* the pack that was read last, to be reopened on the next */
	struct scratch_pool scratch;

	uint64_t next_ino;
	uint64_t saved_ino;	/* what meta has */
	uint64_t blocks;	/* in packs */
	uint64_t saved_blocks;
	uint64_t next_pack;

	bool noted;		/* the file says that the store is in use */
	bool in_txn;
	uint64_t txn;		/* number of the open transaction */
	_Atomic uint64_t txn_bytes;
	uint64_t txn_pack;	/* smallest pack written in it */

	struct list writers;
	struct list readers;
	struct packer packer;
	struct writeback writeback;
	struct behind behind;
	struct pending pending;
	struct filter filter;
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
#define OPEN_PACKS 3		/* one in the making, one that is compressed, one that waits */

/* A pack on its way into the store. */
struct open_pack {
	struct store_writer *writer;
	uint64_t number;	/* 0: there is none */
	unsigned int count;
	struct key key[PACK_SLOTS];
	uint8_t *blocks;	/* room for 64 */
};

/* Of a writer whose packs come faster than they can be compressed. */
struct hurry {
	atomic_int poor;	/* packs to come that are taken to compress poorly */
};

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

	XXH3_state_t *digest;	/* of the keys of all blocks so far */

	/* the first is in the making; of the others the packer has those with numbers */
	struct open_pack pack[OPEN_PACKS];
	struct hurry hurry;
	unsigned int flying;	/* under the packer's mutex: how many it has */
};

/* How a reader goes through the file. */
struct ahead {
	off_t at;		/* the furthest he was */
	off_t asked;		/* up to here the kernel was asked to read */
	unsigned int steps;	/* forward, one after another */
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
	struct ahead ahead;	/* under the mutex */
};

/* The key of a block. Without the lock. */
static inline struct key store_key(const struct store *st, const void *block)
{
	return st->hash(st->secret, block);
}

/* A checksum of something small. Without the lock. */
static inline XXH128_hash_t store_sum(const struct store *st, const void *data, size_t len)
{
	return XXH3_128bits_withSecret(data, len, st->secret[0], SECRET_SIZE);
}

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
void store_txn_grow(struct store *st, uint64_t bytes);
int store_txn_settle(struct store *st, struct store_error *e);	/* without the lock */
int store_op_begin(struct store *st, struct store_error *e);
int store_op_end(struct store *st, int ret, struct store_error *e);

/* pack.c */
struct scratch *store_scratch_get(struct store *st);	/* no lock; NULL: no memory */
void store_scratch_put(struct store *st, struct scratch *s);	/* no lock */
size_t store_pack_encode(struct scratch *s, uint64_t pack, uint64_t mask, const struct key *key,
			 const uint8_t *blocks, struct hurry *hurry);	/* no lock */
int store_pack_insert(struct store *st, uint64_t pack, unsigned int count,
		      const struct scratch *s, size_t len, struct store_error *e);
int store_pack_keys(struct store *st, uint64_t pack, uint64_t *mask,
		    struct key *key, struct store_error *e);
int store_pack_size(struct store *st, uint64_t pack, uint64_t *bytes,
		    unsigned int *count, struct store_error *e);
int store_pack_fetch(struct store *st, uint64_t block, unsigned int count,
		     struct scratch *s, struct store_error *e);
int store_pack_decode(struct store *st, struct scratch *s, uint8_t *buf,
		      struct store_error *e);	/* no lock */
int store_pack_delete(struct store *st, uint64_t pack, uint64_t mask,
		      struct store_error *e);
int store_pack_shrink(struct store *st, uint64_t pack, uint64_t mask,
		      uint64_t keep, struct store_error *e);
void store_pack_close(struct store *st);

/* digest.c; no lock */
XXH3_state_t *store_digest_begin(const struct store *st);	/* NULL: no memory */
void store_digest_add(XXH3_state_t *d, const struct key *key, size_t count);
void store_digest_zeros(XXH3_state_t *d, uint64_t blocks);
void store_digest_get(const XXH3_state_t *d, uint8_t digest[STORE_DIGEST]);
void store_digest_end(XXH3_state_t *d);

/* filter.c */
int store_filter_init(struct store *st, bool empty, struct store_error *e);
void store_filter_free(struct store *st);
void store_filter_add(struct store *st, struct key key);
bool store_filter_may(const struct store *st, struct key key);
int store_filter_fill(struct store *st, struct store_error *e);

/* index.c */
int store_index_get(struct store *st, struct key key, uint64_t *block,
		    struct store_error *e);
int store_index_put(struct store *st, const struct key *key, unsigned int count,
		    uint64_t block, struct store_error *e);
int store_index_delete(struct store *st, struct key key, uint64_t block,
		       struct store_error *e);
int store_index_move(struct store *st, struct store_error *e);
bool store_index_is_large(const struct store *st);
int store_index_enter(struct store *st, struct key key, uint64_t block, struct store_error *e);

/* pending.c */
bool store_pending_init(struct pending *p);
void store_pending_free(struct pending *p);
void store_pending_clear(struct pending *p, uint64_t pack);
bool store_pending_drop(struct pending *p, uint64_t pack);
bool store_pending_set(struct pending *p, struct key key, uint64_t block);
bool store_pending_get(const struct pending *p, struct key key, uint64_t *block);
void store_pending_forget(struct pending *p, struct key key, uint64_t block);
bool store_pending_at(const struct pending *p, size_t slot, struct pending_entry *out);
void store_pending_moved(struct pending *p, const struct pending_entry *entry);

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
int store_dir_next(struct store *st, uint64_t from, struct store_info *out,
		   struct store_error *e);

/* read.c */
bool store_is_open(struct store *st, uint64_t ino);
int store_reader_map(struct store_reader *r, uint64_t first, unsigned int max,
		     uint64_t *block, struct store_error *e);	/* without the lock */

/* ahead.c */
off_t store_ahead_at(struct store *st);
void store_ahead(struct store_reader *r, off_t at);	/* without the lock */

/* worker.c; no lock */
void store_worker_init(struct worker *w);
int store_worker_start(struct store *st, struct worker *w, void *(*fn)(void *),
		       struct store_error *e);
void store_worker_wake(struct worker *w);	/* rather without its mutex: the thread wants it */
void store_worker_stop(struct worker *w);
void store_worker_free(struct worker *w);

/* write.c */
int store_insert_pack(struct open_pack *p, struct scratch *s, size_t len,
		      struct store_error *e);
size_t store_encode_pack(struct scratch *s, const struct open_pack *p, bool hurry);	/* no lock */
int store_writer_fail(struct store_writer *w, const struct store_error *own,
		      struct store_error *e);

/* packer.c; no lock */
int store_packer_start(struct store *st, struct store_error *e);
bool store_packer_give(struct store_writer *w);
void store_packer_wait(struct store_writer *w);
void store_packer_rest(struct store *st);

/* writeback.c */
int store_writeback_start(struct store *st, struct store_error *e);
void store_writeback(struct store *st, uint64_t bytes);
void store_writeback_wait(struct store *st);	/* without the lock */

/* behind.c; no lock, and called by one thread at a time */
void store_behind_init(struct behind *b);
int store_behind_start(struct store *st, struct store_error *e);
void store_behind_free(struct behind *b);
struct piece *store_behind_get(struct behind *b);
void store_behind_give(struct behind *b, struct piece *p);
void store_behind_wait(struct behind *b);
int store_behind_error(struct behind *b, off_t *lost_at);
void store_behind_forgive(struct behind *b);

/* bits.c */
uint64_t *store_bits_word(struct bits *b, uint64_t pack, bool make);
void store_bits_free(struct bits *b);

/* page.c */
uint32_t store_number_at(const uint8_t *p);	/* no lock */
bool store_page_read(struct store *st, uint64_t number, uint8_t *page);
enum page_use store_page_use(struct store *st, struct page_map *m, uint64_t number,
			     uint64_t *parent);

/* mend.c */
struct mend *store_mend_begin(struct store *st);	/* no lock */
bool store_mend_is_index(struct mend *m, uint64_t number);
int store_mend_page(struct mend *m, uint64_t number, struct store_error *e);
int store_mend_keys(struct mend *m, uint64_t *entered, struct store_error *e);	/* without the lock */
void store_mend_end(struct mend *m);	/* no lock */

/* free.c */
void store_tidy_free(struct store *st);

/* stats.c */
int64_t store_number(struct store *st, enum stmt which, struct store_error *e);

/* gc.c */
int store_gc_start(struct store *st, bool now, struct store_error *e);
void store_gc_kick(struct store *st);
bool store_gc_keep(struct store *st, uint64_t block);

/* Ask whoever watches: 0, or -ECANCELED. @watch may be NULL. */
int store_watched(const struct store_watch *watch, const char *what, uint64_t done, uint64_t of,
		  struct store_error *e);

#endif
