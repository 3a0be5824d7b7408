// SPDX-License-Identifier: GPL-2.0-only
/* cli/tree.c and cli/description.c, cli/names.c: what an image says of a container; S16 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "description.h"
#include "names.h"
#include "tree.h"

#define L CKPT_TASK_LEADER
#define Z (CKPT_TASK_LEADER | CKPT_TASK_ZOMBIE)
#define NR(array) (sizeof(array) / sizeof(*(array)))

struct row {
	int pid, tgid, ppid, pgid, sid;
	unsigned int flags, depth;
};

static int parse(struct tree *t, const struct row *rows, size_t nr, struct ckpt_error *e)
{
	struct ckpt_image_tree_task *tasks = calloc(nr, sizeof(*tasks));
	size_t i;
	int ret;

	for (i = 0; i < nr; i++)
		tasks[i] = (struct ckpt_image_tree_task){
			.pid = rows[i].pid, .tgid = rows[i].tgid, .ppid = rows[i].ppid,
			.pgid = rows[i].pgid, .sid = rows[i].sid,
			.flags = rows[i].flags, .depth = rows[i].depth,
		};
	memset(e, 0, sizeof(*e));
	ret = tree_parse(t, tasks, nr, e);
	free(tasks);
	return ret;
}

static void test_tree(void **state)
{
	static const struct row rows[] = {
		{ 1, 1, 0, 1, 1, L }, { 7, 7, 1, 5, 5, L }, { 9, 9, 7, 9, 5, L },
		{ 12, 7, 1, 5, 5, 0 }, { 8, 7, 1, 5, 5, 0 }, { 300, 300, 9, 4, 1, Z },
		{ 2, 2, 1, 0, 0, L },
	};
	struct ckpt_error e;
	struct tree t;

	(void)state;
	assert_int_equal(parse(&t, rows, NR(rows), &e), 0);
	assert_int_equal(t.nr, 7);
	/* children and threads in the order of the image */
	assert_int_equal(t.nodes[0].first_child, 1);
	assert_int_equal(t.nodes[1].next_sibling, 6);
	assert_int_equal(t.nodes[6].next_sibling, TREE_NONE);
	assert_int_equal(t.nodes[1].first_child, 2);
	assert_int_equal(t.nodes[1].first_thread, 3);
	assert_int_equal(t.nodes[3].next_thread, 4);
	assert_int_equal(t.nodes[4].next_thread, TREE_NONE);
	assert_int_equal(t.nodes[1].nr_threads, 2);
	assert_int_equal(t.nodes[2].first_child, 5);
	assert_int_equal(t.nr_dead_leaders, 2);
	assert_int_equal(t.dead_leaders[0], 4);
	assert_int_equal(t.dead_leaders[1], 5);
	tree_free(&t);
}

/* a leader that has died before its threads may have children */
static void test_dead_leader(void **state)
{
	static const struct row rows[] = {
		{ 1, 1, 0, 1, 1, L }, { 7, 7, 1, 1, 1, Z }, { 8, 7, 1, 1, 1, 0 },
		{ 9, 9, 7, 1, 1, L },
	};
	struct ckpt_error e;
	struct tree t;

	(void)state;
	assert_int_equal(parse(&t, rows, NR(rows), &e), 0);
	tree_free(&t);
}

static void test_hostile_trees(void **state)
{
	static const struct {
		struct row rows[3];
		int expected;
	} cases[] = {
		{ { { 1, 1, 0, 1, 1, 0 } }, -EINVAL },
		{ { { 2, 2, 0, 1, 1, L } }, -EINVAL },
		{ { { 1, 1, 1, 1, 1, L } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, Z } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L | 0x80 } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L, 1 } }, -EOPNOTSUPP },
		{ { { 1, 1, 0, 1, 1, L }, { 1, 1, 1, 1, 1, L } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L }, { 2, 2, 3, 1, 1, L } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L }, { 2, 2, 2, 1, 1, L } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L }, { 2, 2, 3, 1, 1, L }, { 3, 3, 2, 1, 1, L } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L }, { 2, 2, 1, 1, 1, Z }, { 3, 3, 2, 1, 1, L } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L }, { 2, 1, 1, 1, 1, 0 }, { 3, 3, 2, 1, 1, L } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L }, { 2, 1, 1, 1, 1, 1 } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L }, { 2, 3, 1, 1, 1, 0 } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L }, { -2, -2, 1, 1, 1, L } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L }, { 0, 0, 1, 1, 1, L } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L }, { 4194304, 4194304, 1, 1, 1, L } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L }, { 2, 2, 1, -1, 1, L } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L }, { 2, 2, 1, 1, 1 << 30, L } }, -EINVAL },
		{ { { 1, 1, 0, 1, 1, L }, { 2, 2, 0, 1, 1, L } }, -EOPNOTSUPP },
	};
	struct ckpt_error e;
	struct tree t;
	size_t i, nr;

	(void)state;
	for (i = 0; i < NR(cases); i++) {
		for (nr = 1; nr < 3 && cases[i].rows[nr].sid; nr++)
			;
		assert_int_equal(parse(&t, cases[i].rows, nr, &e), cases[i].expected);
		assert_true(e.text[0]);
		tree_free(&t);
	}
}

static void test_impossible_lengths(void **state)
{
	struct ckpt_image_tree_task task = { .pid = 1 };
	struct ckpt_error e;
	struct tree t;

	(void)state;
	assert_int_equal(tree_parse(&t, &task, 0, &e), -EINVAL);
	tree_free(&t);
	assert_int_equal(tree_parse(&t, &task, TREE_TASKS_MAX + 1, &e), -E2BIG);
	tree_free(&t);
}

static const char good[] =
	"name web\ncgroup ckpt/web\nnet new\nlo up\n"
	"mount bind /srv/a\\040b / rw none\n"
	"mount fresh proc /proc rw,nosuid,nodev,noexec hidepid=2\n"
	"mount inner /proc/sys /proc/sys ro none\n"
	"mount cgroup /x /sys/fs/cgroup ro,noatime none\n"
	"mount console none /dev/console rw none\n";

static void test_description(void **state)
{
	struct description d;
	struct ckpt_error e;
	size_t len;
	char *text;

	(void)state;
	assert_int_equal(description_parse(&d, good, sizeof(good), &e), 0);
	assert_string_equal(d.name, "web");
	assert_true(d.net_new && d.lo_up);
	assert_int_equal(d.nr_mounts, 5);
	assert_string_equal(d.mounts[0].source, "/srv/a b");
	assert_string_equal(d.mounts[1].data, "hidepid=2");
	text = description_text(&d, &len);
	assert_string_equal(text, good);
	assert_int_equal(len, strlen(good));
	free(text);
	description_free(&d);
}

static void test_hostile_descriptions(void **state)
{
	static const char *const bad[] = {
		"",
		"name web\ncgroup ckpt/web\n",
		"cgroup ckpt/web\nmount bind / / rw none\n",
		"name ../x\n", "name \n", "name\n", "what 1\n",
		"name web\ncgroup ../x\n", "name web\ncgroup /x\n", "name web\ncgroup a//b\n",
		"name web\ncgroup a/./b\n", "name web\ncgroup a/\n",
		"net other\n", "lo sideways\n",
		"mount bind / / rw\n", "mount bind / / rw none more\n",
		"mount bind /a /b rw none\n", "mount bind a / rw none\n",
		"mount bind / / odd none\n", "mount odd / / rw none\n",
		"name a\ncgroup a\nmount bind / / rw none\nmount console /a /dev/console rw none\n",
		"mount fresh proc / rw none\n", "mount inner / / rw none\n",
		"mount bind / / rw none\nmount bind /a / rw none\n",
		"mount bind / / rw none\nmount fresh ext4 /a rw none\n",
		"mount bind / / rw none\nmount bind /a b rw none\n",
		"mount bind /\\04 / rw none\n", "mount bind /\\000 / rw none\n",
		"mount bind / / noatime,strictatime none\n",
	};
	struct description d;
	struct ckpt_error e;
	size_t i;

	(void)state;
	for (i = 0; i < NR(bad); i++) {
		memset(&e, 0, sizeof(e));
		assert_int_equal(description_parse(&d, bad[i], strlen(bad[i]), &e), -EINVAL);
		assert_true(e.text[0]);
		description_free(&d);
	}
}

static void test_names(void **state)
{
	char name[NAME_LEN_MAX + 1];
	char longest[NAME_LEN_MAX + 2];

	(void)state;
	assert_int_equal(name_check("a", NULL), 0);
	assert_int_equal(name_check("Redis-6.2_x", NULL), 0);
	assert_int_equal(name_check("", NULL), -EINVAL);
	assert_int_equal(name_check(".", NULL), -EINVAL);
	assert_int_equal(name_check("..", NULL), -EINVAL);
	assert_int_equal(name_check("-x", NULL), -EINVAL);
	assert_int_equal(name_check("a/b", NULL), -EINVAL);
	assert_int_equal(name_check("a b", NULL), -EINVAL);
	assert_int_equal(name_check("\xc3\xa4", NULL), -EINVAL);
	memset(longest, 'a', sizeof(longest));
	longest[NAME_LEN_MAX + 1] = '\0';
	assert_int_equal(name_check(longest, NULL), -EINVAL);
	assert_int_equal(name_check(longest + 1, NULL), 0);
	assert_int_equal(name_check_place(" any \xc3\xa4", NULL), 0);
	assert_int_equal(name_check_place("..", NULL), -EINVAL);
	assert_int_equal(name_check_place("a/b", NULL), -EINVAL);
	assert_int_equal(name_check_place("a\nb", NULL), -EINVAL);
	assert_int_equal(name_check_place("", NULL), -EINVAL);
	name_default("/usr/bin/redis-server", 3, name);
	assert_string_equal(name, "redis-server-3");
	name_default("/usr/bin/", 1, name);
	assert_string_equal(name, "container-1");
	name_default(longest, UINT32_MAX, name);
	assert_int_equal(name_check(name, NULL), 0);
	name_default(". [x]", 1, name);
	assert_string_equal(name, "x-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_dead_leader),
		cmocka_unit_test(test_hostile_trees),
		cmocka_unit_test(test_impossible_lengths),
		cmocka_unit_test(test_description),
		cmocka_unit_test(test_hostile_descriptions),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
