// SPDX-License-Identifier: GPL-2.0-only
/* ckpt stats: what snapshots have and what they take */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "command.h"
#include "maintenance.h"
#include "text.h"
#include "transfer.h"

static void print_row(const char *name, uint64_t snapshots, uint64_t logical, uint64_t stored)
{
	char a[32], b[32], shown[TEXT_NAME_MAX];

	printf("%-24s %9" PRIu64 " %12s %12s", text_name(stdout, name, shown), snapshots,
	       transfer_size(logical, a), transfer_size(stored, b));
	if (stored)
		printf(" %9.1f\n", (double)logical / (double)stored);
	else
		printf(" %9s\n", "-");
}

static void print_head(void)
{
	printf("%-24s %9s %12s %12s %9s\n", "NAME", "SNAPSHOTS", "LOGICAL", "STORED", "RATIO");
}

static void print_file(uint64_t size, uint64_t unused)
{
	char a[32], b[32];

	printf("\nThe file has %s, of which %s wait for reuse.\n", transfer_size(size, a),
	       transfer_size(unused, b));
}

static void print_line(void *arg, const char *text)
{
	uint64_t n[3];
	int at = 0;

	if (!*(bool *)arg)
		print_head();
	*(bool *)arg = true;
	if (sscanf(text, "container %" SCNu64 " %" SCNu64 " %" SCNu64 " %n", &n[0], &n[1], &n[2],
		   &at) == 3 && at)
		print_row(text + at, n[0], n[1], n[2]);
	else if (sscanf(text, "all %" SCNu64 " %" SCNu64 " %" SCNu64, &n[0], &n[1], &n[2]) == 3)
		print_row("(all)", n[0], n[1], n[2]);
	else if (sscanf(text, "file %" SCNu64 " %" SCNu64, &n[0], &n[1]) == 2)
		print_file(n[0], n[1]);
}

static int print_store(const char *path, struct ckpt_error *e)
{
	_cleanup_free_ struct store_usage *list = NULL;
	struct store_usage all;
	struct store_stats stats;
	struct store_error se;
	struct store *st;
	size_t count;
	int ret = maintenance_open(path, STORE_READONLY, &st, e);

	if (ret)
		return ret;
	ret = store_usage(st, &maintenance_watch, &list, &count, &all, &se);
	maintenance_clear();
	if (!ret)
		ret = store_stats(st, NULL, &stats, &se);
	store_close(st);
	if (ret)
		return error_set(e, se.err, "%s", se.text);
	print_head();
	for (size_t i = 0; i < count; i++)
		print_row(list[i].name, list[i].snapshots, list[i].logical, list[i].stored);
	print_row("(all)", all.snapshots, all.logical, all.stored);
	print_file(stats.file, stats.unused);
	return 0;
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	bool begun = false;
	struct maintenance m;
	int ret = maintenance_args(&command_stats, argc, argv, &m, e);

	if (ret)
		return ret;
	return m.store ? print_store(m.store, e) :
		maintenance_read("stats", print_line, &begun, e);
}

const struct command command_stats = {
	.name = "stats",
	.argp = {
		maintenance_options, maintenance_parse, NULL,
		"Prints for each container, and for all of them: number of snapshots, the sum of their "
		"sizes, what they take in the store, and how many times less that is. What containers "
		"share counts in each of them, and once in all.",
		NULL, NULL, NULL,
	},
	.run = run,
};
