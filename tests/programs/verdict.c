// SPDX-License-Identifier: GPL-2.0-only
/* See verdict.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "verdict.h"

static char dir[256];

void verdict_dir(const char *name)
{
	need(strlen(name) < sizeof(dir));
	strcpy(dir, name);
}

const char *in_dir(const char *name)
{
	static _Thread_local char paths[8][512];
	static _Thread_local unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void append(const char *line)
{
	int fd = open(in_dir("verdict.part"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		perror("verdict.part");
	if (fd >= 0)
		close(fd);
}

void verdict(bool good, const char *row, const char *text, ...)
{
	int saved_errno = errno;
	char what[256], line[512];
	va_list ap;

	va_start(ap, text);
	vsnprintf(what, sizeof(what), text, ap);
	va_end(ap);
	if (good)
		snprintf(line, sizeof(line), "ok %s %s\n", row, what);
	else
		snprintf(line, sizeof(line), "BAD %s %s | errno was %d\n", row, what, saved_errno);
	append(line);
}

void verdict_eq(long long got, long long wanted, const char *row, const char *text)
{
	char line[512];

	if (got == wanted)
		snprintf(line, sizeof(line), "ok %s %s\n", row, text);
	else
		snprintf(line, sizeof(line), "BAD %s %s | got %lld (%#llx), wanted %lld (%#llx), errno was %d\n",
			 row, text, got, got, wanted, wanted, errno);
	append(line);
}

static void make(const char *name)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	need(fd >= 0);
	close(fd);
}

void ready(void)
{
	make("ready");
}

void wait_for_check(void)
{
	while (access(in_dir("check"), F_OK))
		sleep_ms(50);
}

void verdict_end(void)
{
	need(!rename(in_dir("verdict.part"), in_dir("verdict")));
}

void need_(bool good, const char *what, const char *file, int line)
{
	if (good)
		return;
	fprintf(stderr, "%s:%d: %s is false: %s\n", file, line, what, strerror(errno));
	exit(2);
}

void sleep_ms(unsigned int ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static long long ms_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

long long now_ms(void)
{
	return ms_of(CLOCK_MONOTONIC);
}

long long wall_ms(void)
{
	return ms_of(CLOCK_REALTIME);
}

/* splitmix64 */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

void pattern(void *p, size_t len, uint64_t seed)
{
	uint8_t *bytes = p;

	for (size_t i = 0; i < len; i++)
		bytes[i] = mix(seed << 32 ^ i / 8) >> i % 8 * 8;
}

bool pattern_is(const void *p, size_t len, uint64_t seed)
{
	const uint8_t *bytes = p;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] != (uint8_t)(mix(seed << 32 ^ i / 8) >> i % 8 * 8))
			return false;
	return true;
}
