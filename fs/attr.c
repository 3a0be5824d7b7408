// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attr.h"
#include "fs.h"
#include "log.h"
#include "perm.h"

static const struct {
	mode_t mode;
	nlink_t nlink;
} kinds[] = {
	[NODE_PLACE] = { S_IFDIR | 0555, 3 },
	[NODE_IMAGE] = { S_IFREG | 0400, 1 },
	[NODE_RESTART] = { S_IFREG | 0200, 1 },
	[NODE_STATUS] = { S_IFREG | 0444, 1 },
	[NODE_LOG] = { S_IFREG | 0400, 1 },
	[NODE_SNAPSHOTS] = { S_IFDIR | 0755, 2 },
	[NODE_LATEST] = { S_IFLNK | 0777, 1 },
};

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

static void set_times(struct stat *st, int64_t ns)
{
	int64_t rest = ns % 1000000000;

	if (rest < 0)
		rest += 1000000000;
	st->st_mtim.tv_sec = (ns - rest) / 1000000000;
	st->st_mtim.tv_nsec = rest;
	st->st_atim = st->st_mtim;
	st->st_ctim = st->st_mtim;
}

int place_look(const char *name, struct place_info *info)
{
	struct store_error e;
	int rc;

	rc = container_find(name, &info->c);
	if (rc && rc != -ENOENT)
		return rc;
	info->running = !rc;
	rc = store_group_stat(fs.store, name, &info->g, &e);
	info->stored = !rc;
	/* a running container is there although its history has trouble */
	return info->running ? 0 : rc;
}

void attr_root(struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = 1;
	st->st_mode = S_IFDIR | 0755;
	st->st_nlink = 2;
	st->st_blksize = 4096;
	set_times(st, begin_ns);
}

static int attr_latest(const char *name, struct stat *st)
{
	struct store_info newest;
	struct store_error e;
	int rc = store_latest(fs.store, name, &newest, &e);

	if (rc)
		return rc;
	st->st_size = strlen(newest.name);
	set_times(st, newest.mtime_ns);
	return 0;
}

int attr_place(const char *name, enum node_kind kind, const struct place_info *info,
	       struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = place_node(name, kind, 0);
	st->st_mode = kinds[kind].mode;
	st->st_nlink = kinds[kind].nlink;
	st->st_blksize = 4096;
	/* the history is root's: another user's container may have its name today */
	if (info->running && (kind == NODE_IMAGE || kind == NODE_RESTART || kind == NODE_LOG))
		st->st_uid = info->c.owner;
	if (info->running)
		set_times(st, boot_ns + (int64_t)info->c.start *
				      (1000000000 / sysconf(_SC_CLK_TCK)));
	else
		set_times(st, info->g.mtime_ns);
	if (kind == NODE_SNAPSHOTS && info->stored)
		set_times(st, info->g.mtime_ns);
	if (kind == NODE_LATEST)
		return attr_latest(name, st);
	if (kind == NODE_LOG)
		log_stat(name, st);
	return 0;
}

int attr_snapshot(const struct store_info *info, struct stat *st)
{
	struct perm perm;
	int rc = perm_get(info->ino, &perm);

	if (rc)
		return rc;
	memset(st, 0, sizeof(*st));
	st->st_ino = snapshot_node(info->ino);
	st->st_mode = S_IFREG | perm.mode;
	st->st_uid = perm.uid;
	st->st_gid = perm.gid;
	st->st_nlink = info->name[0] ? 1 : 0;
	st->st_size = info->size;
	st->st_blocks = (info->size + 511) / 512;
	st->st_blksize = 128 * 1024;
	set_times(st, info->mtime_ns);
	return 0;
}
