/* SPDX-License-Identifier: GPL-2.0-only */
/* A container's directory in the containers' file system: /ckpt/NAME. */
#ifndef CKPT_CLI_PLACE_H
#define CKPT_CLI_PLACE_H

#include <limits.h>
#include <stddef.h>

#include "error.h"

/* place_mounted - is the containers' file system there? 0, or -ENODEV */
int place_mounted(struct ckpt_error *e);

/*
 * place_path - the path of a file in a container's directory
 * @file: "image", "snapshots/latest" ...; "" for the directory
 *
 * Returns 0, -EINVAL if the name is none, -ENODEV if nothing is mounted.
 */
int place_path(const char *name, const char *file, char path[PATH_MAX],
	       struct ckpt_error *e);

/* place_check - is there such a container? 0, -ENOENT or as place_path() */
int place_check(const char *name, struct ckpt_error *e);

/*
 * place_reason - why an operation on a container failed
 * @what: the sentence if its log has none
 * @err: errno
 *
 * The last line of the log is the sentence.  Returns -err.
 */
int place_reason(const char *name, const char *what, int err, struct ckpt_error *e);

/*
 * place_status - a value out of a container's status file
 * @key: without the colon
 * @value: takes it, "" if the key is missing
 *
 * Returns 0, or a negative errno if there is no such file.
 */
int place_status(const char *name, const char *key, char *value, size_t size);

#endif
