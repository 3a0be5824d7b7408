// SPDX-License-Identifier: GPL-2.0-only
/* ckpt save: checkpoint a container */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "names.h"
#include "place.h"
#include "recorded.h"
#include "target.h"
#include "text.h"
#include "transfer.h"

enum { OPTION_STOP = 256 };

struct save {
	const char *name;
	const char *path;	/* where the image goes; NULL: nowhere, "-": standard output */
	bool stop;		/* the final image, with which the container ends */
	struct target target;
	uint64_t bytes;		/* of the image */
	struct recorded recorded;
};

static int open_target(struct save *s, struct ckpt_error *e)
{
	s->target = (struct target){ .fd = -1 };
	if (!s->path)
		return 0;
	if (strcmp(s->path, "-"))
		return target_open(&s->target, s->path, e);
	if (isatty(1))
		return error_set(e, EINVAL, "an image is nothing for a terminal: send it to a file or a pipe");
	s->target.fd = dup(1);
	return s->target.fd < 0 ? error_sys(e, errno, "standard output is not open") : 0;
}

static int open_image(const struct save *s, const char *what, char path[PATH_MAX],
		      struct ckpt_error *e)
{
	int ret = place_path(s->name, s->stop ? "final" : "image", path, e), fd;

	if (ret)
		return ret;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT && s->stop && !place_check(s->name, NULL))
		return error_set(e, ENOENT, "there is no %s: this ckptfs makes no final images", path);
	return place_reason(s->name, what, errno, e);
}

static int save(struct save *s, struct ckpt_error *e)
{
	char path[PATH_MAX], what[PLACE_LEN_MAX + 80];
	struct transfer t = {
		.label = s->name, .from_name = path, .to_name = s->path,
		.recorded = &s->recorded,
	};
	int ret;

	snprintf(what, sizeof(what), "container %s cannot be checkpointed", s->name);
	/* what can go wrong here is to do so while the container is not even asked */
	ret = open_target(s, e);
	if (ret)
		return ret;
	t.to = s->target.fd;
	t.from = open_image(s, what, path, e);
	if (t.from < 0) {
		target_drop(&s->target);
		return t.from;
	}
	ret = transfer_run(&t, e);
	if (ret && !t.write_failed)
		place_reason(s->name, what, -ret, e);
	if (ret)
		target_drop(&s->target);
	else if (s->path)
		ret = target_commit(&s->target, e);
	close(t.from);
	s->bytes = t.done;
	if (!ret)
		recorded_find(&s->recorded, s->name);
	if (!ret && !s->path && !s->recorded.snapshot[0]) {
		snprintf(what, sizeof(what), "container %s was checkpointed, but the image is not in its history",
			 s->name);
		ret = place_reason(s->name, what, ENODATA, e);
	}
	return ret;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct save *s = state->input;

	switch (key) {
	case OPTION_STOP:
		s->stop = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!s->name)
			s->name = arg;
		else if (!s->path)
			s->path = arg;
		else
			return ARGP_ERR_UNKNOWN;
		return 0;
	case ARGP_KEY_END:
		if (!s->name)
			argp_error(state, "the container's name is missing");
		if (s->stop && !s->path)
			argp_error(state, "--stop needs a FILE: nothing else is left of the container");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	struct save s = { 0 };
	char size[32], pause[32], shown[TEXT_NAME_MAX];
	int ret;

	command_parse(&command_save, argc, argv, &s);
	signal(SIGPIPE, SIG_IGN);
	ret = place_check(s.name, e);
	if (!ret)
		ret = save(&s, e);
	if (ret || (s.path && !strcmp(s.path, "-")))
		return ret;
	printf("%s: %s", text_name(stdout, s.name, shown), transfer_size(s.bytes, size));
	if (!s.stop && !place_status(s.name, "pause-us", pause, sizeof(pause)) && atof(pause) > 0)
		printf(", stopped for %.1f ms", atof(pause) / 1000);
	if (s.recorded.snapshot[0])
		printf(", recorded as %s\n", text_name(stdout, s.recorded.snapshot, shown));
	else
		printf(", not recorded\n");
	return 0;
}

static const struct argp_option options[] = {
	{ "stop", OPTION_STOP, NULL, 0,
	  "End the container with its image, so that nothing goes on without it", 0 },
	{ 0 },
};

const struct command command_save = {
	.name = "save",
	.argp = {
		options, parse, "NAME [FILE]\n--stop NAME FILE",
		"Checkpoints the running container NAME into FILE (- for standard output), or into its "
		"history alone, and says under which name it is there. The container runs on, unless it "
		"is told to stop.",
		NULL, NULL, NULL,
	},
	.run = run,
};
