// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <ckpt_image.h>

#include "cleanup.h"
#include "facts.h"

#define PIDS_MAX 60000	/* bytes: an attribute's value may have 65536 */

const char *const fact_names[] = { "kernel", "new-pages", "pages", "pids", "stored", NULL };

bool fact_is(const char *name)
{
	for (size_t i = 0; fact_names[i]; i++)
		if (!strcmp(name, fact_names[i]))
			return true;
	return false;
}

static int number(uint64_t n, char **value)
{
	return asprintf(value, "%" PRIu64, n) < 0 ? -ENOMEM : 0;
}

/* all of the bytes, or -ENODATA: such a file is no image */
static int read_at(struct store_reader *r, void *buf, size_t len, uint64_t at)
{
	struct store_error e;
	ssize_t n = store_pread(r, buf, len, at, &e);

	if (n < 0)
		return n;
	return (size_t)n == len ? 0 : -ENODATA;
}

/*
 * The record of a type among the first ones, which are small: its body's place
 * in @at and length in @rec.
 */
static int find_record(struct store_reader *r, uint16_t type, struct ckpt_rec *rec, uint64_t *at)
{
	int rc;

	*at = 0;
	for (int i = 0; i < 3; i++) {
		rc = read_at(r, rec, sizeof(*rec), *at);
		if (rc)
			return rc;
		if (rec->magic != CKPT_REC_MAGIC || rec->len > CKPT_REC_LEN_MAX)
			break;
		*at += sizeof(*rec);
		if (rec->type == type)
			return 0;
		*at += rec->len;
	}
	return -ENODATA;
}

static int kernel_of(struct store_reader *r, char **value)
{
	struct ckpt_image_header h;
	struct ckpt_rec rec;
	uint64_t at;
	int rc = find_record(r, CKPT_REC_HEADER, &rec, &at);

	if (!rc)
		rc = rec.len < sizeof(h) ? -ENODATA : read_at(r, &h, sizeof(h), at);
	if (rc)
		return rc;
	*value = strndup(h.release, sizeof(h.release));
	return *value ? 0 : -ENOMEM;
}

/* the numbers of its processes, as they are in the container, between spaces */
static void print_pids(FILE *f, const struct ckpt_image_tree_task *tasks, uint32_t nr)
{
	const char *space = "";

	for (uint32_t i = 0; i < nr; i++) {
		if (!(tasks[i].flags & CKPT_TASK_LEADER))
			continue;
		if (ftell(f) > PIDS_MAX) {
			fputs(" ...", f);
			break;
		}
		fprintf(f, "%s%d", space, tasks[i].pid);
		space = " ";
	}
}

static int pids_of(struct store_reader *r, char **value)
{
	_cleanup_free_ struct ckpt_image_tree *tree = NULL;
	struct ckpt_rec rec;
	size_t len = 0;
	uint64_t at;
	FILE *f;
	int rc = find_record(r, CKPT_REC_TREE, &rec, &at);

	if (rc || rec.len < sizeof(*tree))
		return rc ? rc : -ENODATA;
	tree = malloc(rec.len);
	rc = tree ? read_at(r, tree, rec.len, at) : -ENOMEM;
	if (!rc && tree->nr_tasks > (rec.len - sizeof(*tree)) / sizeof(tree->tasks[0]))
		rc = -ENODATA;
	if (rc)
		return rc;
	f = open_memstream(value, &len);
	if (!f)
		return -ENOMEM;
	print_pids(f, tree->tasks, tree->nr_tasks);
	return fclose(f) ? -ENOMEM : 0;
}

static int pages_of(struct store_reader *r, const struct store_info *info, char **value)
{
	struct {
		struct ckpt_rec rec;
		struct ckpt_image_trailer body;
	} end;
	int rc;

	if (info->size < sizeof(end))
		return -ENODATA;
	rc = read_at(r, &end, sizeof(end), info->size - sizeof(end));
	if (rc)
		return rc;
	if (end.rec.magic != CKPT_REC_MAGIC || end.rec.type != CKPT_REC_TRAILER)
		return -ENODATA;
	return number(end.body.nr_pages, value);
}

int fact_get(uint64_t store_ino, const char *name, char **value)
{
	struct store_reader *r;
	struct store_info info;
	struct store_error e;
	int rc = store_stat_ino(fs.store, store_ino, &info, &e);

	if (rc)
		return rc;
	if (!strcmp(name, "stored"))
		return number(info.stored, value);
	if (!strcmp(name, "new-pages"))
		return number(info.stored / STORE_BLOCK, value);
	rc = store_read_open_ino(fs.store, store_ino, &r, &e);
	if (rc)
		return rc;
	if (!strcmp(name, "kernel"))
		rc = kernel_of(r, value);
	else if (!strcmp(name, "pids"))
		rc = pids_of(r, value);
	else if (!strcmp(name, "pages"))
		rc = pages_of(r, &info, value);
	else
		rc = -ENODATA;
	store_read_close(r);
	return rc;
}
