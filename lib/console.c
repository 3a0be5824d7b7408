// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cleanup.h"
#include "console.h"
#include "names.h"
#include "root.h"

/*
 * Which file it is, on the cgroup: for as long as it is mounted the inode stays,
 * whatever becomes of its name.
 */
#define NOTE "trusted.ckpt.console"
#define NOTE_MAX 64

static void note_text(const struct stat *st, char text[NOTE_MAX])
{
	snprintf(text, NOTE_MAX, "%llx %llx", (unsigned long long)st->st_dev,
		 (unsigned long long)st->st_ino);
}

static int open_log(struct console *c, struct ckpt_error *e)
{
	const int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
	int fd;

	if (mkdir(CONSOLE_DIR, 0755) && errno != EEXIST)
		return error_sys(e, errno, "the directory %s cannot be made", CONSOLE_DIR);
	fd = open(c->path, flags | O_CREAT | O_EXCL, 0640);
	c->made = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(c->path, flags | O_CREAT, 0640);
	return fd < 0 ? error_sys(e, errno, "the log %s cannot be opened", c->path) : fd;
}

/* where it is without symbolic links, as root_clone() wants it */
static int make_plain(struct console *c, struct ckpt_error *e)
{
	_cleanup_free_ char *plain = realpath(c->path, NULL);

	if (!plain || strlen(plain) >= sizeof(c->path))
		return error_sys(e, plain ? ENAMETOOLONG : errno, "the log %s cannot be found",
				 c->path);
	strcpy(c->path, plain);
	return 0;
}

int console_log(struct console *c, const char *name, struct ckpt_error *e)
{
	/* a place's name may be as long as that of a file */
	snprintf(c->path, sizeof(c->path), "%s/%.*s.log", CONSOLE_DIR, NAME_MAX - 4, name);
	return open_log(c, e);
}

int console_make(struct console *c, const char *name, const struct cgroup *cgroup,
		 struct ckpt_error *e)
{
	_cleanup_fd_ int fd = -1;
	char text[NOTE_MAX];
	struct stat st;
	int ret;

	c->made = false;
	fd = console_log(c, name, e);
	if (fd < 0)
		return fd;
	ret = make_plain(c, e);
	if (!ret && fstat(fd, &st))
		ret = error_sys(e, errno, "the log %s cannot be looked at", c->path);
	if (!ret) {
		note_text(&st, text);
		if (fsetxattr(cgroup->fd, NOTE, text, strlen(text), 0))
			ret = error_sys(e, errno, "the log %s cannot be noted on cgroup %s", c->path,
					cgroup->path);
	}
	if (ret)
		console_undo(c);
	return ret;
}

void console_undo(const struct console *c)
{
	if (c->made)
		unlink(c->path);
}

int console_mount(const struct console *c, int root, struct ckpt_error *e)
{
	_cleanup_fd_ int tree = root_clone(root, c->path), target = -1;

	if (tree < 0)
		return error_sys(e, errno, "the log %s cannot be had in the container", c->path);
	target = root_open_plain(AT_FDCWD, CONSOLE);
	if (target < 0)
		return error_sys(e, errno, "%s cannot be opened in the container", CONSOLE);
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
		return error_sys(e, errno, "the log %s cannot be mounted on %s in the container",
				 c->path, CONSOLE);
	return 0;
}

/* the note on a cgroup, or on one above it, into which its init may have moved its tasks; 0: none */
static ssize_t find_note(char *rel, char text[NOTE_MAX])
{
	struct cgroup cgroup;
	ssize_t n = -1;
	char *slash;

	do {
		if (!cgroup_open(&cgroup, rel, NULL)) {
			n = fgetxattr(cgroup.fd, NOTE, text, NOTE_MAX - 1);
			cgroup_close(&cgroup);
		}
		slash = strrchr(rel, '/');
		if (slash)
			*slash = '\0';
	} while (n < 0 && slash);
	return n < 0 ? 0 : n;
}

bool console_mounted(pid_t init)
{
	char rel[PATH_MAX / 2], path[64], text[NOTE_MAX], is[NOTE_MAX];
	struct stat st;
	ssize_t n;

	if (cgroup_of(init, rel, NULL))
		return false;
	n = find_note(rel, text);
	snprintf(path, sizeof(path), "/proc/%d/root" CONSOLE, init);
	if (!n || fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
		return false;
	text[n] = '\0';
	note_text(&st, is);
	return !strcmp(text, is);
}
