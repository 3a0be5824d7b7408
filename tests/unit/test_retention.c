// SPDX-License-Identifier: GPL-2.0-only
/* Which snapshots 'ckpt forget' keeps; row D4. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "retention.h"

#define MAX 400

static struct timespec times[MAX];
static unsigned int why[MAX];

/* "2026-11-21 10:20" */
static void at(size_t i, const char *text)
{
	struct tm tm = { 0 };

	assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
				&tm.tm_hour, &tm.tm_min), 5);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	times[i] = (struct timespec){ .tv_sec = timegm(&tm) };
}

static size_t kept(size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += why[i] != 0;
	return n;
}

static void last_keeps_the_newest(void **state)
{
	struct retention r = { .keep[KEEP_LAST] = 3 };

	(void)state;
	for (size_t i = 0; i < 10; i++)
		times[i].tv_sec = 1000000 - (time_t)i;
	retention_apply(&r, times, 10, why);
	assert_int_equal(kept(10), 3);
	assert_true(why[0] && why[1] && why[2]);
	/* fewer than that: all of them */
	retention_apply(&r, times, 2, why);
	assert_int_equal(kept(2), 2);
	retention_apply(&r, times, 0, why);
}

static void the_newest_of_each_period_is_kept(void **state)
{
	struct retention r = { .keep[KEEP_HOURLY] = 2 };

	(void)state;
	at(0, "2026-11-21 10:59");
	at(1, "2026-11-21 10:01");
	at(2, "2026-11-21 10:00");
	/* an hour without any does not count */
	at(3, "2026-11-21 08:30");
	at(4, "2026-11-21 07:59");
	retention_apply(&r, times, 5, why);
	assert_int_equal(why[0], 1 << KEEP_HOURLY);
	assert_int_equal(why[3], 1 << KEEP_HOURLY);
	assert_int_equal(kept(5), 2);

	r = (struct retention){ .keep[KEEP_DAILY] = 2 };
	at(0, "2026-03-01 00:00");
	at(1, "2026-02-28 23:59");
	at(2, "2026-02-28 00:00");
	at(3, "2026-02-27 12:00");
	retention_apply(&r, times, 4, why);
	assert_true(why[0] && why[1] && !why[2] && !why[3]);

	/* 2026-11-22 is a Sunday */
	r = (struct retention){ .keep[KEEP_WEEKLY] = 2 };
	at(0, "2026-11-22 23:00");
	at(1, "2026-11-16 00:00");
	at(2, "2026-11-15 23:59");
	at(3, "2026-11-09 12:00");
	retention_apply(&r, times, 4, why);
	assert_true(why[0] && !why[1] && why[2] && !why[3]);

	r = (struct retention){ .keep[KEEP_MONTHLY] = 2 };
	at(0, "2026-01-01 00:00");
	at(1, "2025-12-31 23:59");
	at(2, "2025-12-01 00:00");
	at(3, "2024-12-01 00:00");
	retention_apply(&r, times, 4, why);
	assert_true(why[0] && why[1] && !why[2] && !why[3]);
	r = (struct retention){ .keep[KEEP_YEARLY] = 2 };
	retention_apply(&r, times, 4, why);
	assert_true(why[0] && why[1] && !why[2] && !why[3]);
}

/* A year of snapshots, one every hour, and the rules that the manual has. */
static void rules_add_up(void **state)
{
	struct retention r = { .keep = { 10, 24, 7 } };

	(void)state;
	for (size_t i = 0; i < MAX; i++)
		times[i].tv_sec = 1763683200 + 1800 - (time_t)i * 3600;
	retention_apply(&r, times, MAX, why);
	/* 24 hours, the newest 10 among them, and the newest of 5 or 6 days before */
	assert_int_equal(kept(MAX), 24 + 5);
	assert_int_equal(why[0], 1 << KEEP_LAST | 1 << KEEP_HOURLY | 1 << KEEP_DAILY);
	assert_int_equal(why[10], 1 << KEEP_HOURLY);
}

static void before_1970_counts_as_well(void **state)
{
	struct retention r = { .keep[KEEP_DAILY] = 5, .keep[KEEP_WEEKLY] = 1 };

	(void)state;
	at(0, "1970-01-01 00:00");
	at(1, "1969-12-31 23:59");
	at(2, "1969-12-31 00:00");
	retention_apply(&r, times, 3, why);
	assert_true(why[0] && why[1] && !why[2]);
}

static void options_are_read(void **state)
{
	struct retention r = { 0 };
	struct ckpt_error e = { 0 };

	(void)state;
	assert_true(retention_empty(&r));
	assert_int_equal(retention_option(&r, "--keep-last", "10", &e), 2);
	assert_int_equal(retention_option(&r, "--keep-hourly=24", "x", &e), 1);
	assert_int_equal(r.keep[KEEP_LAST], 10);
	assert_int_equal(r.keep[KEEP_HOURLY], 24);
	assert_false(retention_empty(&r));
	assert_int_equal(retention_option(&r, "--dry-run", NULL, &e), 0);
	assert_int_equal(retention_option(&r, "--keep-secondly", "1", &e), -EINVAL);
	assert_int_equal(retention_option(&r, "--keep-", "1", &e), -EINVAL);
	assert_int_equal(retention_option(&r, "--keep-last", NULL, &e), -EINVAL);
	assert_int_equal(retention_option(&r, "--keep-last", "", &e), -EINVAL);
	assert_int_equal(retention_option(&r, "--keep-last", "-1", &e), -EINVAL);
	assert_int_equal(retention_option(&r, "--keep-last", "1x", &e), -EINVAL);
	assert_int_equal(retention_option(&r, "--keep-last=99999999999999999999", NULL, &e),
			 -EINVAL);
	assert_non_null(strstr(e.text, "--keep-last"));
}

static void write_policy(char path[64], const char *text)
{
	FILE *f;
	int fd;

	strcpy(path, "/tmp/test-retention-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	fputs(text, f);
	fclose(f);
}

static void a_policy_has_lines_and_a_default(void **state)
{
	struct retention r = { 0 };
	struct ckpt_error e = { 0 };
	char path[64];

	(void)state;
	write_policy(path, "# what we keep\n\ndefault --keep-daily 7\n"
		     "web --keep-last 3 --keep-hourly=5\n");
	assert_int_equal(retention_policy(path, "web", &r, &e), 0);
	assert_int_equal(r.keep[KEEP_LAST], 3);
	assert_int_equal(r.keep[KEEP_HOURLY], 5);
	assert_int_equal(r.keep[KEEP_DAILY], 0);
	assert_int_equal(retention_policy(path, "db", &r, &e), 0);
	assert_int_equal(r.keep[KEEP_DAILY], 7);
	unlink(path);
	assert_int_equal(retention_policy(path, "db", &r, &e), -ENOENT);

	write_policy(path, "web --keep-last 3\ndefault --keep-dayly 3\n");
	/* an error is one for everybody */
	assert_int_equal(retention_policy(path, "web", &r, &e), -EINVAL);
	unlink(path);
	/* a line that would delete everything is a mistake */
	write_policy(path, "web\n");
	assert_int_equal(retention_policy(path, "web", &r, &e), -EINVAL);
	unlink(path);
	write_policy(path, "web --keep-last 3 4\n");
	assert_int_equal(retention_policy(path, "web", &r, &e), -EINVAL);
	unlink(path);
	write_policy(path, "web --keep-last 3\n");
	assert_int_equal(retention_policy(path, "other", &r, &e), -ENOENT);
	unlink(path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_keeps_the_newest),
		cmocka_unit_test(the_newest_of_each_period_is_kept),
		cmocka_unit_test(rules_add_up),
		cmocka_unit_test(before_1970_counts_as_well),
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(a_policy_has_lines_and_a_default),
	};

	return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
