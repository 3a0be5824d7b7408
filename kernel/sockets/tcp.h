/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files about TCP connections have for each other. */
#ifndef _CKPT_TCP_H
#define _CKPT_TCP_H

#include <net/tcp.h>

#include "restore.h"
#include "save.h"
#include "sock.h"

/* tcp_state.c */
/* over IPv4, also by a socket of IPv6 */
bool ckpt_tcp_is_v4(const struct sock *sk);
/* an end in that state has sent its FIN, has got the other's */
bool ckpt_tcp_sent_fin(u32 state);
bool ckpt_tcp_got_fin(u32 state);
/* the sequence numbers behind the last byte that was written, that has come; the socket's lock is held */
u32 ckpt_tcp_written_end(const struct sock *sk);
u32 ckpt_tcp_received_end(const struct sock *sk);
/* its addresses, and all that is one number; the socket's lock is held */
void ckpt_tcp_save_state(const struct sock *sk, struct ckpt_image_tcp *img);
int ckpt_check_tcp(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
/*
 * A new socket becomes that end, as if it had just been connected; nothing is sent, and
 * nothing may be before ckpt_tcp_go().  @snd_wnd: bytes that the other end takes
 */
int ckpt_tcp_connect(struct socket *sock, const struct ckpt_image_tcp *img, u32 snd_wnd);
/* all of RECEIVED is there */
void ckpt_tcp_go(struct sock *sk, const struct ckpt_image_tcp *img);

/* tcp_queues.c; the lock of the socket that is read from is held */
u64 ckpt_tcp_count_received(struct sock *sk);
int ckpt_tcp_copy_received(struct sock *sk, u8 *to, u64 len);
int ckpt_tcp_copy_written(struct sock *sk, u32 from, u8 *to, u32 len);
/* before and behind ckpt_tcp_go() */
int ckpt_tcp_fill(struct socket *sock, const u8 *bytes, u64 len);
int ckpt_tcp_send(struct socket *sock, const u8 *bytes, u64 len);

/* tcp_owned.c: the locks of two ends, and of those that listen where they wait */
struct ckpt_tcp_owned {
	struct sock *sk[4];
	int nr;
};

/* false: somebody else has it */
bool ckpt_tcp_own(struct ckpt_tcp_owned *o, struct sock *sk);
void ckpt_tcp_let_go(struct ckpt_tcp_owned *o);

/* tcp_made.c: those without a file */
/* those that wait to be accepted: a reference to each, in order; returns how many, or a negative errno */
int ckpt_tcp_get_waiting(struct sock *listener, struct sock ***list);
/* does it still wait there?  The listener's lock is held */
bool ckpt_tcp_waits_at(struct sock *listener, struct sock *sk);
/* a new socket, of nobody's so far */
struct socket *ckpt_tcp_make(const struct ckpt_image_tcp *img);
/* it waits to be accepted by @listener; the socket goes, also on error */
int ckpt_tcp_make_waiting(struct socket *sock, struct sock *listener);
/* the reference that a restart has to a socket, which it closes if it has got no file */
void ckpt_tcp_put_restored(void *sk);

#endif
