// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "programs.h"

static int try_path(const char *dir, size_t len, const char *more, const char *program,
		    char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%.*s%s/%s", (int)len, dir, more, program);

	return n < PATH_MAX && !access(path, X_OK) ? 0 : -ENOENT;
}

/* installed, and in a build directory */
static int beside_us(const char *program, char path[PATH_MAX])
{
	static const char *const from_here[] = { "", "/../sbin", "/../around" };
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;
	size_t i;

	if (len < 0)
		return -ENOENT;
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return -ENOENT;
	for (i = 0; i < sizeof(from_here) / sizeof(*from_here); i++)
		if (!try_path(self, slash - self, from_here[i], program, path))
			return 0;
	return -ENOENT;
}

int program_find(const char *program, char path[PATH_MAX])
{
	const char *dir = getenv("CKPTFS_LIBEXEC");
	size_t len;

	if (dir && !try_path(dir, strlen(dir), "", program, path))
		return 0;
	if (!beside_us(program, path))
		return 0;
	dir = getenv("PATH");
	if (!dir)
		dir = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	for (; *dir; dir += len + (dir[len] == ':')) {
		len = strcspn(dir, ":");
		if (len && !try_path(dir, len, "", program, path))
			return 0;
	}
	return -ENOENT;
}
