// SPDX-License-Identifier: GPL-2.0-only
/* ckpt fsck: is everything in the store what it was? */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "maintenance.h"
#include "text.h"

/* What the last line of a check says when all is well; see store_fsck(). */
#define WELL "nothing is damaged"

static void print_line(void *arg, const char *text)
{
	if (isatty(1))
		text_put(stdout, text);
	else
		fputs(text, stdout);
	putchar('\n');
	/* somebody may be watching through a pipe */
	fflush(stdout);
	*(bool *)arg = !strcmp(text, WELL);
}

static int say(void *arg, const char *text)
{
	maintenance_clear();
	print_line(arg, text);
	return 0;
}

static int check_store(const char *path, bool repair, bool *well, struct ckpt_error *e)
{
	struct store_check check;
	struct store_error se;
	struct store *st;
	int ret = maintenance_open(path, repair ? 0 : STORE_READONLY, &st, e);

	if (ret)
		return ret;
	ret = (repair ? store_repair : store_fsck)(st, say, well, &maintenance_watch, &check, &se);
	maintenance_clear();
	if (ret)
		error_set(e, se.err, "%s", se.text);
	store_close(st);
	return ret;
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	struct maintenance m;
	bool well = false;
	int ret = maintenance_args(&command_fsck, argc, argv, &m, e);

	if (!ret)
		ret = m.store ? check_store(m.store, m.repair, &well, e) :
			maintenance_read(m.repair ? "repair" : "fsck", print_line, &well, e);
	if (!ret && !well)
		ret = error_set(e, EIO, "the store is damaged; snapshots that are not "
				"named above can be copied out of it");
	return ret;
}

static const struct argp_option options[] = {
	{ "repair", MAINTENANCE_REPAIR, NULL, 0,
	  "Mend what can be: the index of keys, which finds equal pages", 0 },
	{ "store", MAINTENANCE_STORE, "PATH", 0, "Use this store, which no daemon has", 0 },
	{ 0 },
};

const struct command command_fsck = {
	.name = "fsck",
	.argp = {
		options, maintenance_parse, NULL,
		"Reads everything in the store back and checks it: pages of its file, blocks, snapshots. "
		"Says what is damaged and which snapshots that affects, changes nothing, and exits with 1 "
		"when there is damage.",
		NULL, NULL, NULL,
	},
	.run = run,
};
