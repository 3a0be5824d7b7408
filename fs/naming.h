/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a container is called by the tool that made it. A cgroup's path is all
 * that every tool leaves; where it holds a number instead of a name, the tool's
 * own state is asked.
 */
#ifndef FS_NAMING_H
#define FS_NAMING_H

#include <stddef.h>
#include <sys/types.h>

#define RUNTIME_MAX 32

struct naming {
	char name[256];			/* never empty, without '/' */
	char runtime[RUNTIME_MAX];	/* "podman", "runc" ...; "": not known */
	size_t top;			/* bytes of the path that are the container's own cgroup: a runtime
					 * or an init may have made more below it for the root task */
};

/*
 * naming_of - name a container
 * @proc, @root: descriptors of /proc and / (where the tools' states lie)
 * @path: of the root task's cgroup below the cgroup2 mount, with a slash in front
 * @init: the root task
 *
 * Returns 0, or -ENAMETOOLONG for what can be no file's name.
 */
int naming_of(int proc, int root, const char *path, pid_t init, struct naming *out);

#endif
