// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "cleanup.h"
#include "proc.h"

int cgroup_find_mount(const char *mountinfo, char path[PATH_MAX / 2])
{
	struct libmnt_table *tb = mnt_new_table_from_file(mountinfo);
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	int ret = -ENODEV;

	while (tb && it && mnt_table_next_fs(tb, it, &fs) == 0) {
		if (strcmp(mnt_fs_get_fstype(fs), "cgroup2") ||
		    strcmp(mnt_fs_get_root(fs), "/"))
			continue;
		if (snprintf(path, PATH_MAX / 2, "%s", mnt_fs_get_target(fs)) < PATH_MAX / 2)
			ret = 0;
		break;
	}
	mnt_free_iter(it);
	mnt_unref_table(tb);
	return ret;
}

int cgroup_mount_point(char path[PATH_MAX / 2], struct ckpt_error *e)
{
	int ret = cgroup_find_mount("/proc/self/mountinfo", path);

	if (ret)
		error_set(e, ENODEV, "cgroup version 2 is not mounted: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
	return ret;
}

int cgroup_path_check(const char *path, struct ckpt_error *e)
{
	const char *p = path;
	size_t n;

	while (*p) {
		n = strcspn(p, "/");
		if (n == 0 || n > NAME_MAX || (n == 1 && p[0] == '.') ||
		    (n == 2 && p[0] == '.' && p[1] == '.'))
			goto bad;
		p += n;
		if (*p == '/' && !*++p)
			goto bad;
	}
	if (p != path && strlen(path) < PATH_MAX / 2)
		return 0;
bad:
	return error_set(e, EINVAL, "'%.200s' is no path of a cgroup", path);
}

static int cgroup_paths(struct cgroup *c, const char *rel, struct ckpt_error *e)
{
	char top[PATH_MAX / 2];
	int ret;

	c->fd = -1;
	ret = cgroup_path_check(rel, e);
	if (!ret)
		ret = cgroup_mount_point(top, e);
	if (ret)
		return ret;
	snprintf(c->rel, sizeof(c->rel), "%s", rel);
	if (snprintf(c->path, sizeof(c->path), "%s/%s", top, rel) >= (int)sizeof(c->path))
		return error_set(e, ENAMETOOLONG, "the path of cgroup %s is too long", rel);
	return 0;
}

int cgroup_open(struct cgroup *c, const char *rel, struct ckpt_error *e)
{
	int ret = cgroup_paths(c, rel, e);

	if (ret)
		return ret;
	c->fd = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->fd < 0)
		return error_sys(e, errno, "cgroup %s cannot be opened", c->path);
	return 0;
}

void cgroup_close(struct cgroup *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static int make_parents(const struct cgroup *c, struct ckpt_error *e)
{
	char path[PATH_MAX];
	char *p;

	strcpy(path, c->path);
	for (p = path + strlen(c->path) - strlen(c->rel); (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return error_sys(e, errno, "cgroup %s cannot be made", path);
		*p = '/';
	}
	return 0;
}

/*
 * The lock, which the monitor holds as long as it lives, tells a cgroup that
 * was left behind from one whose first task is just being made or reaped.
 *
 * Returns 0, -EEXIST if the cgroup is in use, -EAGAIN if it may soon not be.
 */
static int cgroup_lock(struct cgroup *c)
{
	struct stat here, there;

	if (cgroup_populated(c) != 0)
		return -EEXIST;
	if (flock(c->fd, LOCK_EX | LOCK_NB) || fstat(c->fd, &here) ||
	    stat(c->path, &there) || here.st_ino != there.st_ino)
		return -EAGAIN;
	return 0;
}

static int try_make(struct cgroup *c, struct ckpt_error *e)
{
	int ret;

	if (mkdir(c->path, 0755) && errno != EEXIST)
		return error_sys(e, errno, "cgroup %s cannot be made", c->path);
	c->fd = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->fd < 0 && errno == ENOENT)
		return -EAGAIN;
	if (c->fd < 0)
		return error_sys(e, errno, "cgroup %s cannot be opened", c->path);
	ret = cgroup_lock(c);
	if (ret)
		cgroup_close(c);
	return ret;
}

int cgroup_make(struct cgroup *c, const char *rel, const char *name,
		struct ckpt_error *e)
{
	int ret = cgroup_paths(c, rel, e), tries;

	if (!ret)
		ret = make_parents(c, e);
	if (ret)
		return ret;
	/* the monitor of a container that has just ended needs a moment */
	for (tries = 0; tries < 200; tries++) {
		ret = try_make(c, e);
		if (ret != -EAGAIN)
			break;
		usleep(10000);
	}
	if (ret == -EEXIST || ret == -EAGAIN)
		return error_set(e, EEXIST, "container %s is running already: end it with 'ckpt kill %s' or choose another name",
				 name, name);
	return ret;
}

pid_t cgroup_clone(uint64_t flags, const struct cgroup *cgroup, pid_t pid)
{
	struct clone_args args = {
		.flags = flags,
		/* a sibling of the caller's ends as the caller does */
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
	};
	long ret;

	if (cgroup) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = cgroup->fd;
	}
	if (pid) {
		args.set_tid = (uintptr_t)&pid;
		args.set_tid_size = 1;
	}
	ret = syscall(SYS_clone3, &args, sizeof(args));
	return ret < 0 ? -errno : ret;
}

int cgroup_of(pid_t pid, char rel[PATH_MAX / 2], struct ckpt_error *e)
{
	char path[64], text[2 * PATH_MAX], found[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (proc_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return error_set(e, ESRCH, "there is no task %d", pid);
	if (proc_cgroup(text, found))
		return error_set(e, ENODEV, "task %d is in no cgroup of version 2", pid);
	if (cgroup_path_check(found + 1, NULL))
		return error_set(e, EINVAL, "task %d is in cgroup %s, which is none of a container's",
				 pid, found);
	strcpy(rel, found + 1);
	return 0;
}

int cgroup_populated(const struct cgroup *c)
{
	_cleanup_file_ FILE *f = NULL;
	char line[64];
	int fd, value;

	fd = openat(c->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENODEV || errno == ENOENT ? 0 : -errno;
	f = fdopen(fd, "r");
	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "populated %d", &value) == 1)
			return value;
	return ferror(f) && errno != ENODEV ? -EIO : 0;
}

/* call 'fn' for every process in it, until it returns true */
static bool each_process(const struct cgroup *c, bool (*fn)(pid_t pid, void *arg),
			 void *arg)
{
	_cleanup_file_ FILE *f = NULL;
	int fd = openat(c->fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	if (fd < 0)
		return false;
	f = fdopen(fd, "r");
	if (!f) {
		close(fd);
		return false;
	}
	while (fscanf(f, "%d", &pid) == 1)
		if (fn(pid, arg))
			return true;
	return false;
}

struct outermost {
	pid_t pid;
	int depth;
};

static bool note_init(pid_t pid, void *arg)
{
	struct outermost *o = arg;
	int depth = proc_init_depth(pid);

	if (depth && (!o->pid || depth < o->depth))
		*o = (struct outermost){ .pid = pid, .depth = depth };
	return false;
}

pid_t cgroup_init(const struct cgroup *c)
{
	struct outermost o = { 0 };

	each_process(c, note_init, &o);
	return o.pid;
}

static bool count_one(pid_t pid, void *arg)
{
	(void)pid;
	++*(unsigned int *)arg;
	return false;
}

unsigned int cgroup_count(const struct cgroup *c)
{
	unsigned int n = 0;

	each_process(c, count_one, &n);
	return n;
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int cgroup_kill(const struct cgroup *c, int timeout_ms, struct ckpt_error *e)
{
	long long end = now_ms() + timeout_ms, left;
	_cleanup_fd_ int fd = -1, events = -1;
	struct pollfd p;

	fd = openat(c->fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0 :
			error_sys(e, errno, "cgroup %s cannot be killed", c->rel);
	if (write(fd, "1", 1) != 1 && errno != ENODEV)
		return error_sys(e, errno, "cgroup %s cannot be killed", c->rel);
	events = openat(c->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	p = (struct pollfd){ .fd = events, .events = POLLPRI };
	while (cgroup_populated(c) > 0) {
		left = end - now_ms();
		if (left <= 0)
			return error_set(e, ETIMEDOUT, "tasks in cgroup %s outlive SIGKILL: see %s/cgroup.procs",
					 c->rel, c->path);
		/* a change between the look and the poll shows 20 ms later */
		poll(&p, 1, left < 20 ? left : 20);
	}
	return 0;
}

static int remove_below(int dirfd, const char *name, int depth)
{
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *d;
	int fd;

	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY || depth > 64)
		return -errno;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((d = readdir(dir)))
		if (d->d_type == DT_DIR && d->d_name[0] != '.')
			remove_below(fd, d->d_name, depth + 1);
	return unlinkat(dirfd, name, AT_REMOVEDIR) && errno != ENOENT ? -errno : 0;
}

int cgroup_remove(struct cgroup *c, struct ckpt_error *e)
{
	int ret = 0, tries;

	/* its last task may still be on its way out of the kernel */
	for (tries = 0; tries < 100; tries++) {
		ret = remove_below(AT_FDCWD, c->path, 0);
		if (ret != -EBUSY)
			break;
		usleep(10000);
	}
	if (ret)
		return error_sys(e, -ret, "cgroup %s cannot be removed", c->path);
	return 0;
}
