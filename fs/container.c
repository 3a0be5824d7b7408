// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <xxhash.h>

#include "cleanup.h"
#include "container.h"
#include "known.h"
#include "naming.h"
#include "note.h"
#include "proc.h"

#define OWNER_SUFFIX 16

static struct {
	int proc;		/* directory descriptors; -1: none */
	int cgroup;
	int root;
	char own_pidns[64];	/* as readlink(2) gives it */
	char known[PATH_MAX];
} where = { .proc = -1, .cgroup = -1, .root = -1 };

struct list {
	struct container *all;
	size_t count;
	size_t room;
};

/* what the last scan found; a new one keeps the names */
static struct list found;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * One scan at a time, without the lock. It is good for all who came before it began;
 * who came later needs the next one, which they share.
 */
static struct {
	bool running;
	uint64_t begun, ended;	/* numbers of scans */
	int64_t time_ns;	/* when the one that gave what was found began */
	int result;		/* of the last */
	pthread_cond_t done;
} scans = { .done = PTHREAD_COND_INITIALIZER };

int containers_setup(const char *proc, const char *cgroup, const char *root, const char *known)
{
	ssize_t len;
	int rc;

	where.proc = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	where.root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (where.proc < 0 || where.root < 0)
		return -errno;
	len = readlinkat(where.proc, "self/ns/pid", where.own_pidns,
			 sizeof(where.own_pidns) - 1);
	if (len < 0)
		return -errno;
	where.own_pidns[len] = '\0';
	snprintf(where.known, sizeof(where.known), "%s", known);
	free(found.all);
	found = (struct list){ 0 };
	scans.time_ns = INT64_MIN / 2;
	if (known[0]) {
		rc = known_load(known, &found.all, &found.count);
		if (rc)
			note("%s can't be read: %s", known, strerror(-rc));
	}
	if (!cgroup[0])
		return 0;
	where.cgroup = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return where.cgroup < 0 ? -errno : 0;
}

static int list_add(struct list *l, const struct container *c)
{
	struct container *all;
	size_t room;

	if (l->count == l->room) {
		room = l->room ? l->room * 2 : 8;
		all = reallocarray(l->all, room, sizeof(*all));
		if (!all)
			return -ENOMEM;
		l->all = all;
		l->room = room;
	}
	l->all[l->count++] = *c;
	return 0;
}

/* how deep a pid-namespace init @pid is below us; 0: it is none */
static int init_depth(pid_t pid)
{
	char path[64], text[8192];
	pid_t pids[PROC_DEPTH_MAX];
	ssize_t len;
	int n;

	/* most processes are in our own namespace: this is the quick way out */
	snprintf(path, sizeof(path), "%d/ns/pid", pid);
	len = readlinkat(where.proc, path, text, sizeof(text) - 1);
	if (len < 0)
		return 0;
	text[len] = '\0';
	if (!strcmp(text, where.own_pidns))
		return 0;
	snprintf(path, sizeof(path), "%d/status", pid);
	if (proc_read(where.proc, path, text, sizeof(text)) < 0)
		return 0;
	n = proc_nspid(text, pids);
	return n >= 2 && pids[n - 1] == 1 ? n - 1 : 0;
}

static uint64_t start_of(pid_t pid)
{
	char path[32], text[4096];

	snprintf(path, sizeof(path), "%d/stat", pid);
	if (proc_read(where.proc, path, text, sizeof(text)) < 0)
		return 0;
	return proc_start(text);
}

/* who owns the user namespace of @pid: nobody but root if that can't be told */
static uid_t owner_of(pid_t pid)
{
	_cleanup_fd_ int fd = -1;
	char path[32];
	uid_t uid;

	snprintf(path, sizeof(path), "%d/ns/user", pid);
	fd = openat(where.proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, NS_GET_OWNER_UID, &uid))
		return 0;
	return uid;
}

/* the outermost pid-namespace init in a cgroup; 0: none */
static pid_t find_init(int cgroup)
{
	_cleanup_file_ FILE *f = NULL;
	int fd = openat(cgroup, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	int depth, best = PROC_DEPTH_MAX + 1;
	pid_t pid, init = 0;

	if (fd < 0)
		return 0;
	f = fdopen(fd, "r");
	if (!f) {
		close(fd);
		return 0;
	}
	/* a 0 stands for a process that our pid namespace does not have */
	while (fscanf(f, "%d", &pid) == 1) {
		depth = pid > 0 ? init_depth(pid) : 0;
		if (depth && depth < best) {
			best = depth;
			init = pid;
		}
	}
	return init;
}

static void put_suffix(struct container *c, const char *plain, const char *suffix)
{
	snprintf(c->name, sizeof(c->name), "%.*s%s", CONTAINER_NAME_MAX - (int)strlen(suffix),
		 plain, suffix);
}

static void owner_suffix(const struct container *c, char suffix[OWNER_SUFFIX])
{
	snprintf(suffix, OWNER_SUFFIX, "@%u", c->owner);
}

/* a user calls a cgroup as he likes: the names of his containers say whose they are */
static void add_owner(struct container *c)
{
	char plain[CONTAINER_NAME_MAX + 1], suffix[OWNER_SUFFIX];

	strcpy(plain, c->name);
	owner_suffix(c, suffix);
	put_suffix(c, plain, suffix);
}

static int take_cgroup(int dir, const char *path, struct list *l)
{
	struct container c = { .init = find_init(dir) };
	struct naming naming;

	if (!c.init || naming_of(where.proc, where.root, path, c.init, &naming))
		return 0;
	c.owner = owner_of(c.init);
	/* afterwards: it was still there, so that was its owner */
	c.start = start_of(c.init);
	if (!c.start)
		return 0;
	c.top = naming.top;
	strcpy(c.name, naming.name);
	if (c.owner)
		add_owner(&c);
	strcpy(c.runtime, naming.runtime);
	snprintf(c.cgroup, sizeof(c.cgroup), "%s", path);
	return list_add(l, &c);
}

/* @path is where @dir is, below the mount; taken over: @dir is closed */
static int scan(int dir, char path[PATH_MAX], struct list *l)
{
	_cleanup_dir_ DIR *d = fdopendir(dir);
	size_t len = strlen(path);
	struct dirent *entry;
	int sub, rc = 0;

	if (!d) {
		rc = -errno;
		close(dir);
		return rc;
	}
	if (len)
		rc = take_cgroup(dir, path, l);
	while (!rc && (entry = readdir(d))) {
		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, "..") || len + 1 + strlen(entry->d_name) >= PATH_MAX)
			continue;
		sub = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sub < 0)
			continue;	/* it has just gone */
		snprintf(path + len, PATH_MAX - len, "/%s", entry->d_name);
		rc = scan(sub, path, l);
		path[len] = '\0';
	}
	return rc;
}

static bool same(const struct container *a, const struct container *b)
{
	return a->init == b->init && a->start == b->start;
}

static bool name_taken(const struct list *l, size_t before, const char *name)
{
	for (size_t i = 0; i < before; i++)
		if (!strcmp(l->all[i].name, name))
			return true;
	return false;
}

/*
 * Tell it apart by what does not change: who made it, and where that is not enough
 * its path, of which so many digits stand for a hash.
 */
static void add_suffix(struct container *c, const char *plain, int digits)
{
	char suffix[sizeof(c->runtime) + 20];
	int len = 0;

	if (!digits || c->runtime[0])
		len = snprintf(suffix, sizeof(suffix), "@%s", c->runtime);
	if (digits)
		snprintf(suffix + len, sizeof(suffix) - len, "@%0*llx", digits,
			 (unsigned long long)XXH64(c->cgroup, c->top, 0) >> (64 - 4 * digits));
	put_suffix(c, plain, suffix);
}

static void make_unique(const struct list *l, size_t at)
{
	struct container *c = &l->all[at];
	char plain[CONTAINER_NAME_MAX + 1];

	strcpy(plain, c->name);
	for (int digits = c->runtime[0] ? 0 : 4; digits <= 16 && name_taken(l, at, c->name);
	     digits += 4)
		add_suffix(c, plain, digits);
}

/* root's before everybody else's, those that were known, then the oldest */
static int by_right(const void *a, const void *b)
{
	const struct container *x = a, *y = b;

	if (!x->owner != !y->owner)
		return x->owner ? 1 : -1;
	if (x->known != y->known)
		return x->known ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return strcmp(x->cgroup, y->cgroup);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct container *)a)->name, ((const struct container *)b)->name);
}

static void keep_name(struct container *c)
{
	char suffix[OWNER_SUFFIX] = "";

	if (c->owner)
		owner_suffix(c, suffix);
	for (size_t i = 0; i < found.count; i++)
		if (same(c, &found.all[i]) && strstr(found.all[i].name, suffix)) {
			strcpy(c->name, found.all[i].name);
			c->known = true;
			return;
		}
}

/*
 * The one that was known under a name, or else the oldest, has it plain; it
 * keeps it as long as it runs, whoever comes or goes, unless root's takes it.
 */
static void give_names(struct list *l)
{
	for (size_t i = 0; i < l->count; i++)
		keep_name(&l->all[i]);
	qsort(l->all, l->count, sizeof(*l->all), by_right);
	for (size_t i = 0; i < l->count; i++)
		make_unique(l, i);
	qsort(l->all, l->count, sizeof(*l->all), by_name);
}

static bool same_list(const struct list *a, const struct list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same(&a->all[i], &b->all[i]) || strcmp(a->all[i].name, b->all[i].name))
			return false;
	return true;
}

/* while one has a name with a suffix, who has which can't be told by looking */
static void note_names(const struct list *fresh)
{
	bool any = false;
	int rc;

	if (!where.known[0] || same_list(fresh, &found))
		return;
	for (size_t i = 0; i < fresh->count; i++)
		any |= strchr(fresh->all[i].name, '@') != NULL;
	rc = known_save(where.known, fresh->all, any ? fresh->count : 0);
	if (rc)
		note("%s can't be written: %s", where.known, strerror(-rc));
}

static int look_at_all(struct list *fresh)
{
	char path[PATH_MAX] = "";
	int dir;

	if (where.cgroup < 0)
		return 0;
	dir = openat(where.cgroup, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -errno : scan(dir, path, fresh);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* the caller has the lock, which is given back meanwhile */
static void scan_once(void)
{
	struct list fresh = { 0 };
	int64_t began = now_ns();
	uint64_t nr = ++scans.begun;
	int rc;

	scans.running = true;
	pthread_mutex_unlock(&lock);
	rc = look_at_all(&fresh);
	pthread_mutex_lock(&lock);
	scans.running = false;
	scans.ended = nr;
	scans.result = rc;
	if (rc) {
		free(fresh.all);
	} else {
		if (fresh.count)
			give_names(&fresh);
		note_names(&fresh);
		free(found.all);
		found = fresh;
		scans.time_ns = began;
	}
	pthread_cond_broadcast(&scans.done);
}

/* what is found is from now on, or later; the caller has the lock */
static int rescan(void)
{
	uint64_t wanted = scans.begun + 1;

	while (scans.ended < wanted) {
		if (scans.running)
			pthread_cond_wait(&scans.done, &lock);
		else
			scan_once();
	}
	return scans.result;
}

int container_alive(const struct container *c)
{
	char file[32], text[PATH_MAX + 256], path[PATH_MAX];

	if (start_of(c->init) != c->start)
		return 0;
	snprintf(file, sizeof(file), "%d/cgroup", c->init);
	if (proc_read(where.proc, file, text, sizeof(text)) < 0 || proc_cgroup(text, path))
		return 0;
	/* a dead one's says " (deleted)" when its cgroup has gone */
	return !strcmp(path, c->cgroup);
}

static int find_known(const char *name, struct container *out)
{
	struct container key, *c;

	if (!found.count)
		return -ENOENT;
	snprintf(key.name, sizeof(key.name), "%s", name);
	c = bsearch(&key, found.all, found.count, sizeof(key), by_name);
	if (!c)
		return -ENOENT;
	*out = *c;
	return 0;
}

/* the one that was found under that name, if it is still that; the caller has the lock */
static int find_alive(const char *name, struct container *out)
{
	int rc = find_known(name, out);

	return !rc && !container_alive(out) ? -ENOENT : rc;
}

int container_find(const char *name, struct container *out)
{
	return container_glance(name, 0, out);
}

int container_glance(const char *name, int64_t age_ns, struct container *out)
{
	int rc;

	pthread_mutex_lock(&lock);
	rc = find_alive(name, out);
	if (rc && (!age_ns || now_ns() - scans.time_ns > age_ns)) {
		rc = rescan();
		if (!rc)
			rc = find_known(name, out);
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

unsigned long containers_scans(void)
{
	unsigned long n;

	pthread_mutex_lock(&lock);
	n = scans.ended;
	pthread_mutex_unlock(&lock);
	return n;
}

int container_list(struct container **list, size_t *count)
{
	int rc;

	*list = NULL;
	*count = 0;
	pthread_mutex_lock(&lock);
	rc = rescan();
	if (!rc && found.count) {
		*list = malloc(found.count * sizeof(**list));
		if (*list) {
			memcpy(*list, found.all, found.count * sizeof(**list));
			*count = found.count;
		} else {
			rc = -ENOMEM;
		}
	}
	pthread_mutex_unlock(&lock);
	return rc;
}
