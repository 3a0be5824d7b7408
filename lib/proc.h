/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc says of a task: its small texts, parsed. */
#ifndef CKPT_LIB_PROC_H
#define CKPT_LIB_PROC_H

#include <limits.h>
#include <stdbool.h>
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
 * proc_read_value - the same of a file that gives all it has to the first read(2), as those
 *	of /proc/sys do: a call less for each of a thousand
 */
ssize_t proc_read_value(int dirfd, const char *path, char *buf, size_t size);

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

/*
 * proc_init_depth - is it the init of a pid namespace below the caller's?
 * @pid: in the caller's pid namespace
 *
 * Returns how many namespaces below (1 ...), or 0 if it is not.
 */
int proc_init_depth(pid_t pid);

/*
 * proc_status_mask - a mask of signals out of /proc/PID/status
 * @key: "SigCgt:", "SigIgn:" ...
 *
 * Returns the mask, bit N-1 for signal N; 0 if there is no such task.
 */
uint64_t proc_status_mask(pid_t pid, const char *key);

/*
 * proc_environ - a variable of the environment that a process was started with
 * @name: without '='
 * @value: takes it, cut at size - 1 bytes
 *
 * Returns whether it has the variable.
 */
bool proc_environ(pid_t pid, const char *name, char *value, size_t size);

/*
 * proc_same_ns - are a task and the caller in the same namespace?
 * @ns: name in /proc/PID/ns
 *
 * Returns 1 or 0, or a negative errno.
 */
int proc_same_ns(pid_t pid, const char *ns);

#endif
