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
	builder_container(&b, "name x\n");
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
	const struct ckpt_image_run *run;
	int fd = builder_open(&b);
	const void *pages;
	struct image_reader r;
	struct ckpt_error e;
	const char *page;
	uint32_t nr;

	(void)state;
	image_init(&r, fd);
	assert_int_equal(image_begin(&r, &e), 0);
	assert_int_equal(image_check_machine(&r, &e), 0);
	assert_int_equal(image_expect(&r, CKPT_REC_CONTAINER, &e), 0);
	assert_memory_equal(image_part(&r, CONTAINER, TEXT, &nr), "name x\n", 7);
	assert_int_equal(nr, 7);
	assert_int_equal(image_run(&r, &run, &pages, &e), 0);
	assert_int_equal(image_expect(&r, CKPT_REC_PAGES, &e), 0);
	assert_int_equal(r.offset % CKPT_PAGE_SIZE, 0);
	assert_int_equal(image_run(&r, &run, &pages, &e), 1);
	assert_int_equal(run->addr, 0);
	assert_int_equal(run->count, 2);
	page = pages;
	assert_int_equal(page[0], 1);
	assert_int_equal(page[CKPT_PAGE_SIZE - 1], 1);
	assert_int_equal(page[CKPT_PAGE_SIZE], 2);
	assert_int_equal(page[2 * CKPT_PAGE_SIZE - 1], 2);
	/* the third page is passed over */
	assert_int_equal(image_expect(&r, CKPT_REC_PAGES, &e), 0);
	assert_int_equal(r.nr_pages, 3);
	assert_int_equal(image_run(&r, &run, NULL, &e), 1);
	assert_int_equal(image_run(&r, &run, NULL, &e), 0);
	assert_int_equal(image_expect(&r, CKPT_REC_TRAILER, &e), 0);
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
	assert_int_equal(image_begin(&r, &e), 0);
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
		/* a length may be more than there is memory for here */
		assert_true(e.err == EINVAL || e.err == EPIPE || e.err == E2BIG);
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

/* what nobody can read as the payloads that follow it */
static void test_impossible_pages(void **state)
{
	static const struct {
		uint32_t nr, nr_runs, counts[2];
	} cases[] = {
		{ 0, 1, { 0 } }, { 0, 1, { 1 } }, { 1, 1, { 0 } }, { 1, 1, { 2 } }, { 2, 1, { 1 } },
		{ 2, 2, { 1, 2 } }, { 2, 2, { 2, 0 } }, { 1, 2, { UINT32_MAX, 2 } },
		{ CKPT_PAGES_MAX + 1, 1, { CKPT_PAGES_MAX + 1 } },
		{ UINT32_MAX, 1, { UINT32_MAX } },
	};
	struct ckpt_image_run *runs;
	struct image_reader r;
	struct ckpt_error e;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		memset(&b, 0, sizeof(b));
		*builder_part(&b, PAGES, BASE) = (struct ckpt_image_pages){ 1, cases[i].nr };
		runs = builder_parts(&b, PAGES, RUNS, cases[i].nr_runs);
		for (k = 0; k < cases[i].nr_runs; k++)
			runs[k].count = cases[i].counts[k];
		builder_fill(&b);
		assert_int_equal(read_all(&r, &e), -EINVAL);
		assert_non_null(strstr(e.text, "record 0 (PAGES) has an impossible number of pages"));
	}
}

static void pages_with(int fill_first, size_t too_little, char filled_with, const char *text)
{
	struct image_reader r;
	struct ckpt_error e;
	size_t end;

	memset(&b, 0, sizeof(b));
	*builder_part(&b, PAGES, BASE) = (struct ckpt_image_pages){ 1, 1 };
	end = sizeof(struct ckpt_rec) + b.body_len + 2 * sizeof(struct ckpt_part) +
		sizeof(struct ckpt_image_run);
	if (!fill_first)
		builder_part(&b, PAGES, RUNS)->count = 1;
	memset(builder_parts(&b, PAGES, FILL, CKPT_PAGE_SIZE - end - too_little), filled_with, 8);
	if (fill_first)
		builder_part(&b, PAGES, RUNS)->count = 1;
	builder_add(&b, CKPT_REC_PAGES);
	assert_int_equal(read_all(&r, &e), text ? -EINVAL : -EPIPE);
	assert_true(!text || strstr(e.text, text));
}

static void test_fill(void **state)
{
	(void)state;
	pages_with(0, 0, 0, NULL);
	pages_with(1, 0, 0, "not at the end");
	pages_with(0, 8, 0, "not aligned");
	pages_with(0, 0, 1, "not filled with zeroes");
}

/* a body cut at every place, and in many pieces */
static void test_pieces(void **state)
{
	char body[8 + 4096] = "";
	struct ckpt_image_tree_task *tasks;
	struct image_reader r;
	struct ckpt_error e;
	size_t at, len, step;
	uint32_t nr;
	int fd;

	(void)state;
	for (step = 8; step < 16 + 9 * sizeof(*tasks); step += 8) {
		memset(&b, 0, sizeof(b));
		builder_header(&b, CKPT_IMAGE_VERSION, NULL);
		tasks = builder_parts(&b, TREE, TASKS, 9);
		tasks[8].pid = 77;
		len = b.body_len;
		memcpy(body, b.body, len);
		for (at = 0; at < len; at += step)
			builder_piece(&b, CKPT_REC_TREE, at + step < len ? CKPT_REC_MORE : 0,
				      body + at, len - at < step ? len - at : step);
		b.body_len = 0;
		builder_trailer(&b);
		assert_int_equal(read_all(&r, &e), 0);
		fd = builder_open(&b);
		image_init(&r, fd);
		assert_int_equal(image_begin(&r, &e), 0);
		assert_int_equal(image_expect(&r, CKPT_REC_TREE, &e), 0);
		assert_int_equal(r.rec.seq, 1);
		assert_int_equal(r.body_len, len);
		assert_int_equal(image_part(&r, TREE, TASKS, &nr)[8].pid, 77);
		assert_int_equal(nr, 9);
		image_done(&r);
		close(fd);
	}
}

static void wrong_pieces(uint16_t first, uint16_t then, size_t len, const char *text)
{
	static const char body[64];
	struct image_reader r;
	struct ckpt_error e;

	memset(&b, 0, sizeof(b));
	builder_header(&b, CKPT_IMAGE_VERSION, NULL);
	builder_piece(&b, first, CKPT_REC_MORE, body, 16);
	builder_piece(&b, then, 0, body, len);
	builder_trailer(&b);
	assert_int_equal(read_all(&r, &e), -EINVAL);
	assert_non_null(strstr(e.text, text));
}

static void test_wrong_pieces(void **state)
{
	(void)state;
	wrong_pieces(CKPT_REC_TREE, CKPT_REC_FILE, 16, "record 2 at byte");
	wrong_pieces(CKPT_REC_TREE, CKPT_REC_TREE, 0, "goes on in");
	wrong_pieces(CKPT_REC_PAGES, CKPT_REC_PAGES, 16, "(PAGES) goes on in another");
}

/* pieces without end take no memory without end */
static void test_too_many_pieces(void **state)
{
	static const char body[16384];
	struct image_reader r;
	struct ckpt_error e;
	size_t i;

	(void)state;
	memset(&b, 0, sizeof(b));
	builder_header(&b, CKPT_IMAGE_VERSION, NULL);
	for (i = 0; i <= PARTS_BYTES_MAX / sizeof(body); i++)
		builder_piece(&b, CKPT_REC_FILE, CKPT_REC_MORE, body, sizeof(body));
	assert_int_equal(read_all(&r, &e), -E2BIG);
	assert_int_equal(r.seq, 1 + PARTS_BYTES_MAX / sizeof(body));
	assert_string_equal(e.text, "record 1 of the image is longer than memory is given for");
}

static void check_header(uint32_t version, const char *machine, int expected,
			 const char *text)
{
	struct ckpt_error e = { 0 };
	struct image_reader r;
	int fd, ret;

	memset(&b, 0, sizeof(b));
	builder_header(&b, version, machine);
	fd = builder_open(&b);
	image_init(&r, fd);
	ret = image_begin(&r, &e);
	if (!ret)
		ret = image_check_machine(&r, &e);
	assert_int_equal(ret, expected);
	assert_non_null(strstr(e.text, text));
	image_done(&r);
	close(fd);
}

static void test_header(void **state)
{
	(void)state;
	check_header(CKPT_IMAGE_VERSION, NULL, 0, "");
	check_header(CKPT_IMAGE_VERSION + 1, NULL, -EPROTONOSUPPORT, "version 4 is newer; this build reads version 3");
	check_header(CKPT_IMAGE_VERSION - 1, NULL, -EPROTONOSUPPORT, "is older");
	check_header(CKPT_IMAGE_VERSION, "vax", -ENOEXEC, "of the kind vax");
}

static void test_marks(void **state)
{
	static const struct {
		uint32_t marks, reserved;
		uint8_t parent;
		const char *text;	/* NULL: it can be restarted */
	} cases[] = {
		{ CKPT_MARK_FINAL, 0, 0, NULL },
		{ CKPT_MARK_SELF | CKPT_MARK_SUBTREE, 0, 0, NULL },
		{ 0x9, 0, 0, "marks that this version does not know: 0x8" },
		{ 0, 1, 0, "marks" },
		{ 0, 0, 1, "is an increment of another one" },
	};
	struct ckpt_image_header *h;
	struct image_reader r;
	struct ckpt_error e;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		memset(&b, 0, sizeof(b));
		builder_header(&b, CKPT_IMAGE_VERSION, NULL);
		h = (void *)(b.body + sizeof(struct ckpt_part));
		b.body_len = sizeof(struct ckpt_part) + sizeof(*h);
		b.len = b.seq = 0;
		h->marks = cases[i].marks;
		h->reserved = cases[i].reserved;
		h->parent[15] = cases[i].parent;
		builder_add(&b, CKPT_REC_HEADER);
		fd = builder_open(&b);
		image_init(&r, fd);
		assert_int_equal(image_begin(&r, &e), 0);
		assert_int_equal(image_check_machine(&r, &e), cases[i].text ? -EOPNOTSUPP : 0);
		assert_true(!cases[i].text || strstr(e.text, cases[i].text));
		image_done(&r);
		close(fd);
	}
}

/* up to version 2 a body had no parts */
static void test_older(void **state)
{
	struct {
		char magic[8];
		uint32_t version, page_size;
		uint64_t time;
		char names[136];
	} header = { CKPT_IMAGE_MAGIC, 2, CKPT_PAGE_SIZE, 1, "6.1.0" };
	struct ckpt_error e = { 0 };
	struct image_reader r;
	int fd;

	(void)state;
	memset(&b, 0, sizeof(b));
	builder_piece(&b, CKPT_REC_HEADER, 0, &header, sizeof(header));
	fd = builder_open(&b);
	image_init(&r, fd);
	assert_int_equal(image_begin(&r, &e), -EPROTONOSUPPORT);
	assert_string_equal(e.text, "the image's version 2 is older; this build reads version 3");
	image_done(&r);
	close(fd);
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
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_wrong_pieces),
		cmocka_unit_test(test_too_many_pieces),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_older),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
