// SPDX-License-Identifier: GPL-2.0-only
/* What is taken for an image and what is not. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "check.h"
#include "error.h"
#include "test_image.h"

static struct builder *make(uint32_t version, uint32_t nr_tasks)
{
	struct builder *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	builder_header(b, version, "strange");
	builder_container(b, "name x");
	builder_parts(b, TREE, TASKS, nr_tasks);
	builder_add(b, CKPT_REC_TREE);
	builder_pages(b, 7);
	builder_trailer(b);
	return b;
}

/* fed in pieces of @step bytes */
static int judge(const void *data, size_t len, size_t step, struct ckpt_error *e)
{
	struct check *c;

	assert_int_equal(check_begin(&c), 0);
	for (size_t at = 0; at < len; at += step)
		check_feed(c, (const char *)data + at, len - at < step ? len - at : step);
	return check_end(c, e);
}

static void an_image_is_one_however_it_comes(void **state)
{
	struct builder *b = make(CKPT_IMAGE_VERSION, 1);
	struct ckpt_error e;

	(void)state;
	assert_int_equal(judge(b->data, b->len, b->len, &e), 0);
	assert_int_equal(judge(b->data, b->len, 1, &e), 0);
	assert_int_equal(judge(b->data, b->len, 4097, &e), 0);
	free(b);
}

static void every_cut_and_changed_byte_is_seen(void **state)
{
	struct builder *b = make(CKPT_IMAGE_VERSION, 1);
	struct ckpt_error e;

	(void)state;
	for (size_t at = 0; at < b->len; at += 97) {
		assert_int_equal(judge(b->data, at, 65536, &e), -EINVAL);
		assert_true(e.text[0]);
		b->data[at] ^= 4;
		assert_int_equal(judge(b->data, b->len, 65536, &e), -EINVAL);
		b->data[at] ^= 4;
	}
	assert_int_equal(judge(b->data, b->len + 1, 65536, &e), -EINVAL);
	free(b);
}

static void what_can_not_be_checked_is_refused(void **state)
{
	struct builder *newer = make(CKPT_IMAGE_VERSION + 1, 1), *tree = make(CKPT_IMAGE_VERSION, 0);
	struct builder *older = make(CKPT_IMAGE_VERSION - 1, 1);
	struct ckpt_error e;

	(void)state;
	assert_int_equal(judge(newer->data, newer->len, 65536, &e), -EINVAL);
	assert_non_null(strstr(e.text, "newer"));
	assert_int_equal(judge(older->data, older->len, 65536, &e), -EINVAL);
	assert_non_null(strstr(e.text, "older"));
	assert_int_equal(judge(tree->data, tree->len, 65536, &e), -EINVAL);
	assert_int_equal(judge("", 0, 1, &e), -EINVAL);
	free(newer);
	free(older);
	free(tree);
}

static void zeros_end_early(void **state)
{
	struct ckpt_error e;
	struct check *c;

	(void)state;
	assert_int_equal(check_begin(&c), 0);
	check_zeros(c, UINT64_MAX);	/* would take years */
	assert_true(check_over(c));
	assert_int_equal(check_end(c, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_is_one_however_it_comes),
		cmocka_unit_test(every_cut_and_changed_byte_is_seen),
		cmocka_unit_test(what_can_not_be_checked_is_refused),
		cmocka_unit_test(zeros_end_early),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
