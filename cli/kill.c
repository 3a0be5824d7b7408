// SPDX-License-Identifier: GPL-2.0-only
/* ckpt kill: end a container */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "container.h"

/* how long its tasks may take to die, in milliseconds */
#define KILL_TIMEOUT 30000

static bool is_ours(const struct cgroup *c)
{
	return !strncmp(c->rel, CGROUP_PARENT "/", sizeof(CGROUP_PARENT));
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	struct container c;
	char *name = NULL;
	int ret;

	command_parse(&command_kill, argc, argv, &name);
	ret = container_find(&c, name, e);
	if (ret)
		return ret;
	ret = cgroup_kill(&c.cgroup, KILL_TIMEOUT, e);
	/* others' managers remove their cgroups themselves */
	if (!ret && is_ours(&c.cgroup))
		ret = cgroup_remove(&c.cgroup, e);
	cgroup_close(&c.cgroup);
	return ret;
}

const struct command command_kill = {
	.name = "kill",
	.argp = {
		NULL, command_name, "NAME",
		"Kills every task of the container NAME and waits until they are gone.",
		NULL, NULL, NULL,
	},
	.run = run,
};
