// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cleanup.h"
#include "fs.h"
#include "handle.h"
#include "line.h"
#include "log.h"
#include "node.h"
#include "note.h"
#include "state.h"

/* ---- logs that the disk did not take ---- */

struct kept {
	struct kept *next;
	int fd;
	char name[];
};

static struct kept *kept;
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;

static struct kept **find_kept(const char *name)
{
	struct kept **at;

	for (at = &kept; *at && strcmp((*at)->name, name); at = &(*at)->next)
		;
	return at;
}

void log_forget(const char *name)
{
	struct kept **at, *k;

	pthread_mutex_lock(&kept_lock);
	at = find_kept(name);
	k = *at;
	if (k)
		*at = k->next;
	pthread_mutex_unlock(&kept_lock);
	if (k)
		close(k->fd);
	free(k);
}

/* opened anew, with an offset of its own; -ENOENT: it is not in memory */
static int open_kept(const char *name, int flags)
{
	char path[64];
	struct kept *k;
	int fd = -ENOENT;

	pthread_mutex_lock(&kept_lock);
	k = *find_kept(name);
	if (k) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", k->fd);
		fd = open(path, flags | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
	}
	pthread_mutex_unlock(&kept_lock);
	return fd;
}

static int begin_in_memory(const char *name)
{
	struct kept *k = malloc(sizeof(*k) + strlen(name) + 1);
	int fd = memfd_create("log", MFD_CLOEXEC);

	if (!k || fd < 0) {
		free(k);
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	k->fd = fd;
	strcpy(k->name, name);
	log_forget(name);
	pthread_mutex_lock(&kept_lock);
	k->next = kept;
	kept = k;
	pthread_mutex_unlock(&kept_lock);
	return open_kept(name, O_WRONLY | O_APPEND);
}

/* bytes that a log on the disk is given before it begins */
#define LOG_ROOM 4096

static int begin_on_disk(const char *name, char path[PATH_MAX])
{
	int fd, rc = state_make(name, "log", path);

	if (rc)
		return rc;
	if (unlink(path) && errno != ENOENT)
		return -errno;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	/* on a full disk there may be room for a name and none for a line */
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, LOG_ROOM) && errno == ENOSPC) {
		close(fd);
		unlink(path);
		return -ENOSPC;
	}
	return fd;
}

/* ---- logs ---- */

int log_begin(const char *name, char path[PATH_MAX])
{
	int rc, fd = begin_on_disk(name, path);

	if (fd >= 0) {
		log_forget(name);
		return fd;
	}
	rc = fd;
	fd = begin_in_memory(name);
	if (fd < 0)
		return rc;
	snprintf(path, PATH_MAX, "/proc/%d/fd/%d", getpid(), fd);
	log_line(fd, "this log is in memory: there is none on the disk: %s", strerror(-rc));
	return fd;
}

void log_line(int fd, const char *fmt, ...)
{
	char line[2048];
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	line_clean(line);
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

void log_more(const char *name, const char *fmt, ...)
{
	int fd = open_kept(name, O_WRONLY | O_APPEND);
	char path[PATH_MAX], line[1024];
	va_list ap;

	if (fd == -ENOENT && !state_make(name, "log", path))
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
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
	int fd = open_kept(name, O_RDONLY), rc;

	if (fd != -ENOENT)
		return fd;
	rc = state_path(name, "log", path);
	if (rc)
		return rc;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void last_set(const char *name, const struct last_checkpoint *last)
{
	char text[LAST_NAME_SIZE + 64];
	int len = snprintf(text, sizeof(text), "%" PRId64 " %" PRIu64 " %s\n", last->time_ns,
			   last->pause_us, last->name);
	int rc = state_write(name, "last", text, len, false);

	if (rc)
		note("the last checkpoint of %s can't be noted: %s", name, strerror(-rc));
}

void last_get(const char *name, struct last_checkpoint *last)
{
	_cleanup_free_ char *text = NULL;

	memset(last, 0, sizeof(*last));
	/* the name may be missing */
	if (state_read(name, "last", &text) ||
	    sscanf(text, "%" SCNd64 " %" SCNu64 " %255s", &last->time_ns, &last->pause_us,
		   last->name) < 2)
		memset(last, 0, sizeof(*last));
}

static int log_attr(const struct node_at *at, const struct place_info *info, struct stat *st)
{
	_cleanup_fd_ int fd = open_log(at->place);
	struct stat log;

	(void)info;
	if (fd < 0 || fstat(fd, &log))
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
