// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"
#include "root.h"

static int set_attr(int tree, const struct mount_entry *m, uint64_t attr)
{
	static const uint64_t propagations[] = {
		[PROPAGATION_PRIVATE] = MS_PRIVATE,
		[PROPAGATION_SLAVE] = 0,	/* as what it is a copy of */
		[PROPAGATION_UNBINDABLE] = MS_UNBINDABLE,
	};
	struct mount_attr a = {
		.attr_set = attr,
		.attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODIRATIME |
			    MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR__ATIME,
		.propagation = propagations[m->propagation],
	};

	return mount_setattr(tree, "", AT_EMPTY_PATH, &a, sizeof(a));
}

/* A new file system of a type, with "key=value" or "flag" options. */
static int fresh_mount(const struct mount_entry *m)
{
	_cleanup_free_ char *data = strdup(m->data ? m->data : "");
	_cleanup_fd_ int fs = fsopen(m->kind == MOUNT_TMPFS ? "tmpfs" : m->source, FSOPEN_CLOEXEC);
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

/* what there is to make mounts of */
struct place {
	int old;		/* the host's root */
	const char *cgroup;	/* path of the container's cgroup there */
	struct libmnt_table *host;	/* its mounts, each a slave of what it was */
	dev_t *empty;		/* file systems that have come back empty */
	size_t nr_empty;
};

static bool is_empty(const struct place *p, int dir)
{
	struct stat st;
	size_t i;

	if (fstat(dir, &st))
		return false;
	for (i = 0; i < p->nr_empty; i++)
		if (p->empty[i] == st.st_dev)
			return true;
	return false;
}

static int note_empty(struct place *p, int tree)
{
	dev_t *more = reallocarray(p->empty, p->nr_empty + 1, sizeof(*more));
	struct stat st;

	if (more)
		p->empty = more;
	if (!more || fstat(tree, &st))
		return -1;
	p->empty[p->nr_empty++] = st.st_dev;
	return 0;
}

/* what is made where there is nothing */
struct thing {
	mode_t type;
	dev_t dev;
};

static const struct thing a_dir = { .type = S_IFDIR }, a_file = { .type = S_IFREG };

/* what an inner mount shows; false: it is nothing that there is */
static bool thing_of(const char *data, struct thing *thing)
{
	unsigned int major, minor;
	int end = -1;

	if (!data || !*data) {
		*thing = a_dir;
	} else if (!strcmp(data, MOUNT_DATA_FILE)) {
		*thing = a_file;
	} else {
		if (sscanf(data, MOUNT_DATA_DEVICE "%u:%u%n", &major, &minor, &end) != 2 || data[end])
			return false;
		*thing = (struct thing){ .type = S_IFCHR, .dev = makedev(major, minor) };
	}
	return true;
}

/*
 * One step of a path.  In what is empty it is made; its sticky bit says to the engine, which
 * gives it all that it had, that it is no file of the container's yet.
 */
static int step(const struct place *p, int dir, const char *name, const struct thing *thing)
{
	int fd = root_open_plain(dir, name);

	if (fd >= 0 || errno != ENOENT || !is_empty(p, dir))
		return fd;
	if (thing->type == S_IFDIR ? mkdirat(dir, name, 01700) :
				     mknodat(dir, name, thing->type | 01600, thing->dev))
		return -1;
	return root_open_plain(dir, name);
}

/*
 * Open a path of the container, to mount something on it or what is there elsewhere.  What of it
 * lies in a tmpfs that is still empty is made.  Returns as root_open_plain().
 */
static int open_place(const struct place *p, const char *path, const struct thing *thing)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_fd_ int at = root_open_plain(AT_FDCWD, "/");
	char *name, *rest = copy;
	int next;

	if (!copy || strstr(path, "/../")) {
		errno = copy ? EINVAL : ENOMEM;
		return -1;
	}
	while (at >= 0 && (name = strsep(&rest, "/"))) {
		if (!*name)
			continue;
		next = step(p, at, name, rest ? &a_dir : thing);
		close(at);
		at = next;
	}
	return steal_fd(&at);
}

/* Does the mount at a path follow the host's? */
static bool is_slave(const struct place *p, int root, const char *path)
{
	_cleanup_fd_ int fd = root_open_plain(root, path);
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	const char *fields = NULL;
	struct libmnt_fs *fs;
	struct statx sx;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx))
		sx.stx_mnt_id = 0;
	while (it && mnt_table_next_fs(p->host, it, &fs) == 0)
		if ((uint64_t)mnt_fs_get_id(fs) == sx.stx_mnt_id)
			fields = mnt_fs_get_optional_fields(fs);
	mnt_free_iter(it);
	return fields && strstr(fields, "master:");
}

/* As it was, and with what is not to be changed there any more only when all mounts are made. */
static uint64_t first_attr(const struct mount_entry *m)
{
	return m->kind == MOUNT_TMPFS || m->kind == MOUNT_INNER ? m->attr & ~(uint64_t)MOUNT_ATTR_RDONLY :
								  m->attr;
}

static int inner_mount(const struct mount_entry *m, const struct place *p)
{
	_cleanup_fd_ int fd = -1;
	struct thing thing;

	if (!thing_of(m->data, &thing)) {
		errno = EINVAL;
		return -1;
	}
	fd = open_place(p, m->source, &thing);
	if (fd < 0)
		return -1;
	return open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static bool is_new(const struct mount_entry *m)
{
	return m->kind == MOUNT_FRESH || m->kind == MOUNT_TMPFS;
}

static int make_tree(const struct mount_entry *m, const struct place *p,
		     struct ckpt_error *e)
{
	const char *source = m->source;
	char path[PATH_MAX * 2];
	int tree, root = p->old;

	if (m->kind == MOUNT_CGROUP) {
		snprintf(path, sizeof(path), "%s%s", p->cgroup,
			 strcmp(m->source, "/") ? m->source : "");
		source = path;
	} else if (m->kind == MOUNT_INNER) {
		root = AT_FDCWD;
	}
	if (m->kind == MOUNT_INNER)
		tree = inner_mount(m, p);
	else
		tree = is_new(m) ? fresh_mount(m) : root_clone(root, source);
	if (tree < 0 && errno == ENOENT && !is_new(m))
		return error_set(e, ENOENT, "%s, which the container has mounted on %s, is not there: provide it and restart again",
				 m->source, m->target);
	if (tree < 0)
		return error_sys(e, errno, "%s, which the container has mounted on %s, cannot be mounted",
				 m->source, m->target);
	if (m->propagation == PROPAGATION_SLAVE && !is_slave(p, root, source)) {
		close(tree);
		return error_set(e, EINVAL, "%s, whose mounts the container follows on %s, is in no shared mount: run 'mount --make-shared' for it and restart again",
				 source, m->target);
	}
	if (set_attr(tree, m, first_attr(m))) {
		error_sys(e, errno, "the mount options of %s cannot be set", m->target);
		close(tree);
		return -e->err;
	}
	return tree;
}

static bool is_dir(int fd)
{
	struct stat st;

	return fstat(fd, &st) || S_ISDIR(st.st_mode);
}

static int restore_one(const struct mount_entry *m, struct place *p, struct ckpt_error *e)
{
	_cleanup_fd_ int tree = make_tree(m, p, e);
	_cleanup_fd_ int target = -1;

	if (tree < 0)
		return tree;
	if (m->kind == MOUNT_TMPFS && note_empty(p, tree))
		return error_set(e, ENOMEM, "no memory for the mounts");
	target = open_place(p, m->target, is_dir(tree) ? &a_dir : &a_file);
	if (target < 0)
		return error_sys(e, errno, "the container's mount point %s cannot be opened",
				 m->target);
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
		return error_sys(e, errno, "%s cannot be mounted on %s", m->source, m->target);
	return 0;
}

/* those that are for reading only, when nothing is mounted there any more */
static int restore_readonly(const struct mount_entry *m, struct ckpt_error *e)
{
	_cleanup_fd_ int fd = -1;

	if (first_attr(m) == m->attr)
		return 0;
	fd = root_open_plain(AT_FDCWD, m->target);
	if (fd < 0 || set_attr(fd, m, m->attr))
		return error_sys(e, errno, "the mount options of %s cannot be set", m->target);
	return 0;
}

static int restore_all(const struct description *d, struct place *p, struct ckpt_error *e)
{
	_cleanup_fd_ int old = -1, root = -1;
	size_t i;
	int ret;

	p->old = AT_FDCWD;
	root = make_tree(&d->mounts[0], p, e);
	if (root < 0)
		return root;
	old = root_enter(root, e);
	if (old < 0)
		return old;
	p->old = old;
	for (i = 1; i < d->nr_mounts; i++) {
		ret = restore_one(&d->mounts[i], p, e);
		if (ret)
			return ret;
	}
	for (i = 1; i < d->nr_mounts; i++) {
		ret = restore_readonly(&d->mounts[i], e);
		if (ret)
			return ret;
	}
	return root_leave(old, e);
}

int mounts_restore(const struct description *d, const char *cgroup,
		   struct ckpt_error *e)
{
	struct place p = { .cgroup = cgroup };
	/* copies of the host's mounts can follow them, and do nothing to them */
	int ret = root_slave(e);

	if (ret)
		return ret;
	p.host = mnt_new_table_from_file("/proc/self/mountinfo");
	if (!p.host)
		return error_set(e, ENOENT, "/proc/self/mountinfo cannot be read: is /proc mounted?");
	ret = restore_all(d, &p, e);
	mnt_unref_table(p.host);
	free(p.empty);
	return ret;
}
