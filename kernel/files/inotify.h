/* SPDX-License-Identifier: GPL-2.0-only */
/* An inotify instance's watches on their way into the image: inotify.c and marks.c. */
#ifndef _CKPT_INOTIFY_H
#define _CKPT_INOTIFY_H

#include <linux/fsnotify_backend.h>

#include "save.h"

/*
 * An event that inotify has queued, private and the same in all versions.  Whoever
 * uses it sees first whether the one for an overflow, which each instance has, is
 * what it should be.
 */
struct ckpt_inotify_event {
	struct fsnotify_event fse;
	u32 mask;
	int wd;
	u32 sync_cookie;
	int name_len;
	char name[];
};

struct ckpt_mark {
	s32 wd;
	u32 mask;			/* IN_*, as fdinfo shows it */
	struct inode *inode;		/* a reference */
	char *path;			/* in the container, or NULL so far */
};

struct ckpt_marks {
	struct ckpt_mark *m;		/* by ascending wd */
	u32 nr;
};

/*
 * ckpt_read_marks - all watches of an inotify instance, and by which path the
 * container knows what they watch
 *
 * Returns 0, CKPT_REFUSED with the reasons in the log, -EAGAIN if it changed
 * meanwhile, or -ENOMEM.  ckpt_free_marks() is due in all cases.
 */
int ckpt_read_marks(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_marks *ms);
void ckpt_free_marks(struct ckpt_marks *ms);

#endif
