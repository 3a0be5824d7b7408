/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The containers that run here: found in cgroup2. A container is a cgroup
 * with a root task that is the init of a pid namespace other than ours.
 */
#ifndef FS_CONTAINER_H
#define FS_CONTAINER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTAINER_NAME_MAX 255

struct container {
	char name[CONTAINER_NAME_MAX + 1];
	char runtime[32];	/* the tool that made it, "": not known */
	char cgroup[PATH_MAX];	/* the root task's: path below the cgroup2 mount, with a slash */
	size_t top;		/* so many bytes of that are the container's own cgroup */
	pid_t init;		/* root task, in our pid namespace */
	uint64_t start;		/* when it began: clock ticks since boot */
	uid_t owner;		/* of its user namespace */
	bool known;		/* it had this name before the last look */
};

/*
 * containers_setup - say where to look, once, before anything else
 * @proc, @cgroup: where proc and cgroup2 are mounted; "" for cgroup: nowhere
 * @root: below which runtimes have their state: "/"
 * @known: the file in which names are noted where two containers would have one;
 *	"": they are not
 *
 * Returns 0 or a negative errno.
 */
int containers_setup(const char *proc, const char *cgroup, const char *root, const char *known);

/*
 * container_find - the running container of that name
 *
 * Never believes in one that has ended, or misses one that was there when it
 * was called. Returns 0, -ENOENT, or another negative errno.
 */
int container_find(const char *name, struct container *out);

/*
 * container_glance - the same, but what has come within the last @age_ns nanoseconds
 * may be missed
 *
 * It looks for it less often.
 */
int container_glance(const char *name, int64_t age_ns, struct container *out);

/* containers_scans - how often all processes were looked at so far */
unsigned long containers_scans(void);

/*
 * container_list - all of them, by name, in an array that the caller frees
 *
 * Returns 0 or a negative errno.
 */
int container_list(struct container **list, size_t *count);

/* container_alive - whether @c still has the same root task */
int container_alive(const struct container *c);

#endif
