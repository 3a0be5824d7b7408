// SPDX-License-Identifier: GPL-2.0-only
#include "line.h"

/* bytes of the control character at @p: those of ASCII, and of Latin 1 in UTF-8; 0: it is none */
static size_t control(const char *p)
{
	unsigned char c = p[0];

	if (c == 0xc2 && ((unsigned char)p[1] & 0xe0) == 0x80)
		return 2;
	return c < ' ' || c == 0x7f;
}

void line_clean(char *line)
{
	size_t n;

	for (; *line; line += n ? n : 1) {
		n = control(line);
		for (size_t i = 0; i < n; i++)
			line[i] = '?';
	}
}

void line_put(FILE *f, const char *text, size_t len)
{
	const char *end = text + len;
	size_t n;

	while (text < end) {
		n = control(text);
		if (!n)
			fputc(*text++, f);
		for (; n && text < end; n--)
			fprintf(f, "\\%03o", (unsigned char)*text++);
	}
}
