// SPDX-License-Identifier: GPL-2.0-only
/*
 * store-put STORE GROUP NAME: stores what comes on standard input, as the daemon does
 *	while somebody reads an image; the store is made when it is not there.
 * store-put -g STORE: waits until the space of what was deleted is free.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store.h"

#define PIECE (128 * 1024)	/* what the kernel asks the daemon for at a time */

static int put(struct store *st, const char *group, const char *name, struct store_error *e)
{
	static char buf[PIECE];
	struct store_writer *w;
	ssize_t n;
	int ret = store_write_begin(st, group, name, 0, &w, e);

	if (ret)
		return ret;
	while (!ret && (n = read(0, buf, sizeof(buf))) > 0)
		ret = store_append(w, buf, (size_t)n, e);
	if (!ret)
		ret = store_commit(w, 0, NULL, 0, e);
	if (ret)
		store_abort(w);
	return ret;
}

/* The most memory that this process had, in KiB, as /proc says it. */
static void print_memory(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "VmHWM:", 6) || !strncmp(line, "RssFile:", 8))
			fputs(line, stdout);
	if (f)
		fclose(f);
}

int main(int argc, char **argv)
{
	int gc = argc > 1 && !strcmp(argv[1], "-g");
	struct store_error e = { 0 };
	struct store *st;
	int ret;

	argv += gc;
	if (argc != (gc ? 3 : 4)) {
		fputs("usage: store-put [-g] STORE [GROUP NAME]\n", stderr);
		return 2;
	}
	ret = store_open(&st, argv[1], gc ? 0 : STORE_CREATE, &e);
	if (!ret) {
		ret = gc ? store_gc(st, NULL, NULL, &e) : put(st, argv[2], argv[3], &e);
		store_close(st);
	}
	if (ret)
		fprintf(stderr, "store-put: %s\n", e.text);
	else
		print_memory();
	return ret ? 1 : 0;
}
