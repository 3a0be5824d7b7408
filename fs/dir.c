// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "cleanup.h"
#include "dir.h"
#include "handle.h"
#include "lookup.h"
#include "maintenance.h"
#include "snapshots.h"

/* A directory as it was when it was opened. */
struct dir {
	fuse_ino_t ino;
	char place[CONTAINER_NAME_MAX + 1];	/* "": the root */
	size_t count;				/* without "." and ".." */
	char (*names)[CONTAINER_NAME_MAX + 1];	/* the root: places */
	struct store_info *snapshots;		/* a history */
	bool latest;				/* it has that link, listed last */
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* running containers and histories, each name once */
static int list_root(struct dir *d)
{
	_cleanup_free_ struct container *running = NULL;
	_cleanup_free_ struct store_group *groups = NULL;
	size_t nr_running, nr_groups = 0, i, n = 0;
	struct store_error e;
	int rc;

	rc = container_list(&running, &nr_running);
	if (!rc)
		rc = store_group_list(fs.store, &groups, &nr_groups, &e);
	if (rc)
		return rc;
	d->names = calloc(nr_running + nr_groups + 1, sizeof(*d->names));
	if (!d->names)
		return -ENOMEM;
	for (i = 0; i < nr_running; i++)
		if (strcmp(running[i].name, MAINTENANCE))
			strcpy(d->names[n++], running[i].name);
	for (i = 0; i < nr_groups; i++)
		strcpy(d->names[n++], groups[i].name);
	qsort(d->names, n, sizeof(*d->names), compare_names);
	for (i = 0; i < n; i++)
		if (!d->count || strcmp(d->names[d->count - 1], d->names[i]))
			memmove(d->names[d->count++], d->names[i], sizeof(*d->names));
	return 0;
}

static int list_snapshots(struct dir *d)
{
	struct store_error e;
	int rc = store_list(fs.store, d->place, &d->snapshots, &d->count, &e);

	if (rc == -ENOENT)	/* a container that has no history yet */
		return 0;
	if (!rc && d->count) {
		d->latest = true;
		d->count++;
	}
	return rc;
}

static int list(struct dir *d)
{
	struct place_info info;
	int rc;

	switch (node_kind(d->ino)) {
	case NODE_ROOT:
		return list_root(d);
	case NODE_MAINTENANCE:
		return 0;
	case NODE_PLACE:
		d->count = NODE_SNAPSHOTS - NODE_IMAGE + 1;
		rc = place_name(d->ino, d->place);
		/* the kernel may believe for an instant in one that has just ended */
		return rc ? rc : place_look(d->place, &info);
	case NODE_SNAPSHOTS:
		rc = place_name(d->ino, d->place);
		return rc ? rc : list_snapshots(d);
	default:
		return -ENOTDIR;
	}
}

static void free_dir(struct dir *d)
{
	free(d->names);
	free(d->snapshots);
	free(d);
}

void dir_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct dir *d = calloc(1, sizeof(*d));
	int rc = -ENOMEM;

	if (d) {
		d->ino = ino;
		rc = list(d);
	}
	if (rc) {
		if (d)
			free_dir(d);
		fuse_reply_err(req, -rc);
		return;
	}
	fi->fh = (uintptr_t)d;
	if (fuse_reply_open(req, fi) == -ENOENT)
		free_dir(d);
}

void dir_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	free_dir((struct dir *)(uintptr_t)fi->fh);
	fuse_reply_err(req, 0);
}

/* name, number and type of the entry at position @at; NULL: behind the end */
static const char *entry_at(const struct dir *d, off_t at, struct stat *st)
{
	size_t i = at - 2;

	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFDIR;
	st->st_ino = d->ino;
	if (at < 2) {
		/* the kernel puts the right number in for ".." */
		return at ? ".." : ".";
	}
	if (node_kind(d->ino) == NODE_MAINTENANCE)
		return maintenance_entry(i, st);
	if (i >= d->count)
		return NULL;
	switch (node_kind(d->ino)) {
	case NODE_ROOT:
		st->st_ino = place_node(d->names[i], NODE_PLACE, 0);
		return d->names[i];
	case NODE_PLACE:
		st->st_ino = place_node(d->place, NODE_IMAGE + i, 0);
		if (NODE_IMAGE + i != NODE_SNAPSHOTS)
			st->st_mode = S_IFREG;
		return place_files[NODE_IMAGE + i];
	default:
		break;
	}
	if (d->latest && i == d->count - 1) {
		st->st_mode = S_IFLNK;
		st->st_ino = place_node(d->place, NODE_LATEST, 0);
		return LATEST;
	}
	st->st_mode = S_IFREG;
	st->st_ino = snapshot_node(d->snapshots[i].ino);
	return d->snapshots[i].name;
}

void dir_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
	      struct fuse_file_info *fi)
{
	struct dir *d = (struct dir *)(uintptr_t)fi->fh;
	char *buf = handle_buffer(size);
	size_t used = 0, need;
	const char *name;
	struct stat st;

	(void)ino;
	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	for (; (name = entry_at(d, off, &st)); off++) {
		need = fuse_add_direntry(req, buf + used, size - used, name, &st, off + 1);
		if (need > size - used)
			break;
		used += need;
	}
	fuse_reply_buf(req, buf, used);
}

/* the entry in full; what has gone meanwhile stays as a name and no more */
static void fill_entry(const struct dir *d, off_t at, const char *name,
		       const struct stat *st, struct fuse_entry_param *e)
{
	int rc = -ENOENT;

	memset(e, 0, sizeof(*e));
	if (at >= 2 && S_ISREG(st->st_mode) && d->snapshots)
		rc = snapshot_entry(&d->snapshots[at - 2], e);
	else if (at >= 2)
		rc = node_lookup(d->ino, name, e);
	if (rc) {
		memset(e, 0, sizeof(*e));
		e->attr = *st;
	}
}

void dir_read_plus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		   struct fuse_file_info *fi)
{
	struct dir *d = (struct dir *)(uintptr_t)fi->fh;
	char *buf = handle_buffer(size);
	struct fuse_entry_param e;
	size_t used = 0, need;
	const char *name;
	struct stat st;

	(void)ino;
	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	for (; (name = entry_at(d, off, &st)); off++) {
		/* asked without an entry, it says how much room it takes */
		if (fuse_add_direntry_plus(req, NULL, 0, name, NULL, 0) > size - used)
			break;
		fill_entry(d, off, name, &st, &e);
		need = fuse_add_direntry_plus(req, buf + used, size - used, name, &e, off + 1);
		used += need;
	}
	fuse_reply_buf(req, buf, used);
}
