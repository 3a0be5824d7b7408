// SPDX-License-Identifier: GPL-2.0-only
/* ckpt save: checkpoint a container */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "names.h"
#include "place.h"
#include "transfer.h"

/* where the image goes */
struct target {
	const char *path;	/* NULL: nowhere, "-": standard output */
	char partial[PATH_MAX];	/* what becomes 'path' when it is whole, or "" */
	int fd;
};

static int open_target(struct target *t, struct ckpt_error *e)
{
	struct stat st;

	t->fd = -1;
	t->partial[0] = '\0';
	if (!t->path)
		return 0;
	if (!strcmp(t->path, "-")) {
		if (isatty(1))
			return error_set(e, EINVAL, "an image is nothing for a terminal: send it to a file or a pipe");
		t->fd = dup(1);
		return t->fd < 0 ? error_sys(e, errno, "standard output is not open") : 0;
	}
	if (stat(t->path, &st) == 0 && !S_ISREG(st.st_mode)) {
		t->fd = open(t->path, O_WRONLY | O_CLOEXEC);
	} else {
		/* images hold secrets: nobody else may read them (mode 0600) */
		if (snprintf(t->partial, sizeof(t->partial), "%s.XXXXXX", t->path) >=
		    (int)sizeof(t->partial))
			return error_set(e, ENAMETOOLONG, "the file name is too long");
		t->fd = mkostemp(t->partial, O_CLOEXEC);
		if (t->fd < 0)
			t->partial[0] = '\0';
	}
	return t->fd < 0 ? error_sys(e, errno, "%s cannot be made", t->path) : 0;
}

static int close_target(struct target *t, int ret, struct ckpt_error *e)
{
	if (t->fd >= 0 && close(t->fd) && !ret)
		ret = error_sys(e, errno, "%s cannot be written", t->path);
	if (!t->partial[0])
		return ret;
	if (!ret && rename(t->partial, t->path))
		ret = error_sys(e, errno, "%s cannot be made", t->path);
	if (ret)
		unlink(t->partial);
	return ret;
}

static int save(const char *name, struct target *target, uint64_t *bytes,
		struct ckpt_error *e)
{
	char path[PATH_MAX], what[PLACE_LEN_MAX + 64];
	struct transfer t = { .label = name, .from_name = path, .to_name = target->path };
	int ret = place_path(name, "image", path, e);

	if (ret)
		return ret;
	snprintf(what, sizeof(what), "container %s cannot be checkpointed", name);
	t.from = open(path, O_RDONLY | O_CLOEXEC);
	if (t.from < 0)
		return place_reason(name, what, errno, e);
	ret = open_target(target, e);
	if (!ret) {
		t.to = target->fd;
		ret = transfer_run(&t, e);
		if (ret && !t.write_failed)
			place_reason(name, what, -ret, e);
		ret = close_target(target, ret, e);
	}
	close(t.from);
	*bytes = t.done;
	return ret;
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	struct target target = { .path = argc > 2 ? argv[2] : NULL };
	char size[32], pause[32];
	uint64_t bytes = 0;
	int ret;

	if (argc < 2 || argc > 3 || argv[1][0] == '-')
		return command_usage(&command_save, "a container's name and at most one file are needed", e);
	signal(SIGPIPE, SIG_IGN);
	ret = place_check(argv[1], e);
	if (!ret)
		ret = save(argv[1], &target, &bytes, e);
	if (ret || (target.path && !strcmp(target.path, "-")))
		return ret;
	printf("%s: %s", argv[1], transfer_size(bytes, size));
	if (!place_status(argv[1], "pause-us", pause, sizeof(pause)) && atof(pause) > 0)
		printf(", stopped for %.1f ms", atof(pause) / 1000);
	putchar('\n');
	return 0;
}

const struct command command_save = {
	.name = "save",
	.synopsis = "NAME [FILE]",
	.help =
"Checkpoints the running container NAME into FILE (- for standard output), or\n"
"into its history alone.  The container runs on.\n",
	.run = run,
};
