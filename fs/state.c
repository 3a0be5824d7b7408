// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "fs.h"
#include "state.h"

int state_path(const char *place, const char *file, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s%s%s", fs.opt.state, place, file ? "/" : "",
			 file ? file : "");

	return n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int state_make(const char *place, const char *file, char path[PATH_MAX])
{
	int rc = state_path(place, NULL, path);

	if (rc)
		return rc;
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	return state_path(place, file, path);
}

int state_read(const char *place, const char *file, char **text)
{
	_cleanup_file_ FILE *f = NULL;
	char path[PATH_MAX];
	size_t size = 0;
	int rc = state_path(place, file, path);

	if (rc)
		return rc;
	*text = NULL;
	f = fopen(path, "re");
	if (!f && errno != ENOENT)
		return -errno;
	/* none has a NUL in it: this reads all of it */
	if (!f || getdelim(text, &size, '\0', f) < 0) {
		if (f && ferror(f))
			rc = -errno;
		free(*text);
		*text = rc ? NULL : strdup("");
		return !rc && !*text ? -ENOMEM : rc;
	}
	return 0;
}

static int write_file(const char *path, const char *text, size_t len, bool sync)
{
	FILE *f = fopen(path, "we");
	int rc = 0;

	if (!f)
		return -errno;
	if (fwrite(text, 1, len, f) != len || fflush(f) || (sync && fsync(fileno(f))))
		rc = -errno;
	if (fclose(f) && !rc)
		rc = -errno;
	return rc;
}

int state_write(const char *place, const char *file, const char *text, size_t len, bool sync)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	int rc = state_make(place, file, path);

	if (!rc && snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		rc = -ENAMETOOLONG;
	if (!rc)
		rc = write_file(fresh, text, len, sync);
	if (!rc && rename(fresh, path))
		rc = -errno;
	if (rc)
		unlink(fresh);
	return rc;
}

void state_remove(const char *place)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *entry;
	char path[PATH_MAX];

	if (state_path(place, NULL, path))
		return;
	d = opendir(path);
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(d), entry->d_name, 0);
	rmdir(path);
}

static int make_parents(const char *path)
{
	char part[PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *p = part + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		if (mkdir(part, 0755) && errno != EEXIST)
			return -errno;
	}
	return 0;
}

int state_setup(void)
{
	int rc = make_parents(fs.opt.state);

	if (!rc && mkdir(fs.opt.state, 0700) && errno != EEXIST)
		rc = -errno;
	return rc;
}
