// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "attr.h"
#include "node.h"
#include "place.h"

static void set_kind(struct node_at *at, enum node_kind kind)
{
	at->kind = kind;
	at->node = nodes[kind];
}

int node_find(fuse_ino_t ino, struct node_at *at)
{
	enum node_kind kind = inode_kind(ino);

	/* a number from outside, by a handle of name_to_handle_at(2), may be any */
	if (kind >= NR_NODES)
		return -ESTALE;
	at->ino = ino;
	set_kind(at, kind);
	return inode_place(ino, at->place);
}

bool node_child(const struct node_at *dir, const char *name, struct node_at *child)
{
	for (enum node_kind kind = 0; kind < NR_NODES; kind++)
		if (nodes[kind]->name && nodes[kind]->in == dir->kind &&
		    !strcmp(nodes[kind]->name, name)) {
			*child = *dir;
			set_kind(child, kind);
			return true;
		}
	return false;
}

int node_attr(const struct node_at *at, struct stat *st)
{
	struct place_info info;
	int rc;

	attr_base(st, at->ino, at->node->mode);
	if (at->place[0]) {
		rc = place_glance(at->place, &info);
		if (rc)
			return rc;
		/* the history is root's: another user's container may have its name today */
		if (info.running && at->node->flags & NODE_PRIVATE)
			st->st_uid = info.c.owner;
		attr_time(st, place_time(&info));
	}
	return at->node->attr ? at->node->attr(at, at->place[0] ? &info : NULL, st) : 0;
}

double node_timeout(const struct node_at *at)
{
	return at->node->flags & NODE_FLEETING ? 0 : PLACE_TIMEOUT;
}

static int fill_entry(struct node_at *at, struct fuse_entry_param *e)
{
	int rc;

	at->ino = inode_of(at->place, at->kind, 0);
	rc = node_attr(at, &e->attr);
	if (rc)
		return rc;
	e->ino = inode_of(at->place, at->kind, 1);
	if (!e->ino)
		return -ENOMEM;
	e->attr.st_ino = e->ino;
	e->attr_timeout = node_timeout(at);
	e->entry_timeout = e->attr_timeout;
	return 0;
}

int node_lookup(const struct node_at *dir, const char *name, struct fuse_entry_param *e)
{
	struct node_at child = { .kind = dir->kind };
	int rc;

	if (strlen(name) > CONTAINER_NAME_MAX)
		return -ENAMETOOLONG;
	if (!S_ISDIR(dir->node->mode))
		return -ENOTDIR;
	if (!node_child(dir, name, &child)) {
		rc = dir->node->lookup ? dir->node->lookup(dir, name, &child, e) : -ENOENT;
		if (rc || e->ino)
			return rc;
		set_kind(&child, child.kind);
	}
	return fill_entry(&child, e);
}

int node_may_open(const struct node_at *at, uid_t uid)
{
	struct container c;

	if (!uid || !(at->node->flags & NODE_PRIVATE))
		return 0;
	return at->place[0] && !container_find(at->place, &c) && c.owner == uid ? 0 : -EACCES;
}
