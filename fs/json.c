// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "json.h"
#include "proc.h"

#define FILE_MAX (1 << 20)

int json_string(const char *text, const char *key, char *value, size_t size)
{
	struct json_object *root = json_tokener_parse(text), *member;
	int rc = -ENOENT;
	size_t len;

	if (!root)
		return -EINVAL;
	if (json_object_is_type(root, json_type_object) &&
	    json_object_object_get_ex(root, key, &member) &&
	    json_object_is_type(member, json_type_string)) {
		len = json_object_get_string_len(member);
		rc = len < size && strlen(json_object_get_string(member)) == len ? 0 : -EINVAL;
		if (!rc)
			strcpy(value, json_object_get_string(member));
	}
	json_object_put(root);
	return rc;
}

int json_file_string(int dirfd, const char *path, const char *key, char *value, size_t size)
{
	_cleanup_free_ char *text = malloc(FILE_MAX);

	if (!text || proc_read(dirfd, path, text, FILE_MAX) < 0)
		return -ENOENT;
	return json_string(text, key, value, size);
}
