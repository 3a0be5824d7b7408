/* SPDX-License-Identifier: GPL-2.0-only */
/* What is in the caller's network namespace, as the kernel's netlink protocols tell it. */
#ifndef CKPT_AROUND_NETLINK_H
#define CKPT_AROUND_NETLINK_H

#include "error.h"
#include "inventory.h"

/* in which order differences are named */
enum {
	NET_DEVICE, NET_DEVICE_PROPERTY, NET_ADDRESS, NET_RULE, NET_ROUTE, NET_NEIGHBOUR,
	NET_QDISC, NET_NEXTHOP, NET_LABEL, NET_FILTER, NET_IPSEC, NET_BPF, NET_SYSCTL,
};

/*
 * netlink_list - devices, addresses, rules, routes, neighbours, queueing, next hops, address
 * labels, nftables' tables, and states and policies of IPsec
 *
 * Returns 0 or a negative errno.
 */
int netlink_list(struct inventory *f, struct ckpt_error *e);

#endif
