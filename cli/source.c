// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "place.h"
#include "source.h"

int source_open(const char *name, const char *source, char path[PATH_MAX],
		struct ckpt_error *e)
{
	char snapshot[NAME_MAX + 16];
	int fd, ret;

	if (!strcmp(source, "-")) {
		strcpy(path, "standard input");
		fd = dup(0);
		return fd < 0 ? error_sys(e, errno, "standard input is not open") : fd;
	}
	if (!strchr(source, '/') && strlen(source) <= NAME_MAX) {
		snprintf(snapshot, sizeof(snapshot), "snapshots/%s", source);
		ret = place_path(name, snapshot, path, e);
		if (ret)
			return ret;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (!strcmp(source, "latest"))
			return error_set(e, ENOENT, "container %s has no snapshots: name a file", name);
	}
	if (strlen(source) >= PATH_MAX)
		return error_sys(e, ENAMETOOLONG, "the image's file name is too long");
	strcpy(path, source);
	fd = open(source, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return error_set(e, ENOENT, "there is neither a snapshot of container %s nor a file %s: see 'ckpt history %s'",
				 name, source, name);
	return error_sys(e, errno, "%s cannot be opened", source);
}
