/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of this room share. */
#ifndef _CKPT_TTY_H
#define _CKPT_TTY_H

#include <linux/tty.h>
#include <linux/tty_driver.h>

#include "file.h"

/* an end of a pty, as it is put into a record */
struct ckpt_tty_state {
	struct ckpt_image_tty_end img;
	u16 lines[CKPT_TTY_QUEUE];
	u8 bytes[CKPT_TTY_QUEUE * 2 + CKPT_TTY_INPUT];
	u32 len;			/* bytes of bytes */
};

/* of a restart: the pty, by its master */
struct ckpt_tty_made {
	struct file *master;		/* a reference */
	bool claimed;			/* a FILE has it */
	unsigned int slaves;		/* FILEs that have the other end */
};

static inline struct tty_struct *ckpt_file_tty(const struct file *file)
{
	return ((struct tty_file_private *)file->private_data)->tty;
}

/* of /dev/ptmx and devpts, with both ends */
static inline bool ckpt_is_pty(const struct tty_struct *tty)
{
	return tty->driver->type == TTY_DRIVER_TYPE_PTY && tty->link &&
	       (tty->driver->major == UNIX98_PTY_SLAVE_MAJOR ||
		tty->driver->major == UNIX98_PTY_MASTER_MAJOR);
}

static inline bool ckpt_is_master(const struct tty_struct *tty)
{
	return tty->driver->subtype == PTY_TYPE_MASTER;
}

/* the master of either end */
static inline struct tty_struct *ckpt_master_of(struct tty_struct *tty)
{
	return ckpt_is_master(tty) ? tty : tty->link;
}

/* a slave whose master is closed: whoever has it open still reads its end, and no more */
static inline bool ckpt_tty_is_hung_up(const struct tty_struct *master)
{
	return !master->count;
}

/* tty.c: an open pty, or one that was hung up */
bool ckpt_is_pty_file(const struct file *file);

/* pair.c: by which name it is opened; of one that is hung up, @last of the directory where it was */
int ckpt_save_tty_name_in(struct ckpt_checkpoint *cp, struct file *file, const char *last,
			  struct ckpt_rec_out *rec, u16 tag);
int ckpt_save_tty_name(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec, u16 tag);
/* who opened it may not get there any more; then the restarter must */
int ckpt_tty_path(const char *name, const struct cred *cred, struct path *path);
struct file *ckpt_tty_open(const struct path *path, u32 flags, const struct cred *cred);

/* end.c */
bool ckpt_tty_known(void);
/* may something that was written still be on its way to the other end? */
bool ckpt_tty_is_moving(struct tty_struct *tty);
/* 0, -EAGAIN while it is on its way, or CKPT_REFUSED.  Nobody has the pty but the container. */
int ckpt_save_tty_end(struct ckpt_checkpoint *cp, struct tty_struct *tty, struct ckpt_tty_state *to);
int ckpt_check_tty_ends(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
/* of a pty that nobody has used yet */
int ckpt_restore_tty_ends(const struct ckpt_rec_buf *buf, struct tty_struct *master);

/* ctty.c: a process group by its number in the container, which may have ended */
int ckpt_save_pgrp(struct ckpt_checkpoint *cp, struct pid *pid, s32 *nr);

#endif
