/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page store: named byte streams ("snapshots") in named groups, kept in
 * one SQLite file, cut into blocks of 4 KiB of which each distinct one is
 * stored once and zero ones not at all. It knows nothing of what the streams
 * mean.
 *
 * Conventions
 *   Every function that can fail returns 0 (or a count) or a negative errno,
 *   and fills *e with the same errno and a sentence that names the object; e
 *   may be NULL. Names of groups and snapshots are 1 to STORE_NAME_MAX bytes,
 *   any but '/' and NUL, and not "." or "..": else -EINVAL (-ENAMETOOLONG).
 *   Any function may also fail with -ENOMEM, -EIO (the disk, or a damaged
 *   file), -ENOSPC, -EFBIG or -EDQUOT (no room: what was there before is
 *   intact, and the store works on when there is room again).
 *
 * Threads and processes
 *   Every function may be called from any thread at any time; a writer is used
 *   by one thread at a time, a reader by any number at once. No call holds
 *   a lock while it waits for its caller: a writer that gets its bytes slowly
 *   delays nobody. One process has a store open at a time (a lock file
 *   PATH-lock sees to it), because who reads what is known in memory only. The
 *   store runs threads of its own, to free space, to compress and to write to
 *   the disk: fork (daemonise) before store_open, not after; a forked child must
 *   not touch the store.
 *
 * Crashes
 *   A snapshot appears by one transaction in store_commit, and has reached the
 *   disk when that returns 0. Blocks of a writer that never got so far are
 *   in the file but invisible, and are freed at the next store_open. The
 *   same holds for rename and delete: done and on disk, or not done.
 *
 * Why equal hashes may be taken for equal blocks
 *   A block's key is the sum of two XXH3-128 under two secrets of 192 bytes from
 *   getrandom(2), made with the store, kept in it (mode 0600) and shown to
 *   nobody. A container that chooses its memory sees neither keys nor which
 *   blocks were shared, and to make a pair with one key it must guess 32 bits of
 *   each secret at once, a page for each guess; docs/store.md has the reckoning.
 *   What is in memory anyway is compared byte for byte. With STORE_CONFIRM a
 *   match with the disk is compared as well (two different blocks with one key
 *   are then both stored); it costs reading every known block.
 *
 * Damage
 *   Every page of the file has a checksum. What is read is right, or an error
 *   with -EIO that names what is damaged.
 */
#ifndef STORE_H
#define STORE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STORE_BLOCK 4096
#define STORE_DIGEST 16
#define STORE_NAME_MAX 255
#define STORE_ATTR_KEY_MAX 255
#define STORE_ATTR_VALUE_MAX 65536

struct store;
struct store_writer;
struct store_reader;

struct store_error {
	int err;		/* positive errno, 0: none */
	char text[512];		/* one sentence without a full stop or newline */
};

/* Flags of store_open. */
#define STORE_CREATE 0x1	/* make the file if it is not there */
#define STORE_CONFIRM 0x2	/* compare bytes with the disk where keys match */
#define STORE_READONLY 0x4	/* change nothing: what would fails with -EROFS */

/* Flags of store_write_begin and store_rename. */
#define STORE_REPLACE 0x1	/* an existing snapshot of the name gives way */

/*
 * A group or a snapshot as a directory entry. Inode numbers are drawn from one
 * sequence for both, start at 1, stay with the object (through renames too) and
 * are never given again.
 */
struct store_group {
	uint64_t ino;
	int64_t mtime_ns;	/* since the epoch: last change of its entries */
	uint64_t snapshots;
	char name[STORE_NAME_MAX + 1];
};

struct store_info {
	uint64_t ino;
	uint64_t size;		/* bytes */
	int64_t mtime_ns;	/* since the epoch */
	uint64_t stored;	/* bytes of blocks that no snapshot had before it */
	uint8_t digest[STORE_DIGEST];	/* of all its blocks, under the store's secret */
	char group[STORE_NAME_MAX + 1];
	char name[STORE_NAME_MAX + 1];	/* "": deleted, but still open */
};

struct store_attr {
	const char *key;
	const char *value;
};

struct store_stats {
	uint64_t groups;
	uint64_t snapshots;
	uint64_t logical;	/* bytes: sum of the sizes of the snapshots */
	uint64_t blocks;	/* stored blocks, those not freed yet included */
	uint64_t file;		/* bytes of the file */
	uint64_t unused;	/* bytes of the file that are free for reuse */
};

/*
 * Open the store in the file @path; with STORE_CREATE make it (mode 0600) if it
 * is not there; its directory must be. Frees in the background what a crash left.
 * Errors: -ENOENT (no such directory, or no such file), -EBUSY (another process
 * has it), -EMEDIUMTYPE (not a store, or of a version this library can't
 * read), -EACCES, -EPERM and whatever open(2) gives.
 */
int store_open(struct store **st, const char *path, unsigned int flags,
	       struct store_error *e);

/* Close; no writer or reader may be left. NULL is fine. */
void store_close(struct store *st);

/* ---- groups ---- */

/* Make a group. -EEXIST. */
int store_group_make(struct store *st, const char *group, struct store_error *e);

/* Remove an empty one. -ENOENT, -ENOTEMPTY. */
int store_group_remove(struct store *st, const char *group,
		       struct store_error *e);

/* -ENOENT. */
int store_group_stat(struct store *st, const char *group,
		     struct store_group *out, struct store_error *e);

/* All groups by name, in an array that the caller frees; NULL when none. */
int store_group_list(struct store *st, struct store_group **list, size_t *count,
		     struct store_error *e);

/* ---- snapshots ---- */

/* Look one up. -ENOENT, be it the group or the snapshot. */
int store_stat(struct store *st, const char *group, const char *name,
	       struct store_info *out, struct store_error *e);

/* The same by inode number; finds deleted ones while they are open. -ENOENT. */
int store_stat_ino(struct store *st, uint64_t ino, struct store_info *out,
		   struct store_error *e);

/* The newest (largest mtime, then inode) of a group. -ENOENT: it has none. */
int store_latest(struct store *st, const char *group, struct store_info *out,
		 struct store_error *e);

/*
 * All snapshots of a group by name, in an array that the caller frees; NULL
 * when none. -ENOENT: no such group.
 */
int store_list(struct store *st, const char *group, struct store_info **list,
	       size_t *count, struct store_error *e);

/*
 * Rename, also from one group to another, which must exist. -ENOENT, -EEXIST
 * (the new name is taken and STORE_REPLACE not given).
 */
int store_rename(struct store *st, const char *group, const char *name,
		 const char *to_group, const char *to_name, unsigned int flags,
		 struct store_error *e);

/*
 * Delete. Its name is gone when this returns; blocks that nobody else has are
 * freed in the background, when the last reader that has it open closes.
 * -ENOENT.
 */
int store_delete(struct store *st, const char *group, const char *name,
		 struct store_error *e);

/* Set the time of a snapshot (touch, cp -p). -ENOENT. */
int store_set_mtime(struct store *st, uint64_t ino, int64_t mtime_ns,
		    struct store_error *e);

/* ---- attributes: small strings that travel with a snapshot ---- */

/* Set, or with a NULL value remove. -ENOENT: no such snapshot; -E2BIG. */
int store_attr_set(struct store *st, uint64_t ino, const char *key,
		   const char *value, struct store_error *e);

/* The value, in a string that the caller frees. -ENODATA: no such attribute. */
int store_attr_get(struct store *st, uint64_t ino, const char *key,
		   char **value, struct store_error *e);

/*
 * All of them by key; one allocation that the caller frees, strings included;
 * NULL when none.
 */
int store_attr_list(struct store *st, uint64_t ino, struct store_attr **list,
		    size_t *count, struct store_error *e);

/* ---- writing ---- */

/*
 * Begin a snapshot. Nothing of it can be seen before store_commit. Two writers
 * may have the same name; the one that commits first gets it. -EEXIST (the
 * name is taken and STORE_REPLACE not given).
 */
int store_write_begin(struct store *st, const char *group, const char *name,
		      unsigned int flags, struct store_writer **w,
		      struct store_error *e);

/* The inode number that the snapshot will have. */
uint64_t store_writer_ino(const struct store_writer *w);

/* Bytes appended so far. */
uint64_t store_writer_size(const struct store_writer *w);

/* Give it another name than it began with. */
int store_writer_rename(struct store_writer *w, const char *group,
			const char *name, struct store_error *e);

/*
 * Append @len bytes, any number. After an error every further call on this
 * writer gives the same error, and nothing but store_abort helps.
 */
int store_append(struct store_writer *w, const void *data, size_t len,
		 struct store_error *e);

/* Append @len bytes of zeros (a hole of the source); costs next to nothing. */
int store_append_zeros(struct store_writer *w, uint64_t len,
		       struct store_error *e);

/*
 * Make the snapshot visible, in its group, which is made if it is not there,
 * with @mtime_ns (since the epoch; 0: now) and @count attributes. On success
 * it is on disk and @w is gone. On an error @w is still there (store_abort it;
 * after -EEXIST it may also be renamed and committed again). -EEXIST.
 */
int store_commit(struct store_writer *w, int64_t mtime_ns,
		 const struct store_attr *attrs, size_t count,
		 struct store_error *e);

/* Drop the writer and what it wrote. NULL is fine. */
void store_abort(struct store_writer *w);

/* ---- reading ---- */

/* Open for reading. It stays whole until closed, deleted meanwhile or not. */
int store_read_open(struct store *st, const char *group, const char *name,
		    struct store_reader **r, struct store_error *e);
int store_read_open_ino(struct store *st, uint64_t ino, struct store_reader **r,
			struct store_error *e);

/* What is open, as it is now (its name may have changed). */
int store_reader_info(struct store_reader *r, struct store_info *out,
		      struct store_error *e);

/*
 * Read up to @len bytes at @offset. Returns their number, short only at the
 * end of the snapshot, 0 behind it. Every block is checked against its key:
 * -EIO when it does not match, and no byte is given of the blocks from there on
 * (those before it are returned as a short count first).
 */
ssize_t store_pread(struct store_reader *r, void *buf, size_t len,
		    uint64_t offset, struct store_error *e);

/*
 * The next offset >= @offset that is not in a hole (@data true) or that is in
 * one (@data false; the end counts as a hole), as SEEK_DATA and SEEK_HOLE.
 * -ENXIO: none.
 */
int store_seek(struct store_reader *r, uint64_t offset, int data,
	       uint64_t *out, struct store_error *e);

/* Close. NULL is fine. */
void store_read_close(struct store_reader *r);

/* ---- the whole ---- */

/*
 * Who watches work that takes long. @more is asked again and again, from the
 * caller's thread and without a lock, how far it is: @done of @of things of a kind
 * @what ("pages", "packs", "snapshots"), which begin anew with the next kind. When
 * it returns non-zero the work ends with -ECANCELED. A watch may be NULL.
 */
struct store_watch {
	int (*more)(void *arg, const char *what, uint64_t done, uint64_t of);
	void *arg;
};

/*
 * Free now, and wait for it, what nobody can reach any more, and give the
 * space back to the file system. Happens by itself after store_delete and
 * store_abort, and after store_open. *freed: blocks freed; may be NULL. When all
 * who wait for it have cancelled it, the rest is left to the next time.
 */
int store_gc(struct store *st, const struct store_watch *watch, uint64_t *freed,
	     struct store_error *e);

/* Numbers of the whole store, or with a @group of its snapshots alone
 * (blocks, file and unused are then 0). -ENOENT. */
int store_stats(struct store *st, const char *group, struct store_stats *out,
		struct store_error *e);

/* What the snapshots of a group have and take. */
struct store_usage {
	uint64_t snapshots;
	uint64_t logical;	/* bytes: the sum of their sizes */
	uint64_t stored;	/* bytes that their blocks take in the file, each once */
	char name[STORE_NAME_MAX + 1];
};

/*
 * Every group by name, in an array that the caller frees, and @all together.
 * What groups share counts in each of them, and once in @all. Reads all maps.
 */
int store_usage(struct store *st, const struct store_watch *watch, struct store_usage **list,
		size_t *count, struct store_usage *all, struct store_error *e);

/*
 * Read everything back: every page of the file against its checksum, every
 * block against its key, every snapshot against its digest. Others may use the
 * store meanwhile; what came since it began is not looked at, and nothing is
 * changed.
 *
 * @say gets a line (without a newline) for each thing that is damaged, for
 * each snapshot that this affects, and for the sums at the end. When it returns
 * non-zero the check ends with -ECANCELED.
 *
 * Returns 0 also when there is damage: see @out. Errors mean that the check
 * could not be made.
 */
struct store_check {
	uint64_t pages, bad_pages;		/* of the file */
	uint64_t blocks, bad_blocks;
	uint64_t snapshots, bad_snapshots;
	uint64_t others;			/* damage that is none of these */
	uint64_t mended_pages;			/* that were bad, and are not counted as such */
};

int store_fsck(struct store *st, int (*say)(void *arg, const char *line), void *arg,
	       const struct store_watch *watch, struct store_check *out, struct store_error *e);

/*
 * The same, but pages of the index of keys that are damaged are made again out of
 * what is around them, and the packs; the store must be open for writing. Nothing
 * else is there twice.
 */
int store_repair(struct store *st, int (*say)(void *arg, const char *line), void *arg,
		 const struct store_watch *watch, struct store_check *out, struct store_error *e);

#endif
