// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "text.h"

/* the bytes of the first character if it can be shown, or 0 */
static size_t shown(const char *s, mbstate_t *state)
{
	wchar_t c;
	size_t n = mbrtowc(&c, s, strlen(s), state);

	if (n == 0 || n == (size_t)-1 || n == (size_t)-2) {
		memset(state, 0, sizeof(*state));
		return 0;
	}
	return iswprint(c) ? n : 0;
}

void text_put(FILE *f, const char *s)
{
	mbstate_t state = { 0 };
	size_t n;

	for (; *s; s += n) {
		n = shown(s, &state);
		if (n) {
			fwrite(s, 1, n, f);
		} else {
			fprintf(f, "\\x%02x", (unsigned char)*s);
			n = 1;
		}
	}
}

const char *text_name(FILE *f, const char *name, char buf[TEXT_NAME_MAX])
{
	FILE *to;

	if (!isatty(fileno(f)))
		return name;
	buf[0] = '\0';
	to = fmemopen(buf, TEXT_NAME_MAX, "w");
	if (!to)
		return "?";
	text_put(to, name);
	fclose(to);
	return buf;
}
