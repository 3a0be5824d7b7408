// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "root.h"
#include "rootfs.h"

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

int rootfs_host(struct ckpt_error *e)
{
	int ret = root_private(e);

	if (!ret)
		ret = detach_ckptfs(e);
	if (ret)
		return ret;
	/* what was mounted on the old one goes with it */
	umount2("/proc", MNT_DETACH | UMOUNT_NOFOLLOW);
	return mount_proc(e);
}

/* bind a file of the host on /dev/NAME, which is made if it is missing */
static int bind_device(int old, const char *source, const char *name,
		       struct ckpt_error *e)
{
	_cleanup_fd_ int tree = root_clone(old, source);
	char path[PATH_MAX];

	if (tree < 0)
		return error_sys(e, errno, "%s cannot be had for the container", source);
	snprintf(path, sizeof(path), "/dev/%s", name);
	if (mknod(path, S_IFREG | 0666, 0) && errno != EEXIST)
		return error_sys(e, errno, "%s cannot be made in the container", path);
	if (move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH))
		return error_sys(e, errno, "%s cannot be mounted in the container", path);
	return 0;
}

/* terminals of its own, and the ptmx that makes them, unless that is a link to where they are */
static int mount_terminals(struct ckpt_error *e)
{
	struct stat st;

	if (mkdir("/dev/pts", 0755) && errno != EEXIST)
		return error_sys(e, errno, "/dev/pts cannot be made in the container");
	if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666"))
		return error_sys(e, errno, "/dev/pts cannot be mounted in the container");
	if (!lstat("/dev/ptmx", &st) && S_ISLNK(st.st_mode))
		return 0;
	return bind_device(AT_FDCWD, "/dev/pts/ptmx", "ptmx", e);
}

/* on a file that is made if it is missing */
static int mount_console(const struct console *console, int old, struct ckpt_error *e)
{
	if (mknod(CONSOLE, S_IFREG | 0666, 0) && errno != EEXIST)
		return error_sys(e, errno, "%s cannot be made in the container", CONSOLE);
	return console_mount(console, old, e);
}

int rootfs_enter(const char *dir, const struct console *console, struct ckpt_error *e)
{
	static const char *const devices[] = {
		"null", "zero", "full", "random", "urandom", "tty",
	};
	_cleanup_fd_ int old = -1, tree = -1;
	char path[32];
	size_t i;
	int ret = root_private(e);

	if (ret)
		return ret;
	tree = open_tree(AT_FDCWD, dir, AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return error_sys(e, errno, "the root file system %s cannot be had", dir);
	old = root_enter(tree, e);
	if (old < 0)
		return old;
	ret = mount_proc(e);
	if (!ret && mkdir("/dev", 0755) && errno != EEXIST)
		ret = error_sys(e, errno, "/dev cannot be made in the container");
	for (i = 0; !ret && i < sizeof(devices) / sizeof(*devices); i++) {
		snprintf(path, sizeof(path), "/dev/%s", devices[i]);
		ret = bind_device(old, path, devices[i], e);
	}
	if (!ret)
		ret = mount_terminals(e);
	if (!ret && console)
		ret = mount_console(console, old, e);
	return ret ? ret : root_leave(old, e);
}
