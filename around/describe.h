/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding out what is around the tasks of a running container. */
#ifndef CKPT_AROUND_DESCRIBE_H
#define CKPT_AROUND_DESCRIBE_H

#include <sys/types.h>

#include "description.h"
#include "reasons.h"

/*
 * describe - find out what is around a running container
 * @d: takes it; to be given back with description_free() in any case
 * @pid: the container's init in the caller's pid namespace
 *
 * What a restart could not make again is a reason; with reasons the description is
 * not whole.  Returns 0 or a negative errno.
 */
int describe(struct description *d, pid_t pid, struct reasons *r);

/*
 * describe_mounts - the mounts of a running container, into d->mounts
 * @pid: its init, in the caller's pid namespace
 *
 * Needs d->cgroup.  Returns as describe().
 */
int describe_mounts(struct description *d, pid_t pid, struct reasons *r);

/*
 * describe_mounts_in - the same, from two files like /proc/PID/mountinfo
 * @host: the caller's
 * @container: its init's
 * @console: what it has on CONSOLE is its console
 */
int describe_mounts_in(struct description *d, const char *host, const char *container,
		       bool console, struct reasons *r);

#endif
