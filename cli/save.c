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
#include "snapshots.h"
#include "transfer.h"

#define HEAD_SIZE 4096	/* more than an image's first record, which no two have in common */

/* the image on its way */
struct passage {
	char head[HEAD_SIZE];	/* how it begins */
	size_t head_len;
	uint64_t bytes;
	char recorded[NAME_MAX + 1];	/* as which snapshot; "": as none */
};

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

static int read_head(struct transfer *t, struct passage *p, struct ckpt_error *e)
{
	ssize_t n;

	while (p->head_len < HEAD_SIZE) {
		n = read(t->from, p->head + p->head_len, HEAD_SIZE - p->head_len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_sys(e, errno, "%s cannot be read", t->from_name);
		if (!n)
			break;
		p->head_len += n;
	}
	return 0;
}

static int write_head(struct transfer *t, const struct passage *p, struct ckpt_error *e)
{
	size_t done = 0;
	ssize_t n;

	while (t->to >= 0 && done < p->head_len) {
		n = write(t->to, p->head + done, p->head_len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			t->write_failed = 1;
			return error_sys(e, n < 0 ? errno : EIO, "%s cannot be written", t->to_name);
		}
		done += n;
	}
	return 0;
}

/* all of the image; its beginning is looked at, as it tells it from every other */
static int pass(struct transfer *t, struct passage *p, struct ckpt_error *e)
{
	int ret = read_head(t, p, e);

	if (!ret)
		ret = write_head(t, p, e);
	if (!ret)
		ret = transfer_run(t, e);
	p->bytes = p->head_len + t->done;
	return ret;
}

static bool is_snapshot(const char *name, const char *snapshot, const struct passage *p)
{
	_cleanup_fd_ int fd = -1;
	char path[PATH_MAX], head[HEAD_SIZE];

	if (snprintf(path, sizeof(path), "%s/%s/snapshots/%s", mount_point, name, snapshot) >=
	    (int)sizeof(path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && pread(fd, head, p->head_len, 0) == (ssize_t)p->head_len &&
	       !memcmp(head, p->head, p->head_len);
}

/*
 * Status tells of the container's last checkpoint. That may be somebody else's by
 * now: then this one's snapshot is looked for.
 */
static void find_snapshot(const char *name, struct passage *p)
{
	_cleanup_free_ struct snapshot *list = NULL;
	struct ckpt_error ignored;
	char path[PATH_MAX];
	ssize_t count;

	p->recorded[0] = '\0';
	if (!place_status(name, "recorded", p->recorded, sizeof(p->recorded)) &&
	    strcmp(p->recorded, "-") && is_snapshot(name, p->recorded, p))
		return;
	p->recorded[0] = '\0';
	if (place_path(name, "snapshots", path, &ignored))
		return;
	count = snapshots_read(path, &list, &ignored);
	while (!p->recorded[0] && count-- > 0)
		if (is_snapshot(name, list[count].name, p))
			strcpy(p->recorded, list[count].name);
}

static int save(const char *name, struct target *target, struct passage *p, struct ckpt_error *e)
{
	char path[PATH_MAX], what[PLACE_LEN_MAX + 80];
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
		ret = pass(&t, p, e);
		if (ret && !t.write_failed)
			place_reason(name, what, -ret, e);
		ret = close_target(target, ret, e);
	}
	close(t.from);
	if (!ret)
		find_snapshot(name, p);
	if (!ret && !target->path && !p->recorded[0]) {
		snprintf(what, sizeof(what), "container %s was checkpointed, but the image is not in its history",
			 name);
		ret = place_reason(name, what, ENODATA, e);
	}
	return ret;
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	struct target target = { .path = argc > 2 ? argv[2] : NULL };
	struct passage p = { .bytes = 0 };
	char size[32], pause[32];
	int ret;

	if (argc < 2 || argc > 3 || argv[1][0] == '-')
		return command_usage(&command_save, "a container's name and at most one file are needed", e);
	signal(SIGPIPE, SIG_IGN);
	ret = place_check(argv[1], e);
	if (!ret)
		ret = save(argv[1], &target, &p, e);
	if (ret || (target.path && !strcmp(target.path, "-")))
		return ret;
	printf("%s: %s", argv[1], transfer_size(p.bytes, size));
	if (!place_status(argv[1], "pause-us", pause, sizeof(pause)) && atof(pause) > 0)
		printf(", stopped for %.1f ms", atof(pause) / 1000);
	if (p.recorded[0])
		printf(", recorded as %s\n", p.recorded);
	else
		printf(", not recorded\n");
	return 0;
}

const struct command command_save = {
	.name = "save",
	.synopsis = "NAME [FILE]",
	.help =
"Checkpoints the running container NAME into FILE (- for standard output), or\n"
"into its history alone, and says under which name it is there.  The container\n"
"runs on.\n",
	.run = run,
};
