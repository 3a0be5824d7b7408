// SPDX-License-Identifier: GPL-2.0-only
/* The daemon's parts that need no mount: parsing, numbers, finding containers. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "cgroup.h"
#include "child.h"
#include "container.h"
#include "error.h"
#include "fs.h"
#include "holders.h"
#include "inode.h"
#include "json.h"
#include "line.h"
#include "node.h"
#include "options.h"
#include "perm.h"
#include "proc.h"
#include "trailer.h"

struct ckptfs fs;

/* ---- parsing ---- */

static void nspid_gives_every_level(void **state)
{
	pid_t pids[PROC_DEPTH_MAX];

	(void)state;
	assert_int_equal(proc_nspid("Name:\tsh\nNSpid:\t812\t17\t1\nNSpgid:\t1\n", pids), 3);
	assert_int_equal(pids[0], 812);
	assert_int_equal(pids[1], 17);
	assert_int_equal(pids[2], 1);
	assert_int_equal(proc_nspid("NSpid:\t5\n", pids), 1);
	assert_int_equal(proc_nspid("Name:\tNSpid: 7\n", pids), 0);
	assert_int_equal(proc_nspid("NSpid:\t99999999999\n", pids), 0);
	assert_int_equal(proc_nspid("", pids), 0);
}

static void start_is_found_behind_any_name(void **state)
{
	(void)state;
	assert_int_equal(proc_start("7 (a) b (c)) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 "
				    "4711 12 13\n"), 4711);
	assert_int_equal(proc_start("7 (sh) S 1 2"), 0);
	assert_int_equal(proc_start(""), 0);
}

static void cgroup_is_the_unified_one(void **state)
{
	char path[PATH_MAX];

	(void)state;
	assert_int_equal(proc_cgroup("9:memory:/x\n0::/ckpt/web\n", path), 0);
	assert_string_equal(path, "/ckpt/web");
	assert_int_equal(proc_cgroup("9:memory:/x\n", path), -ENOENT);
}

static void numbers_of_lines(void **state)
{
	(void)state;
	assert_int_equal(proc_number("populated 1\nfrozen 0\n", "frozen"), 0);
	assert_int_equal(proc_number("VmRSS:\t  512 kB\n", "VmRSS"), 512);
	assert_int_equal(proc_number("frozenish 3\n", "frozen"), -1);
	assert_int_equal(proc_number("", "frozen"), -1);
}

static int find_cgroup2(const char *text, char path[PATH_MAX / 2])
{
	char name[] = "/tmp/test_fs.XXXXXX";
	int fd = mkstemp(name), rc;

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	rc = cgroup_find_mount(name, path);
	unlink(name);
	return rc;
}

static void cgroup2_is_found_and_unescaped(void **state)
{
	char path[PATH_MAX / 2];

	(void)state;
	assert_int_equal(find_cgroup2("20 1 0:20 / /proc rw - proc proc rw\n"
				      "30 1 0:25 / /sys/fs/cgroup/memory rw - cgroup cgroup rw\n"
				      "31 1 0:26 / /my\\040cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n",
				      path), 0);
	assert_string_equal(path, "/my cgroup");
	assert_int_equal(find_cgroup2("20 1 0:20 / /proc rw - proc cgroup2 rw\n", path), -ENODEV);
	/* a part of it that somebody has mounted for a container of his is not it */
	assert_int_equal(find_cgroup2("32 1 0:26 /x /srv/x rw - cgroup2 cgroup2 rw\n", path), -ENODEV);
	assert_int_equal(find_cgroup2("32 1 0:26 /x /srv/x rw - cgroup2 cgroup2 rw\n"
				      "31 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", path), 0);
	assert_string_equal(path, "/sys/fs/cgroup");
}

static void lines_do_nothing_to_a_terminal(void **state)
{
	char line[] = "a \x1b[2Jb\tc\n\x7f n\xc3\xa4h \xc2\x9b", *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	line_put(f, line, strlen(line));
	fclose(f);
	assert_string_equal(text, "a \\033[2Jb\\011c\\012\\177 n\xc3\xa4h \\302\\233");
	free(text);
	line_clean(line);
	assert_string_equal(line, "a ?[2Jb?c?? n\xc3\xa4h ??");
}

static void reports_are_read_by_line(void **state)
{
	const char *report = "errno: 22\nerror: record 7: its sum is wrong\npause-us: 1234\n";
	char text[64];

	(void)state;
	assert_int_equal(report_number(report, "errno"), 22);
	assert_int_equal(report_number(report, "pause-us"), 1234);
	assert_int_equal(report_number(report, "pause"), 0);
	assert_int_equal(report_value(report, "error", text, sizeof(text)), 0);
	assert_string_equal(text, "record 7: its sum is wrong");
	assert_int_equal(report_value(report, "id", text, sizeof(text)), -ENOENT);
	assert_int_equal(report_value("", "id", text, sizeof(text)), -ENOENT);
}

static void perms_survive_as_text(void **state)
{
	struct perm perm = { 1000, 100, 0640, 1234567890123456789 }, back;
	char text[PERM_TEXT_MAX];

	(void)state;
	perm_format(&perm, text);
	assert_int_equal(perm_parse(text, &back), 0);
	assert_int_equal(back.uid, 1000);
	assert_int_equal(back.gid, 100);
	assert_int_equal(back.mode, 0640);
	assert_true(back.ctime_ns == 1234567890123456789);
	/* as it was noted before there was a time in it */
	assert_int_equal(perm_parse("5 6 0400", &back), 0);
	assert_int_equal(back.uid, 5);
	assert_true(back.ctime_ns == 0);
	assert_int_equal(perm_parse("0 0 04755", &back), -EINVAL);
	assert_int_equal(perm_parse("0 0", &back), -EINVAL);
	assert_int_equal(perm_parse("0 0 0400 x", &back), -EINVAL);
	assert_int_equal(perm_parse("0 0 0400 7 x", &back), -EINVAL);
}

static size_t add_record(unsigned char *at, uint16_t type, uint16_t flags, uint32_t len, uint32_t nr)
{
	struct trailer_head head = {
		.rec = { .magic = CKPT_REC_MAGIC, .type = type, .flags = flags, .len = len },
		.part = { .tag = CKPT_TAG_PAGES_BASE, .size = 8, .len = 8 },
		.pages = { .ref = 1, .nr = nr },
	};
	size_t size = sizeof(head.rec) + len + (size_t)nr * CKPT_PAGE_SIZE;

	memset(at, 0xee, size);
	memcpy(at, &head, nr ? sizeof(head) : sizeof(head.rec));
	return size;
}

static void trailer_is_seen_however_it_comes(void **state)
{
	static unsigned char image[64 << 10];
	size_t len = 0, chunk, n;

	(void)state;
	len += add_record(image + len, CKPT_REC_HEADER, 0, 224, 0);
	len += add_record(image + len, CKPT_REC_FILES, CKPT_REC_MORE, 1000, 0);
	len += add_record(image + len, CKPT_REC_FILES, 0, 8, 0);
	len += add_record(image + len, CKPT_REC_MEMORY, 0, 0, 0);
	len += add_record(image + len, CKPT_REC_PAGES, 0, 24, 1);
	len += add_record(image + len, CKPT_REC_PAGES, 0, 3888, 3);
	len += add_record(image + len, CKPT_REC_SAME, 0, 48, 0);
	len += add_record(image + len, CKPT_REC_PAGES, 0, 4072, 1);
	len += add_record(image + len, CKPT_REC_TRAILER, CKPT_REC_MORE, 24, 0);
	len += add_record(image + len, CKPT_REC_TRAILER, 0, 16, 0);
	for (chunk = 1; chunk < len; chunk += chunk < 100 ? 1 : 997) {
		struct trailer t = { 0 };

		for (size_t done = 0; done < len; done += n) {
			assert_true(!trailer_passed(&t));
			n = len - done < chunk ? len - done : chunk;
			trailer_watch(&t, image + done, n);
		}
		assert_true(trailer_passed(&t) && !t.lost);
	}
}

/* how many payloads follow cannot be told */
static void strange_pages_have_no_end(void **state)
{
	static const struct trailer_head sound = {
		.rec = { .magic = CKPT_REC_MAGIC, .type = CKPT_REC_PAGES, .len = 4072 },
		.part = { .tag = CKPT_TAG_PAGES_BASE, .size = 8, .len = 8 },
		.pages = { .ref = 1, .nr = CKPT_PAGES_MAX },
	};

	(void)state;
	for (int i = 0; i < 7; i++) {
		struct trailer t = { 0 };
		struct trailer_head h = sound;

		switch (i) {
		case 1: h.rec.len = 16; break;
		case 2: h.part.tag = CKPT_TAG_PAGES_RUNS; break;
		case 3: h.part.size = 4; break;
		case 4: h.part.len = 0; break;
		case 5: h.pages.nr = 0; break;
		case 6: h.pages.nr++; break;
		}
		trailer_watch(&t, &h, sizeof(h));
		assert_int_equal(t.lost, i != 0);
	}
}

static void no_image_has_no_trailer(void **state)
{
	struct trailer t = { 0 };
	char text[8192];

	(void)state;
	memset(text, 'x', sizeof(text));
	trailer_watch(&t, text, sizeof(text));
	assert_true(t.lost && !trailer_passed(&t));
	memset(&t, 0, sizeof(t));
	trailer_watch(&t, text, 10);
	assert_true(!trailer_passed(&t));
}

static void who_has_a_file_open_is_found(void **state)
{
	char path[] = "/tmp/test_fs.XXXXXX";
	int fd = mkstemp(path), copy;
	struct stat st;

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(still_open(getpid(), 0, st.st_dev, st.st_ino));
	assert_true(still_open(0, getpid(), st.st_dev, st.st_ino));
	assert_false(still_open(0, 0, st.st_dev, st.st_ino));
	/* another file system's file may have that number, too */
	assert_false(still_open(getpid(), 0, st.st_dev + 1, st.st_ino));
	copy = dup(fd);
	close(fd);
	assert_true(still_open(getpid(), getpid(), st.st_dev, st.st_ino));
	close(copy);
	assert_false(still_open(getpid(), getpid(), st.st_dev, st.st_ino));
}

/* ---- inode numbers ---- */

static void places_have_one_number_each(void **state)
{
	uint64_t listed = inode_of("web", NODE_PLACE, 0);
	uint64_t web = inode_of("web", NODE_PLACE, 1);
	uint64_t image = inode_of("web", NODE_IMAGE, 1);
	uint64_t db = inode_of("db", NODE_PLACE, 1);
	char name[CONTAINER_NAME_MAX + 1];

	(void)state;
	assert_true(web == listed);
	assert_true(web != db && web != image);
	assert_int_equal(inode_kind(web), NODE_PLACE);
	assert_int_equal(inode_kind(image), NODE_IMAGE);
	assert_int_equal(inode_kind(1), NODE_ROOT);
	assert_int_equal(inode_kind(inode_of_snapshot(1)), NODE_SNAPSHOT);
	assert_int_equal(inode_place(image, name), 0);
	assert_string_equal(name, "web");
	inode_forget(web, 1);
	assert_int_equal(inode_place(image, name), 0);
	inode_forget(image, 1);
	assert_int_equal(inode_place(image, name), -ESTALE);
	assert_true(inode_of("web", NODE_PLACE, 1) == web);
	inode_forget(web, 1);
	inode_forget(db, 1);
}

static void every_row_is_found_by_number_and_name(void **state)
{
	struct node_at at, dir, child;
	const char *place;

	(void)state;
	for (enum node_kind kind = 0; kind < NR_NODES; kind++) {
		const struct node *node = nodes[kind];

		assert_non_null(node);
		/* root, places and snapshots have no name of their own */
		if (!node->name || node->in >= NR_NODES)
			continue;
		assert_true(S_ISDIR(nodes[node->in]->mode));
		place = node->in == NODE_PLACE || node->in == NODE_HISTORY ? "web" : "";
		assert_int_equal(node_find(inode_of(place, node->in, 1), &dir), 0);
		assert_true(node_child(&dir, node->name, &child) && child.node == node);
		assert_string_equal(child.place, place);
		assert_int_equal(node_find(inode_of(place, kind, 1), &at), 0);
		assert_true(at.node == node && at.kind == kind);
		assert_string_equal(at.place, place);
		inode_forget(dir.ino, 1);
		inode_forget(at.ino, 1);
		assert_int_equal(node_find(at.ino, &at), place[0] ? -ESTALE : 0);
	}
	/* a number that nothing has */
	assert_int_equal(node_find(1ULL << 63 | 31, &at), NR_NODES <= 31 ? -ESTALE : 0);
}

/* ---- containers, in a /proc and a cgroup2 made of files ---- */

struct world {
	char dir[64];
	char known[80];
};

static void put(const struct world *w, const char *path, const char *text)
{
	char full[512], *slash;
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", w->dir, path);
	for (slash = full + strlen(w->dir) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		mkdir(full, 0755);
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* a task: its pids from the outermost namespace on, its cgroup, its start */
static void add_task(const struct world *w, int pid, const char *pids, const char *cgroup,
		     int start)
{
	char path[128], text[512], ns[64];

	snprintf(path, sizeof(path), "proc/%d/status", pid);
	snprintf(text, sizeof(text), "Name:\tx\nNSpid:\t%s\n", pids);
	put(w, path, text);
	snprintf(path, sizeof(path), "proc/%d/cgroup", pid);
	snprintf(text, sizeof(text), "0::%s\n", cgroup);
	put(w, path, text);
	snprintf(path, sizeof(path), "proc/%d/stat", pid);
	snprintf(text, sizeof(text),
		 "%d (x) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %d 1 2\n", pid, start);
	put(w, path, text);
	snprintf(path, sizeof(path), "proc/%d/ns/x", pid);
	put(w, path, "");
	snprintf(path, sizeof(path), "%s/proc/%d/ns/pid", w->dir, pid);
	snprintf(ns, sizeof(ns), "pid:[%s]", strchr(pids, '\t') ? strchr(pids, '\t') : "0");
	assert_int_equal(symlink(ns, path), 0);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void remove_below(const struct world *w, const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", w->dir, path);
	nftw(full, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char proc[128], cgroup[128];

	strcpy(w->dir, "/tmp/test_fs.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->known, sizeof(w->known), "%s/known", w->dir);
	put(w, "proc/self/ns/x", "");
	snprintf(proc, sizeof(proc), "%s/proc/self/ns/pid", w->dir);
	assert_int_equal(symlink("pid:[0]", proc), 0);
	put(w, "cgroup/cgroup.procs", "1\n");
	add_task(w, 1, "1", "/", 1);
	snprintf(proc, sizeof(proc), "%s/proc", w->dir);
	snprintf(cgroup, sizeof(cgroup), "%s/cgroup", w->dir);
	assert_int_equal(containers_setup(proc, cgroup, w->dir, w->known), 0);
	*state = w;
	return 0;
}

static int end_world(void **state)
{
	struct world *w = *state;

	remove_below(w, "");
	free(w);
	return 0;
}

static void finds_inits_only(void **state)
{
	struct world *w = *state;
	struct container c, *list;
	size_t count;

	/* a service of the machine, a container whose root task has children */
	put(w, "cgroup/system/ssh/cgroup.procs", "20\n");
	add_task(w, 20, "20", "/system/ssh", 20);
	put(w, "cgroup/ckpt/web/cgroup.procs", "31\n30\n0\n");
	add_task(w, 30, "30\t1", "/ckpt/web", 30);
	add_task(w, 31, "31\t2", "/ckpt/web", 31);
	put(w, "cgroup/ckpt/web/worker/cgroup.procs", "32\n");
	add_task(w, 32, "32\t3", "/ckpt/web/worker", 32);

	assert_int_equal(container_list(&list, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(list[0].name, "web");
	assert_string_equal(list[0].cgroup, "/ckpt/web");
	assert_int_equal(list[0].init, 30);
	assert_int_equal(list[0].start, 30);
	free(list);
	assert_int_equal(container_find("ssh", &c), -ENOENT);
	assert_int_equal(container_find("worker", &c), -ENOENT);
	assert_int_equal(container_find("web", &c), 0);
}

static void comes_and_goes_at_once(void **state)
{
	struct world *w = *state;
	struct container c;

	assert_int_equal(container_find("db", &c), -ENOENT);
	put(w, "cgroup/db/cgroup.procs", "40\n");
	add_task(w, 40, "40\t1", "/db", 40);
	assert_int_equal(container_find("db", &c), 0);
	assert_true(container_alive(&c));
	remove_below(w, "proc/40");
	assert_false(container_alive(&c));
	assert_int_equal(container_find("db", &c), -ENOENT);
	/* the same pid again, another process */
	add_task(w, 40, "40\t1", "/db", 41);
	assert_false(container_alive(&c));
	assert_int_equal(container_find("db", &c), 0);
	assert_int_equal(c.start, 41);
}

static void *look_for_nothing(void *arg)
{
	struct container c;

	(void)arg;
	for (int i = 0; i < 20; i++)
		if (container_find("nothing", &c) != -ENOENT || container_find("web", &c))
			return "wrong";
	return NULL;
}

static void one_look_at_all_serves_many(void **state)
{
	struct world *w = *state;
	unsigned long before;
	pthread_t threads[8];
	struct container c;
	void *wrong;

	put(w, "cgroup/web/cgroup.procs", "40\n");
	add_task(w, 40, "40\t1", "/web", 40);
	assert_int_equal(container_find("nothing", &c), -ENOENT);
	before = containers_scans();
	/* what is known and lives needs none */
	assert_int_equal(container_find("web", &c), 0);
	/* nor what may be an hour old */
	assert_int_equal(container_glance("nothing", 3600 * 1000000000LL, &c), -ENOENT);
	assert_int_equal(containers_scans(), before);
	assert_int_equal(container_find("nothing", &c), -ENOENT);
	assert_int_equal(containers_scans(), before + 1);
	/* of those who come while one runs, all wait for the next one */
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_for_nothing, NULL), 0);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	assert_true(containers_scans() <= before + 1 + 8 * 20);
}

static void nested_init_is_not_the_root_task(void **state)
{
	struct world *w = *state;
	struct container c;

	put(w, "cgroup/outer/cgroup.procs", "51\n50\n");
	add_task(w, 50, "50\t1", "/outer", 50);
	add_task(w, 51, "51\t9\t1", "/outer", 51);
	put(w, "cgroup/outer/inner/cgroup.procs", "52\n");
	add_task(w, 52, "52\t10\t1", "/outer/inner", 52);
	assert_int_equal(container_find("outer", &c), 0);
	assert_int_equal(c.init, 50);
	/* with a cgroup of its own it is a container of its own */
	assert_int_equal(container_find("inner", &c), 0);
	assert_int_equal(c.init, 52);
}

static void one_name_is_told_apart_and_kept(void **state)
{
	struct world *w = *state;
	struct container *list, c;
	char second[CONTAINER_NAME_MAX + 1];
	size_t count;

	put(w, "cgroup/b/web/cgroup.procs", "60\n");
	add_task(w, 60, "60\t1", "/b/web", 60);
	put(w, "cgroup/a/web/cgroup.procs", "61\n");
	add_task(w, 61, "61\t1", "/a/web", 61);
	assert_int_equal(container_list(&list, &count), 0);
	assert_int_equal(count, 2);
	/* the older has the plain name */
	assert_string_equal(list[0].name, "web");
	assert_int_equal(list[0].init, 60);
	assert_int_equal(strncmp(list[1].name, "web@", 4), 0);
	assert_int_equal(strlen(list[1].name), 8);
	strcpy(second, list[1].name);
	free(list);
	/* and the other keeps its own when the older ends */
	remove_below(w, "proc/60");
	assert_int_equal(container_find("web", &c), -ENOENT);
	assert_int_equal(container_find(second, &c), 0);
	assert_int_equal(c.init, 61);
	/* so that a third may have the plain one again */
	add_task(w, 60, "60\t1", "/b/web", 99);
	assert_int_equal(container_find("web", &c), 0);
	assert_int_equal(c.start, 99);
}

/* the daemon is started anew */
static void forget(const struct world *w)
{
	char proc[128], cgroup[128];

	snprintf(proc, sizeof(proc), "%s/proc", w->dir);
	snprintf(cgroup, sizeof(cgroup), "%s/cgroup", w->dir);
	assert_int_equal(containers_setup(proc, cgroup, w->dir, w->known), 0);
}

static void suffixes_outlive_the_daemon(void **state)
{
	struct world *w = *state;
	struct container c;

	put(w, "cgroup/a/web/cgroup.procs", "60\n");
	add_task(w, 60, "60\t1", "/a/web", 60);
	put(w, "cgroup/crun-web.scope/cgroup.procs", "61\n");
	add_task(w, 61, "61\t1", "/crun-web.scope", 61);
	assert_int_equal(container_find("web@crun", &c), 0);
	assert_int_equal(c.init, 61);
	remove_below(w, "proc/60");
	assert_int_equal(container_find("web", &c), -ENOENT);
	forget(w);
	assert_int_equal(container_find("web@crun", &c), 0);
	assert_int_equal(container_find("web", &c), -ENOENT);
	/* when all of them have gone there is nothing to remember */
	remove_below(w, "proc/61");
	assert_int_equal(container_find("web@crun", &c), -ENOENT);
	assert_int_equal(access(w->known, F_OK), -1);
}

/* a process in a user namespace that is not root's, and whose; 0: there can be none here */
static pid_t start_user(uid_t *uid)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		close(ends[0]);
		if ((getuid() || !setuid(65534)) && !unshare(CLONE_NEWUSER) &&
		    !prctl(PR_SET_PDEATHSIG, SIGKILL) && write(ends[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ends[1]);
	*uid = getuid() ? getuid() : 65534;
	if (read(ends[0], &byte, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = 0;
	}
	close(ends[0]);
	return pid;
}

static void set_user(const struct world *w, int pid, pid_t user)
{
	char path[128], ns[64];

	snprintf(path, sizeof(path), "%s/proc/%d/ns/user", w->dir, pid);
	snprintf(ns, sizeof(ns), "/proc/%d/ns/user", user);
	assert_int_equal(symlink(ns, path), 0);
}

static void names_of_others_say_whose_they_are(void **state)
{
	struct world *w = *state;
	char theirs[64];
	struct container c;
	uid_t uid;
	pid_t user = start_user(&uid);

	if (!user) {
		print_message("no user namespaces for users here\n");
		skip();
	}
	put(w, "cgroup/user/web/cgroup.procs", "60\n");
	add_task(w, 60, "60\t1", "/user/web", 60);
	set_user(w, 60, user);
	snprintf(theirs, sizeof(theirs), "web@%u", uid);
	/* also when no other has the name */
	assert_int_equal(container_find("web", &c), -ENOENT);
	assert_int_equal(container_find(theirs, &c), 0);
	assert_int_equal(c.owner, uid);
	/* the root's comes first, although it comes later */
	put(w, "cgroup/web/cgroup.procs", "61\n");
	add_task(w, 61, "61\t1", "/web", 61);
	assert_int_equal(container_find("web", &c), 0);
	assert_int_equal(c.init, 61);
	/* also under such a name, and the other keeps the uid */
	snprintf(theirs, sizeof(theirs), "cgroup/web@%u/cgroup.procs", uid);
	put(w, theirs, "62\n");
	snprintf(theirs, sizeof(theirs), "/web@%u", uid);
	add_task(w, 62, "62\t1", theirs, 62);
	/* somebody looks anew for what he does not know */
	assert_int_equal(container_find("nothing", &c), -ENOENT);
	assert_int_equal(container_find(theirs + 1, &c), 0);
	assert_int_equal(c.init, 62);
	kill(user, SIGKILL);
	waitpid(user, NULL, 0);
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void runtimes_are_told_by_their_cgroups(void **state)
{
	static const struct {
		const char *cgroup, *top, *name, *runtime;
	} cases[] = {
		{ "/ckpt/web", "/ckpt/web", "web", "ckpt" },
		{ "/made-by-hand", "/made-by-hand", "made-by-hand", "" },
		{ "/system.slice/runc-web.scope", NULL, "web", "runc" },
		{ "/user.slice/crun-my-db.scope", NULL, "my-db", "crun" },
		{ "/noted", "/noted", "noted", "runc" },
		{ "/machine.slice/machine-my\\x2dbox.scope/payload", "/machine.slice/machine-my\\x2dbox.scope",
		  "my-box", "nspawn" },
		{ "/machine.slice/machine-box.scope/payload/init.scope", "/machine.slice/machine-box.scope",
		  "box", "nspawn" },
		{ "/machine.slice/systemd-nspawn@b.service/payload", "/machine.slice/systemd-nspawn@b.service",
		  "b", "nspawn" },
		{ "/x/payload", NULL, "payload", "" },
		{ "/machine.slice/libpod-" ID ".scope/container", "/machine.slice/libpod-" ID ".scope",
		  "0123456789ab", "podman" },
		{ "/libpod_parent/libpod-" ID, NULL, "0123456789ab", "podman" },
		{ "/system.slice/docker-" ID ".scope", NULL, "shop", "docker" },
		{ "/docker/" ID "/init.scope", "/docker/" ID, "shop", "docker" },
		{ "/kubepods/cri-containerd-" ID ".scope", NULL, "0123456789ab", "cri-containerd" },
		{ "/x/" ID, NULL, "0123456789ab", "" },
		{ "/runc-...scope", NULL, "runc-...scope", "" },
		{ "/crun-.scope", NULL, "crun-.scope", "" },
		{ "/machine-..scope", NULL, "machine-..scope", "" },
		{ "/systemd-nspawn@.service", NULL, "systemd-nspawn@.service", "" },
	};
	struct world *w = *state;
	struct container *list;
	char path[256];
	size_t count;

	put(w, "run/runc/noted/state.json", "{}");
	put(w, "var/lib/docker/containers/" ID "/config.v2.json",
	    "{\"State\":{\"Name\":\"no\"},\"ID\":\"Name\",\"Name\" : \"\\/shop\",\"x\":[\"Name\"]}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(path, sizeof(path), "cgroup%s/cgroup.procs", cases[i].cgroup);
		put(w, path, "70\n");
		add_task(w, 70, "70\t1", cases[i].cgroup, 1000 + i);
		assert_int_equal(container_list(&list, &count), 0);
		assert_int_equal(count, 1);
		assert_string_equal(list[0].name, cases[i].name);
		assert_string_equal(list[0].runtime, cases[i].runtime);
		assert_string_equal(list[0].cgroup, cases[i].cgroup);
		list[0].cgroup[list[0].top] = '\0';
		assert_string_equal(list[0].cgroup, cases[i].top ? cases[i].top : cases[i].cgroup);
		free(list);
		remove_below(w, "proc/70");
		put(w, path, "");
	}
}

static void podman_and_nspawn_are_asked_by_their_processes(void **state)
{
	static const char conmon[] = "/usr/bin/conmon\0-c\0x\0-n\0shop\0--full-attach";
	struct world *w = *state;
	struct container c;
	char path[128];
	FILE *f;

	put(w, "cgroup/libpod-" ID "/cgroup.procs", "80\n");
	add_task(w, 80, "80\t1", "/libpod-" ID, 80);
	put(w, "proc/80/stat", "80 (x) S 81 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 80 0\n");
	put(w, "proc/81/comm", "conmon\n");
	snprintf(path, sizeof(path), "%s/proc/81/cmdline", w->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fwrite(conmon, sizeof(conmon), 1, f);
	fclose(f);
	assert_int_equal(container_find("shop", &c), 0);
	assert_string_equal(c.runtime, "podman");

	put(w, "cgroup/payload/cgroup.procs", "82\n");
	add_task(w, 82, "82\t1", "/payload", 82);
	put(w, "proc/82/stat", "82 (x) S 83 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 82 0\n");
	put(w, "proc/83/comm", "systemd-nspawn\n");
	put(w, "proc/83/cmdline", "--machine=box");
	assert_int_equal(container_find("box", &c), 0);
	assert_string_equal(c.runtime, "nspawn");
}

static void json_gives_the_outermost_string(void **state)
{
	char value[16];

	(void)state;
	assert_int_equal(json_string("{\"a\": {\"b\": \"1\"}, \"b\": \"t\\\"w\\u006f\"}", "b", value,
				     sizeof(value)), 0);
	assert_string_equal(value, "t\"wo");
	assert_int_equal(json_string("{\"b\": 5}", "b", value, sizeof(value)), -ENOENT);
	assert_int_equal(json_string("{\"b", "b", value, sizeof(value)), -EINVAL);
	assert_int_equal(json_string("[\"b\"]", "b", value, sizeof(value)), -ENOENT);
	assert_int_equal(json_string("{\"b\": \"n\\u00e4h\"}", "b", value, sizeof(value)), 0);
	assert_string_equal(value, "n\xc3\xa4h");
	assert_int_equal(json_string("{\"b\": \"", "b", value, sizeof(value)), -EINVAL);
	assert_int_equal(json_string("{\"b\": \"0123456789abcdef\"}", "b", value, sizeof(value)), -EINVAL);
	assert_int_equal(json_string("{\"b\": \"\\u0000\"}", "b", value, sizeof(value)), -EINVAL);
	assert_int_equal(json_string("", "b", value, sizeof(value)), -EINVAL);
}

/* ---- options ---- */

static int parse(struct options *o, struct ckpt_error *e, char **argv)
{
	struct fuse_args args = { 0, argv, 0 };
	int rc;

	while (argv[args.argc])
		args.argc++;
	rc = options_parse(&args, o, e);
	options_free(&args);
	return rc;
}

#define PARSE(o, e, ...) parse(o, e, (char *[]){ "ckptfs", __VA_ARGS__, NULL })

static void options_as_the_shell_and_mount_give_them(void **state)
{
	struct ckpt_error e;
	struct options o;

	(void)state;
	assert_int_equal(PARSE(&o, &e, "/tmp"), 0);
	assert_string_equal(o.store, "/var/lib/ckptfs/store.db");
	assert_string_equal(o.state, "/var/lib/ckptfs/state");
	assert_int_equal(o.record, 1);
	assert_int_equal(o.foreground, 0);
	assert_int_equal(PARSE(&o, &e, "ckptfs", "/tmp", "-o",
			       "rw,store=/x/y.db,record=no,dev,suid"), 0);
	assert_string_equal(o.mountpoint, "/tmp");
	assert_string_equal(o.store, "/x/y.db");
	assert_string_equal(o.state, "/x/state");
	assert_int_equal(o.record, 0);
	assert_int_equal(PARSE(&o, &e, "-f", "-o", "state=/z", "/tmp"), 0);
	assert_string_equal(o.state, "/z");
	assert_int_equal(o.foreground, 1);
	assert_int_equal(PARSE(&o, &e, "--help"), 0);
	assert_int_equal(o.help, 1);
}

static void bad_options_are_refused(void **state)
{
	struct ckpt_error e;
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &e, (char *[]){ "ckptfs", NULL }), -EINVAL);
	assert_int_equal(PARSE(&o, &e, "a", "b", "c"), -EINVAL);
	assert_int_equal(PARSE(&o, &e, "-o", "record=maybe", "/tmp"), -EINVAL);
	assert_non_null(strstr(e.text, "maybe"));
	assert_int_equal(PARSE(&o, &e, "/nowhere/at/all"), -ENOENT);
	assert_int_equal(PARSE(&o, &e, "/dev/null"), -ENOTDIR);
}

static void more_options_come_from_a_file(void **state)
{
	struct world *w = *state;
	struct ckpt_error e;
	struct options o;
	char config[128], other[128];

	snprintf(config, sizeof(config), "config=%s/conf", w->dir);
	snprintf(other, sizeof(other), "config=%s/conf,record=yes,store=/x/y.db", w->dir);
	put(w, "conf", "# a comment\n\n record = no \nstore=/a/b.db\n");
	assert_int_equal(PARSE(&o, &e, "/tmp", "-o", config), 0);
	assert_int_equal(o.record, 0);
	assert_string_equal(o.store, "/a/b.db");
	put(w, "conf", "record=yes\n");
	assert_int_equal(options_reload(&o, &e), 0);
	assert_int_equal(o.record, 1);
	put(w, "conf", "record=perhaps\n");
	assert_int_equal(options_reload(&o, &e), -EINVAL);
	put(w, "conf", "recrod=no\n");
	assert_int_equal(options_reload(&o, &e), -EINVAL);
	assert_non_null(strstr(e.text, "line 1"));
	put(w, "conf", "nothing\n");
	assert_int_equal(options_reload(&o, &e), -EINVAL);
	assert_int_equal(o.record, 1);
	/* the command line counts */
	put(w, "conf", "record=no\nstore=/a/b.db\n");
	assert_int_equal(PARSE(&o, &e, "/tmp", "-o", other), 0);
	assert_string_equal(o.store, "/x/y.db");
	assert_int_equal(options_reload(&o, &e), 0);
	assert_int_equal(o.record, 1);
	assert_int_equal(PARSE(&o, &e, "/tmp", "-o", "config=/nowhere/at/all"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nspid_gives_every_level),
		cmocka_unit_test(start_is_found_behind_any_name),
		cmocka_unit_test(cgroup_is_the_unified_one),
		cmocka_unit_test(numbers_of_lines),
		cmocka_unit_test(cgroup2_is_found_and_unescaped),
		cmocka_unit_test(lines_do_nothing_to_a_terminal),
		cmocka_unit_test(reports_are_read_by_line),
		cmocka_unit_test(perms_survive_as_text),
		cmocka_unit_test(trailer_is_seen_however_it_comes),
		cmocka_unit_test(strange_pages_have_no_end),
		cmocka_unit_test(no_image_has_no_trailer),
		cmocka_unit_test(who_has_a_file_open_is_found),
		cmocka_unit_test(places_have_one_number_each),
		cmocka_unit_test(every_row_is_found_by_number_and_name),
		cmocka_unit_test_setup_teardown(finds_inits_only, make_world, end_world),
		cmocka_unit_test_setup_teardown(comes_and_goes_at_once, make_world, end_world),
		cmocka_unit_test_setup_teardown(one_look_at_all_serves_many, make_world, end_world),
		cmocka_unit_test_setup_teardown(nested_init_is_not_the_root_task, make_world,
						end_world),
		cmocka_unit_test_setup_teardown(one_name_is_told_apart_and_kept, make_world,
						end_world),
		cmocka_unit_test_setup_teardown(names_of_others_say_whose_they_are, make_world,
						end_world),
		cmocka_unit_test_setup_teardown(suffixes_outlive_the_daemon, make_world, end_world),
		cmocka_unit_test_setup_teardown(runtimes_are_told_by_their_cgroups, make_world,
						end_world),
		cmocka_unit_test_setup_teardown(podman_and_nspawn_are_asked_by_their_processes,
						make_world, end_world),
		cmocka_unit_test(json_gives_the_outermost_string),
		cmocka_unit_test(options_as_the_shell_and_mount_give_them),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test_setup_teardown(more_options_come_from_a_file, make_world, end_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
