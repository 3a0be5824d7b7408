// SPDX-License-Identifier: GPL-2.0-only
/* ckpt fsck: is everything in the store what it was? */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "maintenance.h"

/* What the last line of a check says when all is well; see store_fsck(). */
#define WELL "nothing is damaged"

static void print_line(void *arg, const char *text)
{
	puts(text);
	/* somebody may be watching through a pipe */
	fflush(stdout);
	*(bool *)arg = !strcmp(text, WELL);
}

static int say(void *arg, const char *text)
{
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
	ret = (repair ? store_repair : store_fsck)(st, say, well, &check, &se);
	if (ret)
		error_set(e, se.err, "%s", se.text);
	store_close(st);
	return ret;
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	bool well = false, repair = false;
	const char *path;
	int ret, n = 1;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--repair"))
			argv[n++] = argv[i];
		else
			repair = true;
	}
	ret = maintenance_args(&command_fsck, n, argv, &path, e);
	if (!ret)
		ret = path ? check_store(path, repair, &well, e) :
			maintenance_read(repair ? "repair" : "fsck", print_line, &well, e);
	if (!ret && !well)
		ret = error_set(e, EIO, "the store is damaged; snapshots that are not "
				"named above can be copied out of it");
	return ret;
}

const struct command command_fsck = {
	.name = "fsck",
	.synopsis = "[--repair] [--store PATH]",
	.help =
"Reads everything in the store back and checks it: pages of its file, blocks, snapshots.\n"
"Says what is damaged and which snapshots that affects, changes nothing, and exits with 1\n"
"when there is damage. With --repair it mends what can be, the index of keys, which finds equal\n"
"pages. With --store it looks into a store that no daemon uses.\n",
	.run = run,
};
