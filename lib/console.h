/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console of a container in the background: a log of the host's, mounted
 * on its /dev/console, to which its output goes.  The log may be renamed, cut
 * or deleted: the mount leads to it all the same.
 */
#ifndef CKPT_LIB_CONSOLE_H
#define CKPT_LIB_CONSOLE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cgroup.h"
#include "error.h"

#define CONSOLE_DIR "/var/log/ckpt"
#define CONSOLE "/dev/console"

struct console {
	char path[PATH_MAX];	/* of the log; "": there is none */
	bool made;		/* it was not there before */
};

/*
 * console_make - the log CONSOLE_DIR/NAME.log, which is made if it is not there
 * @c: takes it
 * @name: of the container
 * @cgroup: of the container, where it is noted which file is its console
 *
 * Returns 0, or a negative errno; then nothing is left of it.
 */
int console_make(struct console *c, const char *name, const struct cgroup *cgroup,
		 struct ckpt_error *e);

/* console_log - the log alone, for output that goes there by itself; a descriptor or a negative errno */
int console_log(struct console *c, const char *name, struct ckpt_error *e);

/* console_undo - there will be no container: what was made goes */
void console_undo(const struct console *c);

/*
 * console_mount - mount it on CONSOLE, below the caller's root
 * @root: the log is found below this directory, or AT_FDCWD
 *
 * Returns 0, -ENOENT if there is no CONSOLE to mount on, or another negative errno.
 */
int console_mount(const struct console *c, int root, struct ckpt_error *e);

/* console_mounted - is what a container has on CONSOLE its console? @init: its init */
bool console_mounted(pid_t init);

#endif
