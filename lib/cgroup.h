/* SPDX-License-Identifier: GPL-2.0-only */
/* The cgroup (version 2) that holds a container. */
#ifndef CKPT_LIB_CGROUP_H
#define CKPT_LIB_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

/* the cgroup below which 'ckpt run' makes its containers */
#define CGROUP_PARENT "ckpt"

struct cgroup {
	char rel[PATH_MAX / 2];	/* path relative to the cgroup2 mount */
	char path[PATH_MAX];	/* absolute path of its directory */
	int fd;			/* its directory, -1: none */
};

/*
 * cgroup_find_mount - where cgroup2 is mounted, by a file like /proc/self/mountinfo
 * @path: takes the path, PATH_MAX / 2 bytes
 *
 * The whole of it, and not a part that is mounted elsewhere.  Returns 0 or -ENODEV.
 */
int cgroup_find_mount(const char *mountinfo, char path[PATH_MAX / 2]);

/*
 * cgroup_mount_point - where cgroup2 is mounted for the caller
 * @path: takes the path, PATH_MAX / 2 bytes
 *
 * Returns 0, or -ENODEV if it is not mounted.
 */
int cgroup_mount_point(char path[PATH_MAX / 2], struct ckpt_error *e);

/*
 * cgroup_path_check - is this a path below the cgroup2 mount, and no other?
 *
 * Relative, without empty, "." and ".." components.  Returns 0 or -EINVAL.
 */
int cgroup_path_check(const char *path, struct ckpt_error *e);

/*
 * cgroup_make - make a cgroup for a new container
 * @c: takes the cgroup, to be given back with cgroup_close()
 * @rel: its path relative to the cgroup2 mount; parents are made
 * @name: the container's name, for the sentence on failure
 *
 * An empty one that was left behind is taken over.
 *
 * Returns 0, -EEXIST if it is in use, or another negative errno.
 */
int cgroup_make(struct cgroup *c, const char *rel, const char *name,
		struct ckpt_error *e);

/*
 * cgroup_open - open a cgroup that exists
 *
 * Returns 0, -ENOENT if there is none, or another negative errno.
 */
int cgroup_open(struct cgroup *c, const char *rel, struct ckpt_error *e);

void cgroup_close(struct cgroup *c);

/*
 * cgroup_clone - clone3(2) into a cgroup
 * @flags: CLONE_*; SIGCHLD comes at the end, with CLONE_PARENT as at the caller's
 * @cgroup: NULL: the caller's
 * @pid: the new task's pid in the pid namespace of the caller's children; 0: any
 *
 * Returns as fork(2) does, but a negative errno on failure.
 */
pid_t cgroup_clone(uint64_t flags, const struct cgroup *cgroup, pid_t pid);

/* cgroup_of - the path of a task's cgroup relative to the mount; 0 or -errno */
int cgroup_of(pid_t pid, char rel[PATH_MAX / 2], struct ckpt_error *e);

/* cgroup_populated - has it, or one below it, a live task? 1, 0 or -errno */
int cgroup_populated(const struct cgroup *c);

/*
 * cgroup_init - find the task that is the init of a pid namespace of its own
 *
 * Returns its pid as the caller sees it, or 0 if there is none.
 */
pid_t cgroup_init(const struct cgroup *c);

/* cgroup_count - how many processes are in it, without those in cgroups below */
unsigned int cgroup_count(const struct cgroup *c);

/*
 * cgroup_kill - kill every task in it and below, and wait until all are gone
 * @timeout_ms: how long to wait, in milliseconds
 *
 * Returns 0, -ETIMEDOUT if tasks remain, or another negative errno.
 */
int cgroup_kill(const struct cgroup *c, int timeout_ms, struct ckpt_error *e);

/* cgroup_remove - remove it and what is below it; 0 (also if gone) or -errno */
int cgroup_remove(struct cgroup *c, struct ckpt_error *e);

#endif
