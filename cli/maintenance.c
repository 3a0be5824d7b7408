// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "maintenance.h"
#include "place.h"

error_t maintenance_parse(int key, char *arg, struct argp_state *state)
{
	struct maintenance *m = state->input;

	switch (key) {
	case MAINTENANCE_STORE:
		m->store = arg;
		return 0;
	case MAINTENANCE_REPAIR:
		m->repair = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp_option maintenance_options[] = {
	{ "store", MAINTENANCE_STORE, "PATH", 0, "Use this store, which no daemon has", 0 },
	{ 0 },
};

int maintenance_args(const struct command *c, int argc, char **argv, struct maintenance *m,
		     struct ckpt_error *e)
{
	*m = (struct maintenance){ 0 };
	command_parse(c, argc, argv, m);
	return m->store ? 0 : place_mounted(e);
}

#define SHOW_NS 200000000

/* a line of the terminal, in whose place the next one comes */
static bool shown;

static int show(void *arg, const char *what, uint64_t done, uint64_t of)
{
	static int64_t last;
	struct timespec t;
	int64_t now;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &t);
	now = t.tv_sec * 1000000000LL + t.tv_nsec;
	if (now - last < SHOW_NS || !isatty(2))
		return 0;
	last = now;
	shown = true;
	fprintf(stderr, "\r%s: %" PRIu64, what, done);
	if (of)
		fprintf(stderr, " of %" PRIu64, of);
	fputs("\033[K", stderr);
	return 0;
}

const struct store_watch maintenance_watch = { .more = show };

void maintenance_clear(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}

/* "progress: pages 17 100" */
static bool is_progress(const char *text)
{
	uint64_t done, of;
	char what[32];

	if (sscanf(text, "progress: %31[a-z] %" SCNu64 " %" SCNu64, what, &done, &of) != 3)
		return false;
	show(NULL, what, done, of);
	return true;
}

int maintenance_read(const char *file, void (*line)(void *arg, const char *text), void *arg,
		     struct ckpt_error *e)
{
	static const char failed[] = "error: ";
	_cleanup_free_ char *text = NULL;
	_cleanup_file_ FILE *f = NULL;
	char path[PATH_MAX], why[sizeof(e->text)] = "";
	size_t size = 0;
	int err;

	snprintf(path, sizeof(path), "%s/.ckptfs/%s", mount_point, file);
	f = fopen(path, "re");
	if (!f)
		return error_sys(e, errno, "%s cannot be read", path);
	while (errno = 0, getline(&text, &size, f) > 0) {
		text[strcspn(text, "\n")] = '\0';
		if (is_progress(text))
			continue;
		maintenance_clear();
		if (strncmp(text, failed, sizeof(failed) - 1))
			line(arg, text);
		else
			snprintf(why, sizeof(why), "%s", text + sizeof(failed) - 1);
	}
	err = errno;
	maintenance_clear();
	if (!ferror(f))
		return 0;
	return why[0] ? error_set(e, err, "%s", why) : error_sys(e, err, "%s cannot be read", path);
}

int maintenance_open(const char *path, unsigned int flags, struct store **st,
		     struct ckpt_error *e)
{
	struct store_error se;
	int ret = store_open(st, path, flags, &se);

	return ret ? error_set(e, se.err, "%s", se.text) : 0;
}
