/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding a container by its name. */
#ifndef CKPT_CLI_CONTAINER_H
#define CKPT_CLI_CONTAINER_H

#include <sys/types.h>

#include "cgroup.h"
#include "error.h"
#include "names.h"

struct container {
	char name[PLACE_LEN_MAX + 1];
	struct cgroup cgroup;
	pid_t init;		/* as the caller sees it */
};

/*
 * container_find - find a running container
 * @c: takes it; to be given back with cgroup_close(&c->cgroup)
 * @name: its name: one of 'ckpt run', or a directory below the mount point
 *
 * Returns 0, -ESRCH if it does not run, or another negative errno.
 */
int container_find(struct container *c, const char *name, struct ckpt_error *e);

#endif
