// SPDX-License-Identifier: GPL-2.0-only
/* ckpt inspect, the program in argv[1]: it prints every part of the format's table */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "test_everything.h"

static const char *program;
static struct builder b;

/* what it prints, errors too, to be freed; *status takes its exit status */
static char *inspect(const char *option, int *status)
{
	int image = builder_open(&b), out = memfd_create("out", 0);
	char *text;
	off_t len;
	pid_t pid = fork();

	if (!pid) {
		dup2(image, 0);
		dup2(out, 1);
		dup2(out, 2);
		execl(program, "ckpt", "inspect", "-", option, NULL);
		_exit(127);
	}
	waitpid(pid, status, 0);
	assert_true(WIFEXITED(*status));
	*status = WEXITSTATUS(*status);
	len = lseek(out, 0, SEEK_END);
	text = calloc(1, len + 1);
	assert_int_equal(pread(out, text, len, 0), len);
	close(image);
	close(out);
	return text;
}

static void lower(char to[64], const char *before, const char *name, const char *behind)
{
	char *p = to + strlen(before);

	snprintf(to, 64, "%s%s%s", before, name, behind);
	for (; *p; p++)
		*p = tolower((unsigned char)*p);
}

static void people_see_every_part(void **state)
{
	const struct part_row *row;
	char *text, line[64];
	size_t nr;
	int status;

	(void)state;
	builder_everything(&b);
	text = inspect(NULL, &status);
	assert_int_equal(status, 0);
	for (row = part_rows(&nr); nr--; row++) {
		snprintf(line, sizeof(line), "%s (record ", record_name(row->type));
		if (!strstr(text, line))
			fail_msg("no %s", line);
		lower(line, "\n  ", row->name, ":");
		if (!row->base && !strstr(text, line))
			fail_msg("no part %s of %s", row->name, record_name(row->type));
	}
	/* a number, a string, a list, bytes */
	assert_non_null(strstr(text, "\n  version: 3\n"));
	assert_non_null(strstr(text, "\n  root: \"a\"\n"));
	assert_non_null(strstr(text, "\n  runs:\n    - addr=0 count=2 order=0 sum="));
	assert_non_null(strstr(text, "\n  xstate: 6162\n"));
	assert_non_null(strstr(text, "\n  auxv:\n    - value=0x6867666564636261\n"));
	assert_non_null(strstr(text, "\nwhole: "));
	free(text);
}

/* brackets and quotes as they belong together: enough to see a comma or a quote that is missing */
static void assert_json(const char *p)
{
	char open[64], last = 0;
	size_t depth = 0;

	for (; *p; p++) {
		if (isspace((unsigned char)*p))
			continue;
		if (*p == '"') {
			assert_true(strchr("[{:,", last));
			while (*++p != '"')
				p += *p == '\\';
		} else if (strchr("[{", *p)) {
			assert_true(depth < sizeof(open) && (!last || strchr("[:,", last)));
			open[depth++] = *p == '[' ? ']' : '}';
		} else if (strchr("]}", *p)) {
			assert_true(depth && open[--depth] == *p && last != ',');
		}
		last = *p;
	}
	assert_int_equal(depth, 0);
}

static void programs_get_every_part(void **state)
{
	const struct part_row *row;
	char *text, line[64];
	size_t nr;
	int status;

	(void)state;
	builder_everything(&b);
	text = inspect("--json", &status);
	assert_int_equal(status, 0);
	assert_json(text);
	for (row = part_rows(&nr); nr--; row++) {
		lower(line, "", row->name, "\":");
		if (!row->base && !strstr(text, line))
			fail_msg("no part %s of %s", row->name, record_name(row->type));
	}
	/* numbers of 64 bits are strings */
	assert_non_null(strstr(text, "\"auxv\":[{\"value\":\"7523094288207667809\"},"));
	assert_non_null(strstr(text, "\"version\":3,"));
	free(text);
}

/* what may be skipped shows, what may not is refused by its name */
static void unknown_parts_show(void **state)
{
	struct ckpt_part *part;
	char *text;
	int status, skip;

	(void)state;
	for (skip = 0; skip < 2; skip++) {
		memset(&b, 0, sizeof(b));
		builder_header(&b, CKPT_IMAGE_VERSION, NULL);
		builder_row(&b, part_row(CKPT_REC_TREE, CKPT_TAG_TREE_TASKS));
		part = builder_part_of(&b, 77, 2, 3, "future");
		part[-1].flags = skip ? CKPT_PART_SKIP : 0;
		builder_add(&b, CKPT_REC_TREE);
		builder_trailer(&b);
		text = inspect(NULL, &status);
		assert_int_equal(status, !skip);
		assert_non_null(strstr(text, skip ? "\n  unknown_part_77: 667574757265\n" :
				       "record 1 (TREE) has a part 77 that this version does not know"));
		free(text);
	}
}

static void other_versions_are_refused(void **state)
{
	char *text;
	int status;

	(void)state;
	memset(&b, 0, sizeof(b));
	builder_header(&b, CKPT_IMAGE_VERSION - 1, NULL);
	builder_trailer(&b);
	text = inspect("--json", &status);
	assert_int_equal(status, 1);
	assert_non_null(strstr(text, "the image's version 2 is older; this build reads version 3"));
	free(text);
	/* one of another machine can be looked at */
	memset(&b, 0, sizeof(b));
	builder_header(&b, CKPT_IMAGE_VERSION, "vax");
	builder_trailer(&b);
	text = inspect(NULL, &status);
	assert_int_equal(status, 0);
	assert_non_null(strstr(text, "machine: \"vax\""));
	free(text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_see_every_part),
		cmocka_unit_test(programs_get_every_part),
		cmocka_unit_test(unknown_parts_show),
		cmocka_unit_test(other_versions_are_refused),
	};

	if (argc != 2)
		return 2;
	program = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
