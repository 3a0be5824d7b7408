/* SPDX-License-Identifier: GPL-2.0-only */
/* What the families of sockets share: socket.c, inet.c, unix.c. */
#ifndef _CKPT_SOCKET_H
#define _CKPT_SOCKET_H

#include <linux/net.h>
#include <net/sock.h>

#include "file.h"

struct socket *ckpt_socket_of(struct file *file, int family, int type);
int ckpt_save_socket(struct ckpt_checkpoint *cp, struct file *file,
		     struct ckpt_image_file_sock *img);
/* a socket of the record's family and type with its SOL_SOCKET options */
struct socket *ckpt_make_socket(const struct ckpt_image_file_sock *img);
int ckpt_set_option(struct socket *sock, int level, int opt, int val);
struct file *ckpt_socket_file(struct socket *sock);

#endif
