// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "recorded.h"
#include "transfer.h"

#define CHUNK (256 << 10)

#define BAR_WIDTH 30

/* how often the bar is drawn, in seconds */
#define BAR_INTERVAL 0.1

struct bar {
	bool shown;
	double start;		/* seconds */
	double last;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

const char *transfer_size(uint64_t bytes, char buf[32])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double value = bytes / 1024.0;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(buf, 32, "%" PRIu64 " B", bytes);
		return buf;
	}
	for (; value >= 1024 && i < 3; i++)
		value /= 1024;
	snprintf(buf, 32, "%.1f %s", value, units[i]);
	return buf;
}

static void draw(const struct transfer *t, struct bar *b, bool force)
{
	char size[32], rate[32], line[BAR_WIDTH + 1];
	double at = now();
	int filled;

	if (!b->shown || (!force && at - b->last < BAR_INTERVAL))
		return;
	b->last = at;
	transfer_size(t->done, size);
	transfer_size(at > b->start ? t->done / (at - b->start) : 0, rate);
	if (t->total && t->done <= t->total) {
		filled = (double)t->done / t->total * BAR_WIDTH;
		memset(line, '.', BAR_WIDTH);
		memset(line, '#', filled);
		line[BAR_WIDTH] = '\0';
		fprintf(stderr, "\r%s [%s] %3d%%  %s  %s/s\033[K", t->label, line,
			(int)((double)t->done / t->total * 100), size, rate);
	} else {
		fprintf(stderr, "\r%s  %s  %s/s\033[K", t->label, size, rate);
	}
}

static int write_all(struct transfer *t, const char *buf, size_t len, struct ckpt_error *e)
{
	ssize_t n;

	while (t->to >= 0 && len) {
		n = write(t->to, buf, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			t->write_failed = 1;
			return error_sys(e, n < 0 ? errno : EIO, "%s cannot be written",
					 t->to_name);
		}
		buf += n;
		len -= n;
	}
	return 0;
}

int transfer_run(struct transfer *t, struct ckpt_error *e)
{
	struct bar b = { .shown = isatty(2), .start = now() };
	_cleanup_free_ char *buf = malloc(CHUNK);
	ssize_t n;
	int ret = 0;

	if (!buf)
		return error_set(e, ENOMEM, "no memory for copying");
	t->done = 0;
	for (;;) {
		n = read(t->from, buf, CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			ret = error_sys(e, errno, "%s cannot be read", t->from_name);
		if (n <= 0)
			break;
		if (t->recorded)
			recorded_note(t->recorded, buf, n);
		ret = write_all(t, buf, n, e);
		if (ret)
			break;
		t->done += n;
		draw(t, &b, false);
	}
	draw(t, &b, true);
	if (b.shown)
		fputc('\n', stderr);
	return ret;
}
