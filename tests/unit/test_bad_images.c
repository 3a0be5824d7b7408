// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generator of bad images, over an image that has every part of the format's table: what it calls unsound is
 * refused, what it calls sound is read, and it leaves no number of any part alone.  S16
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <cmocka.h>

#include "bad-image.h"
#include "image.h"
#include "test_everything.h"

static struct builder b;
static struct image im;

static int setup(void **state)
{
	(void)state;
	builder_everything(&b);
	return image_take(&im, (struct bytes){ (uint8_t *)b.data, b.len });
}

static int teardown(void **state)
{
	(void)state;
	free(im.recs);
	return 0;
}

/* all records with all their parts; returns 0 or a negative errno */
static int read_changed(const char *what, struct ckpt_error *e)
{
	struct bytes changed = image_change(&im, what);
	struct image_reader r;
	int fd, ret;

	memset(e, 0, sizeof(*e));
	if (!changed.p)
		fail_msg("%s has no meaning", what);
	fd = memfd_create("changed", MFD_CLOEXEC);
	assert_int_equal(write(fd, changed.p, changed.len), changed.len);
	lseek(fd, 0, SEEK_SET);
	image_init(&r, fd);
	ret = image_begin(&r, e);
	while (!ret && (ret = image_next(&r, e)) > 0)
		ret = image_parts(&r, e);
	image_done(&r);
	close(fd);
	free(changed.p);
	return ret;
}

/* the cases of a kind, as lines in memory */
static char *list(void (*cases)(const struct image *im, int all, FILE *out), int all)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	cases(&im, all, f);
	fclose(f);
	return text;
}

/* call for every so-manieth; returns how many there were */
static size_t each(void (*cases)(const struct image *im, int all, FILE *out), int all, int every,
		   void (*check)(const char *what, int ret, const struct ckpt_error *e))
{
	char *text = list(cases, all), *rest = text, *what;
	struct ckpt_error e;
	size_t nr = 0;

	while ((what = strsep(&rest, "\n")) && *what) {
		int ret;

		if (nr++ % every)
			continue;
		ret = read_changed(what, &e);
		if (ret && !e.text[0])
			fail_msg("%s is refused without a word", what);
		check(what, ret, &e);
	}
	free(text);
	return nr;
}

static void must_be_refused(const char *what, int ret, const struct ckpt_error *e)
{
	(void)e;
	if (ret >= 0)
		fail_msg("%s is read", what);
}

static void must_be_read(const char *what, int ret, const struct ckpt_error *e)
{
	if (ret)
		fail_msg("%s is refused: %s", what, e->text);
}

static void may_be_anything(const char *what, int ret, const struct ckpt_error *e)
{
	(void)what;
	(void)ret;
	(void)e;
}

static void the_image_itself_is_read(void **state)
{
	struct ckpt_error e;

	(void)state;
	/* another time, which is as good */
	assert_int_equal(read_changed("set@0+32:8=1234", &e), 0);
}

static void damaged_images_are_refused(void **state)
{
	(void)state;
	assert_true(each(cases_damage, 1, 1, must_be_refused) > 100);
}

static void unsound_images_are_refused(void **state)
{
	(void)state;
	assert_true(each(cases_unsound, 1, 1, must_be_refused) > 10 * PARTS_MAX);
}

static void bits_that_nobody_knows_are_refused(void **state)
{
	size_t nr;

	(void)state;
	part_bits(&nr);
	assert_true(each(cases_bits, 1, 1, must_be_refused) >= nr);
}

static void sound_images_are_read(void **state)
{
	(void)state;
	assert_true(each(cases_sound, 1, 1, must_be_read) > 3 * PARTS_MAX);
}

static void hostile_images_do_no_harm(void **state)
{
	size_t nr, i;
	struct ckpt_error e;
	char what[32];

	(void)state;
	/* with sanitizers all of them take minutes */
	nr = each(cases_hostile, 0, 11, may_be_anything);
	print_message("%zu hostile images\n", nr);
	for (i = 0; i < 500; i++) {
		snprintf(what, sizeof(what), "random@%zu", i);
		read_changed(what, &e);
	}
}

/* is there a case that sets this many bytes at this place? */
static bool sets(const char *text, size_t n, size_t at, int width)
{
	char what[64];

	snprintf(what, sizeof(what), "set@%zu+%zu:%d=", n, at, width);
	return strstr(text, what);
}

static void check_numbers(const char *text, size_t n, const struct slice *s)
{
	size_t data = s->at + sizeof(s->head), i;

	for (i = 0; i + 4 <= s->row->size; i += 4)
		if (!sets(text, n, data + i, 4) || (i % 8 == 0 && i + 8 <= s->row->size &&
						     !sets(text, n, data + i, 8)))
			fail_msg("nobody sets byte %zu of %s %s", i, record_name(s->row->type), s->row->name);
	if (s->row->size < 4 && !(s->row->type == CKPT_REC_PAGES && s->row->tag == CKPT_TAG_PAGES_FILL) &&
	    !sets(text, n, data, 1))
		fail_msg("nobody sets %s %s", record_name(s->row->type), s->row->name);
}

/* a part that comes new into the table is tried without another line */
static void every_number_of_every_part_is_tried(void **state)
{
	char *text = list(cases_hostile, 0);
	size_t n, p, rows = 0;
	struct slice s;

	(void)state;
	for (n = 0; n < im.nr; n++)
		for (p = 0; !record_part(&im.recs[n], p, &s); p++, rows++)
			check_numbers(text, n, &s);
	assert_int_equal(rows, PARTS_MAX);
	free(text);
}

/* a case that scenarios want by name, whatever else an image has */
static void a_part_is_filled_by_its_name(void **state)
{
	struct bytes changed = image_change(&im, "fill@MM.AUXV=255");
	struct image filled;
	struct slice s;
	size_t n, p, i;

	(void)state;
	assert_non_null(changed.p);
	assert_int_equal(image_take(&filled, changed), 0);
	for (n = 0; filled.recs[n].head.type != CKPT_REC_MM; n++)
		;
	for (p = 0; !record_part(&filled.recs[n], p, &s) && s.head.tag != CKPT_TAG_MM_AUXV; p++)
		;
	assert_int_equal(s.head.tag, CKPT_TAG_MM_AUXV);
	assert_true(s.head.len > 0);
	for (i = 0; i < s.head.len; i++)
		assert_int_equal(filled.recs[n].body[s.at + sizeof(s.head) + i], 255);
	free(filled.recs);
	free(changed.p);
	assert_null(image_change(&im, "fill@MM.NOTHING=255").p);
	assert_null(image_change(&im, "fill@NOTHING.AUXV=255").p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_image_itself_is_read),
		cmocka_unit_test(damaged_images_are_refused),
		cmocka_unit_test(unsound_images_are_refused),
		cmocka_unit_test(bits_that_nobody_knows_are_refused),
		cmocka_unit_test(sound_images_are_read),
		cmocka_unit_test(hostile_images_do_no_harm),
		cmocka_unit_test(every_number_of_every_part_is_tried),
		cmocka_unit_test(a_part_is_filled_by_its_name),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
