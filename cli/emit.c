// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "emit.h"

#define BYTES_SHOWN 64	/* to people */

static void indent(struct emit *m)
{
	unsigned int i;

	for (i = 0; i < m->depth; i++)
		fputs("  ", m->out);
}

/* what stands before a value: comma, line, name */
static void begin_value(struct emit *m, const char *name)
{
	if (m->json) {
		if (!m->first)
			fputc(',', m->out);
		if (name)
			fprintf(m->out, "\"%s\":", name);
	} else if (m->inline_group) {
		fprintf(m->out, "%s%s=", m->first ? "" : " ", name);
	} else {
		indent(m);
		fprintf(m->out, "%s: ", name);
	}
	m->first = false;
}

static void end_value(struct emit *m)
{
	if (!m->json && !m->inline_group)
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
	if (m->json)
		fprintf(m->out, "%s\n{\"record\":\"%s\",\"seq\":%" PRIu32 ",\"offset\":%" PRIu64 ",\"len\":%" PRIu32,
			m->first ? "" : ",", name, seq, offset, len);
	else
		fprintf(m->out, "%s (record %" PRIu32 ", byte %" PRIu64 ", body of %" PRIu32 ")\n",
			name, seq, offset, len);
	m->first = false;
	m->depth = 1;
}

void emit_record_end(struct emit *m)
{
	if (m->json)
		fputc('}', m->out);
	m->first = false;
	m->depth = 0;
}

void emit_list(struct emit *m, const char *name)
{
	if (m->json) {
		begin_value(m, name);
		fputc('[', m->out);
	} else {
		indent(m);
		fprintf(m->out, "%s:\n", name);
	}
	m->depth++;
	m->first = true;
}

void emit_list_end(struct emit *m)
{
	if (m->json)
		fputc(']', m->out);
	m->depth--;
	m->first = false;
}

void emit_group(struct emit *m)
{
	if (m->json) {
		begin_value(m, NULL);
		fputc('{', m->out);
	} else {
		indent(m);
		fputs("- ", m->out);
		m->inline_group = true;
	}
	m->first = true;
}

void emit_named_group(struct emit *m, const char *name)
{
	if (m->json) {
		begin_value(m, name);
		fputc('{', m->out);
	} else {
		indent(m);
		fprintf(m->out, "%s: ", name);
		m->inline_group = true;
	}
	m->first = true;
}

void emit_group_end(struct emit *m)
{
	if (m->json)
		fputc('}', m->out);
	else
		fputc('\n', m->out);
	m->inline_group = false;
	m->first = false;
}

void emit_number(struct emit *m, const char *name, enum emit_format format, bool wide,
		 uint64_t value)
{
	const char *quote = m->json && wide ? "\"" : "";

	begin_value(m, name);
	if (format == EMIT_DEC)
		fprintf(m->out, "%s%" PRId64 "%s", quote, (int64_t)value, quote);
	else if (m->json || format == EMIT_UNS)
		fprintf(m->out, "%s%" PRIu64 "%s", quote, value, quote);
	else if (format == EMIT_OCT)
		fprintf(m->out, "%#" PRIo64, value);
	else
		fprintf(m->out, "%#" PRIx64, value);
	end_value(m);
}

void emit_string(struct emit *m, const char *name, const char *s, size_t len)
{
	size_t i;

	begin_value(m, name);
	fputc('"', m->out);
	for (i = 0; i < len && s[i]; i++) {
		unsigned char c = s[i];

		if (c == '"' || c == '\\')
			fprintf(m->out, "\\%c", c);
		else if (c >= ' ' && c < 127)
			fputc(c, m->out);
		else
			fprintf(m->out, m->json ? "\\u%04x" : "\\x%02x", c);
	}
	fputc('"', m->out);
	end_value(m);
}

void emit_bytes(struct emit *m, const char *name, const void *p, size_t len)
{
	const unsigned char *c = p;
	size_t i, shown = m->json || len <= BYTES_SHOWN ? len : BYTES_SHOWN;

	begin_value(m, name);
	if (m->json)
		fputc('"', m->out);
	for (i = 0; i < shown; i++)
		fprintf(m->out, "%02x", c[i]);
	if (m->json)
		fputc('"', m->out);
	else if (shown < len)
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
