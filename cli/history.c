// SPDX-License-Identifier: GPL-2.0-only
/* ckpt history: the snapshots of a container */
#include <stdio.h>
#include <time.h>

#include "cleanup.h"
#include "command.h"
#include "place.h"
#include "snapshots.h"
#include "transfer.h"

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
	n = snapshots_read(path, &list, e);
	if (n < 0)
		return n;
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
