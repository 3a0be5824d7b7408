// SPDX-License-Identifier: GPL-2.0-only
/* fs/facts.c: what is told of an image in the store */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "facts.h"
#include "fs.h"
#include "test_image.h"

struct ckptfs fs;
static struct builder b;
static char dir[] = "/tmp/test_facts.XXXXXX";

static int setup(void **state)
{
	char path[64];
	struct store_error e;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/db", dir);
	return store_open(&fs.store, path, STORE_CREATE, &e);
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	store_close(fs.store);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

/* keep the builder's bytes; returns their number in the store */
static uint64_t keep(void)
{
	struct store_writer *w;
	struct store_error e;
	uint64_t ino;

	assert_int_equal(store_write_begin(fs.store, "web", "one", STORE_REPLACE, &w, &e), 0);
	ino = store_writer_ino(w);
	assert_int_equal(store_append(w, b.data, b.len, &e), 0);
	assert_int_equal(store_commit(w, 0, NULL, 0, &e), 0);
	return ino;
}

/* @wanted: the value, or NULL for -ENODATA */
static void tells(const char *name, const char *wanted)
{
	char *value = NULL;
	int rc = fact_get(keep(), name, &value);

	assert_int_equal(rc, wanted ? 0 : -ENODATA);
	if (wanted)
		assert_string_equal(value, wanted);
	free(value);
}

/* TREE in pieces of so many bytes, 0: whole */
static void build(uint32_t version, size_t piece)
{
	static const int pids[] = { 1, 7, 8, 300 };
	struct ckpt_image_tree_task *tasks;
	struct utsname uts;
	char body[512];
	size_t at, len;

	uname(&uts);
	memset(&b, 0, sizeof(b));
	builder_header(&b, version, NULL);
	builder_container(&b, "name web\n");
	tasks = builder_parts(&b, TREE, TASKS, 4);
	for (size_t i = 0; i < 4; i++)
		tasks[i] = (struct ckpt_image_tree_task){
			.pid = pids[i], .flags = pids[i] == 8 ? 0 : CKPT_TASK_LEADER,
		};
	len = b.body_len;
	memcpy(body, b.body, len);
	b.body_len = 0;
	for (at = 0; at < len; at += piece ? piece : len)
		builder_piece(&b, CKPT_REC_TREE, piece && at + piece < len ? CKPT_REC_MORE : 0,
			      body + at, piece && piece < len - at ? piece : len - at);
	builder_pages(&b, 3);
	builder_trailer(&b);
}

static void an_image_tells_of_itself(void **state)
{
	struct utsname uts;

	(void)state;
	uname(&uts);
	for (size_t piece = 0; piece < 80; piece += 40) {
		build(CKPT_IMAGE_VERSION, piece);
		tells("kernel", uts.release);
		tells("pids", "1 7 300");
		tells("pages", "3");
	}
}

static void what_is_no_image_tells_nothing(void **state)
{
	(void)state;
	build(CKPT_IMAGE_VERSION - 1, 0);
	tells("kernel", NULL);
	build(CKPT_IMAGE_VERSION, 0);
	b.len -= 8;
	tells("pages", NULL);
	b.len = 400;
	tells("pids", NULL);
	memset(b.data, 'x', 5000);
	b.len = 5000;
	tells("kernel", NULL);
	tells("pids", NULL);
	tells("pages", NULL);
	/* nobody looks for the third record without end */
	memset(&b, 0, sizeof(b));
	builder_header(&b, CKPT_IMAGE_VERSION, NULL);
	for (int i = 0; i < 100; i++)
		builder_container(&b, "name web\n");
	builder_parts(&b, TREE, TASKS, 1);
	builder_add(&b, CKPT_REC_TREE);
	builder_trailer(&b);
	tells("pids", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_tells_of_itself),
		cmocka_unit_test(what_is_no_image_tells_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
