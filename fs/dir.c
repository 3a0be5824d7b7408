// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dir.h"
#include "handle.h"
#include "listing.h"
#include "node.h"

struct dir {
	struct node_at at;
	struct listing listing;		/* without "." and ".." */
};

static bool is_listed(const struct node *node)
{
	if (node->flags & NODE_ACTS && !fs.opt.list)
		return false;
	return !(node->flags & NODE_HIDDEN);
}

/* the rows that are in it, and what else it has */
static int list(struct dir *d)
{
	struct stat st;
	int rc = 0;

	if (!S_ISDIR(d->at.node->mode))
		return -ENOTDIR;
	/* the kernel may believe for an instant in one that has just ended */
	if (d->at.place[0])
		rc = node_attr(&d->at, &st);
	for (enum node_kind kind = 0; !rc && kind < NR_NODES; kind++)
		if (nodes[kind]->name && nodes[kind]->in == d->at.kind && is_listed(nodes[kind]))
			rc = listing_add(&d->listing, nodes[kind]->name,
					 inode_of(d->at.place, kind, 0), nodes[kind]->mode, NULL);
	if (!rc && d->at.node->list)
		rc = d->at.node->list(&d->at, &d->listing);
	return rc;
}

static void free_dir(struct dir *d)
{
	listing_free(&d->listing);
	free(d);
}

void dir_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct dir *d = calloc(1, sizeof(*d));
	int rc = d ? node_find(ino, &d->at) : -ENOMEM;

	if (!rc)
		rc = list(d);
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
	const struct listing_entry *entry;

	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFDIR;
	st->st_ino = d->at.ino;
	if (at < 2) {
		/* the kernel puts the right number in for ".." */
		return at ? ".." : ".";
	}
	if ((size_t)at - 2 >= d->listing.count)
		return NULL;
	entry = &d->listing.entries[at - 2];
	st->st_mode = entry->mode & S_IFMT;
	st->st_ino = entry->ino;
	return entry->name;
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
static void fill_entry(const struct dir *d, off_t at, const struct stat *st,
		       struct fuse_entry_param *e)
{
	const struct listing_entry *entry;
	int rc = -ENOENT;

	memset(e, 0, sizeof(*e));
	if (at >= 2) {
		entry = &d->listing.entries[at - 2];
		if (entry->what)
			rc = d->at.node->entry(entry->what, e);
		else
			rc = node_lookup(&d->at, entry->name, e);
	}
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
		fill_entry(d, off, &st, &e);
		need = fuse_add_direntry_plus(req, buf + used, size - used, name, &e, off + 1);
		used += need;
	}
	fuse_reply_buf(req, buf, used);
}
