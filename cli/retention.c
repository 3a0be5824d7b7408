// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "retention.h"

#define DAY 86400

const char *const retention_names[NR_KEEP] = {
	[KEEP_LAST] = "last",
	[KEEP_HOURLY] = "hourly",
	[KEEP_DAILY] = "daily",
	[KEEP_WEEKLY] = "weekly",
	[KEEP_MONTHLY] = "monthly",
	[KEEP_YEARLY] = "yearly",
};

bool retention_empty(const struct retention *r)
{
	for (int rule = 0; rule < NR_KEEP; rule++)
		if (r->keep[rule])
			return false;
	return true;
}

int retention_option(struct retention *r, const char *option, const char *value,
		     struct ckpt_error *e)
{
	static const char prefix[] = "--keep-";
	const char *equals = strchr(option, '=');
	size_t len = equals ? (size_t)(equals - option) : strlen(option);
	char *end;
	int rule;

	if (strncmp(option, prefix, sizeof(prefix) - 1))
		return 0;
	for (rule = 0; rule < NR_KEEP; rule++)
		if (strlen(retention_names[rule]) == len - (sizeof(prefix) - 1) &&
		    !strncmp(option + sizeof(prefix) - 1, retention_names[rule],
			     len - (sizeof(prefix) - 1)))
			break;
	if (rule == NR_KEEP)
		return error_set(e, EINVAL, "there is no %.*s: use --keep-last, -hourly, -daily, "
				 "-weekly, -monthly or -yearly", (int)len, option);
	value = equals ? equals + 1 : value;
	errno = 0;
	if (value && *value >= '0' && *value <= '9')
		r->keep[rule] = strtoul(value, &end, 10);
	if (!value || *value < '0' || *value > '9' || *end || errno)
		return error_set(e, EINVAL, "%.*s needs a number, not '%s'", (int)len, option,
				 value ? value : "");
	return equals ? 1 : 2;
}

/* Snapshots with the same number are of the same hour, day ... */
static long long period(enum retention_rule rule, const struct timespec *t, size_t i)
{
	/* 1970-01-01 was a Thursday */
	long long day = (t->tv_sec - (t->tv_sec % DAY + DAY) % DAY) / DAY;
	struct tm tm;

	gmtime_r(&t->tv_sec, &tm);
	switch (rule) {
	case KEEP_LAST:
		return (long long)i;
	case KEEP_HOURLY:
		return day * 24 + tm.tm_hour;
	case KEEP_DAILY:
		return day;
	case KEEP_WEEKLY:
		day += 3;
		return (day - (day % 7 + 7) % 7) / 7;
	case KEEP_MONTHLY:
		return tm.tm_year * 12LL + tm.tm_mon;
	default:
		return tm.tm_year;
	}
}

void retention_apply(const struct retention *r, const struct timespec *times, size_t count,
		     unsigned int *why)
{
	long long now, last = 0;
	unsigned long left;

	memset(why, 0, count * sizeof(*why));
	for (int rule = 0; rule < NR_KEEP; rule++) {
		left = r->keep[rule];
		for (size_t i = 0; i < count && left; i++) {
			now = period((enum retention_rule)rule, &times[i], i);
			if (i && now == last)
				continue;
			why[i] |= 1U << rule;
			last = now;
			left--;
		}
	}
}

static int parse_line(char *words, const char *file, struct retention *r, struct ckpt_error *e)
{
	struct ckpt_error why = { 0 };
	char *rest = NULL, *option, *value;
	int n;

	*r = (struct retention){ 0 };
	option = strtok_r(words, " \t\n", &rest);
	while (option) {
		value = strtok_r(NULL, " \t\n", &rest);
		n = retention_option(r, option, value, &why);
		if (n <= 0)
			return error_set(e, EINVAL, "%s: %s%s", file, n ? why.text :
					 "this is no option: ", n ? "" : option);
		option = n == 1 ? value : strtok_r(NULL, " \t\n", &rest);
	}
	if (retention_empty(r))
		return error_set(e, EINVAL, "%s: a line keeps nothing; remove it to keep everything",
				 file);
	return 0;
}

int retention_policy(const char *file, const char *name, struct retention *r,
		     struct ckpt_error *e)
{
	_cleanup_file_ FILE *f = fopen(file, "re");
	struct retention other;
	char line[1024], *word, *rest;
	int ret = -ENOENT, rc;
	bool mine = false;

	if (!f)
		return error_sys(e, errno, "the policy %s cannot be read", file);
	while (fgets(line, sizeof(line), f)) {
		word = strtok_r(line, " \t\n", &rest);
		if (!word || word[0] == '#')
			continue;
		/* every line is read: an error in one must not wait for its turn */
		rc = parse_line(rest, file, &other, e);
		if (rc)
			return rc;
		if (!strcmp(word, name))
			mine = true;
		else if (mine || strcmp(word, "default"))
			continue;
		*r = other;
		ret = 0;
	}
	return ret ? error_set(e, ENOENT, "%s has no line for %s and no default", file, name) : 0;
}
