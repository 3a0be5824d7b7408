// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int proc_find_cgroup2(const char *mountinfo, char path[PATH_MAX])
{
	struct libmnt_table *table = mnt_new_table();
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *mount;
	int rc = -ENOENT;

	if (!table || !iter || mnt_table_parse_file(table, mountinfo))
		goto out;
	while (rc && !mnt_table_next_fs(table, iter, &mount))
		if (!strcmp(mnt_fs_get_fstype(mount), "cgroup2") &&
		    strlen(mnt_fs_get_target(mount)) < PATH_MAX) {
			strcpy(path, mnt_fs_get_target(mount));
			rc = 0;
		}
out:
	mnt_free_iter(iter);
	mnt_unref_table(table);
	return rc;
}

int proc_cgroup2_mount(char path[PATH_MAX])
{
	return proc_find_cgroup2("/proc/self/mountinfo", path);
}
