/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The types of objects that tasks may share, a row each: core/type.c has the
 * table.  A new type is a row, which its room declares here.
 *
 * A checkpoint finds an object by its address and saves it once; a restart
 * finds its record by number and makes it once.
 */
#ifndef _CKPT_TYPE_H
#define _CKPT_TYPE_H

#include <linux/list.h>
#include <linux/types.h>

#include "record.h"

struct ckpt_checkpoint;
struct ckpt_restart;
struct ckpt_type;

struct ckpt_obj {			/* of a checkpoint */
	struct hlist_node hash;
	struct list_head list;		/* in the order of discovery */
	const struct ckpt_type *type;
	void *ptr;			/* a reference is held */
	u32 ref;
	unsigned int users;		/* references that the engine has seen */
	unsigned int ends[2];		/* of a pipe: for reading, for writing; of a pty: masters, slaves */
	pid_t met_pid;			/* of a pipe: in the container, who had an end first, */
	int met_fd;			/* as which descriptor; -1: it was on its way in a socket */
	int side;			/* of a pipe: EXTERNAL's, or 0: it has no end outside */
	const void *mount;		/* of an inode: the vfsmount that it was met in first; no reference */
	bool refused;			/* and said so */
};

struct ckpt_type {
	const char *name;
	u16 record;			/* enum ckpt_rec_type */

	/* of a checkpoint: the container stands still */
	void (*take)(void *ptr);	/* a reference; none is needed without it */
	void (*drop)(void *ptr);
	/* write the record; objects that it uses are saved before */
	int (*save)(struct ckpt_checkpoint *cp, struct ckpt_obj *obj);

	/* of a restart */
	/* are the record's numbers right?  Its parts are as the table says. */
	int (*check)(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
	/*
	 * Make the object; with a reference, or an error pointer.  In the task
	 * that gets it, with the lock of making held.  Not for types that a task
	 * makes out of its own, and puts down with ckpt_add_restored().
	 */
	void *(*restore)(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf);
	/* after everybody: what would have been in the way of its users */
	int (*finish)(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr);
	/* the last: nobody but the container has what is its own, and it has not run yet */
	int (*last)(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr);
	/* behind even that, for those that see what becomes of others: is it one, and let it look */
	bool (*sees)(const struct ckpt_rec_buf *buf);
	int (*see)(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr);
	/* give a restored one's reference back */
	void (*put)(void *ptr);
};

extern const struct ckpt_type ckpt_type_file, ckpt_type_files, ckpt_type_fs,
	ckpt_type_sighand, ckpt_type_mm, ckpt_type_cred, ckpt_type_pipe,
	ckpt_type_shmem, ckpt_type_inode, ckpt_type_tmpfs, ckpt_type_namespace,
	ckpt_type_autogroup, ckpt_type_unix, ckpt_type_tcp, ckpt_type_tty,
	ckpt_type_external, ckpt_type_filter;

/* an object's number: the first field of its record's BASE */
static inline u32 ckpt_ref_of(const struct ckpt_rec_buf *buf)
{
	return *(const u32 *)ckpt_part_find(buf, 1, NULL);
}

/* the row of a record's type, or NULL */
const struct ckpt_type *ckpt_type_of(u16 record);

#endif
