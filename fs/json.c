// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "json.h"
#include "proc.h"

#define FILE_MAX (1 << 20)

/* behind the string that begins at @p, which is its quote; NULL: it has no end */
static const char *skip_string(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : NULL;
}

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* the string at @p without quotes and escapes */
static int copy_string(const char *p, char *value, size_t size)
{
	static const char *const escapes = "\"\\/";
	unsigned int c;
	size_t n = 0;

	for (p++; *p && *p != '"'; p++) {
		c = (unsigned char)*p;
		if (c == '\\' && p[1] == 'u') {
			if (sscanf(p + 2, "%4x", &c) != 1)
				return -EINVAL;
			p += 5;
			if (c < ' ' || c > '~')
				return -EINVAL;
		} else if (c == '\\') {
			c = (unsigned char)*++p;
			if (!c || !strchr(escapes, c))
				return -EINVAL;
		}
		if (n + 1 >= size)
			return -EINVAL;
		value[n++] = c;
	}
	value[n] = '\0';
	return *p ? 0 : -EINVAL;
}

int json_string(const char *text, const char *key, char *value, size_t size)
{
	size_t len = strlen(key);
	const char *p, *end;
	int depth = 0;

	for (p = text; *p; p++) {
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		if (*p != '"')
			continue;
		end = skip_string(p);
		if (!end)
			break;
		if (depth == 1 && (size_t)(end - p) == len + 2 && !strncmp(p + 1, key, len) &&
		    *skip_space(end) == ':') {
			p = skip_space(skip_space(end) + 1);
			return *p == '"' ? copy_string(p, value, size) : -ENOENT;
		}
		p = end - 1;
	}
	return -ENOENT;
}

int json_file_string(int dirfd, const char *path, const char *key, char *value, size_t size)
{
	_cleanup_free_ char *text = malloc(FILE_MAX);

	if (!text || proc_read(dirfd, path, text, FILE_MAX) < 0)
		return -ENOENT;
	return json_string(text, key, value, size);
}
