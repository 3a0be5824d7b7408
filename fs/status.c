// SPDX-License-Identifier: GPL-2.0-only
/* /ckpt/NAME/status: what is known of a container, as "key: value" lines. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/nsfs.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "cleanup.h"
#include "damage.h"
#include "handle.h"
#include "line.h"
#include "log.h"
#include "node.h"
#include "place.h"
#include "proc.h"
#include "record.h"

/* what is counted over a cgroup and those below it */
struct sums {
	uint64_t tasks;		/* threads */
	uint64_t rss;		/* bytes */
};

static void count_process(pid_t pid, struct sums *sums)
{
	char path[32], text[8192];
	int64_t threads, rss;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (proc_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return;
	threads = proc_number(text, "Threads");
	rss = proc_number(text, "VmRSS");
	sums->tasks += threads > 0 ? threads : 0;
	sums->rss += rss > 0 ? rss * 1024 : 0;
}

/* takes @dir over */
static void count_cgroup(int dir, struct sums *sums)
{
	_cleanup_dir_ DIR *d = fdopendir(dir);
	_cleanup_file_ FILE *f = NULL;
	struct dirent *entry;
	int fd;
	pid_t pid;

	if (!d) {
		close(dir);
		return;
	}
	fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	f = fd < 0 ? NULL : fdopen(fd, "r");
	while (f && fscanf(f, "%d", &pid) == 1)
		count_process(pid, sums);
	while ((entry = readdir(d))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		fd = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			count_cgroup(fd, sums);
	}
}

static uint64_t memory_of(int cgroup, const struct sums *sums)
{
	char text[32];

	/* only where the memory controller is switched on */
	if (proc_read(cgroup, "memory.current", text, sizeof(text)) > 0)
		return strtoull(text, NULL, 10);
	return sums->rss;
}

static const char *state_of(int cgroup)
{
	char text[256];

	if (proc_read(cgroup, "cgroup.events", text, sizeof(text)) > 0 &&
	    proc_number(text, "frozen") == 1)
		return "frozen";
	return "running";
}

static bool same_namespace(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

static int open_pidns(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int nspid(pid_t pid, pid_t pids[PROC_DEPTH_MAX])
{
	char path[32], text[8192];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (proc_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	return proc_nspid(text, pids);
}

/* @pid as @reader knows it; 0 when it is not in reach of its pid namespace */
static pid_t pid_for(pid_t reader, pid_t pid)
{
	_cleanup_fd_ int theirs = -1, ns = -1;
	pid_t its[PROC_DEPTH_MAX], of_reader[PROC_DEPTH_MAX];
	int n, level, parent;

	if (!reader)
		return pid;
	n = nspid(pid, its);
	level = nspid(reader, of_reader);
	if (!level || level > n)
		return 0;
	/* go up from it to the reader's level: is that the reader's namespace? */
	theirs = open_pidns(reader);
	ns = open_pidns(pid);
	for (int i = n; i > level && ns >= 0; i--) {
		parent = ioctl(ns, NS_GET_PARENT);
		close(ns);
		ns = parent;
	}
	return theirs >= 0 && ns >= 0 && same_namespace(theirs, ns) ? its[level - 1] : 0;
}

static void print(FILE *f, const char *key, const char *value, size_t len)
{
	fprintf(f, "%s: ", key);
	line_put(f, value, len);
	fputc('\n', f);
}

static void print_running(FILE *f, const struct container *c, pid_t reader)
{
	_cleanup_fd_ int cgroup = -1, top = -1;
	char path[2 * PATH_MAX];
	struct sums sums = { 0 };
	pid_t init = pid_for(reader, c->init);
	int dir;

	snprintf(path, sizeof(path), "%s%s", fs.opt.cgroup, c->cgroup);
	cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	path[strlen(fs.opt.cgroup) + c->top] = '\0';
	top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = top < 0 ? -1 : openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		count_cgroup(dir, &sums);
	fprintf(f, "state: %s\n", state_of(cgroup));
	if (init)
		fprintf(f, "init: %d\n", init);
	else
		fprintf(f, "init: -\n");
	fprintf(f, "tasks: %" PRIu64 "\n", sums.tasks);
	fprintf(f, "memory: %" PRIu64 "\n", memory_of(top, &sums));
	print(f, "cgroup", c->cgroup, c->top);
	print(f, "runtime", c->runtime[0] ? c->runtime : "-", strlen(c->runtime) ?: 1);
}

static void print_stopped(FILE *f)
{
	fprintf(f, "state: stopped\ninit: -\ntasks: 0\nmemory: 0\ncgroup: -\nruntime: -\n");
}

static int newest_first(const void *a, const void *b)
{
	const struct store_info *x = a, *y = b;

	if (x->mtime_ns != y->mtime_ns)
		return x->mtime_ns > y->mtime_ns ? -1 : 1;
	return x->ino > y->ino ? -1 : x->ino < y->ino;
}

/* from the history: the newest that is a checkpoint of ours, not an import */
static void last_from_history(const char *place, struct last_checkpoint *last)
{
	_cleanup_free_ struct store_info *list = NULL;
	struct store_error e;
	size_t count, i;
	char *pause;

	if (store_list(fs.store, place, &list, &count, &e) || !count)
		return;
	qsort(list, count, sizeof(*list), newest_first);
	for (i = 0; i < count; i++) {
		if (store_attr_get(fs.store, list[i].ino, "pause-us", &pause, &e))
			continue;
		last->time_ns = list[i].mtime_ns;
		snprintf(last->name, sizeof(last->name), "%s", list[i].name);
		last->pause_us = strtoull(pause, NULL, 10);
		free(pause);
		return;
	}
}

static void print_last(FILE *f, const char *place)
{
	struct last_checkpoint last;
	char text[64];
	struct tm tm;
	time_t t;

	last_get(place, &last);
	if (!last.time_ns)
		last_from_history(place, &last);
	if (!last.time_ns) {
		fprintf(f, "last-checkpoint: -\npause-us: -\nrecorded: -\n");
		return;
	}
	t = last.time_ns / 1000000000;
	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	fprintf(f, "last-checkpoint: %s\npause-us: %" PRIu64 "\n", text, last.pause_us);
	print(f, "recorded", last.name[0] ? last.name : "-", strlen(last.name) ?: 1);
}

/* it is taken as it is now, with pids as the reader knows them */
static int status_open(const struct node_at *at, const struct fuse_ctx *caller,
		       struct fuse_file_info *fi, struct handle **h)
{
	struct place_info info;
	char *text = NULL, damage[DAMAGE_MAX];
	size_t len = 0;
	FILE *f;
	int rc;

	(void)fi;
	rc = place_look(at->place, &info);
	if (rc)
		return rc;
	f = open_memstream(&text, &len);
	if (!f)
		return -ENOMEM;
	print(f, "name", at->place, strlen(at->place));
	if (info.running)
		print_running(f, &info.c, caller->pid);
	else
		print_stopped(f);
	print_last(f, at->place);
	fprintf(f, "record: %s\n", info.running && record_wanted(&info.c) ? "no" : "yes");
	fprintf(f, "snapshots: %" PRIu64 "\n", info.stored ? info.g.snapshots : 0);
	damage_get(at->place, damage);
	print(f, "damage", damage[0] ? damage : "-", strlen(damage) ?: 1);
	rc = fflush(f) ? -ENOMEM : 0;
	if (fclose(f))
		rc = -ENOMEM;
	if (rc) {
		free(text);
		return rc;
	}
	*h = text_open(text, len);
	return *h ? 0 : -ENOMEM;
}

const struct node status_node = {
	.name = "status",
	.in = NODE_PLACE,
	.mode = S_IFREG | 0444,
	.open = status_open,
};
