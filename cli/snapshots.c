// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "snapshots.h"

static int by_time(const void *a, const void *b)
{
	const struct snapshot *x = a, *y = b;

	if (x->time.tv_sec != y->time.tv_sec)
		return x->time.tv_sec < y->time.tv_sec ? -1 : 1;
	if (x->time.tv_nsec != y->time.tv_nsec)
		return x->time.tv_nsec < y->time.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

ssize_t snapshots_read(const char *path, struct snapshot **list, struct ckpt_error *e)
{
	_cleanup_dir_ DIR *dir = opendir(path);
	struct snapshot *more;
	struct dirent *d;
	struct stat st;
	size_t n = 0;

	if (!dir)
		return error_sys(e, errno, "%s cannot be read", path);
	while ((d = readdir(dir))) {
		if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(st.st_mode))
			continue;
		more = reallocarray(*list, n + 1, sizeof(*more));
		if (!more)
			return error_set(e, ENOMEM, "no memory for the list of snapshots");
		*list = more;
		snprintf(more[n].name, sizeof(more[n].name), "%s", d->d_name);
		more[n].size = st.st_size;
		more[n++].time = st.st_mtim;
	}
	if (n)
		qsort(*list, n, sizeof(**list), by_time);
	return n;
}
