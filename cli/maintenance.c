// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "command.h"
#include "maintenance.h"
#include "place.h"

int maintenance_args(const struct command *c, int argc, char **argv, const char **path,
		     struct ckpt_error *e)
{
	*path = NULL;
	if (argc == 3 && !strcmp(argv[1], "--store"))
		*path = argv[2];
	else if (argc == 2 && !strncmp(argv[1], "--store=", 8))
		*path = argv[1] + 8;
	else if (argc != 1)
		return command_usage(c, "there is an argument that it does not have", e);
	return *path ? 0 : place_mounted(e);
}

int maintenance_read(const char *file, void (*line)(void *arg, const char *text), void *arg,
		     struct ckpt_error *e)
{
	static const char failed[] = "error: ";
	_cleanup_free_ char *text = NULL;
	_cleanup_file_ FILE *f = NULL;
	char path[PATH_MAX], why[sizeof(e->text)] = "";
	size_t size = 0;
	int err;

	snprintf(path, sizeof(path), "%s/.ckptfs/%s", mount_point, file);
	f = fopen(path, "re");
	if (!f)
		return error_sys(e, errno, "%s cannot be read", path);
	while (errno = 0, getline(&text, &size, f) > 0) {
		text[strcspn(text, "\n")] = '\0';
		if (strncmp(text, failed, sizeof(failed) - 1))
			line(arg, text);
		else
			snprintf(why, sizeof(why), "%s", text + sizeof(failed) - 1);
	}
	err = errno;
	if (!ferror(f))
		return 0;
	return why[0] ? error_set(e, err, "%s", why) : error_sys(e, err, "%s cannot be read", path);
}

int maintenance_open(const char *path, unsigned int flags, struct store **st,
		     struct ckpt_error *e)
{
	struct store_error se;
	int ret = store_open(st, path, flags, &se);

	return ret ? error_set(e, se.err, "%s", se.text) : 0;
}
