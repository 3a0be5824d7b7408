// SPDX-License-Identifier: GPL-2.0-only
/* ckpt ps: the containers */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "command.h"
#include "container.h"
#include "names.h"
#include "place.h"
#include "text.h"
#include "transfer.h"

static void print_head(void)
{
	printf("%-24s %-8s %8s %6s %10s  %s\n", "NAME", "STATE", "INIT", "TASKS", "MEMORY",
	       "LAST CHECKPOINT");
}

static void print_line(const char *name, const char *state, const char *init,
		       const char *tasks, const char *memory, const char *last)
{
	char shown[TEXT_NAME_MAX];

	printf("%-24s %-8s %8s %6s %10s  %s\n", text_name(stdout, name, shown), state,
	       *init ? init : "-", *tasks ? tasks : "-", *memory ? memory : "-",
	       *last ? last : "-");
}

static void by_daemon(const char *name)
{
	char state[32], init[32], tasks[32], memory[32], last[64], size[32] = "";

	if (place_status(name, "state", state, sizeof(state)))
		return;
	place_status(name, "init", init, sizeof(init));
	place_status(name, "tasks", tasks, sizeof(tasks));
	place_status(name, "memory", memory, sizeof(memory));
	place_status(name, "last-checkpoint", last, sizeof(last));
	if (memory[0])
		transfer_size(strtoull(memory, NULL, 10), size);
	print_line(name, state, init, tasks, size, last);
}

static void by_cgroup(const char *name)
{
	char init[32], tasks[32];
	struct container c;

	if (container_find(&c, name, NULL))
		return;
	snprintf(init, sizeof(init), "%d", c.init);
	snprintf(tasks, sizeof(tasks), "%u", cgroup_count(&c.cgroup));
	print_line(name, "running", init, tasks, "", "");
	cgroup_close(&c.cgroup);
}

static int each_directory(const char *path, void (*fn)(const char *name),
			  struct ckpt_error *e)
{
	struct dirent **list;
	int n = scandir(path, &list, NULL, alphasort), i;

	if (n < 0)
		return errno == ENOENT ? 0 : error_sys(e, errno, "%s cannot be read", path);
	for (i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.' && list[i]->d_type == DT_DIR &&
		    !name_check_place(list[i]->d_name, NULL))
			fn(list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return 0;
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	char top[PATH_MAX / 2], path[PATH_MAX];
	int ret;

	command_parse(&command_ps, argc, argv, NULL);
	if (!place_mounted(NULL)) {
		print_head();
		return each_directory(mount_point, by_daemon, e);
	}
	ret = cgroup_mount_point(top, e);
	if (ret)
		return ret;
	print_head();
	snprintf(path, sizeof(path), "%s/%s", top, CGROUP_PARENT);
	return each_directory(path, by_cgroup, e);
}

const struct command command_ps = {
	.name = "ps",
	.argp = {
		NULL, NULL, NULL,
		"Lists the containers; without the containers' file system, the running ones that were "
		"made by 'ckpt run'.",
		NULL, NULL, NULL,
	},
	.run = run,
};
