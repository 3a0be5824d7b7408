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
 * ckpt_list_marks - all watches of an inotify instance, whose group's lock is held
 *
 * Returns 0, -EAGAIN if one comes or goes, or -ENOMEM.  ckpt_free_marks() is due in
 * all cases.
 */
int ckpt_list_marks(struct fsnotify_group *group, struct ckpt_marks *ms);
/*
 * ckpt_find_paths - by which path the container knows what they watch
 *
 * Returns 0, CKPT_REFUSED with the reasons in the log, or -ENOMEM.  Not with the
 * group's lock: some file systems tell of changes with locks of theirs held.
 */
int ckpt_find_paths(struct ckpt_checkpoint *cp, struct ckpt_marks *ms);
void ckpt_free_marks(struct ckpt_marks *ms);

#endif
