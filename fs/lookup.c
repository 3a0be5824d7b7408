// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "attr.h"
#include "lookup.h"
#include "maintenance.h"
#include "snapshots.h"

const char *const place_files[] = {
	[NODE_IMAGE] = "image",
	[NODE_RESTART] = "restart",
	[NODE_STATUS] = "status",
	[NODE_LOG] = "log",
	[NODE_SNAPSHOTS] = "snapshots",
};

static int fill_place(const char *name, enum node_kind kind, struct fuse_entry_param *e)
{
	struct place_info info;
	int rc = place_look(name, &info);

	if (!rc)
		rc = attr_place(name, kind, &info, &e->attr);
	if (rc)
		return rc;
	e->ino = place_node(name, kind, 1);
	if (!e->ino)
		return -ENOMEM;
	e->attr.st_ino = e->ino;
	e->attr_timeout = PLACE_TIMEOUT;
	/* the link's name outlives it by nothing: the next checkpoint moves it */
	e->entry_timeout = kind == NODE_LATEST ? 0 : PLACE_TIMEOUT;
	return 0;
}

static int lookup_file(const char *place, const char *name, struct fuse_entry_param *e)
{
	for (int kind = NODE_IMAGE; kind <= NODE_SNAPSHOTS; kind++)
		if (!strcmp(name, place_files[kind]))
			return fill_place(place, kind, e);
	return -ENOENT;
}

int node_lookup(fuse_ino_t parent, const char *name, struct fuse_entry_param *e)
{
	char place[CONTAINER_NAME_MAX + 1];
	enum node_kind kind = node_kind(parent);
	int rc;

	if (strlen(name) > CONTAINER_NAME_MAX)
		return -ENAMETOOLONG;
	if (kind == NODE_MAINTENANCE || (kind == NODE_ROOT && !strcmp(name, MAINTENANCE)))
		return maintenance_lookup(parent, name, e);
	if (kind == NODE_ROOT)
		return fill_place(name, NODE_PLACE, e);
	rc = place_name(parent, place);
	if (rc)
		return rc;
	if (kind == NODE_PLACE)
		return lookup_file(place, name, e);
	if (kind != NODE_SNAPSHOTS)
		return -ENOTDIR;
	if (!strcmp(name, LATEST))
		return fill_place(place, NODE_LATEST, e);
	return snapshot_lookup(place, name, e);
}

void node_forget(fuse_ino_t ino, uint64_t times)
{
	enum node_kind kind = node_kind(ino);

	if (kind != NODE_ROOT && kind != NODE_SNAPSHOT && kind != NODE_MAINTENANCE)
		place_forget(ino, times);
}
