/* SPDX-License-Identifier: GPL-2.0-only */
/* The network namespace of a container. */
#ifndef CKPT_AROUND_NET_H
#define CKPT_AROUND_NET_H

#include <stdbool.h>
#include <sys/types.h>

#include "error.h"

/*
 * net_check - can the network namespace of a container be made again?
 * @pid: a task in it
 * @lo_up: takes whether lo is up
 *
 * It can if it has no other device and no other addresses than a fresh one.
 * Returns 0, -EOPNOTSUPP with a sentence that names the device, or another
 * negative errno.
 */
int net_check(pid_t pid, bool *lo_up, struct ckpt_error *e);

#endif
