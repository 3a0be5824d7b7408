/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading /proc and cgroup2's files: small texts, parsed. */
#ifndef FS_PROC_H
#define FS_PROC_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_DEPTH_MAX 33	/* the kernel nests 32 pid namespaces in the first */

/*
 * proc_read - read a small file whole
 * @dirfd, @path: as for openat(2)
 * @buf, @size: takes the text, NUL-terminated, cut at size - 1 bytes
 *
 * Returns its length in bytes, or a negative errno.
 */
ssize_t proc_read(int dirfd, const char *path, char *buf, size_t size);

/*
 * proc_nspid - the numbers of the line "NSpid:" in a text of /proc/PID/status
 * @pids: takes the pid in each pid namespace, outermost first
 *
 * Returns how many there are, 0 if the line is missing or makes no sense.
 */
int proc_nspid(const char *status, pid_t pids[PROC_DEPTH_MAX]);

/*
 * proc_start - when a task began, from a text of /proc/PID/stat
 *
 * Returns clock ticks since boot, 0 if the text makes no sense. With the pid it
 * names a process for as long as the machine runs.
 */
uint64_t proc_start(const char *stat);

/*
 * proc_cgroup - the path in cgroup2, from a text of /proc/PID/cgroup
 * @path: takes it, with its leading slash
 *
 * Returns 0 or -ENOENT.
 */
int proc_cgroup(const char *text, char path[PATH_MAX]);

/* The value behind "key:" or "key " at the start of a line; -1 if missing. */
int64_t proc_number(const char *text, const char *key);

/* Where cgroup2 is mounted, found in /proc/self/mountinfo. 0 or -ENOENT. */
int proc_cgroup2_mount(char path[PATH_MAX]);

/* The same, found in a file of that kind. */
int proc_find_cgroup2(const char *mountinfo, char path[PATH_MAX]);

#endif
