// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <unistd.h>

#include "attr.h"
#include "cleanup.h"
#include "node.h"
#include "place.h"
#include "state.h"

static int look(const char *name, int64_t age_ns, struct place_info *info)
{
	struct store_error e;
	int group, rc;

	group = store_group_stat(fs.store, name, &info->g, &e);
	info->stored = !group;
	/* what is not there at all must never be missed */
	rc = container_glance(name, info->stored ? age_ns : 0, &info->c);
	if (rc && rc != -ENOENT)
		return rc;
	info->running = !rc;
	/* a running container is there although its history has trouble */
	return info->running ? 0 : group;
}

int place_look(const char *name, struct place_info *info)
{
	return look(name, 0, info);
}

int place_glance(const char *name, struct place_info *info)
{
	return look(name, PLACE_TIMEOUT * 1000000000LL, info);
}

int64_t place_time(const struct place_info *info)
{
	if (!info->running)
		return info->g.mtime_ns;
	return attr_boot((int64_t)info->c.start * (1000000000 / sysconf(_SC_CLK_TCK)));
}

void places_tidy(void)
{
	_cleanup_dir_ DIR *d = opendir(fs.opt.state);
	struct dirent *entry;
	struct place_info info;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.' && place_look(entry->d_name, &info))
			state_remove(entry->d_name);
}

const struct node place_node = {
	.mode = S_IFDIR | 0555,
};
