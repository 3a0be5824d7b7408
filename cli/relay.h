/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting in the foreground for a program in a container. */
#ifndef CKPT_CLI_RELAY_H
#define CKPT_CLI_RELAY_H

#include <signal.h>
#include <sys/types.h>

#include "cgroup.h"
#include "terminal.h"

/*
 * relay_block - block the signals that relay_wait() takes
 * @old: takes the mask of before, which the program is to get back
 */
void relay_block(sigset_t *old);

/*
 * relay_wait - wait for a child, pass on the signals that come meanwhile, and serve its terminal
 * @pid: the child, in a session of its own
 * @t: its terminal, which ends
 * @cgroup: is killed when a signal ends the command but cannot reach the
 *	child, which ignores it as the init of a pid namespace; may be NULL
 *
 * Returns the exit status as a shell gives it: the code, or 128 + signal.
 */
int relay_wait(pid_t pid, struct terminal *t, const struct cgroup *cgroup);

/*
 * relay_reset - what a program is to begin with: default signals and a mask
 * @mask: the mask
 */
void relay_reset(const sigset_t *mask);

#endif
