// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "place.h"

static int open_by_status(struct container *c)
{
	char value[PATH_MAX / 2], init[32];
	int ret;

	ret = place_status(c->name, "init", init, sizeof(init));
	if (!ret)
		ret = place_status(c->name, "cgroup", value, sizeof(value));
	if (ret)
		return ret;
	c->init = atoi(init);
	/* the one of the init, however the status file writes it */
	ret = c->init > 0 ? cgroup_of(c->init, value, NULL) : -ESRCH;
	return ret ? ret : cgroup_open(&c->cgroup, value, NULL);
}

int container_find(struct container *c, const char *name, struct ckpt_error *e)
{
	char rel[sizeof(CGROUP_PARENT) + PLACE_LEN_MAX + 1];
	int ret;

	memset(c, 0, sizeof(*c));
	c->cgroup.fd = -1;
	ret = name_check_place(name, e);
	if (ret)
		return ret;
	strcpy(c->name, name);
	snprintf(rel, sizeof(rel), "%s/%s", CGROUP_PARENT, name);
	/* the daemon knows whose name it is; without it there are but our own */
	ret = open_by_status(c);
	if (ret && ret != -ESRCH) {
		ret = cgroup_open(&c->cgroup, rel, e);
		if (!ret)
			c->init = cgroup_init(&c->cgroup);
	}
	if (!ret && c->init)
		return 0;
	if (!ret || ret == -ENOENT)
		ret = -ESRCH;
	cgroup_close(&c->cgroup);
	if (ret == -ESRCH)
		return error_set(e, ESRCH, "container %s is not running: see 'ckpt ps'", name);
	return error_sys(e, -ret, "container %s cannot be looked at", name);
}
