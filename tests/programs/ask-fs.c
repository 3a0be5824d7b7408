// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file system of FUSE with a directory "d" and in it a file "f" of ten lines.  The
 * kernel remembers nothing of it: each look-up of a name asks this program, and waits
 * for its answer for ever if it is stopped.  usage: ask-fs MOUNTPOINT
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse.h>
#include <string.h>

static const char text[] = "line 0\nline 1\nline 2\nline 3\nline 4\nline 5\nline 6\nline 7\nline 8\nline 9\n";

static void *ask_init(struct fuse_conn_info *conn, struct fuse_config *cfg)
{
	(void)conn;
	cfg->entry_timeout = 0;
	cfg->attr_timeout = 0;
	cfg->negative_timeout = 0;
	return NULL;
}

static int ask_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	(void)fi;
	memset(st, 0, sizeof(*st));
	if (!strcmp(path, "/") || !strcmp(path, "/d")) {
		st->st_mode = S_IFDIR | 0755;
		st->st_nlink = 2;
	} else if (!strcmp(path, "/d/f")) {
		st->st_mode = S_IFREG | 0644;
		st->st_nlink = 1;
		st->st_size = sizeof(text) - 1;
	} else {
		return -ENOENT;
	}
	return 0;
}

static int ask_read(const char *path, char *buf, size_t size, off_t pos, struct fuse_file_info *fi)
{
	const off_t len = sizeof(text) - 1;

	(void)path;
	(void)fi;
	if (pos >= len)
		return 0;
	if (size > (size_t)(len - pos))
		size = len - pos;
	memcpy(buf, text + pos, size);
	return size;
}

int main(int argc, char **argv)
{
	const struct fuse_operations ops = { .init = ask_init, .getattr = ask_getattr, .read = ask_read };
	char *args[] = { argv[0], "-f", "-s", argv[1], NULL };

	return argc == 2 ? fuse_main(4, args, &ops, NULL) : 2;
}
