/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Owner, mode and time of change of a snapshot. They lie in the store as its attribute "perm";
 * without one it is root's alone, since an image holds a container's secrets.
 */
#ifndef FS_PERM_H
#define FS_PERM_H

#include <stdint.h>
#include <sys/types.h>

#define PERM_ATTR "perm"
#define PERM_TEXT_MAX 72

struct perm {
	uid_t uid;
	gid_t gid;
	mode_t mode;		/* the lowest nine bits */
	int64_t ctime_ns;	/* since the epoch: its last change of any kind; 0: not noted */
};

extern const struct perm perm_default;

/* perm_get - of the snapshot with that store number. 0 or a negative errno. */
int perm_get(uint64_t store_ino, struct perm *perm);

/* perm_set - with this as the time of change. 0 or a negative errno. */
int perm_set(uint64_t store_ino, const struct perm *perm);

/* perm_touch - something else of it has been changed. 0 or a negative errno. */
int perm_touch(uint64_t store_ino);

/* perm_now - the time, for ctime_ns */
int64_t perm_now(void);

/* As the attribute's value, and back; perm_parse returns 0 or -EINVAL. */
void perm_format(const struct perm *perm, char text[PERM_TEXT_MAX]);
int perm_parse(const char *text, struct perm *perm);

#endif
