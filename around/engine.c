// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint.h"
#include "cleanup.h"
#include "describe.h"
#include "engine.h"

/* a container whose surroundings change, or that forks and exits, without a pause */
#define ATTEMPTS	200
#define RETRY_NS	5000000

/* what is around the tasks, and what tells that it is no longer so */
struct surroundings {
	char *text;		/* for the image */
	size_t len;
	int mounts;		/* the init's mountinfo: it polls as ready when mounts change */
};

static void forget(struct surroundings *s)
{
	free(s->text);
	if (s->mounts >= 0)
		close(s->mounts);
	*s = (struct surroundings){ .mounts = -1 };
}

/* something stands in the way: what else does in the tasks is in the log, too */
static int refuse(const struct engine *en, const struct report *r, const struct reasons *reasons)
{
	struct engine check = {
		.pid = en->pid,
		.fd = -1,
		.flags = CKPT_CHECK,
		.freeze_timeout_ns = en->freeze_timeout_ns,
		.max_frozen_ns = en->max_frozen_ns,
	};
	struct ckpt_error lost;

	if (!engine_collect(&check, r, &lost))
		engine_end(&check, r, false, NULL);
	description_free(&check.description);
	return error_set(reasons->e, reasons->first.err, "container %s cannot be checkpointed: %s",
			 en->description.name, reasons->first.text);
}

static int describe_all(struct engine *en, const struct report *r, struct ckpt_error *e)
{
	_cleanup_fd_ int fd = fcntl(r->log, F_DUPFD_CLOEXEC, 3);
	_cleanup_file_ FILE *log = fd < 0 ? NULL : fdopen(fd, "a");
	struct reasons reasons = { .to = log, .e = e };
	int ret;

	if (!log)
		return error_sys(e, errno, "the log cannot be written");
	steal_fd(&fd);
	ret = describe(&en->description, en->pid, &reasons);
	fflush(log);
	return !ret && reasons.nr ? refuse(en, r, &reasons) : ret;
}

static int look(struct engine *en, const struct report *r, struct surroundings *s,
		struct ckpt_error *e)
{
	char path[64];
	int ret;

	forget(s);
	description_free(&en->description);
	memset(&en->description, 0, sizeof(en->description));
	/* a look at what stands in the way has looked here before */
	if (en->flags & CKPT_CHECK) {
		s->text = strdup("");
		return s->text ? 0 : error_set(e, ENOMEM, "no memory for the container's description");
	}
	/* opened first: what changes while it is described counts as changed */
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", en->pid);
	s->mounts = open(path, O_RDONLY | O_CLOEXEC);
	if (s->mounts < 0)
		return error_sys(e, errno, "the mounts of task %d cannot be read", en->pid);
	ret = describe_all(en, r, e);
	if (ret)
		return ret;
	s->text = description_text(&en->description, &s->len);
	if (!s->text)
		return error_set(e, ENOMEM, "no memory for the container's description");
	if (s->len > CKPT_DESC_MAX)
		return error_set(e, E2BIG, "the description of the container is longer than %u bytes",
				 CKPT_DESC_MAX);
	return 0;
}

/* asks, and waits for nobody: the container stands still */
static bool changed(const struct surroundings *s)
{
	struct pollfd p = { .fd = s->mounts, .events = POLLPRI };

	return poll(&p, 1, 0) > 0 && p.revents & (POLLPRI | POLLERR);
}

static int failed(struct engine *en, const struct report *r, int err, struct ckpt_error *e)
{
	char what[NAME_LEN_MAX + 64];

	snprintf(what, sizeof(what), "container %s cannot be checkpointed", en->description.name);
	return report_engine_error(r, err, what, e);
}

static int target(struct engine *en, const struct report *r)
{
	struct ckpt_target_args args = {
		.pid = en->pid,
		.logfd = r->log,
		.flags = en->flags,
		.freeze_timeout_ns = en->freeze_timeout_ns,
		.max_frozen_ns = en->flags & CKPT_FINAL ? 0 : en->max_frozen_ns,
	};

	en->id = ioctl(checkpoint_device(), CKPT_IOC_TARGET, &args);
	return en->id < 0 ? -errno : 0;
}

/* -EAGAIN: once more, with a new look; nothing is stopped then */
static int attempt(struct engine *en, const struct surroundings *s)
{
	struct ckpt_collect_args args = { .desc = (uintptr_t)s->text, .desc_len = s->len };
	int ret;

	if (ioctl(checkpoint_device(), CKPT_IOC_FREEZE))
		return -errno;
	if (changed(s)) {
		ioctl(checkpoint_device(), CKPT_IOC_END, CKPT_END_KEEP);
		return -EAGAIN;
	}
	ret = ioctl(checkpoint_device(), CKPT_IOC_COLLECT, &args) ? -errno : 0;
	en->pause_ns = args.pause_ns;
	if (ret)
		ioctl(checkpoint_device(), CKPT_IOC_END, CKPT_END_KEEP);
	return ret;
}

int engine_collect(struct engine *en, const struct report *r, struct ckpt_error *e)
{
	struct surroundings s = { .mounts = -1 };
	int i, ret = 0;

	for (i = 0; i < ATTEMPTS; i++) {
		if (i)
			nanosleep(&(struct timespec){ .tv_nsec = RETRY_NS }, NULL);
		if (!s.text || changed(&s))
			ret = look(en, r, &s, e);
		if (ret)
			break;
		ret = target(en, r);
		if (!ret)
			ret = attempt(en, &s);
		if (ret != -EAGAIN) {
			ret = ret ? failed(en, r, -ret, e) : 0;
			break;
		}
		ret = 0;
	}
	forget(&s);
	if (i == ATTEMPTS)
		ret = error_set(e, EBUSY, "container %s starts and ends processes or changes its mounts without a pause and cannot be caught between two; try again",
				en->description.name);
	return ret;
}

int engine_stream(struct engine *en, const struct report *r, struct ckpt_error *e)
{
	struct ckpt_stream_args args = { .fd = en->fd };
	int ret = ioctl(checkpoint_device(), CKPT_IOC_STREAM, &args) ? -errno : 0;

	en->bytes = args.bytes;
	en->pages = args.pages;
	return ret ? failed(en, r, -ret, e) : 0;
}

int engine_end(struct engine *en, const struct report *r, bool kill, struct ckpt_error *e)
{
	if (!ioctl(checkpoint_device(), CKPT_IOC_END, kill ? CKPT_END_KILL : CKPT_END_KEEP))
		return 0;
	return failed(en, r, errno, e);
}
