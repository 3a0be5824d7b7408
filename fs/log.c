// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "cleanup.h"
#include "fs.h"
#include "handle.h"
#include "log.h"
#include "node.h"
#include "note.h"
#include "proc.h"

static int state_path(const char *name, const char *file, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s%s%s", fs.opt.state, name, file ? "/" : "",
			 file ? file : "");

	return n >= PATH_MAX ? -ENAMETOOLONG : 0;
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

int log_setup(void)
{
	int rc = make_parents(fs.opt.state);

	if (!rc && mkdir(fs.opt.state, 0700) && errno != EEXIST)
		rc = -errno;
	return rc;
}

int log_begin(const char *name, char path[PATH_MAX])
{
	int fd, rc = state_path(name, NULL, path);

	if (rc)
		return rc;
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	rc = state_path(name, "log", path);
	if (rc)
		return rc;
	if (unlink(path) && errno != ENOENT)
		return -errno;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

void log_line(int fd, const char *fmt, ...)
{
	char line[2048];
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	len = strlen(line);
	line[len++] = '\n';
	if (fd < 0 || write(fd, line, len) != (ssize_t)len)
		note("%.*s", (int)len - 1, line);
}

void log_only(const char *name, const char *fmt, ...)
{
	char path[PATH_MAX], line[1024];
	int fd = log_begin(name, path);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	log_line(fd, "%s", line);
	if (fd >= 0)
		close(fd);
}

/* descriptor to read the log; negative errno, -ENOENT: there is none */
static int open_log(const char *name)
{
	char path[PATH_MAX];
	int fd, rc = state_path(name, "log", path);

	if (rc)
		return rc;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void last_set(const char *name, const struct last_checkpoint *last)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	FILE *f;
	int bad;

	if (state_path(name, "last", path) || state_path(name, "last.new", fresh))
		return;
	f = fopen(fresh, "we");
	if (!f) {
		note("can't write %s: %s", fresh, strerror(errno));
		return;
	}
	bad = fprintf(f, "%" PRId64 " %" PRIu64 " %s\n", last->time_ns, last->pause_us,
		      last->name) < 0;
	if (fclose(f) || bad || rename(fresh, path))
		note("can't write %s: %s", path, strerror(errno));
}

void last_get(const char *name, struct last_checkpoint *last)
{
	char path[PATH_MAX], text[LAST_NAME_SIZE + 64];

	memset(last, 0, sizeof(*last));
	if (state_path(name, "last", path) ||
	    proc_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return;
	/* the name may be missing */
	if (sscanf(text, "%" SCNd64 " %" SCNu64 " %255s", &last->time_ns, &last->pause_us,
		   last->name) < 2)
		memset(last, 0, sizeof(*last));
}

void log_remove(const char *name)
{
	static const char *const files[] = { "log", "last", "last.new" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (!state_path(name, files[i], path))
			unlink(path);
	if (!state_path(name, NULL, path))
		rmdir(path);
}

static int log_attr(const struct node_at *at, const struct place_info *info, struct stat *st)
{
	char path[PATH_MAX];
	struct stat log;

	(void)info;
	if (state_path(at->place, "log", path) || stat(path, &log))
		return 0;
	st->st_size = log.st_size;
	st->st_blocks = log.st_blocks;
	st->st_atim = log.st_atim;
	st->st_mtim = log.st_mtim;
	st->st_ctim = log.st_ctim;
	return 0;
}

static int log_open(const struct node_at *at, const struct fuse_ctx *caller,
		    struct fuse_file_info *fi, struct handle **h)
{
	int fd = open_log(at->place);

	(void)caller;
	(void)fi;
	if (fd == -ENOENT)
		*h = text_open(NULL, 0);
	else if (fd < 0)
		return fd;
	else
		*h = fd_open(fd);
	return *h ? 0 : -ENOMEM;
}

const struct node log_node = {
	.name = "log",
	.in = NODE_PLACE,
	.mode = S_IFREG | 0400,
	.flags = NODE_PRIVATE,
	.attr = log_attr,
	.open = log_open,
};
