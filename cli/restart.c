// SPDX-License-Identifier: GPL-2.0-only
/* ckpt restart: bring a container back */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "names.h"
#include "place.h"
#include "transfer.h"

/* Open a snapshot of this name, or else a file. */
static int open_source(const char *name, const char *source, char path[PATH_MAX],
		       struct ckpt_error *e)
{
	char snapshot[NAME_MAX + 16];
	int fd, ret;

	if (!strcmp(source, "-")) {
		strcpy(path, "standard input");
		fd = dup(0);
		return fd < 0 ? error_sys(e, errno, "standard input is not open") : fd;
	}
	if (!strchr(source, '/') && strlen(source) <= NAME_MAX) {
		snprintf(snapshot, sizeof(snapshot), "snapshots/%s", source);
		ret = place_path(name, snapshot, path, e);
		if (ret)
			return ret;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (!strcmp(source, "latest"))
			return error_set(e, ENOENT, "container %s has no snapshots: name a file", name);
	}
	if (strlen(source) >= PATH_MAX)
		return error_sys(e, ENAMETOOLONG, "the image's file name is too long");
	strcpy(path, source);
	fd = open(source, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return error_set(e, ENOENT, "there is neither a snapshot of container %s nor a file %s: see 'ckpt history %s'",
				 name, source, name);
	return error_sys(e, errno, "%s cannot be opened", source);
}

static int make_place(const char *name, struct ckpt_error *e)
{
	char path[PATH_MAX];
	int ret = place_path(name, "", path, e);

	if (!ret && mkdir(path, 0755) && errno != EEXIST)
		ret = error_sys(e, errno, "%s cannot be made", path);
	return ret;
}

static int restart(const char *name, int from, const char *from_name,
		   struct ckpt_error *e)
{
	char path[PATH_MAX], what[PLACE_LEN_MAX + 64];
	struct transfer t = {
		.label = name, .from = from, .from_name = from_name, .to_name = path,
	};
	struct stat st;
	int ret = place_path(name, "restart", path, e);

	if (ret)
		return ret;
	snprintf(what, sizeof(what), "container %s cannot be restarted", name);
	if (fstat(from, &st) == 0 && S_ISREG(st.st_mode))
		t.total = st.st_size;
	t.to = open(path, O_WRONLY | O_CLOEXEC);
	if (t.to < 0)
		return place_reason(name, what, errno, e);
	ret = transfer_run(&t, e);
	if (!ret && !t.done)
		ret = error_set(e, EPIPE, "the image %s is empty", from_name);
	/* whether it has come to life, close(2) tells; and so why it has not */
	if (close(t.to) && (!ret || t.write_failed))
		ret = -errno;
	if (ret && (!e->err || t.write_failed))
		place_reason(name, what, -ret, e);
	return ret;
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	const char *source = argc > 2 ? argv[2] : "latest";
	_cleanup_fd_ int from = -1;
	char path[PATH_MAX], init[32];
	int ret;

	if (argc < 2 || argc > 3 || argv[1][0] == '-')
		return command_usage(&command_restart, "a container's name and at most one image are needed", e);
	signal(SIGPIPE, SIG_IGN);
	ret = name_check_place(argv[1], e);
	if (!ret)
		ret = place_mounted(e);
	if (ret)
		return ret;
	from = open_source(argv[1], source, path, e);
	if (from < 0)
		return from;
	ret = make_place(argv[1], e);
	if (!ret)
		ret = restart(argv[1], from, path, e);
	if (ret)
		return ret;
	place_status(argv[1], "init", init, sizeof(init));
	printf("%s %s\n", argv[1], init);
	return 0;
}

const struct command command_restart = {
	.name = "restart",
	.synopsis = "NAME [FILE|SNAPSHOT]",
	.help =
"Brings the container NAME back as it was in a snapshot of its history (default:\n"
"the latest) or in the image FILE (- for standard input), and prints its name and\n"
"its init's pid.  It must not be running.\n",
	.run = run,
};
