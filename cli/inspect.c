// SPDX-License-Identifier: GPL-2.0-only
/* ckpt inspect: the records of an image */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "image.h"
#include "inspect.h"

/* longest name of a part with its NUL */
#define NAME_SIZE 32

static const struct inspect_part *find_in(const struct inspect_part *list, size_t nr,
					  const struct part_row *row)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (list[i].type == row->type && list[i].tag == row->tag)
			return &list[i];
	return NULL;
}

static const struct inspect_part *find_words(const struct part_row *row)
{
	const struct inspect_part *words = find_in(inspect_objects, inspect_nr_objects, row);

	return words ? words : find_in(inspect_tasks, inspect_nr_tasks, row);
}

/* an element that there are no words for: numbers of 8 bytes, and of fewer at its end */
static void print_numbers(struct emit *m, const void *p, uint32_t size)
{
	char name[NAME_SIZE];
	uint32_t at, width;

	for (at = 0; at < size; at += width) {
		for (width = 8; width > size - at; width /= 2)
			;
		snprintf(name, sizeof(name), "at_%u", at);
		emit_struct(m, (struct emit_fields){
			&(struct emit_field){ size == width ? "value" : name, at, width, EMIT_HEX }, 1
		}, p);
	}
}

static void print_element(struct emit *m, const struct part *part,
			  const struct inspect_part *words, uint32_t i)
{
	const char *p = (const char *)part->data + (size_t)i * part->row->size;

	if (words && words->fields.nr)
		emit_struct(m, words->fields, p);
	else
		print_numbers(m, p, part->row->size);
}

static void print_list(struct emit *m, const char *name, const struct part *part,
		       const struct inspect_part *words)
{
	uint32_t i;

	emit_list(m, name);
	for (i = 0; i < part->nr; i++) {
		emit_group(m);
		print_element(m, part, words, i);
		emit_group_end(m);
	}
	emit_list_end(m);
}

/* the fields of BASE are those of the record */
static void print_part(struct emit *m, const struct part *part)
{
	const struct inspect_part *words = find_words(part->row);
	char name[NAME_SIZE] = "";
	size_t i;

	for (i = 0; i < sizeof(name) - 1 && part->row->name[i]; i++)
		name[i] = tolower((unsigned char)part->row->name[i]);
	if (words && words->print) {
		words->print(m, name, part);
	} else if (part->row->base) {
		print_element(m, part, words, 0);
	} else if (part->row->text) {
		emit_string(m, name, part->data, part->nr);
	} else if (part->row->size == 1) {
		emit_bytes(m, name, part->data, part->nr);
	} else if (part->row->max == 1) {
		emit_named_group(m, name);
		print_element(m, part, words, 0);
		emit_group_end(m);
	} else {
		print_list(m, name, part, words);
	}
}

/* what may be skipped is not passed over in silence */
static void print_unknown(struct emit *m, const struct ckpt_part *head)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "unknown_part_%u", head->tag);
	emit_bytes(m, name, (const char *)(head + 1), head->len);
}

static void print_parts(struct emit *m, const struct image_reader *r)
{
	struct part_cursor c = { .p = r->body, .left = r->body_len };
	const struct part *part = r->parts.list;
	const struct ckpt_part *head;

	while (part_next(&c, &head) > 0) {
		if (part_row(r->rec.type, head->tag))
			print_part(m, part++);
		else
			print_unknown(m, head);
	}
}

static int print_record(struct emit *m, struct image_reader *r, struct ckpt_error *e)
{
	int ret = image_parts(r, e);

	if (ret)
		return ret;
	emit_record(m, record_name(r->rec.type), r->rec.seq, r->rec_offset, r->body_len);
	print_parts(m, r);
	emit_record_end(m);
	return 0;
}

static int print_records(struct emit *m, struct image_reader *r, struct ckpt_error *e)
{
	int ret = image_begin(r, e);

	if (!ret)
		ret = print_record(m, r, e);
	/* an image of another machine can be looked at all the same */
	while (!ret && (ret = image_next(r, e)) > 0)
		ret = print_record(m, r, e);
	return ret;
}

static int inspect(int fd, bool json, struct ckpt_error *e)
{
	struct emit m = { .out = stdout, .json = json };
	struct image_reader r;
	int ret;

	image_init(&r, fd);
	emit_begin(&m);
	ret = print_records(&m, &r, e);
	emit_end(&m);
	if (!ret && !json)
		printf("whole: %" PRIu32 " records, %" PRIu64 " pages, %" PRIu64 " bytes, every checksum right\n",
		       r.seq, r.nr_pages, r.offset);
	image_done(&r);
	return ret;
}

struct inspect_options {
	const char *file;
	bool json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct inspect_options *o = state->input;

	switch (key) {
	case 'j':
		o->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->file)
			return ARGP_ERR_UNKNOWN;
		o->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->file)
			argp_error(state, "the image's file is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run(int argc, char **argv, struct ckpt_error *e)
{
	struct inspect_options o = { 0 };
	_cleanup_fd_ int fd = -1;

	command_parse(&command_inspect, argc, argv, &o);
	fd = strcmp(o.file, "-") ? open(o.file, O_RDONLY | O_CLOEXEC) : dup(0);
	if (fd < 0)
		return error_sys(e, errno, "%s cannot be opened", o.file);
	return inspect(fd, o.json, e);
}

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "Print one JSON array", 0 },
	{ 0 },
};

const struct command command_inspect = {
	.name = "inspect",
	.argp = {
		options, parse, "FILE",
		"Prints every record of the image FILE (- for standard input), and checks all "
		"checksums: exits with 1 if the image is cut off or damaged.",
		NULL, NULL, NULL,
	},
	.run = run,
};
