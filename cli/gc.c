// SPDX-License-Identifier: GPL-2.0-only
/* ckpt gc: free what nobody needs any more */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "maintenance.h"
#include "transfer.h"

struct freed {
	uint64_t blocks;
	uint64_t before, after;	/* bytes of the file */
};

static void take_line(void *arg, const char *text)
{
	struct freed *f = arg;

	/* a line of another kind is of a later version */
	if (sscanf(text, "freed %" SCNu64 " %" SCNu64 " %" SCNu64, &f->blocks, &f->before,
		   &f->after) != 3)
		return;
}

static int free_in_store(const char *path, struct freed *f, struct ckpt_error *e)
{
	struct store_stats before, after = { 0 };
	struct store_error se;
	struct store *st;
	int ret = maintenance_open(path, 0, &st, e);

	if (ret)
		return ret;
	ret = store_stats(st, NULL, &before, &se);
	if (!ret)
		ret = store_gc(st, &maintenance_watch, &f->blocks, &se);
	maintenance_clear();
	if (!ret)
		ret = store_stats(st, NULL, &after, &se);
	if (ret)
		error_set(e, se.err, "%s", se.text);
	store_close(st);
	f->before = before.file;
	f->after = after.file;
	return ret;
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	struct freed f = { 0 };
	char before[32], after[32];
	struct maintenance m;
	int ret = maintenance_args(&command_gc, argc, argv, &m, e);

	if (!ret)
		ret = m.store ? free_in_store(m.store, &f, e) :
			maintenance_read("gc", take_line, &f, e);
	if (!ret)
		printf("%" PRIu64 " pages freed, the store has %s, had %s\n", f.blocks,
		       transfer_size(f.after, after), transfer_size(f.before, before));
	return ret;
}

const struct command command_gc = {
	.name = "gc",
	.argp = {
		maintenance_options, maintenance_parse, NULL,
		"Frees now what no snapshot needs any more, and gives the space back to the file system. "
		"After snapshots were deleted this happens by itself, but leaves some space for reuse.",
		NULL, NULL, NULL,
	},
	.run = run,
};
