// SPDX-License-Identifier: GPL-2.0-only
/* Names: groups, snapshots and their attributes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "internal.h"

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void column_name(sqlite3_stmt *s, int col, char *name)
{
	int len = sqlite3_column_bytes(s, col);

	if (len > STORE_NAME_MAX)
		len = STORE_NAME_MAX;
	if (len)
		memcpy(name, sqlite3_column_blob(s, col), (size_t)len);
	name[len] = '\0';
}

/* Ties what a snapshot is to its number: a row in the place of another is seen. */
static uint64_t snap_sum(const struct store *st, uint64_t ino, uint64_t size,
			 const uint8_t digest[STORE_DIGEST])
{
	struct {
		uint64_t ino, size;
		uint8_t digest[STORE_DIGEST];
	} v = { .ino = ino, .size = size };

	memcpy(v.digest, digest, STORE_DIGEST);
	return store_sum(st, &v, sizeof(v)).low64;
}

static void column_digest(sqlite3_stmt *s, int col, uint8_t digest[STORE_DIGEST])
{
	memset(digest, 0, STORE_DIGEST);
	if (sqlite3_column_bytes(s, col) == STORE_DIGEST)
		memcpy(digest, sqlite3_column_blob(s, col), STORE_DIGEST);
}

static int row_info(struct store *st, sqlite3_stmt *s, struct store_info *out,
		    struct store_error *e)
{
	out->ino = (uint64_t)sqlite3_column_int64(s, 0);
	out->size = (uint64_t)sqlite3_column_int64(s, 1);
	out->mtime_ns = sqlite3_column_int64(s, 2);
	out->stored = (uint64_t)sqlite3_column_int64(s, 3);
	column_name(s, 4, out->group);
	column_name(s, 5, out->name);
	column_digest(s, 6, out->digest);
	if ((uint64_t)sqlite3_column_int64(s, 7) !=
	    snap_sum(st, out->ino, out->size, out->digest))
		return store_fail(e, EIO, "the entry of snapshot '%s/%s' of the store %s is "
				  "damaged", out->group, out->name, st->path);
	return 0;
}

static void row_group(sqlite3_stmt *s, struct store_group *out)
{
	out->ino = (uint64_t)sqlite3_column_int64(s, 0);
	out->mtime_ns = sqlite3_column_int64(s, 1);
	out->snapshots = (uint64_t)sqlite3_column_int64(s, 2);
	column_name(s, 3, out->name);
}

/* ---- with the lock held ---- */

static int group_get(struct store *st, const char *group, struct store_group *out,
		     struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_GRP_GET);
	int ret;

	if (s)
		store_bind_name(s, 1, group);
	ret = store_row(st, s, e);
	if (ret < 0)
		return ret;
	if (!ret)
		return store_fail(e, ENOENT, "there is no group '%s'", group);
	row_group(s, out);
	sqlite3_reset(s);
	return 0;
}

int store_dir_find_group(struct store *st, const char *group, uint64_t *ino,
			 struct store_error *e)
{
	struct store_group g;
	int ret = group_get(st, group, &g, e);

	if (!ret)
		*ino = g.ino;
	return ret;
}

/* By name, or when @name is NULL by inode number. */
int store_dir_stat(struct store *st, const char *group, const char *name,
		   uint64_t ino, struct store_info *out, struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, name ? STMT_SNAP_BY_NAME : STMT_SNAP_BY_INO);
	int ret;

	if (s && name) {
		store_bind_name(s, 1, group);
		store_bind_name(s, 2, name);
	} else if (s) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)ino);
	}
	ret = store_row(st, s, e);
	if (ret < 0)
		return ret;
	if (ret) {
		ret = row_info(st, s, out, e);
		sqlite3_reset(s);
		return ret;
	}
	if (name)
		return store_fail(e, ENOENT, "there is no snapshot '%s/%s'", group, name);
	return store_fail(e, ENOENT, "there is no snapshot with number %llu",
			  (unsigned long long)ino);
}

/*
 * The snapshot with the smallest number from @from on: 1, no such 0. On an error
 * out->ino is the one that is damaged; 0: they can't be listed.
 */
int store_dir_next(struct store *st, uint64_t from, struct store_info *out,
		   struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_SNAP_NEXT);
	int ret;

	out->ino = 0;
	if (s)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)from);
	ret = store_row(st, s, e);
	if (ret <= 0)
		return ret;
	ret = row_info(st, s, out, e);
	sqlite3_reset(s);
	return ret ? ret : 1;
}

/* Run a statement with numbers for its parameters. */
static int run_ints(struct store *st, enum stmt which, int count, int64_t a, int64_t b,
		    struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, which);

	if (s)
		sqlite3_bind_int64(s, 1, a);
	if (s && count > 1)
		sqlite3_bind_int64(s, 2, b);
	return store_run(st, s, e);
}

static int touch(struct store *st, uint64_t group, struct store_error *e)
{
	return run_ints(st, STMT_GRP_TOUCH, 2, (int64_t)group, now_ns(), e);
}

static int group_add(struct store *st, const char *group, uint64_t *ino,
		     struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_GRP_INSERT);

	*ino = st->next_ino++;
	if (s) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)*ino);
		store_bind_name(s, 2, group);
		sqlite3_bind_int64(s, 3, now_ns());
	}
	return store_run(st, s, e);
}

/*
 * Take a snapshot's name away; its row as well, unless somebody reads it. What
 * it held is freed by gc, which the caller starts after the commit.
 */
int store_dir_forget(struct store *st, uint64_t ino, struct store_error *e)
{
	int ret = run_ints(st, STMT_ATTR_DELETE_ALL, 1, (int64_t)ino, 0, e);

	if (ret)
		return ret;
	return run_ints(st, store_is_open(st, ino) ? STMT_SNAP_ORPHAN : STMT_SNAP_DELETE,
			1, (int64_t)ino, 0, e);
}

static int attr_put(struct store *st, uint64_t ino, const char *key, const char *value,
		    struct store_error *e)
{
	sqlite3_stmt *s;

	if (!*key || strlen(key) > STORE_ATTR_KEY_MAX || strlen(value) > STORE_ATTR_VALUE_MAX)
		return store_fail(e, E2BIG, "attribute '%.40s' is too long", key);
	s = store_stmt(st, STMT_ATTR_PUT);
	if (s) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)ino);
		store_bind_name(s, 2, key);
		store_bind_name(s, 3, value);
	}
	return store_run(st, s, e);
}

/* Make room for a name: -EEXIST, unless what has it may be replaced. */
static int make_way(struct store *st, const char *group, const char *name,
		    unsigned int flags, struct store_error *e)
{
	struct store_info old;
	int ret = store_dir_stat(st, group, name, 0, &old, e);

	if (ret == -ENOENT)
		return 0;
	if (ret)
		return ret;
	if (!(flags & STORE_REPLACE))
		return store_fail(e, EEXIST, "snapshot '%s/%s' exists", group, name);
	store_gc_kick(st);
	return store_dir_forget(st, old.ino, e);
}

/* Enter a finished snapshot. */
int store_dir_add(struct store *st, const struct store_writer *w,
		  int64_t mtime_ns, const struct store_attr *attrs, size_t count,
		  struct store_error *e)
{
	uint8_t digest[STORE_DIGEST];
	sqlite3_stmt *s;
	uint64_t group;
	int ret;

	store_digest_get(w->digest, digest);
	ret = store_dir_find_group(st, w->group, &group, e);
	if (ret == -ENOENT)
		ret = group_add(st, w->group, &group, e);
	if (!ret)
		ret = make_way(st, w->group, w->name, w->flags, e);
	if (ret)
		return ret;
	s = store_stmt(st, STMT_SNAP_INSERT);
	if (s) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)w->ino);
		sqlite3_bind_int64(s, 2, (sqlite3_int64)group);
		store_bind_name(s, 3, w->name);
		sqlite3_bind_int64(s, 4, (sqlite3_int64)w->size);
		sqlite3_bind_int64(s, 5, mtime_ns ? mtime_ns : now_ns());
		sqlite3_bind_int64(s, 6, (sqlite3_int64)w->stored);
		sqlite3_bind_blob(s, 7, digest, sizeof(digest), SQLITE_STATIC);
		sqlite3_bind_int64(s, 8, (sqlite3_int64)snap_sum(st, w->ino, w->size, digest));
	}
	ret = store_run(st, s, e);
	for (size_t i = 0; i < count && !ret; i++)
		ret = attr_put(st, w->ino, attrs[i].key, attrs[i].value, e);
	return ret ? ret : touch(st, group, e);
}

/* ---- the calls; each takes the lock ---- */

int store_group_make(struct store *st, const char *group, struct store_error *e)
{
	uint64_t ino;
	int ret = store_check_name(group, "group", e);

	if (ret)
		return ret;
	store_lock(st);
	ret = store_dir_find_group(st, group, &ino, e);
	if (!ret)
		ret = store_fail(e, EEXIST, "group '%s' exists", group);
	else if (ret == -ENOENT)
		ret = store_op_begin(st, e);
	if (!ret)
		ret = store_op_end(st, group_add(st, group, &ino, e), e);
	store_unlock(st);
	return ret;
}

int store_group_remove(struct store *st, const char *group, struct store_error *e)
{
	struct store_group g;
	int ret;

	store_lock(st);
	ret = group_get(st, group, &g, e);
	if (!ret && g.snapshots)
		ret = store_fail(e, ENOTEMPTY, "group '%s' has %llu snapshots; delete them "
				 "first", group, (unsigned long long)g.snapshots);
	if (!ret)
		ret = store_op_begin(st, e);
	if (!ret)
		ret = store_op_end(st, run_ints(st, STMT_GRP_DELETE, 1, (int64_t)g.ino, 0, e),
				   e);
	store_unlock(st);
	return ret;
}

int store_group_stat(struct store *st, const char *group, struct store_group *out,
		     struct store_error *e)
{
	int ret;

	store_lock(st);
	ret = group_get(st, group, out, e);
	store_unlock(st);
	return ret;
}

/* One more element of @size bytes in an array that grows by doubling; or NULL. */
static void *grow(void **list, size_t count, size_t size)
{
	if (!(count & (count - 1))) {
		void *bigger = reallocarray(*list, count ? count * 2 : 1, size);

		if (!bigger)
			return NULL;
		*list = bigger;
	}
	return (char *)*list + count * size;
}

int store_group_list(struct store *st, struct store_group **list, size_t *count,
		     struct store_error *e)
{
	sqlite3_stmt *s;
	int ret;

	*list = NULL;
	*count = 0;
	store_lock(st);
	s = store_stmt(st, STMT_GRP_LIST);
	while ((ret = store_row(st, s, e)) > 0) {
		struct store_group *g = grow((void **)list, *count, sizeof(*g));

		if (!g) {
			ret = store_fail(e, ENOMEM, "no memory to list the groups");
			sqlite3_reset(s);
			break;
		}
		row_group(s, g);
		++*count;
	}
	store_unlock(st);
	if (ret) {
		free(*list);
		*list = NULL;
	}
	return ret;
}

int store_stat(struct store *st, const char *group, const char *name,
	       struct store_info *out, struct store_error *e)
{
	int ret;

	store_lock(st);
	ret = store_dir_stat(st, group, name, 0, out, e);
	store_unlock(st);
	return ret;
}

int store_stat_ino(struct store *st, uint64_t ino, struct store_info *out,
		   struct store_error *e)
{
	int ret;

	store_lock(st);
	ret = store_dir_stat(st, NULL, NULL, ino, out, e);
	store_unlock(st);
	return ret;
}

int store_latest(struct store *st, const char *group, struct store_info *out,
		 struct store_error *e)
{
	uint64_t ino = 0;
	sqlite3_stmt *s;
	int ret;

	store_lock(st);
	ret = store_dir_find_group(st, group, &ino, e);
	if (!ret) {
		s = store_stmt(st, STMT_SNAP_LATEST);
		if (s)
			sqlite3_bind_int64(s, 1, (sqlite3_int64)ino);
		ret = store_row(st, s, e);
		if (ret > 0) {
			ret = row_info(st, s, out, e);
			sqlite3_reset(s);
		} else if (!ret) {
			ret = store_fail(e, ENOENT, "group '%s' has no snapshots", group);
		}
	}
	store_unlock(st);
	return ret;
}

static int list_locked(struct store *st, const char *group, struct store_info **list,
		       size_t *count, struct store_error *e)
{
	uint64_t ino = 0;
	sqlite3_stmt *s;
	int ret = store_dir_find_group(st, group, &ino, e);

	if (ret)
		return ret;
	s = store_stmt(st, STMT_SNAP_LIST);
	if (s)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)ino);
	while ((ret = store_row(st, s, e)) > 0) {
		struct store_info *i = grow((void **)list, *count, sizeof(*i));

		ret = i ? row_info(st, s, i, e) :
			store_fail(e, ENOMEM, "no memory to list group '%s'", group);
		if (ret) {
			sqlite3_reset(s);
			break;
		}
		++*count;
	}
	return ret;
}

int store_list(struct store *st, const char *group, struct store_info **list,
	       size_t *count, struct store_error *e)
{
	int ret;

	*list = NULL;
	*count = 0;
	store_lock(st);
	ret = list_locked(st, group, list, count, e);
	store_unlock(st);
	if (ret) {
		free(*list);
		*list = NULL;
		*count = 0;
	}
	return ret;
}

static int rename_locked(struct store *st, const struct store_info *from,
			 const char *to_group, const char *to_name,
			 unsigned int flags, struct store_error *e)
{
	uint64_t old_group, new_group;
	sqlite3_stmt *s;
	int ret;

	ret = store_dir_find_group(st, from->group, &old_group, e);
	if (!ret)
		ret = store_dir_find_group(st, to_group, &new_group, e);
	if (!ret)
		ret = make_way(st, to_group, to_name, flags, e);
	if (ret)
		return ret;
	s = store_stmt(st, STMT_SNAP_MOVE);
	if (s) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)from->ino);
		sqlite3_bind_int64(s, 2, (sqlite3_int64)new_group);
		store_bind_name(s, 3, to_name);
	}
	ret = store_run(st, s, e);
	if (!ret)
		ret = touch(st, old_group, e);
	return ret ? ret : touch(st, new_group, e);
}

int store_rename(struct store *st, const char *group, const char *name,
		 const char *to_group, const char *to_name, unsigned int flags,
		 struct store_error *e)
{
	struct store_info from;
	int ret = store_check_name(to_name, "snapshot", e);

	if (ret)
		return ret;
	store_lock(st);
	ret = store_dir_stat(st, group, name, 0, &from, e);
	if (!ret && strcmp(group, to_group) == 0 && strcmp(name, to_name) == 0)
		goto out;
	if (!ret)
		ret = store_op_begin(st, e);
	if (!ret)
		ret = store_op_end(st, rename_locked(st, &from, to_group, to_name, flags, e),
				   e);
out:
	store_unlock(st);
	return ret;
}

int store_delete(struct store *st, const char *group, const char *name,
		 struct store_error *e)
{
	struct store_info info;
	uint64_t ino = 0;
	int ret;

	store_lock(st);
	ret = store_dir_find_group(st, group, &ino, e);
	if (!ret)
		ret = store_dir_stat(st, group, name, 0, &info, e);
	if (!ret)
		ret = store_op_begin(st, e);
	if (!ret) {
		ret = store_dir_forget(st, info.ino, e);
		if (!ret)
			ret = touch(st, ino, e);
		ret = store_op_end(st, ret, e);
	}
	if (!ret)
		store_gc_kick(st);
	store_unlock(st);
	return ret;
}

/* An operation on a snapshot that must be there and have a name. */
static int by_ino(struct store *st, uint64_t ino, struct store_error *e)
{
	struct store_info info;
	int ret = store_dir_stat(st, NULL, NULL, ino, &info, e);

	if (!ret && !info.name[0])
		ret = store_fail(e, ENOENT, "the snapshot was deleted");
	return ret;
}

int store_set_mtime(struct store *st, uint64_t ino, int64_t mtime_ns,
		    struct store_error *e)
{
	int ret;

	store_lock(st);
	ret = by_ino(st, ino, e);
	if (!ret)
		ret = store_op_begin(st, e);
	if (!ret)
		ret = store_op_end(st, run_ints(st, STMT_SNAP_MTIME, 2, (int64_t)ino,
						mtime_ns, e), e);
	store_unlock(st);
	return ret;
}

static int attr_delete(struct store *st, uint64_t ino, const char *key,
		       struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_ATTR_DELETE);

	if (s) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)ino);
		store_bind_name(s, 2, key);
	}
	return store_run(st, s, e);
}

int store_attr_set(struct store *st, uint64_t ino, const char *key,
		   const char *value, struct store_error *e)
{
	int ret;

	store_lock(st);
	ret = by_ino(st, ino, e);
	if (!ret)
		ret = store_op_begin(st, e);
	if (!ret)
		ret = store_op_end(st, value ? attr_put(st, ino, key, value, e) :
				   attr_delete(st, ino, key, e), e);
	store_unlock(st);
	return ret;
}

int store_attr_get(struct store *st, uint64_t ino, const char *key,
		   char **value, struct store_error *e)
{
	sqlite3_stmt *s;
	int ret;

	store_lock(st);
	s = store_stmt(st, STMT_ATTR_GET);
	if (s) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)ino);
		store_bind_name(s, 2, key);
	}
	ret = store_row(st, s, e);
	if (ret > 0) {
		size_t len = (size_t)sqlite3_column_bytes(s, 0);
		const char *bytes = sqlite3_column_blob(s, 0);

		*value = strndup(len ? bytes : "", len);
		ret = *value ? 0 : store_fail(e, ENOMEM, "no memory for attribute '%s'", key);
		sqlite3_reset(s);
	} else if (!ret) {
		ret = store_fail(e, ENODATA, "there is no attribute '%s'", key);
	}
	store_unlock(st);
	return ret;
}

/* Two passes over the rows: bytes and number of the strings, then the strings. */
static int attr_list_locked(struct store *st, uint64_t ino, struct store_attr **list,
			    size_t *count, struct store_error *e)
{
	sqlite3_stmt *s = store_stmt(st, STMT_ATTR_LIST);
	size_t bytes = 0, n = 0;
	char *p;
	int ret;

	if (s)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)ino);
	for (; (ret = store_row(st, s, e)) > 0; n++)
		bytes += (size_t)sqlite3_column_bytes(s, 0) +
			(size_t)sqlite3_column_bytes(s, 1) + 2;
	if (ret || !n)
		return ret;
	*list = malloc(n * sizeof(**list) + bytes);
	if (!*list)
		return store_fail(e, ENOMEM, "no memory to list attributes");
	p = (char *)(*list + n);
	while ((ret = store_row(st, s, e)) > 0) {
		for (int col = 0; col < 2; col++) {
			size_t len = (size_t)sqlite3_column_bytes(s, col);

			*(col ? &(*list)[*count].value : &(*list)[*count].key) = p;
			if (len)
				memcpy(p, sqlite3_column_blob(s, col), len);
			p[len] = '\0';
			p += len + 1;
		}
		++*count;
	}
	return ret;
}

int store_attr_list(struct store *st, uint64_t ino, struct store_attr **list,
		    size_t *count, struct store_error *e)
{
	int ret;

	*list = NULL;
	*count = 0;
	store_lock(st);
	ret = attr_list_locked(st, ino, list, count, e);
	store_unlock(st);
	if (ret) {
		free(*list);
		*list = NULL;
		*count = 0;
	}
	return ret;
}
