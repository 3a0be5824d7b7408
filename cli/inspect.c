// SPDX-License-Identifier: GPL-2.0-only
/* ckpt inspect: the records of an image */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "image.h"
#include "inspect.h"

static const struct inspect_type *find_in(const struct inspect_type *list, size_t nr,
					  uint16_t type)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (list[i].type == type)
			return &list[i];
	return NULL;
}

static int print_record(struct emit *m, const struct image_reader *r, struct ckpt_error *e)
{
	const char *name = image_rec_name(r->rec.type);
	struct cursor c = { .p = r->body ? r->body : "", .left = r->rec.len };
	const struct inspect_type *t;
	char unknown[16];
	bool whole = true;

	snprintf(unknown, sizeof(unknown), "TYPE-%u", r->rec.type);
	emit_record(m, name ? name : unknown, r->rec.seq, r->rec_offset, r->rec.len);
	t = find_in(inspect_objects, inspect_nr_objects, r->rec.type);
	if (!t)
		t = find_in(inspect_tasks, inspect_nr_tasks, r->rec.type);
	if (t)
		whole = t->print(m, &c);
	emit_record_end(m);
	if (!whole)
		return error_set(e, EINVAL, "the image is damaged: record %u (%s) is too short for what it holds",
				 r->rec.seq, name);
	if (r->rec.seq)
		return 0;
	if (r->rec.type != CKPT_REC_HEADER)
		return error_set(e, EINVAL, "the image is damaged: it does not begin with a HEADER");
	return image_check_header(r, e);
}

static int inspect(int fd, bool json, struct ckpt_error *e)
{
	struct emit m = { .out = stdout, .json = json };
	struct image_reader r;
	int ret, bad = 0;

	image_init(&r, fd);
	emit_begin(&m);
	/* an image of another machine can be looked at all the same */
	while ((ret = image_next(&r, e)) > 0 && (!bad || bad == -ENOEXEC))
		bad = print_record(&m, &r, e) ? -e->err : bad;
	emit_end(&m);
	if (!ret && bad == -ENOEXEC)
		bad = 0;
	if (!ret && !bad && !json)
		printf("whole: %" PRIu32 " records, %" PRIu64 " pages, %" PRIu64 " bytes, every checksum right\n",
		       r.seq, r.nr_pages, r.offset);
	image_done(&r);
	return ret < 0 ? ret : bad;
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	_cleanup_fd_ int fd = -1;
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (c != 'j')
			return command_usage(&command_inspect, "an option is not known", e);
		json = true;
	}
	if (argc - optind != 1)
		return command_usage(&command_inspect, "one file is needed", e);
	fd = strcmp(argv[optind], "-") ? open(argv[optind], O_RDONLY | O_CLOEXEC) : dup(0);
	if (fd < 0)
		return error_sys(e, errno, "%s cannot be opened", argv[optind]);
	return inspect(fd, json, e);
}

const struct command command_inspect = {
	.name = "inspect",
	.synopsis = "[--json] FILE",
	.help =
"Prints every record of the image FILE (- for standard input), and checks all\n"
"checksums: exits 1 if the image is cut off or damaged.\n"
"\n"
"  --json           as one JSON array\n",
	.run = run,
};
