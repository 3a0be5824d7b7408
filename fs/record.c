// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "child.h"
#include "fs.h"
#include "log.h"
#include "perm.h"
#include "record.h"

static void take_time(struct record *r)
{
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &r->began);
	gmtime_r(&r->began.tv_sec, &tm);
	strftime(r->time, sizeof(r->time), "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static int64_t began_ns(const struct record *r)
{
	return r->began.tv_sec * 1000000000LL + r->began.tv_nsec;
}

/* the snapshot's name: its time, and a number when that second has one already */
static void nth_name(const struct record *r, int n, char name[LAST_NAME_SIZE])
{
	snprintf(name, LAST_NAME_SIZE, n ? "%s.%d" : "%s", r->time, n);
}

/*
 * A user may name a container as root or somebody else named one that has a
 * history here. It must not get into that: "latest" is what people restart.
 */
const char *record_wanted(const struct container *c)
{
	struct store_info newest;
	struct store_error e;
	struct perm perm;
	int rc;

	if (!fs.opt.record)
		return "the daemon was told so (record=no)";
	if (!c->owner)
		return NULL;
	rc = store_latest(fs.store, c->name, &newest, &e);
	if (rc == -ENOENT || (!rc && !perm_get(newest.ino, &perm) && perm.uid == c->owner))
		return NULL;
	return "the history is another user's";
}

static void drop_with(struct record *r, const struct store_error *e)
{
	log_line(r->log, "not recorded: %s", e->text);
	r->failed = -e->err;
	record_drop(r);
}

void record_begin(struct record *r, const struct container *c, int log)
{
	const char *why = record_wanted(c);
	char name[LAST_NAME_SIZE];
	struct store_error e;
	int rc = -EEXIST;

	*r = (struct record){ .c = c, .log = log };
	take_time(r);
	if (why) {
		log_line(log, "not recorded: %s", why);
		return;
	}
	while (rc == -EEXIST) {
		nth_name(r, r->nth, name);
		rc = store_write_begin(fs.store, c->name, name, 0, &r->writer, &e);
		if (rc == -EEXIST)
			r->nth++;
	}
	if (rc)
		drop_with(r, &e);
}

void record_append(struct record *r, const void *data, size_t len)
{
	struct store_error e;

	if (r->writer && store_append(r->writer, data, len, &e))
		drop_with(r, &e);
}

void record_drop(struct record *r)
{
	store_abort(r->writer);
	r->writer = NULL;
}

/*
 * Its time in the history: that of its beginning, or just behind the one before if
 * the clock was set back: "latest" is the last one. An import may be of any time.
 */
static int64_t time_of(const struct record *r)
{
	int64_t ns = began_ns(r);
	struct store_info newest;
	struct store_error e;
	char *init = NULL;

	if (store_latest(fs.store, r->c->name, &newest, &e) || newest.mtime_ns < ns ||
	    store_attr_get(fs.store, newest.ino, "init", &init, &e))
		return ns;
	free(init);
	return newest.mtime_ns + 1;
}

static int commit(struct record *r, const struct store_attr *attrs, size_t count,
		  struct store_error *e)
{
	uint64_t ino = store_writer_ino(r->writer);
	char name[LAST_NAME_SIZE];
	int rc;

	for (;;) {
		rc = store_commit(r->writer, time_of(r), attrs, count, e);
		if (rc != -EEXIST)
			break;
		/* another one was quicker */
		nth_name(r, ++r->nth, name);
		rc = store_writer_rename(r->writer, r->c->name, name, e);
		if (rc && rc != -EEXIST)
			break;
	}
	if (rc)
		return rc;
	r->writer = NULL;
	r->ino = ino;
	nth_name(r, r->nth, r->name);
	log_line(r->log, "recorded as snapshot %s", r->name);
	return 0;
}

/* what a report tells: these lines of it, as attributes; returns how many */
static size_t from_report(const char *report, struct store_attr attrs[3], char values[3][32])
{
	static const char *const copied[] = { "id", "pages", "pause-us" };
	size_t n = 0;

	for (size_t i = 0; i < 3; i++)
		if (!report_value(report, copied[i], values[n], sizeof(values[n]))) {
			attrs[n] = (struct store_attr){ copied[i], values[n] };
			n++;
		}
	return n;
}

int record_keep(struct record *r, const char *report)
{
	char values[3][32], init[16], perm[PERM_TEXT_MAX];
	struct store_attr attrs[8];
	struct utsname uts;
	struct store_error e;
	size_t n;

	if (!r->writer)
		return r->failed;
	n = from_report(report, attrs, values);
	uname(&uts);
	snprintf(init, sizeof(init), "%d", r->c->init);
	perm_format(&(struct perm){ r->c->owner, 0, 0400, perm_now() }, perm);
	attrs[n++] = (struct store_attr){ "kernel", uts.release };
	attrs[n++] = (struct store_attr){ "init", init };
	attrs[n++] = (struct store_attr){ "cgroup", r->c->cgroup };
	attrs[n++] = (struct store_attr){ PERM_ATTR, perm };
	if (commit(r, attrs, n, &e))
		drop_with(r, &e);
	return r->failed;
}

/* it was kept before that was known */
static void add_report(struct record *r, const char *report)
{
	struct store_attr attrs[3];
	struct store_error e;
	char values[3][32];

	for (size_t n = from_report(report, attrs, values); n--;)
		if (store_attr_set(fs.store, r->ino, attrs[n].key, attrs[n].value, &e))
			log_line(r->log, "%s of snapshot %s is not noted: %s", attrs[n].key,
				 r->name, e.text);
}

void record_end(struct record *r, const char *report)
{
	struct last_checkpoint last = { .time_ns = began_ns(r) };

	last.pause_us = report_number(report, "pause-us");
	if (r->name[0])
		add_report(r, report);
	else
		record_keep(r, report);
	snprintf(last.name, sizeof(last.name), "%s", r->name);
	last_set(r->c->name, &last);
}
