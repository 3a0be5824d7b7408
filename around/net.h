/* SPDX-License-Identifier: GPL-2.0-only */
/* The network namespace of a container. */
#ifndef CKPT_AROUND_NET_H
#define CKPT_AROUND_NET_H

#include <stdbool.h>
#include <sys/types.h>

#include "reasons.h"

/*
 * net_check - can the network namespace of a container be made again?
 * @pid: a task in it
 * @lo_up: takes whether lo is up
 *
 * It can if everything in it is as in a new one: devices, addresses, routes,
 * rules, filters, sysctls and whatever else it has.  The caller has one thread.
 *
 * Each difference is a reason.  Returns 0, -EOPNOTSUPP for the first if not all
 * are wanted, or another negative errno.
 */
int net_check(pid_t pid, bool *lo_up, struct reasons *r);

#endif
