// SPDX-License-Identifier: GPL-2.0-only
/* lib/parts.c: every part of the format's table, as it may be and as it may not; S16 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <cmocka.h>

#include "parts.h"
#include "test_image.h"

static struct builder b;
static struct parts p;
static struct ckpt_error e;

/* 'nr' elements of 'size' bytes: what can be there for text is a string, else it is 1, 2, 3 ... */
static void *add(const struct part_row *row, uint32_t size, uint32_t nr)
{
	unsigned char *data = builder_part_of(&b, row->tag, size, nr, NULL);
	uint32_t known = size < row->size ? size : row->size, i, k;

	for (i = 0; i < nr; i++)
		for (k = 0; k < known; k++)
			data[(size_t)i * size + k] = row->string && i == nr - 1 ? 0 : 1 + (i + k) % 255;
	return data;
}

static uint32_t fewest(const struct part_row *row)
{
	uint32_t nr = row->min ? row->min : 1;

	return row->string && nr < 2 ? 2 : nr;
}

/* the parts that a record of this type must have, besides 'but' */
static void begin(uint16_t type, const struct part_row *but)
{
	const struct part_row *row;
	size_t nr;

	b.body_len = 0;
	for (row = part_rows(&nr); nr--; row++)
		if (row->type == type && row->min && row != but)
			add(row, row->size, fewest(row));
}

static int take(uint16_t type)
{
	parts_free(&p);
	memset(&e, 0, sizeof(e));
	return parts_take(&p, type, 12, b.body, b.body_len, &e);
}

#define assert_refused(type, error, sentence) do { \
	char text[512]; \
	snprintf(text, sizeof(text), sentence, record_name(type)); \
	assert_int_equal(take(type), -(error)); \
	assert_string_equal(e.text, text); \
} while (0)

/* call for each row of the table */
static void each(void (*check)(const struct part_row *row))
{
	const struct part_row *row;
	size_t nr;

	for (row = part_rows(&nr); nr--; row++)
		check(row);
	parts_free(&p);
}

/* add the part in question behind the others, or in front if it is BASE; returns its bytes */
static char *begin_with(const struct part_row *row, uint32_t size, uint32_t nr)
{
	static char others[sizeof(b.body)];
	size_t len;
	char *data;

	begin(row->type, row);
	if (!row->base)
		return add(row, size, nr);
	len = b.body_len;
	memcpy(others, b.body, len);
	b.body_len = 0;
	data = add(row, size, nr);
	memcpy(b.body + b.body_len, others, len);
	b.body_len += len;
	return data;
}

static void has_elements(const struct part_row *row)
{
	uint32_t nr, i;
	const unsigned char *data;

	begin_with(row, row->size, fewest(row));
	assert_int_equal(take(row->type), 0);
	data = parts_find(&p, row->tag, &nr);
	assert_int_equal(nr, fewest(row));
	for (i = 0; i < row->size; i++)
		assert_int_equal(data[i], 1 + i % 255);
}

static void every_part_is_found(void **state)
{
	(void)state;
	each(has_elements);
	assert_null(parts_find(&p, 77, NULL));
}

static void may_be_shorter(const struct part_row *row)
{
	const unsigned char *data;
	uint32_t size, nr, i;

	for (size = 1; size < row->size; size += size < 16 ? 1 : 8) {
		begin_with(row, size, fewest(row));
		assert_int_equal(take(row->type), 0);
		data = parts_find(&p, row->tag, &nr);
		assert_int_equal(nr, fewest(row));
		for (i = 0; i < nr * row->size; i++)
			assert_int_equal(data[i], i % row->size < size ?
					 1 + (i / row->size + i % row->size) % 255 : 0);
	}
}

static void may_be_longer(const struct part_row *row)
{
	static const uint32_t more[] = { 1, 4, 8, 50 };
	const unsigned char *data;
	uint32_t nr, i;
	size_t k;

	for (k = 0; k < 4; k++) {
		begin_with(row, row->size + more[k], fewest(row));
		assert_int_equal(take(row->type), 0);
		data = parts_find(&p, row->tag, &nr);
		assert_int_equal(nr, fewest(row));
		for (i = 0; i < nr * row->size; i++)
			assert_int_equal(data[i], row->string && i == nr - 1 ? 0 :
					 1 + (i / row->size + i % row->size) % 255);
	}
}

static void may_not_say_more(const struct part_row *row)
{
	char *data;
	uint32_t nr = fewest(row);
	char text[200];

	snprintf(text, sizeof(text), "record 12 (%s) says more than this version knows in its part %s",
		 record_name(row->type), row->name);
	data = begin_with(row, row->size + 8, nr);
	data[nr * (row->size + 8) - 1] = 1;
	assert_int_equal(take(row->type), -EOPNOTSUPP);
	assert_string_equal(e.text, text);
	data[nr * (row->size + 8) - 1] = 0;
	data[row->size] = 0x80;
	assert_int_equal(take(row->type), -EOPNOTSUPP);
	assert_string_equal(e.text, text);
}

static void other_sizes_are_read(void **state)
{
	(void)state;
	each(may_be_shorter);
	each(may_be_longer);
	each(may_not_say_more);
}

static void is_there_once(const struct part_row *row)
{
	char text[200];

	begin_with(row, row->size, fewest(row));
	add(row, row->size, fewest(row));
	snprintf(text, sizeof(text), "the image is damaged: record 12 (%s) has twice its part %s",
		 record_name(row->type), row->name);
	assert_int_equal(take(row->type), -EINVAL);
	assert_string_equal(e.text, text);
}

static void is_missed(const struct part_row *row)
{
	begin(row->type, row);
	assert_int_equal(take(row->type), row->min ? -EINVAL : 0);
	assert_true(!row->min || strstr(e.text, "does not begin with") || strstr(e.text, row->name));
	/* and none at all */
	b.body_len = 0;
	assert_true(take(row->type) == -EINVAL || row->type == CKPT_REC_CONTAINER);
}

static void has_limits(const struct part_row *row)
{
	if (row->min > 1) {
		begin_with(row, row->size, row->min - 1);
		assert_int_equal(take(row->type), -EINVAL);
	}
	if (row->min || row->max == 1) {
		begin_with(row, row->size, 0);
		assert_int_equal(take(row->type), -EINVAL);
	}
	if (row->max > 100000 / row->size)
		return;
	begin_with(row, row->size, row->max);
	assert_int_equal(take(row->type), 0);
	begin_with(row, row->size, row->max + 1);
	assert_int_equal(take(row->type), -EINVAL);
	assert_non_null(strstr(e.text, row->name));
}

static void parts_are_counted(void **state)
{
	(void)state;
	each(is_there_once);
	each(is_missed);
	each(has_limits);
}

static void knows_its_tags(const struct part_row *row)
{
	struct ckpt_part *part, *known;

	known = (void *)begin_with(row, row->size, fewest(row));
	known--;
	part = builder_part_of(&b, 77, 3, 1, "xyz");
	part--;
	assert_refused(row->type, EOPNOTSUPP, "record 12 (%s) has a part 77 that this version does not know");
	part->flags = CKPT_PART_SKIP;
	assert_int_equal(take(row->type), 0);
	assert_null(parts_find(&p, 77, NULL));
	assert_non_null(parts_find(&p, row->tag, NULL));
	part->flags = CKPT_PART_SKIP | 0x80;
	assert_refused(row->type, EINVAL, "the image is damaged: record 12 (%s) is not made of parts");
	/* the known is the known all the same */
	b.body_len -= sizeof(*part) + 8;
	known->flags = CKPT_PART_SKIP;
	assert_int_equal(take(row->type), 0);
	assert_non_null(parts_find(&p, row->tag, NULL));
}

static void unknown_parts_are_refused(void **state)
{
	(void)state;
	each(knows_its_tags);
	b.body_len = 0;
	assert_int_equal(take(CKPT_REC_MEMORY), 0);
	builder_part_of(&b, 1, 8, 1, NULL);
	assert_refused(CKPT_REC_MEMORY, EOPNOTSUPP, "record 12 (%s) has a part 1 that this version does not know");
}

static void base_comes_first(void **state)
{
	(void)state;
	b.body_len = 0;
	builder_parts(&b, FILE, NAME, 2)[0] = 'x';
	builder_part(&b, FILE, BASE);
	assert_refused(CKPT_REC_FILE, EINVAL, "the image is damaged: record 12 (%s) does not begin with its part BASE");
}

static void strings_end_once(void **state)
{
	static const struct {
		uint32_t size, nr;
		const char *text;
		bool sound;
	} cases[] = {
		{ 1, 2, "/\0", true }, { 1, 3, "/x\0", true }, { 1, 2, "/x", false },
		{ 1, 3, "/\0\0", false }, { 1, 3, "/\0x", false },
		/* what has no end once the elements have our size */
		{ 2, 2, "/\0x\0", false }, { 2, 2, "/\0\0\0", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		b.body_len = 0;
		builder_part(&b, FS, BASE);
		builder_part_of(&b, CKPT_TAG_FS_ROOT, cases[i].size, cases[i].nr, cases[i].text);
		builder_part_of(&b, CKPT_TAG_FS_CWD, 1, 2, "/");
		assert_int_equal(take(CKPT_REC_FS), cases[i].sound ? 0 : -EINVAL);
		assert_true(cases[i].sound || strstr(e.text, "has no string in its part ROOT"));
	}
	/* CONTAINER's is lines */
	b.body_len = 0;
	builder_part_of(&b, CKPT_TAG_CONTAINER_TEXT, 1, 3, "a\nb");
	assert_int_equal(take(CKPT_REC_CONTAINER), 0);
	parts_free(&p);
}

static void bodies_are_made_of_parts(void **state)
{
	struct ckpt_part *part = (void *)b.body, sound;
	size_t len;
	int i;

	(void)state;
	b.body_len = 0;
	builder_part_of(&b, CKPT_TAG_CONTAINER_TEXT, 1, 13, "name x\nlo up\n");
	sound = *part;
	len = b.body_len;
	for (i = 0; i < 12; i++) {
		*part = sound;
		b.body_len = len;
		switch (i) {
		case 0: part->size = 0; break;
		case 1: part->size = 65537; part->len = 0; break;
		case 2: part->size = 2; break;
		case 3: part->len = 17; break;
		case 4: part->len = UINT64_MAX; break;
		case 5: part->len = UINT64_MAX - 15; break;
		case 6: part->len = 1ULL << 63; break;
		case 7: b.body_len = 8; break;
		case 8: b.body_len = 24; break;
		case 9: b.body[len - 1] = 1; break;
		case 10: memset(b.body + len, 0, 8); b.body_len += 8; break;
		case 11: memset(b.body + len, 0, 16); b.body_len += 16; break;
		}
		assert_refused(CKPT_REC_CONTAINER, EINVAL, "the image is damaged: record 12 (%s) is not made of parts");
		b.body[len - 1] = 0;
	}
	*part = sound;
	b.body_len = len;
	assert_int_equal(take(CKPT_REC_CONTAINER), 0);
	parts_free(&p);
}

/* many small elements do not become more memory than there may be */
static void memory_has_a_limit(void **state)
{
	uint64_t nr = PARTS_BYTES_MAX / sizeof(struct ckpt_image_vma) + 1;
	size_t len = 2 * sizeof(struct ckpt_part) + sizeof(struct ckpt_image_mm) + ((nr + 7) & ~7ULL);
	char *body = calloc(1, len);
	struct ckpt_part *part = (void *)body;

	(void)state;
	*part = (struct ckpt_part){ CKPT_TAG_MM_BASE, 0, sizeof(struct ckpt_image_mm), sizeof(struct ckpt_image_mm) };
	part = (void *)(body + sizeof(*part) + part->len);
	*part = (struct ckpt_part){ CKPT_TAG_MM_VMAS, 0, 1, nr };
	memset(&e, 0, sizeof(e));
	assert_int_equal(parts_take(&p, CKPT_REC_MM, 12, body, len, &e), -E2BIG);
	assert_non_null(strstr(e.text, "record 12 (MM) is longer than memory is given for"));
	parts_free(&p);
	free(body);
}

static void rows_are_sound(void **state)
{
	const struct part_row *row;
	uint16_t type = 0;
	size_t nr, i;

	(void)state;
	row = part_rows(&nr);
	assert_int_equal(nr, PARTS_MAX);
	for (i = 0; i < nr; i++, type = row[i - 1].type) {
		assert_non_null(record_name(row[i].type));
		assert_ptr_equal(part_row(row[i].type, row[i].tag), &row[i]);
		assert_true(row[i].min <= row[i].max && row[i].size && row[i].size <= PART_SIZE_MAX);
		/* what a record begins with has its first row */
		assert_true(row[i].base == !strcmp(row[i].name, "BASE"));
		assert_true(!row[i].base || type != row[i].type);
		assert_true(type != row[i].type || row[i - 1].tag < row[i].tag);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sound),
		cmocka_unit_test(every_part_is_found),
		cmocka_unit_test(other_sizes_are_read),
		cmocka_unit_test(parts_are_counted),
		cmocka_unit_test(unknown_parts_are_refused),
		cmocka_unit_test(base_comes_first),
		cmocka_unit_test(strings_end_once),
		cmocka_unit_test(bodies_are_made_of_parts),
		cmocka_unit_test(memory_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
