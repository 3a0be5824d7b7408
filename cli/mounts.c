// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"

static int private_propagation(struct ckpt_error *e)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return error_sys(e, errno, "the mounts cannot be made private");
	return 0;
}

/* the host's container file system has no business in a container */
static int detach_ckptfs(struct ckpt_error *e)
{
	struct libmnt_table *tb = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_BACKWARD);
	struct libmnt_fs *fs;
	int ret = 0;

	if (!tb || !it)
		ret = error_set(e, ENOENT, "/proc/self/mountinfo cannot be read: is /proc mounted?");
	while (!ret && mnt_table_next_fs(tb, it, &fs) == 0) {
		const char *target = mnt_fs_get_target(fs);

		if (strcmp(mnt_fs_get_fstype(fs), "fuse.ckptfs"))
			continue;
		if (umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) && errno != EINVAL)
			ret = error_sys(e, errno, "%s cannot be unmounted in the container",
					target);
	}
	mnt_free_iter(it);
	mnt_unref_table(tb);
	return ret;
}

static int mount_proc(struct ckpt_error *e)
{
	if (mkdir("/proc", 0555) && errno != EEXIST)
		return error_sys(e, errno, "/proc cannot be made in the container");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return error_sys(e, errno, "/proc cannot be mounted in the container");
	return 0;
}

int mounts_host(struct ckpt_error *e)
{
	int ret = private_propagation(e);

	if (!ret)
		ret = detach_ckptfs(e);
	if (ret)
		return ret;
	/* what was mounted on the old one goes with it */
	umount2("/proc", MNT_DETACH | UMOUNT_NOFOLLOW);
	return mount_proc(e);
}

/*
 * Make a detached mount the root.  The old root stays on top of the new one,
 * out of the way of path names, until leave_old_root().  Returns a descriptor
 * of the old root.
 *
 * The new root needs some place in the tree first; in a mount namespace that
 * nobody else is in, any directory does.
 */
static int enter_root(int tree, struct ckpt_error *e)
{
	_cleanup_fd_ int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (old < 0)
		return error_sys(e, errno, "the root directory cannot be opened");
	if (move_mount(tree, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH))
		return error_sys(e, errno, "the container's root cannot be mounted");
	if (fchdir(tree) || syscall(SYS_pivot_root, ".", ".") || chdir("/"))
		return error_sys(e, errno, "the container's root cannot be entered");
	return steal_fd(&old);
}

static int leave_old_root(int old, struct ckpt_error *e)
{
	if (fchdir(old) || umount2(".", MNT_DETACH) || chdir("/"))
		return error_sys(e, errno, "the host's root cannot be left");
	return 0;
}

/*
 * Open a path that must be there and have no symbolic link in it, below 'root',
 * or below the caller's root if that is AT_FDCWD.
 */
static int open_plain(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	if (root != AT_FDCWD) {
		how.resolve |= RESOLVE_IN_ROOT;
		path += strspn(path, "/");
		if (!*path)
			path = ".";
	}
	return syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* A detached copy of the one mount at a path. */
static int clone_mount(int root, const char *path)
{
	_cleanup_fd_ int fd = open_plain(root, path);

	if (fd < 0)
		return -1;
	return open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

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
		tree = clone_mount(old, m->source);
		break;
	case MOUNT_CGROUP:
		snprintf(path, sizeof(path), "%s%s", cgroup,
			 strcmp(m->source, "/") ? m->source : "");
		tree = clone_mount(old, path);
		break;
	case MOUNT_INNER:
		tree = clone_mount(AT_FDCWD, m->source);
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
	target = open_plain(AT_FDCWD, m->target);
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
	int ret = private_propagation(e);

	if (ret)
		return ret;
	root = make_tree(&d->mounts[0], AT_FDCWD, cgroup, e);
	if (root < 0)
		return root;
	old = enter_root(root, e);
	if (old < 0)
		return old;
	for (i = 1; i < d->nr_mounts; i++) {
		ret = restore_one(&d->mounts[i], old, cgroup, e);
		if (ret)
			return ret;
	}
	return leave_old_root(old, e);
}

/* bind a file of the host on /dev/NAME, which is made if it is missing */
static int bind_device(int old, const char *source, const char *name,
		       struct ckpt_error *e)
{
	_cleanup_fd_ int tree = clone_mount(old, source);
	char path[PATH_MAX];

	if (tree < 0)
		return error_sys(e, errno, "the host's %s cannot be had", source);
	snprintf(path, sizeof(path), "/dev/%s", name);
	if (mknod(path, S_IFREG | 0666, 0) && errno != EEXIST)
		return error_sys(e, errno, "%s cannot be made in the container", path);
	if (move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH))
		return error_sys(e, errno, "%s cannot be mounted in the container", path);
	return 0;
}

int mounts_rootfs(const char *dir, const char *console, struct ckpt_error *e)
{
	static const char *const devices[] = {
		"null", "zero", "full", "random", "urandom", "tty",
	};
	_cleanup_fd_ int old = -1, tree = -1;
	char path[32];
	size_t i;
	int ret = private_propagation(e);

	if (ret)
		return ret;
	tree = open_tree(AT_FDCWD, dir, AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return error_sys(e, errno, "the root file system %s cannot be had", dir);
	old = enter_root(tree, e);
	if (old < 0)
		return old;
	ret = mount_proc(e);
	if (!ret && mkdir("/dev", 0755) && errno != EEXIST)
		ret = error_sys(e, errno, "/dev cannot be made in the container");
	for (i = 0; !ret && i < sizeof(devices) / sizeof(*devices); i++) {
		snprintf(path, sizeof(path), "/dev/%s", devices[i]);
		ret = bind_device(old, path, devices[i], e);
	}
	if (!ret && console)
		ret = bind_device(old, console, "console", e);
	return ret ? ret : leave_old_root(old, e);
}
