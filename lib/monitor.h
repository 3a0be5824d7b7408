/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The monitor: the process outside of a container that is the parent of its
 * init, reaps it and then removes its cgroup.
 */
#ifndef CKPT_LIB_MONITOR_H
#define CKPT_LIB_MONITOR_H

#include <sys/types.h>

#include "cgroup.h"

/* monitor_detach - leave the session, the terminal and the caller's streams */
void monitor_detach(void);

/*
 * monitor_cleanup - kill what is left of a container and remove its cgroup
 * @init: the caller's child, which is reaped; 0 if there is none
 */
void monitor_cleanup(pid_t init, struct cgroup *cgroup);

/*
 * monitor_run - wait for the end of a container, clean up and exit
 * @init: the caller's child
 */
_Noreturn void monitor_run(pid_t init, struct cgroup *cgroup);

#endif
