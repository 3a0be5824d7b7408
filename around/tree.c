// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "tree.h"

/* the kernel's own limit on 64-bit machines */
#define PID_LIMIT 4194304

struct pid_index {
	pid_t pid;
	uint32_t index;
};

static int damaged(struct ckpt_error *e, const struct ckpt_image_tree_task *task,
		   const char *what)
{
	return error_set(e, EINVAL, "the image is damaged: task %d of its tree %s",
			 task->pid, what);
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* the tasks by pid, to be freed */
static struct pid_index *sort_by_pid(const struct tree *t)
{
	struct pid_index *by_pid = reallocarray(NULL, t->nr, sizeof(*by_pid));
	uint32_t i;

	for (i = 0; by_pid && i < t->nr; i++)
		by_pid[i] = (struct pid_index){ .pid = t->tasks[i].pid, .index = i };
	if (by_pid)
		qsort(by_pid, t->nr, sizeof(*by_pid), compare_pids);
	return by_pid;
}

static uint32_t find(const struct tree *t, const struct pid_index *by_pid, pid_t pid)
{
	const struct pid_index *found = bsearch(&pid, by_pid, t->nr, sizeof(*by_pid),
						compare_pids);

	return found ? found->index : TREE_NONE;
}

static bool is_leader(const struct ckpt_image_tree_task *task)
{
	return task->flags & CKPT_TASK_LEADER;
}

static int check_task(const struct ckpt_image_tree_task *task, struct ckpt_error *e)
{
	if (task->pid < 1 || task->pid >= PID_LIMIT || task->tgid < 1 ||
	    task->tgid >= PID_LIMIT)
		return damaged(e, task, "has an impossible pid");
	if (task->depth)
		return error_set(e, EOPNOTSUPP, "task %d is in a pid namespace of its own: nested pid namespaces are not supported yet",
				 task->pid);
	if (task->flags & ~(CKPT_TASK_ZOMBIE | CKPT_TASK_LEADER))
		return damaged(e, task, "has unknown flags");
	if (is_leader(task) != (task->pid == task->tgid))
		return damaged(e, task, "contradicts itself about its leader");
	if (!is_leader(task) && (task->flags & CKPT_TASK_ZOMBIE))
		return damaged(e, task, "is a dead thread");
	if (task->pgid < 0 || task->pgid >= PID_LIMIT || task->sid < 0 ||
	    task->sid >= PID_LIMIT || task->ppid < 0 || task->ppid >= PID_LIMIT)
		return damaged(e, task, "has an impossible parent, session or group");
	return 0;
}

static int check_root(const struct tree *t, struct ckpt_error *e)
{
	const struct ckpt_image_tree_task *root = &t->tasks[0];

	if (root->pid != 1 || root->ppid != 0 || !is_leader(root))
		return damaged(e, root, "is first but no root");
	return 0;
}

/* Hang a thread on its leader, or a process on its parent. */
static int connect(struct tree *t, const struct pid_index *by_pid, uint32_t i,
		   struct ckpt_error *e)
{
	const struct ckpt_image_tree_task *task = &t->tasks[i];
	pid_t above = is_leader(task) ? task->ppid : task->tgid;
	uint32_t up = find(t, by_pid, above);

	if (!above)
		return error_set(e, EOPNOTSUPP, "the parent of task %d is outside of the container, which is not supported",
				 task->pid);
	if (up == TREE_NONE || up >= i || !is_leader(&t->tasks[up]))
		return damaged(e, task, is_leader(task) ? "has no parent before it" :
			       "has no leader before it");
	/* the lists are built from their ends: see connect_all() */
	if (is_leader(task)) {
		t->nodes[i].next_sibling = t->nodes[up].first_child;
		t->nodes[up].first_child = i;
	} else {
		t->nodes[i].next_thread = t->nodes[up].first_thread;
		t->nodes[up].first_thread = i;
		t->nodes[up].nr_threads++;
	}
	return 0;
}

static int connect_all(struct tree *t, const struct pid_index *by_pid,
		       struct ckpt_error *e)
{
	uint32_t i;
	int ret;

	for (i = 1; i < t->nr; i++)
		if (by_pid[i].pid == by_pid[i - 1].pid)
			return damaged(e, &t->tasks[by_pid[i].index], "is there twice");
	for (i = 0; i < t->nr; i++)
		t->nodes[i] = (struct tree_node){ TREE_NONE, TREE_NONE, TREE_NONE, TREE_NONE, 0 };
	for (i = t->nr - 1; i > 0; i--) {
		ret = connect(t, by_pid, i, e);
		if (ret)
			return ret;
	}
	for (i = 0; i < t->nr; i++)
		if ((t->tasks[i].flags & CKPT_TASK_ZOMBIE) && !t->nodes[i].nr_threads &&
		    (i == 0 || t->nodes[i].first_child != TREE_NONE))
			return damaged(e, &t->tasks[i], "is dead and has children");
	return 0;
}

static int find_dead_leaders(struct tree *t, const struct pid_index *by_pid,
			     struct ckpt_error *e)
{
	size_t n = 0, unique = 0, i;
	pid_t *list = reallocarray(NULL, t->nr, 2 * sizeof(*list));

	if (!list)
		return error_set(e, ENOMEM, "no memory for a tree of %u tasks", t->nr);
	for (i = 0; i < t->nr; i++) {
		if (t->tasks[i].sid && find(t, by_pid, t->tasks[i].sid) == TREE_NONE)
			list[n++] = t->tasks[i].sid;
		if (t->tasks[i].pgid && find(t, by_pid, t->tasks[i].pgid) == TREE_NONE)
			list[n++] = t->tasks[i].pgid;
	}
	qsort(list, n, sizeof(*list), compare_pids);
	for (i = 0; i < n; i++)
		if (!unique || list[unique - 1] != list[i])
			list[unique++] = list[i];
	t->dead_leaders = list;
	t->nr_dead_leaders = unique;
	return 0;
}

static int copy_tasks(struct tree *t, const struct ckpt_image_tree_task *tasks, uint32_t nr,
		      struct ckpt_error *e)
{
	uint32_t i;
	int ret;

	if (!nr)
		return error_set(e, EINVAL, "the image is damaged: its tree has no task");
	if (nr > TREE_TASKS_MAX)
		return error_set(e, E2BIG, "the container has %u tasks; this build restarts %d at most",
				 nr, TREE_TASKS_MAX);
	t->nr = nr;
	t->tasks = reallocarray(NULL, t->nr, sizeof(*t->tasks));
	t->nodes = reallocarray(NULL, t->nr, sizeof(*t->nodes));
	if (!t->tasks || !t->nodes)
		return error_set(e, ENOMEM, "no memory for a tree of %u tasks", t->nr);
	memcpy(t->tasks, tasks, t->nr * sizeof(*t->tasks));
	for (i = 0; i < t->nr; i++) {
		ret = check_task(&t->tasks[i], e);
		if (ret)
			return ret;
	}
	return check_root(t, e);
}

int tree_parse(struct tree *t, const struct ckpt_image_tree_task *tasks, uint32_t nr,
	       struct ckpt_error *e)
{
	_cleanup_free_ struct pid_index *by_pid = NULL;
	int ret;

	memset(t, 0, sizeof(*t));
	ret = copy_tasks(t, tasks, nr, e);
	if (ret)
		return ret;
	by_pid = sort_by_pid(t);
	if (!by_pid)
		return error_set(e, ENOMEM, "no memory for a tree of %u tasks", t->nr);
	ret = connect_all(t, by_pid, e);
	return ret ? ret : find_dead_leaders(t, by_pid, e);
}

void tree_free(struct tree *t)
{
	free(t->tasks);
	free(t->nodes);
	free(t->dead_leaders);
	memset(t, 0, sizeof(*t));
}
