// SPDX-License-Identifier: GPL-2.0-only
/* ckpt history: the snapshots of a container */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cleanup.h"
#include "command.h"
#include "place.h"
#include "transfer.h"

struct snapshot {
	char name[NAME_MAX + 1];
	uint64_t size;		/* bytes */
	struct timespec time;
};

static int by_time(const void *a, const void *b)
{
	const struct snapshot *x = a, *y = b;

	if (x->time.tv_sec != y->time.tv_sec)
		return x->time.tv_sec < y->time.tv_sec ? -1 : 1;
	if (x->time.tv_nsec != y->time.tv_nsec)
		return x->time.tv_nsec < y->time.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Returns how many there are, in *list, to be freed; or a negative errno. */
static ssize_t read_snapshots(const char *path, struct snapshot **list, struct ckpt_error *e)
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
	return n;
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	_cleanup_free_ struct snapshot *list = NULL;
	char path[PATH_MAX], size[32], when[32];
	struct tm tm;
	ssize_t n, i;
	int ret;

	if (argc != 2 || argv[1][0] == '-')
		return command_usage(&command_history, "one name of a container is needed", e);
	ret = place_check(argv[1], e);
	if (!ret)
		ret = place_path(argv[1], "snapshots", path, e);
	if (ret)
		return ret;
	n = read_snapshots(path, &list, e);
	if (n < 0)
		return n;
	if (n > 0)
		qsort(list, n, sizeof(*list), by_time);
	for (i = 0; i < n; i++) {
		gmtime_r(&list[i].time.tv_sec, &tm);
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
		printf("%s  %10s  %s%s\n", when, transfer_size(list[i].size, size),
		       list[i].name, i == n - 1 ? "  (latest)" : "");
	}
	return 0;
}

const struct command command_history = {
	.name = "history",
	.synopsis = "NAME",
	.help = "Lists the snapshots of the container NAME, the oldest first: when (UTC), size, name.\n",
	.run = run,
};
