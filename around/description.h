/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The description of what is around a container's tasks: the text of the
 * CONTAINER record, 'key value' lines.  docs/image-format.md has its syntax.
 */
#ifndef CKPT_AROUND_DESCRIPTION_H
#define CKPT_AROUND_DESCRIPTION_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "names.h"

enum mount_kind {
	MOUNT_BIND,	/* source: path on the host */
	MOUNT_CGROUP,	/* source: path below the container's cgroup, "/": itself */
	MOUNT_INNER,	/* source: path in the container, mounted before */
	MOUNT_FRESH,	/* source: type of a file system that has no contents */
	MOUNT_TMPFS,	/* a tmpfs of its own, which the engine fills; source: what mount(8) shows */
	MOUNT_CONSOLE,	/* the container's log, see console.h; source: of a restart its path */
};

/* data of an inner mount that shows one file of a tmpfs */
#define MOUNT_DATA_FILE "file"
/* one that shows a character device of a tmpfs, with its number MAJOR:MINOR behind it */
#define MOUNT_DATA_DEVICE "device="

/* what mounts and unmounts elsewhere do to it; see mount_namespaces(7) */
enum mount_propagation {
	PROPAGATION_PRIVATE,
	PROPAGATION_SLAVE,	/* follows the host's mount that it is a copy of */
	PROPAGATION_UNBINDABLE,
};

struct mount_entry {
	enum mount_kind kind;
	char *source;
	char *target;		/* path in the container */
	uint64_t attr;		/* MOUNT_ATTR_* */
	enum mount_propagation propagation;
	char *data;		/* options of a fresh file system, comma-separated; MOUNT_INNER: MOUNT_DATA_*, or none */
};

struct description {
	char name[NAME_LEN_MAX + 1];
	char cgroup[PATH_MAX / 2];	/* relative to the cgroup2 mount */
	bool net_new;			/* a network namespace of its own */
	bool lo_up;			/* with lo up */
	struct mount_entry *mounts;	/* the root first, parents before children */
	size_t nr_mounts;
};

/* most mounts that a container may have */
#define DESCRIPTION_MOUNTS_MAX 4096

/*
 * description_parse - understand the text of a CONTAINER record
 * @d: takes it; to be given back with description_free() in any case
 * @text: its TEXT
 * @len: its length in bytes
 *
 * Returns 0, or -EINVAL.
 */
int description_parse(struct description *d, const char *text, size_t len,
		      struct ckpt_error *e);

/*
 * description_text - the text that description_parse() understands
 * @len: takes its length without the NUL
 *
 * Returns memory to be freed, NULL if there is none.
 */
char *description_text(const struct description *d, size_t *len);

void description_free(struct description *d);

/* take a new, zeroed entry at the end of the list; NULL if there is no room */
struct mount_entry *description_add_mount(struct description *d);

/* names of MOUNT_ATTR_* as mount(8) has them; "rw" if none */
void mount_attr_text(uint64_t attr, char *buf, size_t size);

/* the attributes out of such a list; returns NULL, or the first word that is not known */
const char *mount_attr_parse(const char *text, uint64_t *attr);

#endif
