// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"
#include "root.h"

static int set_attr(int tree, uint64_t attr)
{
	struct mount_attr a = {
		.attr_set = attr,
		.attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODIRATIME |
			    MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR__ATIME,
	};

	return mount_setattr(tree, "", AT_EMPTY_PATH, &a, sizeof(a));
}

/* A new file system of a type, with "key=value" or "flag" options. */
static int fresh_mount(const struct mount_entry *m)
{
	_cleanup_free_ char *data = strdup(m->data ? m->data : "");
	_cleanup_fd_ int fs = fsopen(m->source, FSOPEN_CLOEXEC);
	char *key, *value, *rest = data;

	if (fs < 0 || !data)
		return -1;
	while ((key = strsep(&rest, ","))) {
		if (!*key)
			continue;
		value = strchr(key, '=');
		if (value)
			*value++ = '\0';
		if (fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			     key, value, 0))
			return -1;
	}
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", m->source, 0) ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, 0);
}

static int make_tree(const struct mount_entry *m, int old, const char *cgroup,
		     struct ckpt_error *e)
{
	char path[PATH_MAX * 2];
	int tree = -1;

	switch (m->kind) {
	case MOUNT_BIND:
		tree = root_clone(old, m->source);
		break;
	case MOUNT_CGROUP:
		snprintf(path, sizeof(path), "%s%s", cgroup,
			 strcmp(m->source, "/") ? m->source : "");
		tree = root_clone(old, path);
		break;
	case MOUNT_INNER:
		tree = root_clone(AT_FDCWD, m->source);
		break;
	case MOUNT_FRESH:
		tree = fresh_mount(m);
		break;
	}
	if (tree < 0 && errno == ENOENT && m->kind != MOUNT_FRESH)
		return error_set(e, ENOENT, "%s, which the container has mounted on %s, is not there: provide it and restart again",
				 m->source, m->target);
	if (tree < 0)
		return error_sys(e, errno, "%s, which the container has mounted on %s, cannot be mounted",
				 m->source, m->target);
	if (set_attr(tree, m->attr)) {
		error_sys(e, errno, "the mount options of %s cannot be set", m->target);
		close(tree);
		return -e->err;
	}
	return tree;
}

static int restore_one(const struct mount_entry *m, int old, const char *cgroup,
		       struct ckpt_error *e)
{
	_cleanup_fd_ int tree = make_tree(m, old, cgroup, e);
	_cleanup_fd_ int target = -1;

	if (tree < 0)
		return tree;
	target = root_open_plain(AT_FDCWD, m->target);
	if (target < 0)
		return error_sys(e, errno, "the container's mount point %s cannot be opened",
				 m->target);
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
		return error_sys(e, errno, "%s cannot be mounted on %s", m->source, m->target);
	return 0;
}

int mounts_restore(const struct description *d, const char *cgroup,
		   struct ckpt_error *e)
{
	_cleanup_fd_ int old = -1, root = -1;
	size_t i;
	int ret = root_private(e);

	if (ret)
		return ret;
	root = make_tree(&d->mounts[0], AT_FDCWD, cgroup, e);
	if (root < 0)
		return root;
	old = root_enter(root, e);
	if (old < 0)
		return old;
	for (i = 1; i < d->nr_mounts; i++) {
		ret = restore_one(&d->mounts[i], old, cgroup, e);
		if (ret)
			return ret;
	}
	return root_leave(old, e);
}
