// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "proc.h"

ssize_t proc_read(int dirfd, const char *path, char *buf, size_t size)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	size_t got = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (got < size - 1) {
		n = read(fd, buf + got, size - 1 - got);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += n;
	}
	buf[got] = '\0';
	return got;
}

ssize_t proc_read_value(int dirfd, const char *path, char *buf, size_t size)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

/* the text behind @key at the start of a line */
static const char *find_line(const char *text, const char *key)
{
	size_t len = strlen(key);

	while (text && *text) {
		if (!strncmp(text, key, len))
			return text + len;
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return NULL;
}

int proc_nspid(const char *status, pid_t pids[PROC_DEPTH_MAX])
{
	const char *p = find_line(status, "NSpid:");
	char *end;
	long pid;
	int n = 0;

	while (p && n < PROC_DEPTH_MAX) {
		while (*p == '\t' || *p == ' ')
			p++;
		if (!isdigit((unsigned char)*p))
			break;
		pid = strtol(p, &end, 10);
		if (pid > INT_MAX)
			return 0;
		pids[n++] = pid;
		p = end;
	}
	return n;
}

uint64_t proc_start(const char *stat)
{
	/* the name in parentheses may hold anything, parentheses too */
	const char *p = strrchr(stat, ')');
	int field = 2;

	while (p && field < 22) {
		p = strchr(p, ' ');
		if (p)
			p++;
		field++;
	}
	return p ? strtoull(p, NULL, 10) : 0;
}

int proc_cgroup(const char *text, char path[PATH_MAX])
{
	const char *p = find_line(text, "0::");
	size_t len;

	if (!p || *p != '/')
		return -ENOENT;
	len = strcspn(p, "\n");
	if (len >= PATH_MAX)
		return -ENOENT;
	memcpy(path, p, len);
	path[len] = '\0';
	return 0;
}

int64_t proc_number(const char *text, const char *key)
{
	const char *p = find_line(text, key);
	char *end;
	int64_t value;

	if (!p)
		return -1;
	if (*p == ':')
		p++;
	else if (*p != ' ' && *p != '\t')
		return -1;
	value = strtoll(p, &end, 10);
	return end == p ? -1 : value;
}

static bool read_status(pid_t pid, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	return proc_read(AT_FDCWD, path, text, size) > 0;
}

int proc_init_depth(pid_t pid)
{
	pid_t pids[PROC_DEPTH_MAX];
	char status[8192];
	int n;

	if (!read_status(pid, status, sizeof(status)))
		return 0;
	n = proc_nspid(status, pids);
	return n && pids[n - 1] == 1 ? n - 1 : 0;
}

uint64_t proc_status_mask(pid_t pid, const char *key)
{
	char status[8192];
	const char *p = read_status(pid, status, sizeof(status)) ? find_line(status, key) : NULL;

	return p ? strtoull(p, NULL, 16) : 0;
}

bool proc_environ(pid_t pid, const char *name, char *value, size_t size)
{
	_cleanup_file_ FILE *f = NULL;
	_cleanup_free_ char *var = NULL;
	size_t room = 0, len = strlen(name);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	f = fopen(path, "re");
	while (f && getdelim(&var, &room, '\0', f) > 0) {
		if (strncmp(var, name, len) || var[len] != '=')
			continue;
		snprintf(value, size, "%s", var + len + 1);
		return true;
	}
	return false;
}

int proc_same_ns(pid_t pid, const char *ns)
{
	struct stat theirs, ours;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, ns);
	if (stat(path, &theirs))
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/ns/%s", ns);
	if (stat(path, &ours))
		return -errno;
	return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}
