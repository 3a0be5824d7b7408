/* SPDX-License-Identifier: GPL-2.0-only */
/* What a checkpoint refuses: refuse-kinds.c. */
#ifndef TESTS_REFUSE_H
#define TESTS_REFUSE_H

#include "verdict.h"

struct kind {
	const char *name;
	void (*prepare)(void);		/* in a process of its own, whose directory is DIR */
};

/* find_kind - the kind of that name, or NULL */
const struct kind *find_kind(const char *name);
/* find_task_kind - one of those of tasks that are rarer: refuse-tasks.c */
const struct kind *find_task_kind(const char *name);
/* one of those of System V IPC: refuse-ipc.c */
const struct kind *find_ipc_kind(const char *name);
/* one of those of TCP: refuse-tcp.c */
const struct kind *find_tcp_kind(const char *name);

/* have - a step of prepare(): this kind is missing here unless @good */
#define have(good) have_(!!(good), #good)
void have_(bool good, const char *what);

#endif
