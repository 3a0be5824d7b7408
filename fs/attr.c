// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <time.h>

#include "attr.h"

/* real time at boot, and when the daemon began */
static int64_t boot_ns, begin_ns;

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

void attr_setup(void)
{
	begin_ns = now_ns(CLOCK_REALTIME);
	boot_ns = begin_ns - now_ns(CLOCK_BOOTTIME);
}

void attr_base(struct stat *st, uint64_t ino, mode_t mode)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = mode;
	/* directories do not count those in them, and 1 tells find(1) so */
	st->st_nlink = 1;
	st->st_blksize = 4096;
	attr_time(st, begin_ns);
}

static struct timespec to_timespec(int64_t ns)
{
	int64_t rest = ns % 1000000000;

	if (rest < 0)
		rest += 1000000000;
	return (struct timespec){ (ns - rest) / 1000000000, rest };
}

void attr_time(struct stat *st, int64_t ns)
{
	st->st_mtim = to_timespec(ns);
	st->st_atim = st->st_mtim;
	st->st_ctim = st->st_mtim;
}

void attr_ctime(struct stat *st, int64_t ns)
{
	st->st_ctim = to_timespec(ns);
}

void attr_size(struct stat *st, uint64_t size)
{
	st->st_size = size;
	st->st_blocks = (size + 511) / 512;
	st->st_blksize = 128 * 1024;
}

int64_t attr_boot(int64_t ns)
{
	return boot_ns + ns;
}
