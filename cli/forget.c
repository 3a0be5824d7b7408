// SPDX-License-Identifier: GPL-2.0-only
/* ckpt forget: delete the snapshots that no rule keeps */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "names.h"
#include "place.h"
#include "retention.h"
#include "snapshots.h"

#define POLICY "/etc/ckptfs/retention"

struct forget {
	struct retention rules;	/* from the command line */
	const char *policy;
	bool all;
	bool dry_run;
};

static void print_line(const struct forget *f, const char *name, const struct snapshot *s,
		       unsigned int why)
{
	const char *sep = "  (";

	printf("%-12s %s/%s", why ? "keep" : f->dry_run ? "would remove" : "remove", name, s->name);
	for (int rule = 0; rule < NR_KEEP; rule++) {
		if (!(why >> rule & 1))
			continue;
		printf("%s%s", sep, retention_names[rule]);
		sep = ", ";
	}
	puts(why ? ")" : "");
}

static int drop(const char *dir, const struct snapshot *s, struct ckpt_error *e)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", dir, s->name) >= (int)sizeof(path))
		return error_set(e, ENAMETOOLONG, "the path of %s is too long", s->name);
	/* somebody else's rm was quicker */
	if (unlink(path) && errno != ENOENT)
		return error_sys(e, errno, "%s cannot be removed", path);
	return 0;
}

static int choose(const struct forget *f, const char *name, const char *dir,
		  const struct retention *rules, struct ckpt_error *e)
{
	_cleanup_free_ struct snapshot *list = NULL;
	_cleanup_free_ struct timespec *times = NULL;
	_cleanup_free_ unsigned int *why = NULL;
	ssize_t n = snapshots_read(dir, &list, e), i;
	int ret = 0;

	if (n <= 0)
		return (int)n;
	times = calloc(n, sizeof(*times));
	why = calloc(n, sizeof(*why));
	if (!times || !why)
		return error_set(e, ENOMEM, "no memory for the list of snapshots");
	/* they come with the oldest first */
	for (i = 0; i < n; i++)
		times[i] = list[n - 1 - i].time;
	retention_apply(rules, times, n, why);
	for (i = 0; i < n && !ret; i++) {
		print_line(f, name, &list[i], why[n - 1 - i]);
		if (!why[n - 1 - i] && !f->dry_run)
			ret = drop(dir, &list[i], e);
	}
	return ret;
}

static int forget_one(const struct forget *f, const char *name, struct ckpt_error *e)
{
	struct retention rules = f->rules;
	char path[PATH_MAX];
	int ret = place_check(name, e);

	if (!ret)
		ret = place_path(name, "snapshots", path, e);
	if (!ret && retention_empty(&rules)) {
		ret = retention_policy(f->policy, name, &rules, e);
		/* of all containers, those that nothing is said of are left alone */
		if (ret == -ENOENT && f->all && !access(f->policy, R_OK))
			return 0;
		if (ret == -ENOENT)
			return error_set(e, ENOENT, "which snapshots of %s are to be kept? Use "
					 "--keep-last and the like, or write a line into %s", name,
					 f->policy);
	}
	return ret ? ret : choose(f, name, path, &rules, e);
}

/* One that can't be cleared keeps the others from nothing; the first error is told at the end. */
static int forget_all(const struct forget *f, struct ckpt_error *e)
{
	struct ckpt_error one;
	struct dirent **list;
	int n, rc, ret = place_mounted(e);

	if (ret)
		return ret;
	n = scandir(mount_point, &list, NULL, alphasort);
	if (n < 0)
		return error_sys(e, errno, "%s cannot be read", mount_point);
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;

		rc = name[0] == '.' || name_check_place(name, NULL) ? 0 : forget_one(f, name, &one);
		/* a container that has ended meanwhile, and had no snapshots */
		if (rc && !ret && !place_check(name, NULL)) {
			*e = one;
			ret = rc;
		}
		free(list[i]);
	}
	free(list);
	/* or was it the daemon that has ended? */
	return ret ? ret : place_mounted(e);
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	struct forget f = { .policy = POLICY };
	int i, n, names = 0, ret = 0;

	/* all options first: none of them may come too late */
	for (i = 1; i < argc; i++) {
		if (argv[i][0] != '-') {
			argv[names++] = argv[i];
			continue;
		}
		n = retention_option(&f.rules, argv[i], i + 1 < argc ? argv[i + 1] : NULL, e);
		if (n < 0)
			return n;
		if (n)
			i += n - 1;
		else if (!strcmp(argv[i], "--dry-run") || !strcmp(argv[i], "-n"))
			f.dry_run = true;
		else if (!strcmp(argv[i], "--all"))
			f.all = true;
		else if (!strcmp(argv[i], "--policy") && i + 1 < argc)
			f.policy = argv[++i];
		else
			return command_usage(&command_forget, "unknown option", e);
	}
	if (f.all ? names > 0 : !names)
		return command_usage(&command_forget, "names of containers or --all are needed", e);
	if (f.all)
		return forget_all(&f, e);
	for (i = 0; i < names && !ret; i++)
		ret = forget_one(&f, argv[i], e);
	return ret;
}

const struct command command_forget = {
	.name = "forget",
	.synopsis = "NAME...|--all [--keep-last N] [--keep-hourly N] [--keep-daily N] [--keep-weekly N] [--keep-monthly N] [--keep-yearly N] [--policy FILE] [--dry-run]",
	.help =
"Deletes the snapshots of a container that no rule keeps. Each --keep rule keeps the\n"
"newest snapshot of each of the last N hours, days, weeks, months or years (UTC) that\n"
"have one; --keep-last the N newest. Without a rule those of the policy count, "
POLICY "\n"
"or FILE: lines 'NAME --keep-last N ...', and 'default --keep-last N ...' for all other\n"
"containers. With --dry-run nothing is deleted.\n",
	.run = run,
};
