// SPDX-License-Identifier: GPL-2.0-only
/* lib/image.c: S15, S16 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>
#include <cmocka.h>

#include "image.h"
#include "test_image.h"

static struct builder b;

static void build(void)
{
	memset(&b, 0, sizeof(b));
	builder_header(&b, CKPT_IMAGE_VERSION, NULL);
	builder_add(&b, CKPT_REC_CONTAINER, "name x\n", 7);
	builder_pages(&b, 3);
	builder_pages(&b, 1);
	builder_trailer(&b);
}

/* read all of it; returns what image_next() said last */
static int read_all(struct image_reader *r, struct ckpt_error *e)
{
	int fd = builder_open(&b), ret;

	memset(e, 0, sizeof(*e));
	image_init(r, fd);
	do {
		ret = image_next(r, e);
	} while (ret > 0);
	image_done(r);
	close(fd);
	return ret;
}

static int setup(void **state)
{
	(void)state;
	build();
	return 0;
}

static void test_whole(void **state)
{
	struct image_reader r;
	struct ckpt_error e;

	(void)state;
	assert_int_equal(read_all(&r, &e), 0);
	assert_int_equal(r.seq, 5);
	assert_int_equal(r.nr_pages, 4);
	assert_int_equal(r.offset, b.len);
}

static void test_pages(void **state)
{
	int fd = builder_open(&b);
	char page[CKPT_PAGE_SIZE];
	struct image_reader r;
	struct ckpt_error e;
	uint32_t index;

	(void)state;
	image_init(&r, fd);
	assert_int_equal(image_expect(&r, CKPT_REC_HEADER, 8, &e), 0);
	assert_int_equal(image_check_header(&r, &e), 0);
	assert_int_equal(image_expect(&r, CKPT_REC_CONTAINER, 8, &e), 0);
	assert_string_equal(r.body, "name x\n");
	assert_int_equal(image_page(&r, page, &index, &e), 0);
	assert_int_equal(image_expect(&r, CKPT_REC_PAGES, 8, &e), 0);
	assert_int_equal(r.offset % CKPT_PAGE_SIZE, 0);
	assert_int_equal(image_page(&r, page, &index, &e), 1);
	assert_int_equal(index, 0);
	assert_int_equal(page[0], 1);
	assert_int_equal(page[CKPT_PAGE_SIZE - 1], 1);
	assert_int_equal(image_page(&r, page, &index, &e), 1);
	assert_int_equal(index, 1);
	assert_int_equal(page[0], 2);
	/* the third one is passed over */
	assert_int_equal(image_expect(&r, CKPT_REC_PAGES, 8, &e), 0);
	assert_int_equal(image_expect(&r, CKPT_REC_TRAILER, 8, &e), 0);
	assert_int_equal(image_next(&r, &e), 0);
	image_done(&r);
	close(fd);
}

/* no byte behind the records that were asked for is taken out of a pipe */
static void test_no_readahead(void **state)
{
	struct image_reader r;
	struct ckpt_error e;
	uint32_t magic;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], b.data, 1024), 1024);
	image_init(&r, ends[0]);
	assert_int_equal(image_expect(&r, CKPT_REC_HEADER, 8, &e), 0);
	assert_int_equal(r.seq, 1);
	assert_int_equal(read(ends[0], &magic, sizeof(magic)), sizeof(magic));
	assert_int_equal(magic, CKPT_REC_MAGIC);
	assert_memory_equal(b.data + r.offset, &magic, sizeof(magic));
	image_done(&r);
	close(ends[0]);
	close(ends[1]);
}

static void test_cut_off(void **state)
{
	size_t whole = b.len;
	struct image_reader r;
	struct ckpt_error e;

	(void)state;
	for (b.len = 0; b.len < whole; b.len += b.len < 2048 ? 1 : 509) {
		assert_true(read_all(&r, &e) < 0);
		assert_true(e.err == EPIPE || (e.err == EINVAL && b.len < 24));
		assert_true(e.text[0]);
	}
}

/* one flipped bit in every 32-bit word of the records, and in the pages */
static void test_flipped_bits(void **state)
{
	struct image_reader r;
	struct ckpt_error e;
	size_t i;

	(void)state;
	for (i = 0; i < b.len; i += i < 4096 ? 3 : 331) {
		b.data[i] ^= 1 << (i % 8);
		assert_true(read_all(&r, &e) < 0);
		assert_true(e.err == EINVAL || e.err == EPIPE);
		b.data[i] ^= 1 << (i % 8);
	}
	assert_int_equal(read_all(&r, &e), 0);
}

static void test_garbage(void **state)
{
	struct image_reader r;
	struct ckpt_error e;

	(void)state;
	b.len = 0;
	assert_int_equal(read_all(&r, &e), -EPIPE);
	memset(b.data, 'x', 5);
	b.len = 5;
	assert_int_equal(read_all(&r, &e), -EINVAL);
	assert_string_equal(e.text, "this is not a checkpoint image");
	memset(b.data, 'x', 5000);
	b.len = 5000;
	assert_int_equal(read_all(&r, &e), -EINVAL);
	assert_string_equal(e.text, "this is not a checkpoint image");
}

static void test_behind_the_trailer(void **state)
{
	struct image_reader r;
	struct ckpt_error e;

	(void)state;
	b.data[b.len++] = 0;
	assert_int_equal(read_all(&r, &e), -EINVAL);
}

static void test_wrong_counts(void **state)
{
	struct image_reader r;
	struct ckpt_error e;

	(void)state;
	memset(&b, 0, sizeof(b));
	builder_header(&b, CKPT_IMAGE_VERSION, NULL);
	b.nr_pages = 1;
	builder_trailer(&b);
	assert_int_equal(read_all(&r, &e), -EINVAL);
}

static void test_impossible_pages(void **state)
{
	static const uint32_t counts[] = { 0, 3, CKPT_PAGES_MAX + 1, UINT32_MAX };
	struct ckpt_image_pages p = { .ref = 1 };
	struct image_reader r;
	struct ckpt_error e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		memset(&b, 0, sizeof(b));
		p.nr = counts[i];
		builder_add(&b, CKPT_REC_PAGES, &p, sizeof(p));
		assert_int_equal(read_all(&r, &e), -EINVAL);
	}
}

static void check_header(uint32_t version, const char *machine, int expected,
			 const char *text)
{
	struct ckpt_error e = { 0 };
	struct image_reader r;
	int fd;

	memset(&b, 0, sizeof(b));
	builder_header(&b, version, machine);
	fd = builder_open(&b);
	image_init(&r, fd);
	assert_int_equal(image_expect(&r, CKPT_REC_HEADER, sizeof(struct ckpt_image_header), &e), 0);
	assert_int_equal(image_check_header(&r, &e), expected);
	assert_non_null(strstr(e.text, text));
	image_done(&r);
	close(fd);
}

static void test_header(void **state)
{
	(void)state;
	check_header(CKPT_IMAGE_VERSION, NULL, 0, "");
	check_header(CKPT_IMAGE_VERSION + 1, NULL, -EPROTONOSUPPORT, "is newer; this build reads version 2");
	check_header(CKPT_IMAGE_VERSION - 1, NULL, -EPROTONOSUPPORT, "is older");
	check_header(CKPT_IMAGE_VERSION, "vax", -ENOEXEC, "of the kind vax");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_whole, setup),
		cmocka_unit_test_setup(test_pages, setup),
		cmocka_unit_test_setup(test_no_readahead, setup),
		cmocka_unit_test_setup(test_cut_off, setup),
		cmocka_unit_test_setup(test_flipped_bits, setup),
		cmocka_unit_test_setup(test_garbage, setup),
		cmocka_unit_test_setup(test_behind_the_trailer, setup),
		cmocka_unit_test_setup(test_wrong_counts, setup),
		cmocka_unit_test_setup(test_impossible_pages, setup),
		cmocka_unit_test_setup(test_header, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
