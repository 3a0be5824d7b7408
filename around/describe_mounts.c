// SPDX-License-Identifier: GPL-2.0-only
/* Where the mounts of a running container come from. */
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "cgroup.h"
#include "console.h"
#include "describe.h"

/* both mount tables, and where the findings go */
struct lookup {
	struct libmnt_table *host;
	struct libmnt_table *container;
	bool console;		/* what is on CONSOLE is the container's log */
	struct description *d;
	struct reasons *r;
};

/* A file system that shows namespaces or open terminals and holds nothing of its own. */
static bool is_fresh_type(const char *type)
{
	return !strcmp(type, "proc") || !strcmp(type, "sysfs") || !strcmp(type, "mqueue") ||
	       !strcmp(type, "devpts");
}

/*
 * The rest of 'path' behind the directory 'dir': "" or "/...", or NULL if it
 * is not below it.
 */
static const char *below(const char *path, const char *dir)
{
	size_t n = strcmp(dir, "/") ? strlen(dir) : 0;

	if (strncmp(path, dir, n) || (path[n] && path[n] != '/'))
		return NULL;
	return strcmp(path + n, "/") ? path + n : "";
}

/* dir + rest, without a double or trailing slash; to be freed */
static char *join(const char *dir, const char *rest)
{
	char *path;

	if (!strcmp(dir, "/"))
		dir = "";
	if (asprintf(&path, "%s%s", dir, *dir || *rest ? rest : "/") < 0)
		return NULL;
	return path;
}

/* Does the path lead to this very mount, or has another one covered it? */
static bool not_covered(const char *path, int mount_id)
{
	struct statx sx;

	/* nothing that a server would have to be asked for, which may not answer */
	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		     STATX_MNT_ID, &sx) == 0 &&
	       (sx.stx_mask & STATX_MNT_ID) && sx.stx_mnt_id == (uint64_t)mount_id;
}

/* the number behind a key such as "shared:" among a mount's optional fields; 0: none */
static int group_of(struct libmnt_fs *fs, const char *key)
{
	const char *p = mnt_fs_get_optional_fields(fs);

	while (p && *p) {
		if (!strncmp(p, key, strlen(key)))
			return atoi(p + strlen(key));
		p += strcspn(p, " ");
		p += strspn(p, " ");
	}
	return 0;
}

static struct libmnt_fs *find_by_id(struct libmnt_table *tb, int id)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs, *found = NULL;

	while (it && !found && mnt_table_next_fs(tb, it, &fs) == 0)
		if (mnt_fs_get_id(fs) == id)
			found = fs;
	mnt_free_iter(it);
	return found;
}

/*
 * Is there a mount over 'fs', or beside it in the same mount but over a
 * directory above it?  'except' is no such mount.
 */
static bool is_covered(struct libmnt_table *tb, struct libmnt_fs *fs,
		       struct libmnt_fs *except)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *c;
	bool covered = false;

	while (it && !covered && mnt_table_next_fs(tb, it, &c) == 0) {
		const char *rest = below(mnt_fs_get_target(fs), mnt_fs_get_target(c));
		int parent = mnt_fs_get_parent_id(c);

		if (c == fs || c == except || !rest)
			continue;
		covered = *rest ? parent == mnt_fs_get_parent_id(fs) &&
				  parent != mnt_fs_get_id(c) :
				  parent == mnt_fs_get_id(fs);
	}
	mnt_free_iter(it);
	return covered;
}

/* Can no path lead to it, because it or one that it is in is covered? */
static bool is_hidden(struct libmnt_table *tb, struct libmnt_fs *fs)
{
	struct libmnt_fs *below_it = NULL;

	while (fs && strcmp(mnt_fs_get_target(fs), "/")) {
		if (is_covered(tb, fs, below_it))
			return true;
		below_it = fs;
		fs = find_by_id(tb, mnt_fs_get_parent_id(fs));
	}
	return false;
}

/*
 * The host's path of what a container's mount shows; NULL if there is none.
 * *group takes the peer group of the host's mount, 0: it is in none.
 */
static char *host_path(const struct lookup *l, struct libmnt_fs *fs, int *group)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_BACKWARD);
	struct libmnt_fs *h;
	char *found = NULL;
	const char *rest;

	while (it && !found && mnt_table_next_fs(l->host, it, &h) == 0) {
		if (mnt_fs_get_devno(h) != mnt_fs_get_devno(fs))
			continue;
		rest = below(mnt_fs_get_root(fs), mnt_fs_get_root(h));
		if (!rest)
			continue;
		found = join(mnt_fs_get_target(h), rest);
		*group = group_of(h, "shared:");
		if (found && !not_covered(found, mnt_fs_get_id(h))) {
			free(found);
			found = NULL;
		}
	}
	mnt_free_iter(it);
	return found;
}

/* Is it a tmpfs that nobody has mounted but the container? */
static bool is_own_tmpfs(const struct lookup *l, struct libmnt_fs *fs)
{
	return !strcmp(mnt_fs_get_fstype(fs), "tmpfs") &&
	       !mnt_table_find_devno(l->host, mnt_fs_get_devno(fs), MNT_ITER_FORWARD);
}

/* Is it all of a tmpfs of the container's own, and can it be seen? */
static bool shows_tmpfs(const struct lookup *l, struct libmnt_fs *fs)
{
	return is_own_tmpfs(l, fs) && !strcmp(mnt_fs_get_root(fs), "/") && !is_hidden(l->container, fs);
}

/* The same among the container's own earlier mounts that are made afresh, or filled; *of takes which. */
static char *inner_path(const struct lookup *l, struct libmnt_fs *fs, struct libmnt_fs **of)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *c;
	char *found = NULL;
	const char *rest;

	while (it && !found && mnt_table_next_fs(l->container, it, &c) == 0 && c != fs) {
		if (mnt_fs_get_devno(c) != mnt_fs_get_devno(fs) ||
		    !(is_fresh_type(mnt_fs_get_fstype(c)) || shows_tmpfs(l, c)))
			continue;
		rest = below(mnt_fs_get_root(fs), mnt_fs_get_root(c));
		if (rest) {
			found = join(mnt_fs_get_target(c), rest);
			*of = c;
		}
	}
	mnt_free_iter(it);
	return found;
}

/*
 * A cgroup2 mount that shows the container's cgroup or what is below it.
 * *group as host_path().
 */
static char *cgroup_path(const struct lookup *l, struct libmnt_fs *fs, int *group)
{
	const char *rest = NULL, *root = mnt_fs_get_root(fs);
	char top[PATH_MAX / 2];
	struct libmnt_fs *h;

	if (!strcmp(mnt_fs_get_fstype(fs), "cgroup2") && root[0] == '/')
		rest = below(root + 1, l->d->cgroup);
	if (!rest)
		return NULL;
	h = cgroup_mount_point(top, NULL) ? NULL :
		mnt_table_find_target(l->host, top, MNT_ITER_BACKWARD);
	*group = h ? group_of(h, "shared:") : 0;
	return join("/", rest);
}

static int attr_of(const struct lookup *l, struct libmnt_fs *fs, struct mount_entry *m)
{
	const char *options = mnt_fs_get_vfs_options(fs);
	const char *unknown = mount_attr_parse(options ? options : "", &m->attr);

	if (unknown)
		return reason(l->r, "the mount on %s has the option %.*s, which is not supported yet",
			      m->target, (int)strcspn(unknown, ","), unknown);
	if (mnt_optstr_get_option(options, "relatime", NULL, NULL) &&
	    !(m->attr & MOUNT_ATTR_NOATIME))
		m->attr |= MOUNT_ATTR_STRICTATIME;
	return 0;
}

/* How it propagates, as far as its own table says; a slave's master is looked at later. */
static int propagation_of(const struct lookup *l, struct libmnt_fs *fs, struct mount_entry *m)
{
	const char *p = mnt_fs_get_optional_fields(fs);
	size_t n;

	for (; p && *p; p += n + strspn(p + n, " ")) {
		n = strcspn(p, " ");
		if (!strncmp(p, "master:", 7))
			m->propagation = PROPAGATION_SLAVE;
		else if (n == 10 && !strncmp(p, "unbindable", n))
			m->propagation = PROPAGATION_UNBINDABLE;
		else if (!strncmp(p, "shared:", 7))
			return reason(l->r, "the mount on %s is shared, which is not supported yet: make it private with 'mount --make-private %s' in the container",
				      m->target, m->target);
		else if (strncmp(p, "propagate_from:", 15))
			return reason(l->r, "the mount on %s has the property %.*s, which is not supported yet",
				      m->target, (int)n, p);
	}
	return 0;
}

/* The words of a fresh file system's options that are not its defaults. */
static int data_of(const struct lookup *l, struct libmnt_fs *fs, struct mount_entry *m)
{
	static const struct {
		const char *type, *key;
	} kept[] = {
		{ "proc", "hidepid" }, { "proc", "gid" }, { "proc", "subset" },
		{ "devpts", "uid" }, { "devpts", "gid" }, { "devpts", "mode" },
		{ "devpts", "ptmxmode" }, { "devpts", "max" },
		{ "tmpfs", "size" }, { "tmpfs", "nr_inodes" }, { "tmpfs", "mode" },
		{ "tmpfs", "uid" }, { "tmpfs", "gid" }, { "tmpfs", "huge" }, { "tmpfs", "noswap" },
		{ "tmpfs", "inode32" }, { "tmpfs", "inode64" },
	};
	const size_t nr = sizeof(kept) / sizeof(*kept);
	const char *options = mnt_fs_get_fs_options(fs);
	const char *type = mnt_fs_get_fstype(fs);
	char *data = strdup(""), *more;
	size_t n, key, i;

	for (; data && options && *options; options += n + (options[n] == ',')) {
		n = strcspn(options, ",");
		key = strcspn(options, "=,");
		/* SELinux says that it has labels; that a tmpfs is for reading only the engine sees to */
		if ((n == 2 && !strncmp(options, "rw", n)) ||
		    (n == 2 && !strncmp(options, "ro", n) && m->kind == MOUNT_TMPFS) ||
		    (n == 8 && !strncmp(options, "seclabel", n)))
			continue;
		for (i = 0; i < nr; i++)
			if (!strcmp(type, kept[i].type) && strlen(kept[i].key) == key &&
			    !strncmp(options, kept[i].key, key))
				break;
		if (i == nr && !(n == 2 && !strncmp(options, "ro", n))) {
			free(data);
			return reason(l->r, "the %s file system on %s has the option %.*s, which is not supported yet",
				      type, m->target, (int)n, options);
		}
		if (asprintf(&more, "%s%s%.*s", data, *data ? "," : "", (int)n, options) < 0)
			more = NULL;
		free(data);
		data = more;
	}
	m->data = data;
	return data ? 0 : error_set(l->r->e, ENOMEM, "no memory for the mounts");
}

/*
 * Does the path of an inner mount, which lies in 'of', lead to what it shows, when it is made
 * again?  Something else may have been mounted there before.
 */
static int check_inner(const struct lookup *l, struct libmnt_fs *fs, struct libmnt_fs *of,
		       const struct mount_entry *m)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *c, *on_top = NULL;
	const char *rest;

	while (it && !on_top && mnt_table_next_fs(l->container, it, &c) == 0 && c != fs) {
		rest = below(mnt_fs_get_target(c), mnt_fs_get_target(of));
		if (rest && *rest && below(m->source, mnt_fs_get_target(c)) && !is_hidden(l->container, c))
			on_top = c;
	}
	mnt_free_iter(it);
	return !on_top ? 0 : reason(l->r, "what the container has mounted on %s lies below its mount on %s, which is not supported yet",
				    m->target, mnt_fs_get_target(on_top));
}

/* The file system is made again empty but for its options, and the engine puts into it what it had. */
static int add_tmpfs(const struct lookup *l, struct libmnt_fs *fs, struct mount_entry *m)
{
	const char *source = mnt_fs_get_source(fs);

	m->kind = MOUNT_TMPFS;
	if (strcmp(mnt_fs_get_root(fs), "/"))
		return reason(l->r, "the container has only %s of a tmpfs file system of its own, on %s, which is not supported yet",
			      mnt_fs_get_root(fs), m->target);
	m->source = strdup(source && *source ? source : "none");
	return m->source ? data_of(l, fs, m) : error_set(l->r->e, ENOMEM, "no memory for the mounts");
}

static int classify(const struct lookup *l, struct libmnt_fs *fs, struct mount_entry *m,
		    int *group)
{
	const char *type = mnt_fs_get_fstype(fs);
	size_t n = strlen(mnt_fs_get_root(fs));
	struct libmnt_fs *of;

	/* wherever it is: a restart gives it the log that 'ckpt run' would */
	if (l->console && !strcmp(m->target, CONSOLE)) {
		m->kind = MOUNT_CONSOLE;
		m->source = strdup("");
		return m->source ? 0 : error_set(l->r->e, ENOMEM, "no memory for the mounts");
	}
	if (n > 9 && !strcmp(mnt_fs_get_root(fs) + n - 9, "//deleted"))
		return reason(l->r, "what the container has mounted on %s has been deleted: unmount it there",
			      m->target);
	m->kind = MOUNT_CGROUP;
	m->source = cgroup_path(l, fs, group);
	if (m->source)
		return 0;
	m->kind = MOUNT_BIND;
	m->source = host_path(l, fs, group);
	if (m->source)
		return 0;
	*group = 0;
	m->kind = MOUNT_INNER;
	m->source = inner_path(l, fs, &of);
	if (m->source)
		return check_inner(l, fs, of, m);
	if (is_own_tmpfs(l, fs))
		return add_tmpfs(l, fs, m);
	m->kind = MOUNT_FRESH;
	if (!is_fresh_type(type) || strcmp(mnt_fs_get_root(fs), "/"))
		return reason(l->r, "the container has a %s file system of its own on %s, which is not supported yet",
			      type, m->target);
	m->source = strdup(type);
	return m->source ? data_of(l, fs, m) : error_set(l->r->e, ENOMEM, "no memory for the mounts");
}

/* What it follows must be what its copy will be made of. */
static int check_master(const struct lookup *l, struct libmnt_fs *fs,
			const struct mount_entry *m, int group)
{
	if (m->propagation != PROPAGATION_SLAVE || group == group_of(fs, "master:"))
		return 0;
	return reason(l->r, "the mount on %s follows mounts of another than the host's %s, which is not supported yet: make it private with 'mount --make-private %s' in the container",
		      m->target, m->kind == MOUNT_BIND ? m->source : "cgroup2", m->target);
}

/* What nothing can reach is left out; but what it has would be lost to who takes away what is over it. */
static int check_hidden(const struct lookup *l, struct libmnt_fs *fs)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	bool shown = !is_own_tmpfs(l, fs);
	struct libmnt_fs *c;

	while (it && !shown && mnt_table_next_fs(l->container, it, &c) == 0)
		shown = mnt_fs_get_devno(c) == mnt_fs_get_devno(fs) && shows_tmpfs(l, c);
	mnt_free_iter(it);
	return shown ? 0 : reason(l->r, "the container has a tmpfs file system of its own on %s, over which something else is mounted, which is not supported yet",
				  mnt_fs_get_target(fs));
}

/* After a reason the look goes on with the next mount. */
static int add_mount(const struct lookup *l, struct libmnt_fs *fs)
{
	struct mount_entry *m;
	int ret, group = 0;

	if (!strcmp(mnt_fs_get_fstype(fs), "fuse.ckptfs"))
		return 0;
	if (is_hidden(l->container, fs))
		return check_hidden(l, fs);
	m = description_add_mount(l->d);
	if (!m)
		return error_set(l->r->e, E2BIG, "container %s has more than %d mounts",
				 l->d->name, DESCRIPTION_MOUNTS_MAX);
	m->target = strdup(mnt_fs_get_target(fs));
	if (!m->target)
		return error_set(l->r->e, ENOMEM, "no memory for the mounts");
	ret = attr_of(l, fs, m);
	if (!ret)
		ret = propagation_of(l, fs, m);
	if (ret)
		return ret;
	if (l->d->nr_mounts > 1 && !strcmp(m->target, "/"))
		return reason(l->r, "the container has a second mount on its root, which is not supported");
	ret = classify(l, fs, m, &group);
	return ret ? ret : check_master(l, fs, m, group);
}

static int walk(const struct lookup *l)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	int ret = 0;

	if (!it || mnt_table_next_fs(l->container, it, &fs) ||
	    strcmp(mnt_fs_get_target(fs), "/"))
		ret = reason(l->r, "the root directory of container %s is no mount point, which is not supported",
			     l->d->name);
	else
		ret = add_mount(l, fs);
	if (!ret && l->d->nr_mounts && l->d->mounts[0].kind != MOUNT_BIND)
		ret = reason(l->r, "the root of container %s is no directory of the host's, which is not supported yet",
			     l->d->name);
	while (!ret && mnt_table_next_fs(l->container, it, &fs) == 0)
		ret = add_mount(l, fs);
	mnt_free_iter(it);
	return ret;
}

int describe_mounts_in(struct description *d, const char *host, const char *container,
		       bool console, struct reasons *r)
{
	struct lookup l = { .console = console, .d = d, .r = r };
	int ret;

	l.host = mnt_new_table_from_file(host);
	l.container = mnt_new_table_from_file(container);
	if (l.host && l.container)
		ret = walk(&l);
	else
		ret = error_set(r->e, ESRCH, "the mounts of container %s cannot be read", d->name);
	mnt_unref_table(l.host);
	mnt_unref_table(l.container);
	return ret;
}

/* What was set by chmod(2) and not by an option of the mount is not in its table. */
static int check_devpts(const struct mount_entry *m, pid_t pid, struct reasons *r)
{
	const char *mode = m->data ? strstr(m->data, "ptmxmode=") : NULL;
	char path[PATH_MAX];
	struct stat dir, st;

	snprintf(path, sizeof(path), "/proc/%d/root%s", pid, m->target);
	if (stat(path, &dir))
		return 0;
	strncat(path, "/ptmx", sizeof(path) - strlen(path) - 1);
	if (stat(path, &st))
		return 0;
	if ((dir.st_mode & 07777) != 0755 || dir.st_uid || dir.st_gid || st.st_uid || st.st_gid ||
	    (st.st_mode & 07777) != (mode ? strtoul(mode + strlen("ptmxmode="), NULL, 8) : 0))
		return reason(r, "the container has changed owner or mode of %s or its ptmx, which is not supported yet: mount it with ptmxmode=",
			      m->target);
	return 0;
}

/* A mount of one file, or device, wants one to be mounted on, where a restart has to make it. */
static int check_inner_type(struct mount_entry *m, pid_t pid, struct reasons *r)
{
	char path[PATH_MAX];
	struct statfs fs;
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/root%s", pid, m->target);
	if (stat(path, &st) || S_ISDIR(st.st_mode) || statfs(path, &fs) || fs.f_type != TMPFS_MAGIC)
		return 0;
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return reason(r, "what the container has mounted on %s is neither a directory, nor a regular file or character device of its tmpfs, which is not supported yet",
			      m->target);
	if (S_ISREG(st.st_mode))
		m->data = strdup(MOUNT_DATA_FILE);
	else if (asprintf(&m->data, MOUNT_DATA_DEVICE "%u:%u", major(st.st_rdev), minor(st.st_rdev)) < 0)
		m->data = NULL;
	return m->data ? 0 : error_set(r->e, ENOMEM, "no memory for the mounts");
}

int describe_mounts(struct description *d, pid_t pid, struct reasons *r)
{
	char path[64];
	size_t i;
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	ret = describe_mounts_in(d, "/proc/self/mountinfo", path, console_mounted(pid), r);
	for (i = 0; !ret && i < d->nr_mounts; i++) {
		/* one that was refused has no source */
		if (d->mounts[i].kind == MOUNT_FRESH && d->mounts[i].source &&
		    !strcmp(d->mounts[i].source, "devpts"))
			ret = check_devpts(&d->mounts[i], pid, r);
		else if (d->mounts[i].kind == MOUNT_INNER && d->mounts[i].source)
			ret = check_inner_type(&d->mounts[i], pid, r);
	}
	return ret;
}
