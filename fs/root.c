// SPDX-License-Identifier: GPL-2.0-only
/* /ckpt: the places. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "container.h"
#include "listing.h"
#include "log.h"
#include "maintenance.h"
#include "node.h"
#include "restart.h"
#include "state.h"

static int lookup(const struct node_at *dir, const char *name, struct node_at *child,
		  struct fuse_entry_param *e)
{
	(void)dir;
	(void)e;
	child->kind = NODE_PLACE;
	strcpy(child->place, name);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* running containers and histories, each name once */
static int list(const struct node_at *dir, struct listing *l)
{
	_cleanup_free_ struct container *running = NULL;
	_cleanup_free_ struct store_group *groups = NULL;
	size_t nr_running, nr_groups = 0, i, n = 0;
	char (*names)[CONTAINER_NAME_MAX + 1];
	struct store_error e;
	int rc;

	(void)dir;
	rc = container_list(&running, &nr_running);
	if (!rc)
		rc = store_group_list(fs.store, &groups, &nr_groups, &e);
	if (rc)
		return rc;
	names = calloc(nr_running + nr_groups + 1, sizeof(*names));
	l->data = names;
	if (!names)
		return -ENOMEM;
	for (i = 0; i < nr_running; i++)
		if (strcmp(running[i].name, MAINTENANCE))
			strcpy(names[n++], running[i].name);
	for (i = 0; i < nr_groups; i++)
		strcpy(names[n++], groups[i].name);
	qsort(names, n, sizeof(*names), compare_names);
	for (i = 0; !rc && i < n; i++)
		if (!i || strcmp(names[i - 1], names[i]))
			rc = listing_add(l, names[i], inode_of(names[i], NODE_PLACE, 0), S_IFDIR,
					 NULL);
	return rc;
}

static int make_place(const struct node_at *dir, const char *name)
{
	struct store_error e;
	struct container c;

	(void)dir;
	return container_find(name, &c) ? store_group_make(fs.store, name, &e) : -EEXIST;
}

static int remove_place(const struct node_at *dir, const char *name)
{
	struct store_error e;
	struct container c;
	int rc;

	(void)dir;
	if (!container_find(name, &c) || restart_busy(name))
		return -EBUSY;
	rc = store_group_remove(fs.store, name, &e);
	if (!rc) {
		log_forget(name);
		state_remove(name);
	}
	return rc;
}

const struct node root_node = {
	.mode = S_IFDIR | 0755,
	.lookup = lookup,
	.list = list,
	.mkdir = make_place,
	.rmdir = remove_place,
};
