// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "cleanup.h"
#include "facts.h"
#include "import.h"
#include "inode.h"
#include "perm.h"
#include "xattr.h"

#define USER "user."
#define OURS "user.ckptfs."

/* what is noted at a checkpoint, under these keys in the store */
static const char *const noted[] = { "cgroup", "id", "init", "pause-us", NULL };

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* the store's key of an attribute; NULL for one that is a fact */
static const char *key_of(const char *name)
{
	const char *rest = name + strlen(OURS);

	if (!begins(name, OURS))
		return name;
	if (fact_is(rest))
		return NULL;
	for (size_t i = 0; noted[i]; i++)
		if (!strcmp(rest, noted[i]))
			return rest;
	/* of another version, perhaps: it is kept as it came */
	return name;
}

/* the attribute's name of a store's key; false: that is not shown */
static bool name_of(const char *key, char name[XATTR_KEY_MAX + sizeof(OURS)])
{
	bool shown = begins(key, USER);

	for (size_t i = 0; !shown && noted[i]; i++)
		shown = !strcmp(key, noted[i]);
	if (shown)
		snprintf(name, XATTR_KEY_MAX + sizeof(OURS), "%s%s", begins(key, USER) ? "" : OURS,
			 key);
	return shown;
}

/*
 * Values of the owner's may hold any bytes, and the store keeps strings: 't' and
 * the text, or 'x' and hexadecimal digits where there is a NUL in it.
 */
static char *encode(const char *value, size_t size)
{
	char *text = malloc(2 * size + 2);

	if (!text)
		return NULL;
	if (!memchr(value, '\0', size)) {
		text[0] = 't';
		memcpy(text + 1, value, size);
		text[size + 1] = '\0';
		return text;
	}
	text[0] = 'x';
	for (size_t i = 0; i < size; i++)
		sprintf(text + 1 + 2 * i, "%02x", (unsigned char)value[i]);
	return text;
}

/* in place; returns the value's length in bytes */
static size_t decode(char *text)
{
	size_t n = 0;
	unsigned int byte;

	if (text[0] != 'x') {
		n = strlen(text + 1);
		memmove(text, text + 1, n + 1);
		return n;
	}
	for (const char *p = text + 1; sscanf(p, "%2x", &byte) == 1; p += 2)
		text[n++] = byte;
	return n;
}

static int get(fuse_ino_t ino, const char *name, char **value, size_t *len)
{
	const char *key = key_of(name);
	uint64_t number = inode_store_ino(ino);
	struct store_error e;
	int rc;

	if (!begins(name, USER))
		return -EOPNOTSUPP;
	if (inode_kind(ino) != NODE_SNAPSHOT)
		return -ENODATA;
	if (key)
		rc = store_attr_get(fs.store, number, key, value, &e);
	else
		rc = fact_get(number, name + strlen(OURS), value);
	if (rc)
		return rc == -ENOENT ? -ENODATA : rc;
	*len = key && begins(key, USER) ? decode(*value) : strlen(*value);
	return 0;
}

/* as getxattr(2) and listxattr(2) want it: the size alone, or all of it */
static void reply(fuse_req_t req, const char *data, size_t len, size_t size)
{
	if (!size)
		fuse_reply_xattr(req, len);
	else if (len > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, data, len);
}

void xattr_get(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	_cleanup_free_ char *value = NULL;
	size_t len = 0;
	int rc = get(ino, name, &value, &len);

	if (rc)
		fuse_reply_err(req, -rc);
	else
		reply(req, value, len, size);
}

static void print_names(FILE *f, fuse_ino_t ino)
{
	_cleanup_free_ struct store_attr *attrs = NULL;
	uint64_t number = inode_store_ino(ino);
	char name[XATTR_KEY_MAX + sizeof(OURS)];
	struct store_error e;
	size_t count = 0;

	if (inode_kind(ino) != NODE_SNAPSHOT || import_has(ino))
		return;
	for (size_t i = 0; fact_names[i]; i++) {
		_cleanup_free_ char *value = NULL;

		if (!fact_get(number, fact_names[i], &value))
			fprintf(f, OURS "%s%c", fact_names[i], 0);
	}
	if (store_attr_list(fs.store, number, &attrs, &count, &e))
		return;
	for (size_t i = 0; i < count; i++)
		if (name_of(attrs[i].key, name))
			fprintf(f, "%s%c", name, 0);
}

void xattr_list(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	_cleanup_free_ char *names = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&names, &len);

	if (f)
		print_names(f, ino);
	if (!f || fclose(f))
		fuse_reply_err(req, ENOMEM);
	else
		reply(req, names, len, size);
}

/* @value: NULL removes it */
static int set_key(fuse_ino_t ino, const char *key, const char *value, int flags)
{
	_cleanup_free_ char *old = NULL;
	uint64_t number = inode_store_ino(ino);
	struct store_error e;
	int rc;

	if (value && !flags) {
		rc = import_set_attr(ino, key, value);
		if (rc != -ENOENT)
			return rc;
	}
	rc = store_attr_get(fs.store, number, key, &old, &e);
	if (rc && rc != -ENODATA)
		return rc;
	if (!rc && flags & XATTR_CREATE)
		return -EEXIST;
	if (rc && (!value || flags & XATTR_REPLACE))
		return -ENODATA;
	rc = store_attr_set(fs.store, number, key, value, &e);
	return rc ? rc : perm_touch(number);
}

static int set(fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	_cleanup_free_ char *text = NULL;
	const char *key = key_of(name);

	if (!begins(name, USER))
		return -EOPNOTSUPP;
	if (inode_kind(ino) != NODE_SNAPSHOT)
		return -EPERM;
	/* a copy that brings them along means no harm, and can't change what is so */
	if (!key)
		return 0;
	if (strlen(key) > STORE_ATTR_KEY_MAX)
		return -ERANGE;
	if (begins(key, USER))
		text = encode(value, size);
	else
		text = strndup(value, size);
	if (!text)
		return -ENOMEM;
	return strlen(text) > STORE_ATTR_VALUE_MAX ? -E2BIG : set_key(ino, key, text, flags);
}

void xattr_set(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
	       int flags)
{
	fuse_reply_err(req, -set(ino, name, value, size, flags));
}

void xattr_remove(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	const char *key = key_of(name);
	int rc;

	if (!begins(name, USER))
		rc = -EOPNOTSUPP;
	else if (inode_kind(ino) != NODE_SNAPSHOT)
		rc = -ENODATA;
	else
		rc = key ? set_key(ino, key, NULL, 0) : -EPERM;
	fuse_reply_err(req, -rc);
}
