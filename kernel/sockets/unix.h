/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files about unix sockets have for each other. */
#ifndef _CKPT_UNIX_H
#define _CKPT_UNIX_H

#include <linux/net.h>
#include <linux/skbuff.h>
#include <net/af_unix.h>
#include <net/scm.h>

#include "restore.h"
#include "save.h"

/* unix.c: names */
bool ckpt_unix_is_bound(struct sock *sk);
/* is it an address as the kernel keeps it? */
bool ckpt_unix_address_ok(const void *name, u32 len);
int ckpt_unix_set_address(struct sock *sk, const void *name, u32 len);
/* connect(2), without waiting, to @path in current's root directory, or to @addr if that is NULL */
int ckpt_unix_connect_quietly(struct socket *sock, const char *path, const void *addr, u32 len);
/*
 * Whether the kernel adds credentials of its own to a message, and a name to the
 * sender, as SO_PASSCRED asks for: off, and as it was.  NULL: nothing
 */
unsigned long ckpt_unix_quiet(struct socket *sock);
void ckpt_unix_unquiet(struct socket *sock, unsigned long was);

/* join.c: are the numbers of a UNIX right? */
int ckpt_check_unix(struct ckpt_log *log, const struct ckpt_rec_buf *buf);

/* queue.c: what waits in a socket, a reference each */
struct ckpt_queue {
	struct sk_buff **skb;
	u32 nr;
};

int ckpt_queue_take(struct sock *sk, struct ckpt_queue *q);
void ckpt_queue_drop(struct ckpt_queue *q);
/* save the files that are on their way in a socket */
int ckpt_queue_note_files(struct ckpt_checkpoint *cp, struct sock *sk);
/* add what waits in a socket to its UNIX; all files are known */
int ckpt_queue_save(struct ckpt_checkpoint *cp, struct sock *sk, struct ckpt_rec_out *rec);
int ckpt_check_queue(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
/*
 * Send it again, to a socket that is whole again but for that.  @peer: the other
 * end, or NULL of datagrams, which have a sender each.
 */
int ckpt_queue_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, struct sock *sk,
		       struct socket *peer);
/* a socket in place of one that is gone, for its name */
struct socket *ckpt_stand_in(int type, const void *name, u32 len);

/* scm.c: what goes with a message */
struct ckpt_control {
	struct pid *dead;		/* its sender, who has ended; the number is taken */
	u32 nr;
	int fds[SCM_MAX_FD];
	size_t len;
	u8 data[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(SCM_MAX_FD * sizeof(int))]
		__aligned(8);
};

/* @refs: its FILEs; to be ended also after an error */
int ckpt_control_make(struct ckpt_restart *rs, struct ckpt_control *c,
		      const struct ckpt_image_unix_message *img, const u32 *refs);
void ckpt_control_end(struct ckpt_control *c);

#endif
