/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc says of a task. */
#ifndef CKPT_CLI_PROC_H
#define CKPT_CLI_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

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
