// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "place.h"
#include "recorded.h"
#include "snapshots.h"

void recorded_note(struct recorded *r, const void *data, size_t len)
{
	if (len > RECORDED_HEAD - r->head_len)
		len = RECORDED_HEAD - r->head_len;
	memcpy(r->head + r->head_len, data, len);
	r->head_len += len;
}

static bool is_snapshot(const struct recorded *r, const char *name, const char *snapshot)
{
	char path[PATH_MAX], head[RECORDED_HEAD];
	_cleanup_fd_ int fd = -1;

	if (snprintf(path, sizeof(path), "%s/%s/snapshots/%s", mount_point, name, snapshot) >=
	    (int)sizeof(path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && pread(fd, head, r->head_len, 0) == (ssize_t)r->head_len &&
	       !memcmp(head, r->head, r->head_len);
}

void recorded_find(struct recorded *r, const char *name)
{
	_cleanup_free_ struct snapshot *list = NULL;
	char path[PATH_MAX];
	ssize_t count;

	if (!place_status(name, "recorded", r->snapshot, sizeof(r->snapshot)) &&
	    r->snapshot[0] && strcmp(r->snapshot, "-") && is_snapshot(r, name, r->snapshot))
		return;
	r->snapshot[0] = '\0';
	if (place_path(name, "snapshots", path, NULL))
		return;
	count = snapshots_read(path, &list, NULL);
	while (!r->snapshot[0] && count-- > 0)
		if (is_snapshot(r, name, list[count].name))
			strcpy(r->snapshot, list[count].name);
}
