/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The helpers of a restart: tasks that have the pids of the image's tasks, and
 * become these when they call the engine.
 */
#ifndef CKPT_AROUND_HELPER_H
#define CKPT_AROUND_HELPER_H

#include <sys/types.h>

#include "cgroup.h"
#include "description.h"
#include "error.h"
#include "tree.h"

struct helper_context {
	const struct tree *tree;
	const struct description *description;
	const struct cgroup *cgroup;
	int device;		/* open file of the restart */
	int report;		/* pipe for the sentence of the first that fails */
};

/*
 * helper_root - make the namespaces and the helper for the root of the tree
 *
 * The helper makes mounts and all others.  The caller has all signals blocked
 * and only one thread.  Returns the root's pid, or a negative errno.
 */
pid_t helper_root(const struct helper_context *c, struct ckpt_error *e);

/*
 * helper_placeholders - keep the numbers of dead leaders alive
 * @root: the root's pid
 * @pids: takes their pids as the caller sees them, tree->nr_dead_leaders
 *
 * They are children of the caller's and live until it kills them.  Returns 0
 * or a negative errno; those that were made stand in @pids then, 0 behind.
 */
int helper_placeholders(const struct helper_context *c, pid_t root, pid_t *pids,
			struct ckpt_error *e);

#endif
