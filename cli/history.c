// SPDX-License-Identifier: GPL-2.0-only
/* ckpt history: the snapshots of a container */
#include <stdio.h>
#include <time.h>

#include "cleanup.h"
#include "command.h"
#include "place.h"
#include "snapshots.h"
#include "text.h"
#include "transfer.h"

static int run(int argc, char **argv, struct ckpt_error *e)
{
	_cleanup_free_ struct snapshot *list = NULL;
	char path[PATH_MAX], size[32], when[32], shown[TEXT_NAME_MAX];
	char *name = NULL;
	struct tm tm;
	ssize_t n, i;
	int ret;

	command_parse(&command_history, argc, argv, &name);
	ret = place_check(name, e);
	if (!ret)
		ret = place_path(name, "snapshots", path, e);
	if (ret)
		return ret;
	n = snapshots_read(path, &list, e);
	if (n < 0)
		return n;
	for (i = 0; i < n; i++) {
		gmtime_r(&list[i].time.tv_sec, &tm);
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
		printf("%s  %10s  %s%s\n", when, transfer_size(list[i].size, size),
		       text_name(stdout, list[i].name, shown), i == n - 1 ? "  (latest)" : "");
	}
	return 0;
}

const struct command command_history = {
	.name = "history",
	.argp = {
		NULL, command_name, "NAME",
		"Lists the snapshots of the container NAME, the oldest first: when (UTC), size, name.",
		NULL, NULL, NULL,
	},
	.run = run,
};
