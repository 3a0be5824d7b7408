/* SPDX-License-Identifier: GPL-2.0-only */
/* Pipes, with a name or without: what their files share.  C3. */
#ifndef _CKPT_PIPE_H
#define _CKPT_PIPE_H

#include <linux/fs.h>
#include <linux/pipe_fs_i.h>

#include "file.h"

/* at a restart: files of ours with both ends of it, which keep it until the restart is complete */
struct ckpt_pipe_ends {
	struct file *file[2];		/* a reference each; NULL: the other one has both ends */
};

/* in pipefs: it has no name */
bool ckpt_is_pipefs(const struct inode *inode);

/* save the pipe of an end, and count it */
int ckpt_save_pipe_of(struct ckpt_checkpoint *cp, struct file *file, u32 *ref);

/*
 * ckpt_restore_pipe - the pipe of that number, with its size and contents
 * @fifo: where its name leads to; NULL: it has none
 * @name: that name, or NULL
 * @cred: of the file that it is made for
 */
struct ckpt_pipe_ends *ckpt_restore_pipe(struct ckpt_restart *rs, u32 ref, const struct path *fifo,
					 const char *name, const struct cred *cred);

/* files/pipe_bufs.c: what is in it.  pipe->mutex is held */
int ckpt_save_pipe_bufs(struct ckpt_checkpoint *cp, struct inode *inode,
			struct ckpt_rec_out *rec);
bool ckpt_pipe_bufs_ok(const struct ckpt_rec_buf *buf);
/* into one that is empty and has the size that it had */
int ckpt_fill_pipe(struct pipe_inode_info *pipe, const struct ckpt_rec_buf *buf);

#endif
