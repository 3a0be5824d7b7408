// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "names.h"

static bool name_char(unsigned char c)
{
	return c < 128 && (isalnum(c) || c == '.' || c == '_' || c == '-');
}

int name_check(const char *name, struct ckpt_error *e)
{
	size_t len = strlen(name), i;

	if (len == 0)
		return error_set(e, EINVAL, "a container's name cannot be empty");
	if (len > NAME_LEN_MAX)
		return error_set(e, EINVAL, "the name %.20s... is longer than %d bytes",
				 name, NAME_LEN_MAX);
	for (i = 0; i < len; i++)
		if (!name_char(name[i]))
			break;
	if (i < len || !isalnum((unsigned char)name[0]))
		return error_set(e, EINVAL,
				 "'%s' is no container's name: use letters, digits, '.', '_' and '-', and begin with a letter or digit",
				 name);
	return 0;
}

int name_check_place(const char *name, struct ckpt_error *e)
{
	if (!name[0] || strlen(name) > PLACE_LEN_MAX || strpbrk(name, "/\n") ||
	    !strcmp(name, ".") || !strcmp(name, ".."))
		return error_set(e, EINVAL, "'%.60s' can be no container's name: it has 1 to %d bytes, without '/' and newline",
				 name, PLACE_LEN_MAX);
	return 0;
}

void name_default(const char *command, unsigned int number,
		  char name[NAME_LEN_MAX + 1])
{
	const char *base = strrchr(command, '/');
	char clean[NAME_LEN_MAX - 11];
	size_t n = 0;

	base = base ? base + 1 : command;
	for (; *base && n < sizeof(clean) - 1; base++)
		if (isalnum((unsigned char)*base) ||
		    (n && name_char((unsigned char)*base)))
			clean[n++] = *base;
	clean[n] = '\0';
	snprintf(name, NAME_LEN_MAX + 1, "%s-%u", n ? clean : "container", number);
}
