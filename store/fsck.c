// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checking a store. Three passes: the pages of the file, whatever is in them;
 * the blocks of all packs; the snapshots, for which only maps and keys have to
 * be read again, since the second pass has said which blocks are good. What can
 * be mended (mend.c) is, in the first pass, when that was asked for.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

#define SLICE_PAGES 32
#define TOLD_PAGES 32		/* damaged pages that are named one by one */
#define KEY_CACHE 16

struct fsck {
	struct store *st;
	int (*say)(void *arg, const char *line);
	void *arg;
	const struct store_watch *watch;
	struct store_check *out;
	bool repair;
	bool stopped;
	struct mend *mend;
	uint64_t limit;		/* first pack that is too new */
	uint64_t last;		/* the newest snapshot that there was when it began */
	struct bits seen;	/* packs that were looked at */
	struct bits good;	/* blocks that are there and right */
	uint8_t *pages;		/* SLICE_PAGES of the file, or the blocks of a pack */
	struct scratch *scratch;
	struct pack_keys {
		uint64_t pack;	/* 0: none */
		uint64_t mask;
		struct key key[PACK_SLOTS];
	} cache[KEY_CACHE];
};

/* Say a line; 0, or -ECANCELED when nobody listens any more. */
__attribute__((format(printf, 2, 3)))
static int say(struct fsck *f, const char *fmt, ...)
{
	char line[2 * STORE_NAME_MAX + 512];
	va_list ap;

	if (!f->stopped) {
		va_start(ap, fmt);
		vsnprintf(line, sizeof(line), fmt, ap);
		va_end(ap);
		f->stopped = f->say(f->arg, line);
	}
	return f->stopped ? -ECANCELED : 0;
}

/* The same after asking whoever watches. */
static int go_on(struct fsck *f, const char *what, uint64_t done, uint64_t of)
{
	if (!f->stopped)
		f->stopped = store_watched(f->watch, what, done, of, NULL);
	return f->stopped ? -ECANCELED : 0;
}

/* ---- pages ---- */

/* Some pages from @number on: how many there were. The lock keeps writers out. */
static int read_pages(struct fsck *f, uint64_t number, struct store_error *e)
{
	ssize_t n;

	store_lock(f->st);
	sqlite3_file_control(f->st->db, "main", STORE_FCNTL_WRITE, NULL);
	n = pread(f->st->sync_fd, f->pages, (size_t)SLICE_PAGES * DB_PAGE,
		  (off_t)((number - 1) * DB_PAGE));
	store_unlock(f->st);
	if (n < 0)
		return store_fail(e, errno, "page %" PRIu64 " of the file of the store %s can't be "
				  "read: %s", number, f->st->path, strerror(errno));
	return (int)(n / DB_PAGE);
}

static int check_page(struct fsck *f, const uint8_t *page, uint64_t number,
		      struct store_error *e)
{
	int mended = 0;
	bool index;

	f->out->pages++;
	if (store_page_good(page, number))
		return 0;
	store_lock(f->st);
	index = store_mend_is_index(f->mend, number);
	if (index && f->repair)
		mended = store_mend_page(f->mend, number, e);
	store_unlock(f->st);
	if (mended < 0)
		return mended;
	if (mended) {
		f->out->mended_pages++;
		return say(f, "mended: page %" PRIu64 " of the file, in the index of keys", number);
	}
	if (f->out->bad_pages++ >= TOLD_PAGES)
		return 0;
	return say(f, "damaged: page %" PRIu64 " of the file%s", number,
		   !index ? "" : f->repair ? ", in the index of keys; what it has to be mended with "
		   "is damaged, too" : ", in the index of keys, which ckpt fsck --repair mends");
}

/* What can be found again of the pages that were mended. */
static int enter_keys(struct fsck *f, struct store_error *e)
{
	uint64_t entered;
	int ret = store_mend_keys(f->mend, &entered, e);

	if (!ret && entered)
		say(f, "mended: %" PRIu64 " keys are in the index again", entered);
	return ret;
}

static int check_pages(struct fsck *f, struct store_error *e)
{
	uint64_t number = 1, of = 0;
	struct stat file;
	int n, ret = 0;

	if (!fstat(f->st->sync_fd, &file))
		of = (uint64_t)file.st_size / DB_PAGE;
	while (!(n = go_on(f, "pages", number - 1, of)) && (n = read_pages(f, number, e)) > 0) {
		for (int i = 0; i < n; i++) {
			ret = check_page(f, f->pages + (size_t)i * DB_PAGE,
					 number + (uint64_t)i, e);
			if (ret)
				return ret;
		}
		number += (uint64_t)n;
	}
	if (f->out->bad_pages > TOLD_PAGES)
		say(f, "damaged: %" PRIu64 " more pages of the file",
		    f->out->bad_pages - TOLD_PAGES);
	/* what was mended is entered also when no more is wanted */
	if (!n || n == -ECANCELED)
		ret = enter_keys(f, e);
	return n ? n : ret;
}

/* ---- blocks ---- */

/* The next pack from @pack on: 1, no more 0; an error: a page is damaged. */
static int next_pack(struct fsck *f, uint64_t *pack, struct store_error *e)
{
	struct store *st = f->st;
	sqlite3_stmt *s = store_stmt(st, STMT_PACK_NEXT);
	int ret;

	if (s)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)*pack);
	ret = store_row(st, s, e);
	if (ret <= 0)
		return ret;
	*pack = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return *pack < f->limit;
}

/* The good ones of @count blocks that were fetched, as bits from the lowest. */
static uint64_t good_blocks(struct fsck *f, unsigned int count)
{
	struct scratch *s = f->scratch;
	uint64_t good = 0;
	unsigned int at = 0;

	while (at < count) {
		int n = store_pack_decode(f->st, s, f->pages, NULL);

		n = n > 0 ? n : 0;
		if (n)
			good |= (n == 64 ? UINT64_MAX : (1ULL << n) - 1) << at;
		at += (unsigned int)n + 1;
		if (at >= count)
			break;
		/* behind the one that is damaged */
		s->block += (unsigned int)n + 1;
		s->rank += (unsigned int)n + 1;
		s->count = count - at;
		memmove(s->key, s->key + n + 1, s->count * sizeof(*s->key));
	}
	return good;
}

/*
 * The good ones of some blocks that follow each other: with the lock, which is
 * let go to look at the bytes.
 */
static uint64_t check_run(struct fsck *f, uint64_t block, unsigned int count)
{
	unsigned int half = count / 2;
	uint64_t good;

	if (!store_pack_fetch(f->st, block, count, f->scratch, NULL)) {
		store_unlock(f->st);
		good = good_blocks(f, count);
		store_lock(f->st);
		return good;
	}
	if (count == 1)
		return 0;
	/* a page is damaged that only some of them are in */
	good = check_run(f, block, half);
	return good | check_run(f, block + half, count - half) << half;
}

static uint64_t check_slots(struct fsck *f, uint64_t pack, uint64_t mask)
{
	uint64_t good = 0;
	unsigned int n;

	for (unsigned int slot = 0; slot < PACK_SLOTS; slot += n) {
		for (n = 1; slot + n < PACK_SLOTS; n++)
			if ((mask >> slot & 1) != (mask >> (slot + n) & 1))
				break;
		if (!(mask >> slot & 1))
			continue;
		good |= check_run(f, pack * PACK_SLOTS + slot, n) << slot;
	}
	return good;
}

/* Has it gone meanwhile, because nobody needs it? */
static bool is_there(struct fsck *f, uint64_t pack)
{
	uint64_t found = pack;

	return next_pack(f, &found, NULL) != 1 || found == pack;
}

static int check_pack(struct fsck *f, uint64_t pack)
{
	uint64_t mask = 0, good = 0, *word, *seen;
	struct key key[PACK_SLOTS];
	unsigned int all, bad;
	int ret = store_pack_keys(f->st, pack, &mask, key, NULL);

	if (!ret)
		good = check_slots(f, pack, mask);
	if (ret || good != mask) {
		if (!is_there(f, pack))
			return 0;
		/* rewritten by gc while it was looked at */
		if (!store_pack_keys(f->st, pack, &mask, key, NULL))
			good = check_slots(f, pack, mask);
	}
	word = store_bits_word(&f->good, pack, true);
	seen = store_bits_word(&f->seen, pack, true);
	if (!word || !seen)
		return -ENOMEM;
	*word = good;
	*seen = 1;
	all = mask ? (unsigned int)__builtin_popcountll(mask) : PACK_SLOTS;
	bad = all - (unsigned int)__builtin_popcountll(good);
	f->out->blocks += all;
	f->out->bad_blocks += bad;
	if (bad)
		say(f, "damaged: %u of %u blocks of pack %" PRIu64, bad, all, pack);
	return 0;
}

static int check_packs(struct fsck *f, struct store_error *e)
{
	struct store *st = f->st;
	uint64_t lost = 0;
	int ret = 1;

	for (uint64_t pack = 1; ret > 0 && pack < f->limit; pack++) {
		if (go_on(f, "packs", pack, f->limit))
			break;
		store_lock(st);
		ret = next_pack(f, &pack, NULL);
		if (ret < 0) {
			/* This one can't be found; those behind it may. */
			lost++;
			ret = 1;
		} else if (ret > 0 && check_pack(f, pack)) {
			ret = store_fail(e, ENOMEM, "no memory to check the store %s", st->path);
		}
		store_unlock(st);
	}
	if (lost) {
		f->out->others++;
		say(f, "damaged: the list of packs; up to %" PRIu64 " can't be found", lost);
	}
	return f->stopped ? -ECANCELED : ret < 0 ? ret : 0;
}

/* ---- snapshots ---- */

static const struct pack_keys *keys_of(struct fsck *f, uint64_t pack)
{
	struct pack_keys *k = &f->cache[pack % KEY_CACHE];
	int ret;

	if (k->pack == pack)
		return k;
	store_lock(f->st);
	ret = store_pack_keys(f->st, pack, &k->mask, k->key, NULL);
	store_unlock(f->st);
	k->pack = ret ? 0 : pack;
	return ret ? NULL : k;
}

/* A pack that came after the second pass had begun. */
static void look_now(struct fsck *f, uint64_t pack)
{
	uint64_t *seen = store_bits_word(&f->seen, pack, false);

	if (seen && *seen)
		return;
	store_lock(f->st);
	check_pack(f, pack);
	store_unlock(f->st);
}

/* The key of a block; false: it is not there, or not good. */
static bool key_of(struct fsck *f, uint64_t block, struct key *key)
{
	uint64_t pack = block / PACK_SLOTS, bit = 1ULL << block % PACK_SLOTS, *word;
	const struct pack_keys *k;

	*key = (struct key){ 0 };
	if (block == BLOCK_ZERO)
		return true;
	look_now(f, pack);
	word = store_bits_word(&f->good, pack, false);
	if (!word || !(*word & bit))
		return false;
	k = keys_of(f, pack);
	if (!k || !(k->mask & bit))
		return false;
	*key = k->key[__builtin_popcountll(k->mask & (bit - 1))];
	return true;
}

struct verdict {
	uint64_t bad;		/* blocks */
	uint64_t first;		/* of them */
	XXH3_state_t *digest;
};

static void judge(struct verdict *v, uint64_t at, uint64_t count)
{
	if (!v->bad)
		v->first = at;
	v->bad += count;
}

/* Go through the blocks of a snapshot. */
static void check_blocks(struct fsck *f, struct store_reader *r, const struct store_info *info,
			 struct verdict *v)
{
	uint64_t total = (r->size + STORE_BLOCK - 1) / STORE_BLOCK, block[PACK_SLOTS];
	struct key key[PACK_SLOTS];
	int n;

	for (uint64_t at = 0; at < total; at += (uint64_t)n) {
		if (go_on(f, "snapshots", info->ino, f->last))
			return;
		n = store_reader_map(r, at, PACK_SLOTS, block, NULL);
		if (n <= 0) {
			/* this part of the map; the next one may be whole */
			n = (int)(MAP_BLOCKS - at % MAP_BLOCKS);
			if ((uint64_t)n > total - at)
				n = (int)(total - at);
			judge(v, at, (uint64_t)n);
			continue;
		}
		for (int i = 0; i < n; i++)
			if (!key_of(f, block[i], &key[i]))
				judge(v, at + (uint64_t)i, 1);
		store_digest_add(v->digest, key, (size_t)n);
	}
}

/* Can it be found by its name, and what is noted of it be read? */
static bool check_name(struct fsck *f, const struct store_info *info)
{
	struct store_error own = { 0 };
	struct store_info found;
	struct store_attr *attrs;
	size_t count;
	int ret = store_stat(f->st, info->group, info->name, &found, &own);

	if (!ret)
		ret = store_attr_list(f->st, info->ino, &attrs, &count, &own);
	if (!ret)
		free(attrs);
	/* -ENOENT: renamed just now */
	if (ret != -EIO)
		return true;
	say(f, "damaged: snapshot %s/%s: its name or attributes: %s", info->group, info->name,
	    own.text);
	return false;
}

static int check_reader(struct fsck *f, struct store_reader *r, const struct store_info *info)
{
	struct verdict v = { .digest = store_digest_begin(f->st) };
	uint8_t digest[STORE_DIGEST];
	bool same, found;

	if (!v.digest)
		return -ENOMEM;
	check_blocks(f, r, info, &v);
	store_digest_get(v.digest, digest);
	store_digest_end(v.digest);
	same = !memcmp(digest, info->digest, STORE_DIGEST);
	f->out->snapshots++;
	found = check_name(f, info);
	if (v.bad)
		say(f, "damaged: snapshot %s/%s: %" PRIu64 " of %" PRIu64 " blocks, the first at "
		    "byte %" PRIu64, info->group, info->name, v.bad,
		    (info->size + STORE_BLOCK - 1) / STORE_BLOCK, v.first * STORE_BLOCK);
	else if (!same)
		say(f, "damaged: snapshot %s/%s: it is not what its digest says", info->group,
		    info->name);
	f->out->bad_snapshots += v.bad || !same || !found;
	return 0;
}

static int check_snapshots(struct fsck *f, struct store_error *e)
{
	struct store_error own = { 0 };
	struct store_reader *r;
	struct store_info info;
	int ret = 1;

	for (uint64_t ino = 1; ino <= f->last && !f->stopped; ino = info.ino + 1) {
		store_lock(f->st);
		ret = store_dir_next(f->st, ino, &info, &own);
		store_unlock(f->st);
		if (!ret || (ret > 0 && info.ino > f->last))
			break;
		if (ret < 0) {
			f->out->bad_snapshots++;
			f->out->snapshots++;
			if (!info.ino) {
				say(f, "damaged: the list of snapshots, from number %" PRIu64
				    " on: %s", ino, own.text);
				break;
			}
			say(f, "damaged: %s", own.text);
			continue;
		}
		/* deleted just now? */
		if (store_read_open_ino(f->st, info.ino, &r, NULL))
			continue;
		ret = check_reader(f, r, &info);
		store_read_close(r);
		if (ret)
			return store_fail(e, ENOMEM, "no memory to check the store %s",
					  f->st->path);
	}
	return f->stopped ? -ECANCELED : 0;
}

static void say_sums(struct fsck *f)
{
	const struct store_check *c = f->out;

	say(f, "checked: %" PRIu64 " pages of the file, %" PRIu64 " blocks, %" PRIu64 " snapshots",
	    c->pages, c->blocks, c->snapshots);
	if (!c->bad_pages && !c->bad_blocks && !c->bad_snapshots && !c->others)
		say(f, "nothing is damaged");
	else
		say(f, "damaged: %" PRIu64 " pages, %" PRIu64 " blocks, %" PRIu64 " snapshots",
		    c->bad_pages, c->bad_blocks, c->bad_snapshots);
}

static int check(struct store *st, bool repair, int (*fn)(void *arg, const char *line), void *arg,
		 const struct store_watch *watch, struct store_check *out, struct store_error *e)
{
	struct fsck *f = calloc(1, sizeof(*f));
	int ret = -ENOMEM;

	*out = (struct store_check){ 0 };
	if (f) {
		*f = (struct fsck){ .st = st, .repair = repair, .say = fn, .arg = arg,
				    .watch = watch, .out = out };
		f->pages = malloc((size_t)SLICE_PAGES * DB_PAGE > PACK_SLOTS * STORE_BLOCK ?
				  (size_t)SLICE_PAGES * DB_PAGE : PACK_SLOTS * STORE_BLOCK);
		f->scratch = store_scratch_get(st);
		f->mend = store_mend_begin(st);
	}
	if (f && f->pages && f->scratch && f->mend) {
		store_lock(st);
		f->limit = st->next_pack;
		f->last = st->next_ino - 1;
		store_unlock(st);
		ret = check_pages(f, e);
		if (!ret)
			ret = check_packs(f, e);
		if (!ret)
			ret = check_snapshots(f, e);
		if (!ret)
			say_sums(f);
		store_bits_free(&f->seen);
		store_bits_free(&f->good);
	} else {
		store_fail(e, ENOMEM, "no memory to check the store %s", st->path);
	}
	if (f) {
		store_scratch_put(st, f->scratch);
		store_mend_end(f->mend);
		free(f->pages);
	}
	free(f);
	return ret;
}

int store_fsck(struct store *st, int (*fn)(void *arg, const char *line), void *arg,
	       const struct store_watch *watch, struct store_check *out, struct store_error *e)
{
	return check(st, false, fn, arg, watch, out, e);
}

int store_repair(struct store *st, int (*fn)(void *arg, const char *line), void *arg,
		 const struct store_watch *watch, struct store_check *out, struct store_error *e)
{
	return check(st, true, fn, arg, watch, out, e);
}
