// SPDX-License-Identifier: GPL-2.0-only
/* The daemon's parts that need no mount: parsing, numbers, options. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
	assert_int_equal(o.list, 1);
	assert_int_equal(o.foreground, 0);
	assert_int_equal(PARSE(&o, &e, "ckptfs", "/tmp", "-o",
			       "rw,store=/x/y.db,record=no,list=no,dev,suid"), 0);
	assert_string_equal(o.mountpoint, "/tmp");
	assert_string_equal(o.store, "/x/y.db");
	assert_string_equal(o.state, "/x/state");
	assert_int_equal(o.record, 0);
	assert_int_equal(o.list, 0);
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

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void more_options_come_from_a_file(void **state)
{
	char path[] = "/tmp/test_fs.XXXXXX", config[128], other[128];
	struct ckpt_error e;
	struct options o;

	(void)state;
	close(mkstemp(path));
	snprintf(config, sizeof(config), "config=%s", path);
	snprintf(other, sizeof(other), "config=%s,record=yes,store=/x/y.db", path);
	put(path, "# a comment\n\n record = no \nstore=/a/b.db\n");
	assert_int_equal(PARSE(&o, &e, "/tmp", "-o", config), 0);
	assert_int_equal(o.record, 0);
	assert_string_equal(o.store, "/a/b.db");
	put(path, "record=yes\n");
	assert_int_equal(options_reload(&o, &e), 0);
	assert_int_equal(o.record, 1);
	put(path, "record=perhaps\n");
	assert_int_equal(options_reload(&o, &e), -EINVAL);
	put(path, "recrod=no\n");
	assert_int_equal(options_reload(&o, &e), -EINVAL);
	assert_non_null(strstr(e.text, "line 1"));
	put(path, "nothing\n");
	assert_int_equal(options_reload(&o, &e), -EINVAL);
	assert_int_equal(o.record, 1);
	/* the command line counts */
	put(path, "record=no\nstore=/a/b.db\n");
	assert_int_equal(PARSE(&o, &e, "/tmp", "-o", other), 0);
	assert_string_equal(o.store, "/x/y.db");
	assert_int_equal(options_reload(&o, &e), 0);
	assert_int_equal(o.record, 1);
	assert_int_equal(PARSE(&o, &e, "/tmp", "-o", "config=/nowhere/at/all"), -ENOENT);
	unlink(path);
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
		cmocka_unit_test(json_gives_the_outermost_string),
		cmocka_unit_test(options_as_the_shell_and_mount_give_them),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test(more_options_come_from_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
