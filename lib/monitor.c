// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor.h"

/* how long to wait for killed tasks, in milliseconds */
#define KILL_TIMEOUT 30000

void monitor_detach(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC), i;

	setsid();
	for (i = 0; fd >= 0 && i < 3; i++)
		if (fd != i)
			dup2(fd, i);
	if (fd > 2)
		close(fd);
}

static void reap(pid_t pid)
{
	/* whatever it sends when it ends */
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

void monitor_cleanup(pid_t init, struct cgroup *cgroup)
{
	cgroup_kill(cgroup, KILL_TIMEOUT, NULL);
	if (init > 0)
		reap(init);
	cgroup_remove(cgroup, NULL);
}

_Noreturn void monitor_run(pid_t init, struct cgroup *cgroup)
{
	reap(init);
	monitor_cleanup(0, cgroup);
	exit(0);
}
