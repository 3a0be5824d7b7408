/* SPDX-License-Identifier: GPL-2.0-only */
/* The tree of tasks out of an image's TREE record. */
#ifndef CKPT_AROUND_TREE_H
#define CKPT_AROUND_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <ckpt_image.h>

#include "error.h"

/* most tasks that a container may have, threads and zombies included */
#define TREE_TASKS_MAX 65536

/* no index */
#define TREE_NONE UINT32_MAX

/* how the tasks hang together: indices into tree.tasks, in ascending order */
struct tree_node {
	uint32_t first_child;	/* process */
	uint32_t next_sibling;
	uint32_t first_thread;	/* besides the leader */
	uint32_t next_thread;
	uint32_t nr_threads;	/* of first_thread's list */
};

struct tree {
	struct ckpt_image_tree_task *tasks;	/* the root first */
	struct tree_node *nodes;
	uint32_t nr;
	/*
	 * Numbers of sessions and groups whose leader is dead and reaped: they
	 * have no task in the tree but must be alive while it is made.
	 */
	pid_t *dead_leaders;
	size_t nr_dead_leaders;
};

/*
 * tree_parse - check the tasks of a TREE record and connect them
 * @t: takes the tree; to be given back with tree_free() in any case
 * @tasks: the tasks
 * @nr: how many there are
 *
 * Afterwards the tasks are one tree: the root is pid 1 and first, pids are
 * unique, parents and thread group leaders come before those that they have,
 * and every parent lives.
 *
 * Returns 0, -EINVAL if it is none, -EOPNOTSUPP if it is one that cannot be
 * made yet, -E2BIG if it is too large.
 */
int tree_parse(struct tree *t, const struct ckpt_image_tree_task *tasks, uint32_t nr,
	       struct ckpt_error *e);

void tree_free(struct tree *t);

#endif
