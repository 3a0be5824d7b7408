// SPDX-License-Identifier: GPL-2.0-only
/* What /proc/self says of a process, to be compared before and after. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

#define TEXT_MAX 65536
#define FDS_MAX 128

struct text {
	size_t len;
	char bytes[TEXT_MAX];
};

/* what is no part of the comparison is taken out of @t */
typedef void (*filter_fn)(struct text *t);

static void filter_status(struct text *t);
static void filter_maps(struct text *t);
static void filter_smaps(struct text *t);
static void filter_stat(struct text *t);

static const struct {
	const char *row, *name;
	filter_fn filter;
} sources[] = {
	{ "S10", "cmdline", NULL },
	{ "S10", "environ", NULL },
	{ "S9", "exe", NULL },
	{ "T7", "cwd", NULL },
	{ "T7", "root", NULL },
	{ "T7", "comm", NULL },
	{ "T7", "limits", NULL },
	{ "T7", "oom_score_adj", NULL },
	{ "T7", "coredump_filter", NULL },
	{ "T7", "timerslack_ns", NULL },
	{ "T7", "personality", NULL },
	{ "T6", "status", filter_status },
	{ "T7", "stat", filter_stat },
	{ "S10", "maps", filter_maps },
	{ "T8", "smaps", filter_smaps },
	{ "S10", "auxv", NULL },
	{ "C1", "fd", NULL },
};

#define NR_SOURCES (sizeof(sources) / sizeof(sources[0]))

static struct text texts[NR_SOURCES], now, work;

static void read_file(const char *path, struct text *t)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	t->len = 0;
	if (fd < 0)
		return;
	while (t->len < TEXT_MAX - 1 && (n = read(fd, t->bytes + t->len, TEXT_MAX - 1 - t->len)) > 0)
		t->len += n;
	close(fd);
	t->bytes[t->len] = 0;
}

static void add(struct text *t, const char *s, size_t len)
{
	if (len > TEXT_MAX - 1 - t->len)
		len = TEXT_MAX - 1 - t->len;
	memcpy(t->bytes + t->len, s, len);
	t->len += len;
	t->bytes[t->len] = 0;
}

/* call @each with every line of @t, which may add to @to; the result is @t */
static void lines(struct text *t, void (*each)(struct text *to, const char *line, size_t len))
{
	const char *p = t->bytes, *end = t->bytes + t->len;

	work.len = 0;
	while (p < end) {
		const char *nl = memchr(p, '\n', end - p);
		size_t len = nl ? (size_t)(nl - p) + 1 : (size_t)(end - p);

		each(&work, p, len);
		p += len;
	}
	memcpy(t->bytes, work.bytes, work.len + 1);
	t->len = work.len;
}

static void status_line(struct text *to, const char *line, size_t len)
{
	static const char * const keep[] = {
		"Name:", "Umask:", "Tgid:", "Pid:", "PPid:", "Uid:", "Gid:", "FDSize:", "Groups:",
		"NStgid:", "NSpgid:", "NSsid:", "Threads:", "SigQ:", "SigPnd:", "ShdPnd:", "SigBlk:",
		"SigIgn:", "SigCgt:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:",
		"NoNewPrivs:", "Cpus_allowed:", "VmLck:", "THP_enabled:",
	};

	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
		if (!strncmp(line, keep[i], strlen(keep[i])) && strcmp(keep[i], "FDSize:") &&
		    strcmp(keep[i], "SigQ:"))
			add(to, line, len);
}

static void filter_status(struct text *t)
{
	lines(t, status_line);
}

/* field @n (from 1) of a line, and what follows it */
static const char *field(const char *line, const char *end, int n)
{
	while (line < end && --n) {
		while (line < end && *line != ' ')
			line++;
		while (line < end && *line == ' ')
			line++;
	}
	return line;
}

/* device and inode may change; and only they */
static void maps_line(struct text *to, const char *line, size_t len)
{
	const char *end = line + len;

	add(to, line, field(line, end, 4) - line);
	if (field(line, end, 6) < end)
		add(to, field(line, end, 6), end - field(line, end, 6));
	else
		add(to, "\n", 1);
}

static void filter_maps(struct text *t)
{
	lines(t, maps_line);
}

/*
 * All that was restored counts as written (sd).  Whether anonymous memory that is
 * read-only counts as committed (ac) depends on whether it was written before it
 * became so.  Both are bookkeeping about a process, not part of it.
 */
static void smaps_line(struct text *to, const char *line, size_t len)
{
	const char *end = line + len;
	static bool anonymous;

	if (!strncmp(line, "VmFlags:", 8)) {
		for (const char *flag = line; flag < end; flag = field(flag, end, 2))
			if (strncmp(flag, "sd ", 3) && (!anonymous || strncmp(flag, "ac ", 3)))
				add(to, flag, field(flag, end, 2) - flag);
	} else if (memchr(line, '-', field(line, end, 2) - line)) {
		anonymous = !memchr(line, '/', len);
		add(to, line, field(line, end, 2) - line);
	}
}

static void filter_smaps(struct text *t)
{
	lines(t, smaps_line);
}

/* name, parent, group, session, terminal; priority, nice, number of threads; addresses; exit signal; real time */
static void filter_stat(struct text *t)
{
	static const int keep[] = { 2, 3, 4, 5, 16, 17, 18, 24, 25, 26, 36, 38, 39, 43, 44, 45, 46, 47, 48, 49 };
	const char *p = strrchr(t->bytes, ')'), *end = t->bytes + t->len;

	if (!p)
		return;
	work.len = 0;
	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++) {
		const char *f = field(p, end, keep[i] + 1);

		add(&work, f, strcspn(f, " \n"));
		add(&work, " ", 1);
	}
	memcpy(t->bytes, work.bytes, work.len + 1);
	t->len = work.len;
}

static void read_link(const char *path, struct text *t)
{
	ssize_t n = readlink(path, t->bytes, TEXT_MAX - 1);

	t->len = n < 0 ? 0 : n;
	t->bytes[t->len] = 0;
}

/* of a line of fdinfo, which numbers are new after a restart, and what time takes from a timer */
static const struct {
	const char *key;
	bool whole;			/* the line goes; else this word of it */
} new_numbers[] = {
	{ "mnt_id:", true }, { "ino:", true }, { "eventfd-id:", true }, { "it_value:", true },
	{ " ino:", false }, { " sdev:", false },
};

/* EPOLLERR and EPOLLHUP are in an armed watch whether they were asked for or not */
static const char *without_implied(const char *line, size_t *len)
{
	static char tfd[128];
	unsigned int fd, events;
	int before = 0, after = 0;

	if (sscanf(line, "tfd: %u events: %n%x%n", &fd, &before, &events, &after) != 2 || *len >= sizeof(tfd) - 8)
		return line;
	*len = snprintf(tfd, sizeof(tfd), "%.*s%x%.*s", before, line, events & ~0x18u, (int)*len - after, line + after);
	return tfd;
}

static void fdinfo_line(struct text *to, const char *line, size_t len)
{
	const char *end;

	line = without_implied(line, &len);
	end = line + len;
	for (size_t i = 0; i < sizeof(new_numbers) / sizeof(new_numbers[0]); i++) {
		const char *key = new_numbers[i].key;
		const char *p = new_numbers[i].whole ? (strncmp(line, key, strlen(key)) ? NULL : line) :
			memmem(line, end - line, key, strlen(key));

		if (p)
			end = p;
	}
	add(to, line, end - line);
	if (end > line && end[-1] != '\n')
		add(to, "\n", 1);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

/* what an epoll file watches comes in the order of addresses in the kernel */
static void sort_lines(char *bytes)
{
	static char sorted[TEXT_MAX];
	char *line[FDS_MAX], *save;
	size_t nr = 0;

	for (char *p = strtok_r(bytes, "\n", &save); p && nr < FDS_MAX; p = strtok_r(NULL, "\n", &save))
		line[nr++] = p;
	qsort(line, nr, sizeof(line[0]), compare_lines);
	*sorted = 0;
	for (size_t i = 0; i < nr; i++)
		strcat(strcat(sorted, line[i]), "\n");
	strcpy(bytes, sorted);
}

/*
 * Where each descriptor leads, and all that fdinfo says of it; numbers of pipes
 * and sockets may change, and those of standard input and output are not worth a
 * look.
 */
static void read_fds(struct text *t)
{
	static struct text info;
	char path[64], link[512];

	t->len = 0;
	for (int fd = 3; fd < FDS_MAX; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = 0;
		if (strstr(link, ":["))
			*strstr(link, ":[") = 0;
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		read_file(path, &info);
		lines(&info, fdinfo_line);
		sort_lines(info.bytes);
		snprintf(path, sizeof(path), "%d %d ", fd, fcntl(fd, F_GETFD));
		add(t, path, strlen(path));
		add(t, link, strlen(link));
		add(t, "\n", 1);
		add(t, info.bytes, strlen(info.bytes));
	}
}

static void take(size_t i, struct text *t)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/%s", sources[i].name);
	if (!strcmp(sources[i].name, "fd"))
		read_fds(t);
	else if (strstr("exe cwd root", sources[i].name))
		read_link(path, t);
	else
		read_file(path, t);
	if (sources[i].filter)
		sources[i].filter(t);
}

void capture(void)
{
	for (size_t i = 0; i < NR_SOURCES; i++)
		take(i, &texts[i]);
}

/* say where it differs, in the container's log: the first line and what it should be */
static void show(const char *name, const struct text *a, const struct text *b)
{
	size_t i = 0;

	while (i < a->len && i < b->len && a->bytes[i] == b->bytes[i])
		i++;
	while (i && a->bytes[i - 1] != '\n' && a->bytes[i - 1])
		i--;
	fprintf(stderr, "process %d: %s was: %.*s\n", getpid(), name, (int)strcspn(a->bytes + i, "\n"), a->bytes + i);
	fprintf(stderr, "process %d: %s is:  %.*s\n", getpid(), name, (int)strcspn(b->bytes + i, "\n"), b->bytes + i);
}

static bool same(size_t i)
{
	take(i, &now);
	if (now.len == texts[i].len && !memcmp(now.bytes, texts[i].bytes, now.len))
		return true;
	show(sources[i].name, &texts[i], &now);
	return false;
}

unsigned int capture_same(void)
{
	unsigned int differ = 0;

	for (size_t i = 0; i < NR_SOURCES; i++)
		differ |= !same(i) << i;
	return differ;
}

void capture_verdicts(void)
{
	for (size_t i = 0; i < NR_SOURCES; i++) {
		bool good = same(i);

		verdict(good, sources[i].row, "state: /proc/self/%s says the same", sources[i].name);
	}
}
