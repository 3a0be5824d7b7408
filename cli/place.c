// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cleanup.h"
#include "command.h"
#include "names.h"
#include "place.h"

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

int place_mounted(struct ckpt_error *e)
{
	struct statfs fs;

	if (statfs(mount_point, &fs) || fs.f_type != FUSE_SUPER_MAGIC)
		return error_set(e, ENODEV, "the containers' file system is not mounted on %s: start it with 'ckptfs %s'",
				 mount_point, mount_point);
	return 0;
}

int place_path(const char *name, const char *file, char path[PATH_MAX],
	       struct ckpt_error *e)
{
	int ret = name_check_place(name, e);

	if (!ret)
		ret = place_mounted(e);
	if (ret)
		return ret;
	if (snprintf(path, PATH_MAX, "%s/%s%s%s", mount_point, name, *file ? "/" : "",
		     file) >= PATH_MAX)
		return error_set(e, ENAMETOOLONG, "the path of container %s is too long", name);
	return 0;
}

int place_check(const char *name, struct ckpt_error *e)
{
	char path[PATH_MAX];
	struct stat st;
	int ret = place_path(name, "", path, e);

	if (ret)
		return ret;
	if (stat(path, &st))
		return error_set(e, ENOENT, "there is no container %s: see 'ckpt ps'", name);
	return 0;
}

int place_reason(const char *name, const char *what, int err, struct ckpt_error *e)
{
	_cleanup_file_ FILE *f = NULL;
	char path[PATH_MAX], line[400], last[400] = "";

	snprintf(path, sizeof(path), "%s/%s/log", mount_point, name);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			strcpy(last, line);
	}
	if (last[0])
		return error_set(e, err, "%s", last);
	return error_sys(e, err, "%s", what);
}

int place_status(const char *name, const char *key, char *value, size_t size)
{
	_cleanup_file_ FILE *f = NULL;
	char path[PATH_MAX], line[PATH_MAX];
	size_t n = strlen(key);

	value[0] = '\0';
	snprintf(path, sizeof(path), "%s/%s/status", mount_point, name);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, n) || line[n] != ':')
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(value, size, "%s", line + n + 1 + strspn(line + n + 1, " "));
		break;
	}
	return 0;
}
