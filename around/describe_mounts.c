// SPDX-License-Identifier: GPL-2.0-only
/* Where the mounts of a running container come from. */
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "describe.h"

/* both mount tables, and where the findings go */
struct lookup {
	struct libmnt_table *host;
	struct libmnt_table *container;
	struct description *d;
	struct ckpt_error *e;
};

/* A file system that shows namespaces and holds nothing of its own. */
static bool is_fresh_type(const char *type)
{
	return !strcmp(type, "proc") || !strcmp(type, "sysfs") || !strcmp(type, "mqueue");
}

/*
 * The rest of 'path' behind the directory 'dir': "" or "/...", or NULL if it
 * is not below it.
 */
static const char *below(const char *path, const char *dir)
{
	size_t n = strcmp(dir, "/") ? strlen(dir) : 0;

	if (strncmp(path, dir, n) || (path[n] && path[n] != '/'))
		return NULL;
	return strcmp(path + n, "/") ? path + n : "";
}

/* dir + rest, without a double or trailing slash; to be freed */
static char *join(const char *dir, const char *rest)
{
	char *path;

	if (!strcmp(dir, "/"))
		dir = "";
	if (asprintf(&path, "%s%s", dir, *dir || *rest ? rest : "/") < 0)
		return NULL;
	return path;
}

/* Does the path lead to this very mount, or has another one covered it? */
static bool not_covered(const char *path, int mount_id)
{
	struct statx sx;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		     STATX_MNT_ID, &sx) == 0 &&
	       (sx.stx_mask & STATX_MNT_ID) && sx.stx_mnt_id == (uint64_t)mount_id;
}

/* The host's path of what a container's mount shows; NULL if there is none. */
static char *host_path(const struct lookup *l, struct libmnt_fs *fs)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_BACKWARD);
	struct libmnt_fs *h;
	char *found = NULL;
	const char *rest;

	while (it && !found && mnt_table_next_fs(l->host, it, &h) == 0) {
		if (mnt_fs_get_devno(h) != mnt_fs_get_devno(fs))
			continue;
		rest = below(mnt_fs_get_root(fs), mnt_fs_get_root(h));
		if (!rest)
			continue;
		found = join(mnt_fs_get_target(h), rest);
		if (found && !not_covered(found, mnt_fs_get_id(h))) {
			free(found);
			found = NULL;
		}
	}
	mnt_free_iter(it);
	return found;
}

/* The same among the container's own earlier mounts that are made afresh. */
static char *inner_path(const struct lookup *l, struct libmnt_fs *fs)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *c;
	char *found = NULL;
	const char *rest;

	while (it && !found && mnt_table_next_fs(l->container, it, &c) == 0 && c != fs) {
		if (mnt_fs_get_devno(c) != mnt_fs_get_devno(fs) ||
		    !is_fresh_type(mnt_fs_get_fstype(c)))
			continue;
		rest = below(mnt_fs_get_root(fs), mnt_fs_get_root(c));
		if (rest)
			found = join(mnt_fs_get_target(c), rest);
	}
	mnt_free_iter(it);
	return found;
}

/* A cgroup2 mount that shows the container's cgroup or what is below it. */
static char *cgroup_path(const struct lookup *l, struct libmnt_fs *fs)
{
	const char *rest = NULL, *root = mnt_fs_get_root(fs);

	if (!strcmp(mnt_fs_get_fstype(fs), "cgroup2") && root[0] == '/')
		rest = below(root + 1, l->d->cgroup);
	return rest ? join("/", rest) : NULL;
}

static uint64_t attr_of(struct libmnt_fs *fs)
{
	const char *options = mnt_fs_get_vfs_options(fs);
	uint64_t attr = 0;

	mount_attr_parse(options, &attr);
	if (mnt_optstr_get_option(options, "relatime", NULL, NULL) &&
	    !(attr & MOUNT_ATTR_NOATIME))
		attr |= MOUNT_ATTR_STRICTATIME;
	return attr;
}

/* what is not the default of a fresh file system */
static char *data_of(struct libmnt_fs *fs)
{
	static const char *const names[] = { "hidepid", "gid", "subset" };
	const char *options = mnt_fs_get_fs_options(fs);
	char *data = strdup("");
	size_t i, len;
	char *value;

	if (strcmp(mnt_fs_get_fstype(fs), "proc") || !options)
		return data;
	for (i = 0; data && i < sizeof(names) / sizeof(*names); i++) {
		if (mnt_optstr_get_option(options, names[i], &value, &len))
			continue;
		char *more = NULL;

		if (asprintf(&more, "%s%s%s=%.*s", data, *data ? "," : "", names[i],
			     (int)len, value) < 0)
			more = NULL;
		free(data);
		data = more;
	}
	return data;
}

static int classify(const struct lookup *l, struct libmnt_fs *fs, struct mount_entry *m)
{
	const char *type = mnt_fs_get_fstype(fs);
	size_t n = strlen(mnt_fs_get_root(fs));

	if (n > 9 && !strcmp(mnt_fs_get_root(fs) + n - 9, "//deleted"))
		return error_set(l->e, EOPNOTSUPP, "what the container has mounted on %s has been deleted: unmount it there",
				 m->target);
	m->kind = MOUNT_CGROUP;
	m->source = cgroup_path(l, fs);
	if (m->source)
		return 0;
	m->kind = MOUNT_BIND;
	m->source = host_path(l, fs);
	if (m->source)
		return 0;
	m->kind = MOUNT_INNER;
	m->source = inner_path(l, fs);
	if (m->source)
		return 0;
	m->kind = MOUNT_FRESH;
	if (is_fresh_type(type) && !strcmp(mnt_fs_get_root(fs), "/")) {
		m->source = strdup(type);
		m->data = data_of(fs);
		return m->source && m->data ? 0 :
			error_set(l->e, ENOMEM, "no memory for the mounts");
	}
	return error_set(l->e, EOPNOTSUPP, "the container has a %s file system of its own on %s, which is not supported yet",
			 type, m->target);
}

static struct libmnt_fs *find_by_id(struct libmnt_table *tb, int id)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs, *found = NULL;

	while (it && !found && mnt_table_next_fs(tb, it, &fs) == 0)
		if (mnt_fs_get_id(fs) == id)
			found = fs;
	mnt_free_iter(it);
	return found;
}

/*
 * Is there a mount over 'fs', or beside it in the same mount but over a
 * directory above it?  'except' is no such mount.
 */
static bool is_covered(struct libmnt_table *tb, struct libmnt_fs *fs,
		       struct libmnt_fs *except)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *c;
	bool covered = false;

	while (it && !covered && mnt_table_next_fs(tb, it, &c) == 0) {
		const char *rest = below(mnt_fs_get_target(fs), mnt_fs_get_target(c));
		int parent = mnt_fs_get_parent_id(c);

		if (c == fs || c == except || !rest)
			continue;
		covered = *rest ? parent == mnt_fs_get_parent_id(fs) &&
				  parent != mnt_fs_get_id(c) :
				  parent == mnt_fs_get_id(fs);
	}
	mnt_free_iter(it);
	return covered;
}

/* Can no path lead to it, because it or one that it is in is covered? */
static bool is_hidden(struct libmnt_table *tb, struct libmnt_fs *fs)
{
	struct libmnt_fs *below_it = NULL;

	while (fs && strcmp(mnt_fs_get_target(fs), "/")) {
		if (is_covered(tb, fs, below_it))
			return true;
		below_it = fs;
		fs = find_by_id(tb, mnt_fs_get_parent_id(fs));
	}
	return false;
}

static int add_mount(const struct lookup *l, struct libmnt_fs *fs)
{
	struct mount_entry *m;

	if (!strcmp(mnt_fs_get_fstype(fs), "fuse.ckptfs") || is_hidden(l->container, fs))
		return 0;
	m = description_add_mount(l->d);
	if (!m)
		return error_set(l->e, E2BIG, "container %s has more than %d mounts",
				 l->d->name, DESCRIPTION_MOUNTS_MAX);
	m->target = strdup(mnt_fs_get_target(fs));
	if (!m->target)
		return error_set(l->e, ENOMEM, "no memory for the mounts");
	m->attr = attr_of(fs);
	if (l->d->nr_mounts > 1 && !strcmp(m->target, "/"))
		return error_set(l->e, EOPNOTSUPP, "the container has a second mount on its root, which is not supported");
	return classify(l, fs, m);
}

static int walk(const struct lookup *l)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	int ret = 0;

	if (!it || mnt_table_next_fs(l->container, it, &fs) ||
	    strcmp(mnt_fs_get_target(fs), "/"))
		ret = error_set(l->e, EOPNOTSUPP, "the root directory of container %s is no mount point, which is not supported",
				l->d->name);
	else
		ret = add_mount(l, fs);
	if (!ret && l->d->mounts[0].kind != MOUNT_BIND)
		ret = error_set(l->e, EOPNOTSUPP, "the root of container %s is no directory of the host's, which is not supported yet",
				l->d->name);
	while (!ret && mnt_table_next_fs(l->container, it, &fs) == 0)
		ret = add_mount(l, fs);
	mnt_free_iter(it);
	return ret;
}

int describe_mounts(struct description *d, pid_t pid, struct ckpt_error *e)
{
	struct lookup l = { .d = d, .e = e };
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	l.host = mnt_new_table_from_file("/proc/self/mountinfo");
	l.container = mnt_new_table_from_file(path);
	if (l.host && l.container)
		ret = walk(&l);
	else
		ret = error_set(e, ESRCH, "the mounts of task %d cannot be read", pid);
	mnt_unref_table(l.host);
	mnt_unref_table(l.container);
	return ret;
}
