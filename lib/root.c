// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "root.h"

int root_private(struct ckpt_error *e)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return error_sys(e, errno, "the mounts cannot be made private");
	return 0;
}

int root_slave(struct ckpt_error *e)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL))
		return error_sys(e, errno, "the mounts cannot be made slaves");
	return 0;
}

int root_enter(int tree, struct ckpt_error *e)
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

int root_leave(int old, struct ckpt_error *e)
{
	if (fchdir(old) || umount2(".", MNT_DETACH) || chdir("/"))
		return error_sys(e, errno, "the host's root cannot be left");
	return 0;
}

int root_open_plain(int root, const char *path)
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

int root_clone(int root, const char *path)
{
	_cleanup_fd_ int fd = root_open_plain(root, path);

	if (fd < 0)
		return -1;
	return open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}
