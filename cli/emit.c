// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "cleanup.h"
#include "emit.h"

#define BYTES_SHOWN 64	/* to people */

static void indent(struct emit *m)
{
	unsigned int i;

	for (i = 0; i < m->depth; i++)
		fputs("  ", m->out);
}

/* ---- JSON: a record is built whole, and printed at its end ---- */

static struct json_object *checked(struct json_object *value)
{
	if (!value)
		errx(1, "no memory for a record");
	return value;
}

/* into the list or group that is open */
static void add(struct emit *m, const char *name, struct json_object *value)
{
	struct json_object *into = m->open[m->depth];

	checked(value);
	if (json_object_is_type(into, json_type_array) ? json_object_array_add(into, value) :
	    json_object_object_add(into, name, value))
		errx(1, "no memory for a record");
}

static void open_in(struct emit *m, const char *name, struct json_object *value)
{
	add(m, name, value);
	if (m->depth + 1 == EMIT_DEPTH_MAX)
		errx(1, "records are nested too deep");
	m->open[++m->depth] = value;
}

/* what programs read as a double loses digits: 64 bits are a string */
static struct json_object *digits(uint64_t value, bool is_signed)
{
	char text[32];

	snprintf(text, sizeof(text), is_signed ? "%" PRId64 : "%" PRIu64, value);
	return json_object_new_string(text);
}

/* a path may have any bytes; each that is not ASCII stands for U+0080 ... U+00FF */
static struct json_object *bytes(const char *s, size_t len)
{
	_cleanup_free_ char *text = malloc(2 * len + 1);
	size_t i, n = 0;

	if (!text)
		return NULL;
	for (i = 0; i < len && s[i]; i++) {
		unsigned char c = s[i];

		if (c >= 0x80)
			text[n++] = 0xc0 | c >> 6;
		text[n++] = c < 0x80 ? c : 0x80 | (c & 0x3f);
	}
	return json_object_new_string_len(text, n);
}

static struct json_object *hexadecimal(const unsigned char *p, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	_cleanup_free_ char *text = malloc(2 * len + 1);
	size_t i;

	if (!text)
		return NULL;
	for (i = 0; i < len; i++) {
		text[2 * i] = digit[p[i] >> 4];
		text[2 * i + 1] = digit[p[i] & 0xf];
	}
	return json_object_new_string_len(text, 2 * len);
}

/* ---- both ---- */

/* what stands before a value for people: line, name */
static void begin_value(struct emit *m, const char *name)
{
	if (m->inline_group) {
		fprintf(m->out, "%s%s=", m->first ? "" : " ", name);
	} else {
		indent(m);
		fprintf(m->out, "%s: ", name);
	}
	m->first = false;
}

static void end_value(struct emit *m)
{
	if (!m->inline_group)
		fputc('\n', m->out);
}

void emit_begin(struct emit *m)
{
	m->first = true;
	if (m->json)
		fputc('[', m->out);
}

void emit_end(struct emit *m)
{
	if (m->json)
		fputs("\n]\n", m->out);
}

void emit_record(struct emit *m, const char *name, uint32_t seq, uint64_t offset,
		 uint32_t len)
{
	if (!m->json) {
		fprintf(m->out, "%s (record %" PRIu32 ", byte %" PRIu64 ", body of %" PRIu32 ")\n",
			name, seq, offset, len);
		m->depth = 1;
		return;
	}
	m->depth = 0;
	m->open[0] = checked(json_object_new_object());
	add(m, "record", json_object_new_string(name));
	add(m, "seq", json_object_new_int64(seq));
	add(m, "offset", digits(offset, false));
	add(m, "len", json_object_new_int64(len));
}

void emit_record_end(struct emit *m)
{
	if (m->json) {
		fprintf(m->out, "%s\n%s", m->first ? "" : ",",
			json_object_to_json_string_ext(m->open[0], JSON_C_TO_STRING_PLAIN |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(m->open[0]);
	}
	m->first = false;
	m->depth = 0;
}

void emit_list(struct emit *m, const char *name)
{
	if (m->json) {
		open_in(m, name, json_object_new_array());
		return;
	}
	indent(m);
	fprintf(m->out, "%s:\n", name);
	m->depth++;
	m->first = true;
}

void emit_list_end(struct emit *m)
{
	m->depth--;
	if (!m->json)
		m->first = false;
}

static void begin_group(struct emit *m, const char *name)
{
	if (m->json) {
		open_in(m, name, json_object_new_object());
		return;
	}
	indent(m);
	if (name)
		fprintf(m->out, "%s: ", name);
	else
		fputs("- ", m->out);
	m->inline_group = true;
	m->first = true;
}

void emit_group(struct emit *m)
{
	begin_group(m, NULL);
}

void emit_named_group(struct emit *m, const char *name)
{
	begin_group(m, name);
}

void emit_group_end(struct emit *m)
{
	if (m->json) {
		m->depth--;
		return;
	}
	fputc('\n', m->out);
	m->inline_group = false;
	m->first = false;
}

void emit_number(struct emit *m, const char *name, enum emit_format format, bool wide,
		 uint64_t value)
{
	if (m->json) {
		add(m, name, wide ? digits(value, format == EMIT_DEC) :
		    json_object_new_int64((int64_t)value));
		return;
	}
	begin_value(m, name);
	if (format == EMIT_DEC)
		fprintf(m->out, "%" PRId64, (int64_t)value);
	else if (format == EMIT_UNS)
		fprintf(m->out, "%" PRIu64, value);
	else if (format == EMIT_OCT)
		fprintf(m->out, "%#" PRIo64, value);
	else
		fprintf(m->out, "%#" PRIx64, value);
	end_value(m);
}

void emit_string(struct emit *m, const char *name, const char *s, size_t len)
{
	size_t i;

	if (m->json) {
		add(m, name, bytes(s, len));
		return;
	}
	begin_value(m, name);
	fputc('"', m->out);
	for (i = 0; i < len && s[i]; i++) {
		unsigned char c = s[i];

		if (c == '"' || c == '\\')
			fprintf(m->out, "\\%c", c);
		else if (c >= ' ' && c < 127)
			fputc(c, m->out);
		else
			fprintf(m->out, "\\x%02x", c);
	}
	fputc('"', m->out);
	end_value(m);
}

void emit_bytes(struct emit *m, const char *name, const void *p, size_t len)
{
	const unsigned char *c = p;
	size_t i, shown = len <= BYTES_SHOWN ? len : BYTES_SHOWN;

	if (m->json) {
		add(m, name, hexadecimal(c, len));
		return;
	}
	begin_value(m, name);
	for (i = 0; i < shown; i++)
		fprintf(m->out, "%02x", c[i]);
	if (shown < len)
		fprintf(m->out, "... (%zu bytes)", len);
	end_value(m);
}

static uint64_t load(const char *p, size_t size, bool is_signed)
{
	uint64_t value = 0;

	memcpy(&value, p, size);
	if (is_signed && size == 4)
		return (uint64_t)(int64_t)(int32_t)value;
	return value;
}

void emit_struct(struct emit *m, struct emit_fields fields, const void *s)
{
	const struct emit_field *f = fields.list;

	for (; f < fields.list + fields.nr; f++) {
		const char *p = (const char *)s + f->offset;

		if (f->format == EMIT_STR)
			emit_string(m, f->name, p, f->size);
		else if (f->format == EMIT_BYTES)
			emit_bytes(m, f->name, p, f->size);
		else
			emit_number(m, f->name, f->format, f->size == 8,
				    load(p, f->size, f->format == EMIT_DEC));
	}
}
