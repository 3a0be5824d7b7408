// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "check_load.h"
#include "check_restart.h"
#include "cleanup.h"
#include "externals.h"
#include "proc.h"
#include "root.h"
#include "tree.h"

static void check_tree(struct image_check *c, const struct tree *t)
{
	char text[32];
	long max = 0;
	uint32_t i;

	if (proc_read(AT_FDCWD, "/proc/sys/kernel/pid_max", text, sizeof(text)) > 0)
		max = atol(text);
	for (i = 0; max && i < t->nr; i++)
		if (t->tasks[i].pid >= max) {
			reason(&c->reasons, "pids: %d is more than kernel.pid_max, %ld, allows: raise it",
			       t->tasks[i].pid, max);
			return;
		}
}

/* ---- what is around ---- */

static void check_name(struct image_check *c)
{
	const struct description *d = c->description;
	struct cgroup cgroup = { .fd = -1 };
	char rel[PATH_MAX / 2];
	struct ckpt_error e;

	/* as ckpt-restart chooses it */
	if (c->name && strcmp(c->name, d->name))
		snprintf(rel, sizeof(rel), "%s/%s", CGROUP_PARENT, c->name);
	else
		strcpy(rel, d->cgroup);
	if (!cgroup_open(&cgroup, rel, &e)) {
		if (cgroup_populated(&cgroup))
			reason(&c->reasons, "name: container %s is running: end it with 'ckpt kill %s', or choose another name",
			       c->name, c->name);
	} else if (e.err != ENOENT) {
		reason(&c->reasons, "cgroup: %s", e.text);
	}
	cgroup_close(&cgroup);
}

static bool is_shared(struct libmnt_table *host, int fd)
{
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	const char *fields = NULL;
	struct libmnt_fs *fs;
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx))
		sx.stx_mnt_id = 0;
	while (it && mnt_table_next_fs(host, it, &fs) == 0)
		if ((uint64_t)mnt_fs_get_id(fs) == sx.stx_mnt_id)
			fields = mnt_fs_get_optional_fields(fs);
	mnt_free_iter(it);
	return fields && strstr(fields, "shared:");
}

static void check_mounts(struct image_check *c)
{
	struct libmnt_table *host = mnt_new_table_from_file("/proc/self/mountinfo");
	const struct mount_entry *m = c->description->mounts;
	size_t i;

	for (i = 0; i < c->description->nr_mounts; i++, m++) {
		_cleanup_fd_ int fd = -1;

		if (m->kind != MOUNT_BIND)
			continue;
		fd = root_open_plain(AT_FDCWD, m->source);
		if (fd < 0)
			reason(&c->reasons, "mount: %s, which the container has mounted on %s, cannot be had: %s",
			       m->source, m->target, strerror(errno));
		else if (m->propagation == PROPAGATION_SLAVE && host && !is_shared(host, fd))
			reason(&c->reasons, "mount: %s, whose mounts the container follows on %s, is in no shared mount: run 'mount --make-shared' for it",
			       m->source, m->target);
	}
	mnt_unref_table(host);
}

/* ---- the image ---- */

static int read_front(struct image_reader *im, struct image_check *c, struct description *d,
		      const struct report *report, const char *name, uint32_t *nr_tasks,
		      struct ckpt_error *e)
{
	const struct ckpt_image_tree_task *tasks;
	struct tree tree = { 0 };
	const char *text;
	uint32_t nr;
	int ret = image_begin(im, e);

	if (!ret)
		ret = image_check_machine(im, e);
	if (ret == -ENOEXEC) {
		reason(&c->reasons, "machine: %s", e->text);
		*e = (struct ckpt_error){ 0 };
		ret = 0;
	}
	if (!ret)
		ret = image_expect(im, CKPT_REC_CONTAINER, e);
	if (!ret) {
		text = image_part(im, CONTAINER, TEXT, &nr);
		ret = description_parse(d, text ? text : "", nr, e);
	}
	if (!ret)
		ret = image_expect(im, CKPT_REC_TREE, e);
	if (ret)
		return ret;
	c->name = name ? name : d->name;
	report_fact(report, "name", "%s", c->name);
	tasks = image_part(im, TREE, TASKS, &nr);
	if (tree_parse(&tree, tasks, nr, e) == -EINVAL) {
		tree_free(&tree);
		return -EINVAL;
	}
	if (e->err)
		reason(&c->reasons, "tasks: %s", e->text);
	else
		check_tree(c, &tree);
	*e = (struct ckpt_error){ 0 };
	*nr_tasks = nr;
	tree_free(&tree);
	check_name(c);
	check_mounts(c);
	return 0;
}

/* by us, for what it needs around it, and by the engine */
static int read_rest(struct image_reader *im, struct image_check *c, struct externals *x,
		     uint32_t nr_tasks, struct ckpt_error *e)
{
	struct files *files = files_new(c);
	struct load *load = NULL;
	int ret = files ? 0 : error_set(e, ENOMEM, "no memory for the image's files");

	if (!ret) {
		load = load_begin(im, nr_tasks, &c->reasons);
		ret = load ? 0 : -e->err;
	}
	while (!ret) {
		ret = image_next(im, e);
		if (ret <= 0)
			break;
		ret = 0;
		if (im->rec.type == CKPT_REC_FILE || im->rec.type == CKPT_REC_MM)
			ret = files_note(files, im, e);
		if (im->rec.type == CKPT_REC_EXTERNAL)
			ret = image_parts(im, e) ? -e->err : externals_note(x, im, &c->reasons);
	}
	if (!ret)
		ret = externals_check(x, &c->reasons);
	/* of what is cut off or damaged no more is said than that */
	if (ret)
		load_end(load, im, NULL);
	else
		ret = load_end(load, im, &c->reasons);
	files_end(files, !ret);
	return ret;
}

int check_restart(const struct report *report, const char *name, struct externals *x,
		  struct ckpt_error *e)
{
	struct description d = { 0 };
	struct image_check c = { .reasons = { .to = stdout, .e = e }, .description = &d };
	struct image_reader im;
	uint32_t nr_tasks;
	int ret = 0;

	if (isatty(0))
		return error_set(e, EINVAL, "the image comes from standard input: give it a file or a pipe");
	if (name)
		ret = name_check_place(name, e);
	if (ret)
		return ret;
	image_init(&im, 0);
	ret = read_front(&im, &c, &d, report, name, &nr_tasks, e);
	if (!ret)
		ret = read_rest(&im, &c, x, nr_tasks, e);
	image_done(&im);
	description_free(&d);
	if (fflush(stdout) || ferror(stdout))
		ret = error_sys(e, errno, "standard output cannot be written");
	report_fact(report, "reasons", "%u", c.reasons.nr);
	return ret ? ret : (int)c.reasons.nr;
}
