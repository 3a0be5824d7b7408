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
	int ret;

	if (argc != 2 || argv[1][0] == '-')
		return command_usage(&command_kill, "one name of a container is needed", e);
	ret = container_find(&c, argv[1], e);
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
	.synopsis = "NAME",
	.help = "Kills every task of the container NAME and waits until they are gone.\n",
	.run = run,
};
