/* SPDX-License-Identifier: GPL-2.0-only */
/* What the families of sockets share: sockets/. */
#ifndef _CKPT_SOCKET_H
#define _CKPT_SOCKET_H

#include <linux/net.h>
#include <net/sock.h>

#include "compat_sock.h"
#include "file.h"

struct socket *ckpt_socket_of(struct file *file, int family, int type);
/* the file of a socket, or NULL: compared, never used, as there is no reference */
struct file *ckpt_sock_file(struct sock *sk);
/* of types of objects that are known by their sock */
void ckpt_take_sock(void *ptr);
void ckpt_drop_sock(void *ptr);
/* tcp_ends.c: it is, or was, connected */
bool ckpt_is_connection(const struct sock *sk);
/* udp.c: of UDP or UDP-Lite */
bool ckpt_is_udp(const struct sock *sk);
/* udp_queue.c: what waits to be received; those that nobody would ever get are added to @drops */
int ckpt_save_datagrams(struct ckpt_checkpoint *cp, struct sock *sk, struct ckpt_rec_out *rec,
			u32 *drops);
int ckpt_check_datagrams(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
/* of a socket that nobody else has, and that is not bound: nothing may come before it */
int ckpt_restore_datagrams(struct ckpt_restart *rs, struct socket *sock,
			   const struct ckpt_rec_buf *buf);
/* what has come since, before it was connected, and may be anybody's */
void ckpt_drop_strangers(struct sock *sk, const struct ckpt_rec_buf *buf);
/* SO_ERROR: of those above it some are the kernel's own, and no program may see them: BUG_ON() in fs/ and net/ */
#define CKPT_SOCK_ERROR_MAX EHWPOISON
/* inet.c: what TCP and UDP have in common: addresses, and to be bound to them */
struct socket *ckpt_inet_socket_of(struct file *file, int type, int protocol);
int ckpt_save_inet(struct ckpt_checkpoint *cp, struct file *file,
		   struct ckpt_image_file_sock *img, struct ckpt_rec_out *rec);
int ckpt_check_inet(struct ckpt_log *log, const struct ckpt_rec_buf *buf, int type, int protocol);
int ckpt_start_inet(struct ckpt_restart *rs, struct socket *sock,
		    const struct ckpt_image_file_sock *img);
/* add what is not the family's own: fill @img, and the part with the options */
int ckpt_save_socket(struct ckpt_checkpoint *cp, struct file *file,
		     struct ckpt_image_file_sock *img, struct ckpt_rec_out *rec);
/* are the numbers of the record right, as far as they are of all families? */
int ckpt_check_socket(struct ckpt_log *log, const struct ckpt_rec_buf *buf);
/* a socket of the record's family and type with its options, made by @cred */
struct socket *ckpt_make_socket(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				const struct cred *cred);
struct file *ckpt_socket_file(struct socket *sock, const struct ckpt_rec_buf *buf,
			      const struct cred *cred);
pid_t ckpt_own_nr(struct pid *pid, struct pid_namespace *ns);
/* SO_PEERCRED of unix sockets */
int ckpt_save_peer(struct ckpt_checkpoint *cp, struct sock *sk, u32 *cred_ref, s32 *nr);
void ckpt_set_peer(struct sock *sk, const struct cred *cred, struct pid *pid);
int ckpt_restore_peer(struct ckpt_restart *rs, struct sock *sk, u32 cred_ref, s32 nr);
/* scm.c: the process of that number in current's namespace, or one that had it and has ended; or NULL */
struct pid *ckpt_get_pid(pid_t nr);

struct ckpt_option {
	int level;
	int name;
	u32 len;
	u32 flags;
	const char *text;
	/* was it set?  For those that read like a default until they are; NULL: their values differ */
	bool (*was_set)(const struct sock *sk, const struct sock *pristine);
};

/* value.c: @val has room for the longest, CKPT_SOCKOPT_LEN bytes */
int ckpt_get_option(struct sock *sk, const struct ckpt_option *o, void *val);
int ckpt_set_option(struct socket *sock, const struct ckpt_option *o, void *val);
/* options.c */
/* does a socket have options of that level? */
bool ckpt_sock_has_level(int family, int protocol, int level);
/* @tag: the part of the record that has them */
int ckpt_save_sock_options(struct ckpt_checkpoint *cp, struct sock *sk, struct ckpt_rec_out *rec,
			   u16 tag);
int ckpt_check_sock_options(struct ckpt_log *log, const struct ckpt_rec_buf *buf, u16 tag,
			    int family, int protocol);
int ckpt_restore_sock_options(struct ckpt_restart *rs, struct socket *sock,
			      const struct ckpt_rec_buf *buf, u16 tag);
/* fields.c */
int ckpt_check_sock_fields(struct ckpt_checkpoint *cp, struct sock *sk,
			   const struct sock *pristine);

#endif
