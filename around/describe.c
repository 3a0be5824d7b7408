// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "cgroup.h"
#include "describe.h"
#include "net.h"
#include "proc.h"

/* namespaces that cannot be made again at all */
static int check_namespaces(const struct description *d, pid_t pid, struct reasons *r)
{
	static const struct {
		const char *ns, *what;
	} kinds[] = {
		{ "user", "has a user namespace of its own, which is not supported yet" },
		{ "time", "has a time namespace of its own, which is not supported yet" },
	};
	size_t i;
	int same;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		same = proc_same_ns(pid, kinds[i].ns);
		/* a kernel may have no time namespaces */
		if (same < 0 && same != -ENOENT)
			return error_sys(r->e, -same, "the namespaces of task %d cannot be seen", pid);
		if (same == 0)
			reason(r, "container %s %s", d->name, kinds[i].what);
	}
	return 0;
}

int describe(struct description *d, pid_t pid, struct reasons *r)
{
	const char *base;
	int ret, own_mounts;

	memset(d, 0, sizeof(*d));
	ret = cgroup_of(pid, d->cgroup, r->e);
	if (ret)
		return ret;
	base = strrchr(d->cgroup, '/');
	base = base ? base + 1 : d->cgroup;
	/* runc, crun and systemd have longer and stranger names */
	if (name_check(base, NULL))
		name_default(base, 1, d->name);
	else
		strcpy(d->name, base);
	ret = check_namespaces(d, pid, r);
	if (ret)
		return ret;
	d->net_new = proc_same_ns(pid, "net") == 0;
	own_mounts = proc_same_ns(pid, "mnt") == 0;
	if (!own_mounts)
		ret = reason(r, "container %s has no mount namespace of its own, which is not supported",
			     d->name);
	if (!ret && d->net_new)
		ret = net_check(pid, &d->lo_up, r);
	if (!ret && own_mounts)
		ret = describe_mounts(d, pid, r);
	return ret;
}
