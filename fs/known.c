// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "known.h"
#include "proc.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* pids and start times mean something in one boot only */
static int boot_id(char id[64])
{
	ssize_t n = proc_read(AT_FDCWD, BOOT_ID, id, 64);

	if (n < 0)
		return n;
	id[strcspn(id, "\n")] = '\0';
	return 0;
}

static bool parse_line(char *line, struct container *c)
{
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	memset(c, 0, sizeof(*c));
	if (sscanf(line, "%d %" SCNu64 " %n", &c->init, &c->start, &at) != 2 || !at ||
	    !line[at] || strlen(line + at) > CONTAINER_NAME_MAX)
		return false;
	strcpy(c->name, line + at);
	return true;
}

static int read_lines(FILE *f, struct container **list, size_t *count)
{
	_cleanup_free_ char *line = NULL;
	struct container *more, c;
	size_t size = 0;

	while (getline(&line, &size, f) > 0) {
		if (!parse_line(line, &c))
			continue;
		more = reallocarray(*list, *count + 1, sizeof(**list));
		if (!more)
			return -ENOMEM;
		*list = more;
		more[(*count)++] = c;
	}
	return 0;
}

int known_load(const char *path, struct container **list, size_t *count)
{
	_cleanup_file_ FILE *f = fopen(path, "re");
	char id[64], noted[64] = "";
	int rc;

	*list = NULL;
	*count = 0;
	if (!f)
		return errno == ENOENT ? 0 : -errno;
	rc = boot_id(id);
	if (rc || !fgets(noted, sizeof(noted), f))
		return rc;
	noted[strcspn(noted, "\n")] = '\0';
	return strcmp(noted, id) ? 0 : read_lines(f, list, count);
}

int known_save(const char *path, const struct container *list, size_t count)
{
	_cleanup_free_ char *fresh = NULL;
	char id[64];
	FILE *f;
	int rc;

	if (!count)
		return unlink(path) && errno != ENOENT ? -errno : 0;
	rc = boot_id(id);
	if (rc)
		return rc;
	if (asprintf(&fresh, "%s.new", path) < 0)
		return -ENOMEM;
	f = fopen(fresh, "we");
	if (!f)
		return -errno;
	fprintf(f, "%s\n", id);
	for (size_t i = 0; i < count; i++)
		if (!strchr(list[i].name, '\n'))
			fprintf(f, "%d %" PRIu64 " %s\n", list[i].init, list[i].start,
				list[i].name);
	rc = ferror(f) ? -EIO : 0;
	if (fclose(f) && !rc)
		rc = -errno;
	return !rc && rename(fresh, path) ? -errno : rc;
}
