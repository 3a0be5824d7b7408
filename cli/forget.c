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
#include "text.h"

#define POLICY "/etc/ckptfs/retention"

/* --keep-last; the other rules follow it */
#define OPTION_KEEP 256
#define OPTION_POLICY (OPTION_KEEP + NR_KEEP)

struct forget {
	struct retention rules;	/* from the command line */
	const char *policy;
	char **names;
	int nr_names;
	bool all;
	bool dry_run;
	bool verbose;
};

static void print_line(const struct forget *f, const char *name, const struct snapshot *s,
		       unsigned int why)
{
	char shown_name[TEXT_NAME_MAX], shown[TEXT_NAME_MAX];
	const char *sep = "  (";

	/* what stays every hour is no news */
	if (why && !f->verbose)
		return;
	printf("%-12s %s/%s", why ? "keep" : f->dry_run ? "would remove" : "remove",
	       text_name(stdout, name, shown_name), text_name(stdout, s->name, shown));
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

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct forget *f = state->input;
	struct ckpt_error e;
	char rule[32];

	if (key >= OPTION_KEEP && key < OPTION_KEEP + NR_KEEP) {
		snprintf(rule, sizeof(rule), "--keep-%s", retention_names[key - OPTION_KEEP]);
		if (retention_option(&f->rules, rule, arg, &e) < 0)
			argp_error(state, "%s", e.text);
		return 0;
	}
	switch (key) {
	case 'a':
		f->all = true;
		return 0;
	case 'n':
		f->dry_run = true;
		f->verbose = true;
		return 0;
	case OPTION_POLICY:
		f->policy = arg;
		return 0;
	case 'v':
		f->verbose = true;
		return 0;
	case ARGP_KEY_ARGS:
		f->names = state->argv + state->next;
		f->nr_names = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (f->all && f->nr_names)
			argp_error(state, "--all takes no names of containers");
		if (!f->all && !f->nr_names)
			argp_error(state, "names of containers, or --all, are missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	struct forget f = { .policy = POLICY };
	int i, ret = 0;

	command_parse(&command_forget, argc, argv, &f);
	if (f.all)
		return forget_all(&f, e);
	for (i = 0; i < f.nr_names && !ret; i++)
		ret = forget_one(&f, f.names[i], e);
	return ret;
}

static const struct argp_option options[] = {
	{ "all", 'a', NULL, 0, "Do so for all containers", 0 },
	{ "keep-last", OPTION_KEEP + KEEP_LAST, "N", 0, "Keep the N newest", 0 },
	{ "keep-hourly", OPTION_KEEP + KEEP_HOURLY, "N", 0,
	  "Keep the newest of each of the last N hours (UTC) that have one", 0 },
	{ "keep-daily", OPTION_KEEP + KEEP_DAILY, "N", 0,
	  "Keep the newest of each of the last N days (UTC) that have one", 0 },
	{ "keep-weekly", OPTION_KEEP + KEEP_WEEKLY, "N", 0, "The same for weeks, from Monday", 0 },
	{ "keep-monthly", OPTION_KEEP + KEEP_MONTHLY, "N", 0, "The same for months", 0 },
	{ "keep-yearly", OPTION_KEEP + KEEP_YEARLY, "N", 0, "The same for years", 0 },
	{ "policy", OPTION_POLICY, "FILE", 0, "Where the rules are when none is given; default: " POLICY, 0 },
	{ "dry-run", 'n', NULL, 0, "Delete nothing, and say what becomes of each snapshot", 0 },
	{ "verbose", 'v', NULL, 0, "Print what is kept, too, and which rule keeps it", 0 },
	{ 0 },
};

const struct command command_forget = {
	.name = "forget",
	.argp = {
		options, parse, "NAME...\n--all",
		"Deletes the snapshots of containers that no rule keeps, and prints which.\v"
		"The policy has lines 'NAME --keep-last N ...', and 'default --keep-last N ...' for all "
		"other containers.",
		NULL, NULL, NULL,
	},
	.run = run,
};
