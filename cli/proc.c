// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "proc.h"

static bool status_line(pid_t pid, const char *key, char *value, size_t size)
{
	_cleanup_file_ FILE *f = NULL;
	char path[64], line[1024];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)))
			continue;
		snprintf(value, size, "%s", line + strlen(key));
		return true;
	}
	return false;
}

int proc_init_depth(pid_t pid)
{
	char value[1024], *p = value, *end;
	long last = 0;
	int n = 0;

	if (!status_line(pid, "NSpid:", value, sizeof(value)))
		return 0;
	for (;;) {
		long v = strtol(p, &end, 10);

		if (end == p)
			break;
		last = v;
		n++;
		p = end;
	}
	return last == 1 ? n - 1 : 0;
}

uint64_t proc_status_mask(pid_t pid, const char *key)
{
	char value[64];

	if (!status_line(pid, key, value, sizeof(value)))
		return 0;
	return strtoull(value, NULL, 16);
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
