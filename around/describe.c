// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "cgroup.h"
#include "describe.h"
#include "net.h"
#include "proc.h"

int describe(struct description *d, pid_t pid, struct ckpt_error *e)
{
	const char *base;
	int ret;

	memset(d, 0, sizeof(*d));
	ret = cgroup_of(pid, d->cgroup, e);
	if (ret)
		return ret;
	base = strrchr(d->cgroup, '/');
	base = base ? base + 1 : d->cgroup;
	/* runc, crun and systemd have longer and stranger names */
	if (name_check(base, NULL))
		name_default(base, 1, d->name);
	else
		strcpy(d->name, base);
	ret = proc_same_ns(pid, "user");
	if (ret == 0)
		return error_set(e, EOPNOTSUPP, "container %s has a user namespace of its own, which is not supported yet",
				 d->name);
	if (proc_same_ns(pid, "time") == 0)
		return error_set(e, EOPNOTSUPP, "container %s has a time namespace of its own, which is not supported yet",
				 d->name);
	if (ret > 0)
		ret = proc_same_ns(pid, "net");
	if (ret < 0)
		return error_sys(e, -ret, "the namespaces of task %d cannot be seen", pid);
	d->net_new = ret == 0;
	ret = proc_same_ns(pid, "mnt");
	if (ret)
		return error_set(e, EOPNOTSUPP, "container %s has no mount namespace of its own, which is not supported",
				 d->name);
	if (d->net_new)
		ret = net_check(pid, &d->lo_up, e);
	if (!ret)
		ret = describe_mounts(d, pid, e);
	return ret;
}
