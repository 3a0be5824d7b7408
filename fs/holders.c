// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "holders.h"
#include "proc.h"

/*
 * fdinfo has the inode number, and no file system is asked for it. Only where that
 * is the same is the device looked at: what the kernel knows of it, for an answer
 * from us would have to wait for us.
 */
static bool is_file(int fdinfo, int fds, const char *fd, dev_t dev, uint64_t ino)
{
	struct statx st;
	char text[4096];

	return proc_read(fdinfo, fd, text, sizeof(text)) > 0 &&
	       proc_number(text, "ino") == (int64_t)ino &&
	       !statx(fds, fd, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO, &st) &&
	       makedev(st.stx_dev_major, st.stx_dev_minor) == dev;
}

static bool has_open(pid_t pid, dev_t dev, uint64_t ino)
{
	_cleanup_dir_ DIR *d = NULL;
	_cleanup_fd_ int fds = -1;
	struct dirent *entry;
	char path[32];

	if (!pid)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	fds = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	strcat(path, "info");
	d = opendir(path);
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.' && is_file(dirfd(d), fds, entry->d_name, dev, ino))
			return true;
	return false;
}

bool still_open(pid_t opener, pid_t closer, dev_t dev, uint64_t ino)
{
	return has_open(opener, dev, ino) || (closer != opener && has_open(closer, dev, ino));
}
