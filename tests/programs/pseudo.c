// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that has files of proc, sysfs and cgroup open, as programs have, and
 * reads on where it was.  usage: pseudo DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verdict.h"

#define TEXT_MAX 65536
#define SOME 700			/* bytes that are read at first */

/* read in two parts, before and after */
static struct part {
	const char *path;
	int fd;
	char head[SOME];
	ssize_t len;
} parts[] = {
	{ .path = "/proc/self/maps" },
	{ .path = "/proc/self/environ" },
	{ .path = "/proc/filesystems" },
	{ .path = "/proc/devices" },
	{ .path = "/proc/self/limits" },
};

#define NR_PARTS (sizeof(parts) / sizeof(parts[0]))

/* read from the start each time */
static struct whole {
	const char *path;
	int fd;
} wholes[] = {
	{ "/proc/stat", -1 },
	{ "/proc/meminfo", -1 },
	{ "/proc/loadavg", -1 },
	{ "/proc/self/stat", -1 },
	{ "/proc/self/status", -1 },
	{ "/proc/self/mountinfo", -1 },
	{ "/proc/net/dev", -1 },
	{ "/proc/self/net/tcp", -1 },
	{ "/proc/sys/kernel/osrelease", -1 },
	{ "/proc/pressure/memory", -1 },
	{ "/sys/kernel/mm/transparent_hugepage/enabled", -1 },
	{ "/sys/class/net/lo/mtu", -1 },
	{ "/sys/fs/cgroup/cgroup.procs", -1 },
	{ "/sys/fs/cgroup/cgroup.events", -1 },
	{ "/sys/fs/cgroup/cpu.pressure", -1 },
};

#define NR_WHOLES (sizeof(wholes) / sizeof(wholes[0]))

static int mounts, hostname, renamed, oom, memory, path_only, directory, marker;
static char mount_ids[TEXT_MAX], text[TEXT_MAX], rest[TEXT_MAX];
static long secret = 0x5ec7e7;

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return fd;
}

/* all that there is from the file's position on */
static ssize_t read_rest(int fd, char *to)
{
	ssize_t n, len = 0;

	while (len < TEXT_MAX - 1 && (n = read(fd, to + len, TEXT_MAX - 1 - len)) > 0)
		len += n;
	to[len] = 0;
	return len;
}

static ssize_t read_all(int fd, char *to)
{
	need(!lseek(fd, 0, SEEK_SET));
	return read_rest(fd, to);
}

static bool is_told(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLPRI };

	return poll(&p, 1, 0) == 1 && p.revents & (POLLPRI | POLLERR);
}

static void prepare_polled(void)
{
	char name[65] = "";

	mounts = open_file("/proc/self/mountinfo", O_RDONLY);
	hostname = open_file("/proc/sys/kernel/hostname", O_RDONLY);
	need(mounts >= 0 && hostname >= 0 && read_rest(mounts, mount_ids) > 0);
	need(!is_told(mounts) && !is_told(hostname));
	/* this one has still to be told */
	renamed = open_file("/proc/sys/kernel/hostname", O_RDONLY);
	need(renamed >= 0 && !gethostname(name, sizeof(name) - 1) && !sethostname(name, strlen(name)));
	need(is_told(hostname));
}

static void prepare_parts(void)
{
	for (struct part *p = parts; p < parts + NR_PARTS; p++) {
		p->fd = open_file(p->path, O_RDONLY);
		if (p->fd < 0)
			continue;
		p->len = read(p->fd, p->head, 20);
		if (p->len == 20)
			p->len += read(p->fd, p->head + 20, SOME - 20);
		need(p->len > 0);
	}
}

static void prepare(void)
{
	for (struct whole *w = wholes; w < wholes + NR_WHOLES; w++)
		w->fd = open_file(w->path, O_RDONLY);
	oom = open_file("/proc/self/oom_score_adj", O_RDWR);
	memory = open_file("/proc/self/mem", O_RDONLY);
	path_only = open_file("/proc/self/fdinfo/0", O_PATH);
	directory = open_file("/proc/self/task", O_RDONLY | O_DIRECTORY);
	marker = open_file("../tracing/trace_marker", O_WRONLY);
	need(oom >= 0 && memory >= 0 && path_only >= 0 && directory >= 0);
	prepare_polled();
	prepare_parts();
	/* a look-up of its name makes it anew: nobody has deleted it */
	close(open_file("/proc/net/dev", O_RDONLY));
}

/* what was read, and what is read now, is what the file has as a whole */
static void check_part(const struct part *p)
{
	ssize_t more, len;
	int again;

	if (p->fd < 0)
		return;
	more = read_rest(p->fd, rest);
	again = open_file(p->path, O_RDONLY);
	len = read_rest(again, text);
	close(again);
	if (p->len + more != len || memcmp(text, p->head, p->len) || memcmp(text + p->len, rest, more))
		fprintf(stderr, "%s is %zd bytes:\n%s\nand was read as %zd and %zd bytes:\n%.*s[...]%s\n", p->path,
			len, text, p->len, more, (int)p->len, p->head, rest);
	verdict(p->len + more == len && !memcmp(text, p->head, p->len) && !memcmp(text + p->len, rest, more),
		"C1 K17", "pseudo: %s is read on where it was", p->path);
}

static void check_polled(void)
{
	bool other;

	read_all(mounts, text);
	other = strcmp(text, mount_ids);
	verdict(is_told(mounts) || !other, "C1 K17", "pseudo: who waits for mounts is told of new ones");
	verdict(!is_told(mounts), "C1 K17", "pseudo: and once");
	strcpy(mount_ids, text);
	verdict(is_told(renamed) && !is_told(renamed), "C1 K17",
		"pseudo: that the host's name was set has still to be told");
	is_told(hostname);
	verdict(!is_told(hostname), "C1 K17", "pseudo: and nothing else");
}

static void check_others(void)
{
	char score[16] = "";
	long got = 0;

	for (struct whole *w = wholes; w < wholes + NR_WHOLES; w++)
		if (w->fd >= 0)
			verdict(read_all(w->fd, text) > 0, "C1 K17", "pseudo: %s is read", w->path);
	verdict(pwrite(oom, "17", 2, 0) == 2 && pread(oom, score, 15, 0) == 3 && !strcmp(score, "17\n"), "C1 K17",
		"pseudo: oom_score_adj is written to");
	verdict(pread(memory, &got, sizeof(got), (off_t)&secret) == sizeof(got) && got == secret, "C1 K17",
		"pseudo: mem shows the process's own memory");
	verdict(fcntl(path_only, F_GETFL) & O_PATH, "C1 K17", "pseudo: O_PATH of a file that cannot be kept open");
	verdict(!faccessat(directory, "1", F_OK, 0), "C1 K17", "pseudo: a directory of proc");
	if (marker >= 0)
		verdict(write(marker, "x\n", 2) == 2, "C1 K17", "pseudo: trace_marker");
}

int main(int argc, char **argv)
{
	need(argc == 2 && getpid() == 1);
	verdict_dir(argv[1]);
	need(!chdir(argv[1]));
	prepare();
	ready();
	wait_for_check();
	/* first, before memory is taken for the verdicts */
	for (size_t i = 0; i < NR_PARTS; i++)
		check_part(&parts[i]);
	check_polled();
	check_others();
	verdict_end();
	for (;;)
		pause();
}
