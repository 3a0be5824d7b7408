// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <ckpt_image.h>

#include "cleanup.h"
#include "facts.h"
#include "parts.h"

#define PIDS_MAX 60000	/* bytes: an attribute's value may have 65536 */
#define HEADS_MAX 64	/* pieces up to the end of TREE; the engine writes three and a few */

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

/* a record of the image with its parts */
struct record {
	void *body;
	size_t len;		/* bytes */
	struct parts parts;
};

static void record_free(struct record *rec)
{
	parts_free(&rec->parts);
	free(rec->body);
}

#define _cleanup_record_ __attribute__((cleanup(record_free)))

/* what a piece has, behind what the record has */
static int read_piece(struct store_reader *r, struct record *rec, uint32_t len, uint64_t at)
{
	void *body;
	int rc;

	if (rec->len + len > PARTS_BYTES_MAX)
		return -ENODATA;
	body = realloc(rec->body, rec->len + len + 1);
	if (!body)
		return -ENOMEM;
	rec->body = body;
	rc = read_at(r, (char *)body + rec->len, len, at);
	rec->len += len;
	return rc;
}

/* the record of a type among the first ones, HEADER, CONTAINER and TREE */
static int find_record(struct store_reader *r, uint16_t type, struct record *rec)
{
	struct ckpt_rec head = { 0 };
	uint64_t at = 0;
	int rc, pieces = 0;

	do {
		at += head.len;
		rc = read_at(r, &head, sizeof(head), at);
		if (rc)
			return rc;
		if (head.magic != CKPT_REC_MAGIC || head.len > CKPT_REC_LEN_MAX ||
		    head.type > CKPT_REC_TREE || pieces++ == HEADS_MAX)
			return -ENODATA;
		at += sizeof(head);
		rc = head.type == type ? read_piece(r, rec, head.len, at) : 0;
		if (rc)
			return rc;
	} while (head.type != type || head.flags & CKPT_REC_MORE);
	rc = parts_take(&rec->parts, type, head.seq, rec->body, rec->len, NULL);
	return rc && rc != -ENOMEM ? -ENODATA : rc;
}

static int kernel_of(struct store_reader *r, char **value)
{
	_cleanup_record_ struct record rec = { 0 };
	const struct ckpt_image_header *h;
	int rc = find_record(r, CKPT_REC_HEADER, &rec);

	if (rc)
		return rc;
	h = parts_find(&rec.parts, CKPT_TAG_HEADER_BASE, NULL);
	if (h->version != CKPT_IMAGE_VERSION)
		return -ENODATA;
	*value = strndup(h->release, sizeof(h->release));
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
	_cleanup_record_ struct record rec = { 0 };
	const struct ckpt_image_tree_task *tasks;
	size_t len = 0;
	uint32_t nr;
	FILE *f;
	int rc = find_record(r, CKPT_REC_TREE, &rec);

	if (rc)
		return rc;
	tasks = parts_find(&rec.parts, CKPT_TAG_TREE_TASKS, &nr);
	f = open_memstream(value, &len);
	if (!f)
		return -ENOMEM;
	print_pids(f, tasks, nr);
	return fclose(f) ? -ENOMEM : 0;
}

static int pages_of(struct store_reader *r, const struct store_info *info, char **value)
{
	struct {
		struct ckpt_rec rec;
		struct ckpt_part part;
		struct ckpt_image_trailer base;
	} end;
	int rc;

	if (info->size < sizeof(end))
		return -ENODATA;
	rc = read_at(r, &end, sizeof(end), info->size - sizeof(end));
	if (rc)
		return rc;
	if (end.rec.magic != CKPT_REC_MAGIC || end.rec.type != CKPT_REC_TRAILER ||
	    end.part.tag != CKPT_TAG_TRAILER_BASE || end.part.len != sizeof(end.base))
		return -ENODATA;
	return number(end.base.nr_pages, value);
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
