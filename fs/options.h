/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of the daemon. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include <limits.h>

struct ckpt_error;
struct fuse_args;

struct options {
	char store[PATH_MAX];		/* absolute path of the store's file */
	char state[PATH_MAX];		/* absolute path: logs, last results */
	char cgroup[PATH_MAX];		/* where cgroup2 is mounted */
	char mountpoint[PATH_MAX];	/* absolute */
	char config[PATH_MAX];		/* absolute path of the file with more options */
	_Atomic int record;		/* completed reads go into the history */
	int record_given;		/* on the command line: the file does not count */
	_Atomic int list;		/* listings show files whose reading does something */
	int list_given;
	int foreground;
	int debug;			/* each request on stderr */
	int help;
	int version;
};

/*
 * options_parse - read the command line
 * @args: in: the command line; out: what is left for fuse_session_new
 * @o: filled, with defaults where nothing was said
 *
 * With --help or --version only these are set. Returns 0, or a negative errno:
 * -EINVAL for an option or number of arguments that makes no sense, -ENOENT and
 * the like for a mountpoint or directory that can't be used.
 */
int options_parse(struct fuse_args *args, struct options *o, struct ckpt_error *e);

/*
 * options_reload - read the file of options again
 *
 * What can be changed while the daemon runs is changed in @o: list and record, where
 * the command line does not say it. Returns 0, or a negative errno: then nothing is
 * changed.
 */
int options_reload(struct options *o, struct ckpt_error *e);

/* options_free - give back what options_parse left in @args */
void options_free(struct fuse_args *args);

/* The text for --help. */
extern const char options_help[];

#endif
