/* SPDX-License-Identifier: GPL-2.0-only */
/* The engine's five calls, led through for one container: uapi/ckpt.h. */
#ifndef CKPT_AROUND_ENGINE_H
#define CKPT_AROUND_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "description.h"
#include "error.h"
#include "report.h"

struct engine {
	pid_t pid;			/* the container's init */
	int fd;				/* takes the image */
	uint32_t flags;			/* CKPT_FINAL, CKPT_CHECK */
	uint64_t freeze_timeout_ns;	/* 0: the engine's own */
	uint64_t max_frozen_ns;
	/* set, also on failure as far as it came */
	struct description description;
	long id;
	uint64_t pause_ns;
	uint64_t bytes;
	uint64_t pages;
};

/*
 * engine_collect - describe the container, stop it, read its state, let it go
 *
 * What is around its tasks is described before it is stopped; if that has changed
 * when it stands it is let go and described again.  With CKPT_CHECK nothing is
 * kept.  Returns 0, or a negative errno with the engine's reason.
 */
int engine_collect(struct engine *en, const struct report *r, struct ckpt_error *e);

/* engine_stream - write the image; 0 or a negative errno */
int engine_stream(struct engine *en, const struct report *r, struct ckpt_error *e);

/* engine_end - with @kill, after a final image: the container ends, as it stands */
int engine_end(struct engine *en, const struct report *r, bool kill, struct ckpt_error *e);

#endif
