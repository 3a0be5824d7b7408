/* SPDX-License-Identifier: GPL-2.0-only */
/* One string out of a JSON file, which is all that is wanted of one here. */
#ifndef FS_JSON_H
#define FS_JSON_H

#include <stddef.h>

/*
 * json_string - a member of the outermost object that is a string
 * @text: the file, NUL-terminated
 * @value, @size: take it
 *
 * Returns 0, -ENOENT when there is none, -EINVAL when it can't be given: it is too
 * long, or has a zero byte in it, or the text is no JSON.
 */
int json_string(const char *text, const char *key, char *value, size_t size);

/* json_file_string - the same from a file, as for openat(2), of at most a MiB */
int json_file_string(int dirfd, const char *path, const char *key, char *value, size_t size);

#endif
