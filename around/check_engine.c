// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check_engine.h"
#include "checkpoint.h"
#include "cleanup.h"
#include "engine.h"
#include "text.h"

/* a log of the engine's own: each line of it is a reason, but for notes */
static int say_lines(int log, bool notes, struct reasons *r)
{
	_cleanup_free_ char *line = NULL;
	FILE *in = fdopen(log, "r");
	size_t size = 0;
	ssize_t len;
	int ret = 0;

	if (!in) {
		close(log);
		return error_sys(r->e, errno, "the engine's log cannot be read");
	}
	rewind(in);
	while (!ret && (len = getline(&line, &size, in)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (report_is_note(line)) {
			text_put(r->to, line);
			putc('\n', r->to);
		} else if (!notes) {
			ret = reason(r, "%s", line);
		}
	}
	fclose(in);
	return ret;
}

int check_engine(const struct report *report, pid_t pid, struct reasons *r)
{
	int log = memfd_create("reasons", MFD_CLOEXEC), ret;
	struct engine en = { .pid = pid, .fd = -1, .flags = CKPT_CHECK };
	struct report quiet = *report;
	unsigned int before = r->nr;
	struct ckpt_error e = { 0 };

	if (log < 0)
		return error_sys(r->e, errno, "no log can be made");
	quiet.log = log;
	quiet.log_start = 0;
	ret = engine_collect(&en, &quiet, &e);
	description_free(&en.description);
	if (!ret) {
		engine_end(&en, &quiet, false, NULL);
		return say_lines(log, true, r);
	}
	ret = say_lines(log, false, r);
	return ret || r->nr > before ? ret : reason(r, "%s", e.text);
}
