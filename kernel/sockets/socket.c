// SPDX-License-Identifier: GPL-2.0-only
/* What all sockets have: address, state, SOL_SOCKET options.  C6, C7. */
#include <linux/net.h>
#include <net/sock.h>
#include <net/sock_reuseport.h>

#include "sock.h"

/* the socket behind @file if it is of the family and type (0: any), or NULL */
struct socket *ckpt_socket_of(struct file *file, int family, int type)
{
	struct socket *sock = sock_from_file(file);

	if (!sock || !sock->sk || sock->sk->sk_family != family)
		return NULL;
	return !type || sock->type == type ? sock : NULL;
}

static const struct {
	enum sock_flags flag;
	int opt;
	u32 bit;
} flag_options[] = {
	{ SOCK_KEEPOPEN, SO_KEEPALIVE, CKPT_SO_KEEPALIVE },
	{ SOCK_BROADCAST, SO_BROADCAST, CKPT_SO_BROADCAST },
	{ SOCK_URGINLINE, SO_OOBINLINE, CKPT_SO_OOBINLINE },
};

static s64 timeo_ns(long timeo)
{
	return timeo == MAX_SCHEDULE_TIMEOUT ? -1 : jiffies_to_nsecs(timeo);
}

/* what SOL_SOCKET can set and the engine does not save */
static int check_options(struct ckpt_checkpoint *cp, struct sock *sk)
{
	const char *what = NULL;

	if (READ_ONCE(sk->sk_shutdown))
		what = "one or both directions shut down";
	else if (READ_ONCE(sk->sk_err))
		what = "an error that its owner has not read yet";
	else if (rcu_access_pointer(sk->sk_filter))
		what = "a socket filter";
	else if (sk->sk_bound_dev_if)
		what = "SO_BINDTODEVICE";
	else if (sock_flag(sk, SOCK_RCVTSTAMP) || sk->sk_tsflags)
		what = "SO_TIMESTAMP";
	else if (rcu_access_pointer(sk->sk_reuseport_cb) && rcu_access_pointer(rcu_dereference_raw(sk->sk_reuseport_cb)->prog))
		what = "SO_ATTACH_REUSEPORT_BPF";
	else if (sock_flag(sk, SOCK_ZEROCOPY) || sock_flag(sk, SOCK_TXTIME))
		what = "SO_ZEROCOPY or SO_TXTIME";
	else if (sk->sk_peek_off >= 0 && sk->sk_family == AF_UNIX)
		what = "SO_PEEK_OFF";
	return what ? ckpt_refuse(cp, -EOPNOTSUPP, "a socket with %s is not supported", what) : 0;
}

static void save_options(struct sock *sk, struct ckpt_image_file_sock *img)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(flag_options); i++)
		if (sock_flag(sk, flag_options[i].flag))
			img->options |= flag_options[i].bit;
	if (sk->sk_reuse)
		img->options |= CKPT_SO_REUSEADDR;
	if (sk->sk_reuseport)
		img->options |= CKPT_SO_REUSEPORT;
	img->userlocks = sk->sk_userlocks & (SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK);
	img->sndbuf = sk->sk_sndbuf;
	img->rcvbuf = sk->sk_rcvbuf;
	img->priority = sk->sk_priority;
	img->mark = sk->sk_mark;
	img->rcvlowat = sk->sk_rcvlowat;
	img->rcvtimeo_ns = timeo_ns(sk->sk_rcvtimeo);
	img->sndtimeo_ns = timeo_ns(sk->sk_sndtimeo);
	img->linger = sock_flag(sk, SOCK_LINGER) ? (int)(sk->sk_lingertime / HZ) : -1;
}

/* fill the record with what is not the family's own */
int ckpt_save_socket(struct ckpt_checkpoint *cp, struct file *file,
		     struct ckpt_image_file_sock *img)
{
	struct socket *sock = sock_from_file(file);
	struct sock *sk = sock->sk;
	int len, ret;

	ret = check_options(cp, sk);
	if (ret)
		return ret;
	img->family = sk->sk_family;
	img->type = sock->type;
	img->protocol = sk->sk_protocol;
	BUILD_BUG_ON(sizeof(img->addr) < sizeof(struct sockaddr_storage));
	len = sock->ops->getname(sock, (struct sockaddr *)img->addr, 0);
	if (len < 0)
		return len;
	img->addr_len = len;
	if (sk->sk_state == TCP_LISTEN) {
		img->state |= CKPT_SOCK_LISTEN;
		img->backlog = READ_ONCE(sk->sk_max_ack_backlog);
	}
	if (test_bit(SOCK_PASSCRED, &sock->flags))
		img->options |= CKPT_SO_PASSCRED;
	save_options(sk, img);
	return 0;
}

int ckpt_set_option(struct socket *sock, int level, int opt, int val)
{
	if (level == SOL_SOCKET)
		return sock_setsockopt(sock, level, opt, KERNEL_SOCKPTR(&val), sizeof(val));
	return sock->ops->setsockopt(sock, level, opt, KERNEL_SOCKPTR(&val), sizeof(val));
}

static int set_buffers(struct socket *sock, const struct ckpt_image_file_sock *img)
{
	bool force = capable(CAP_NET_ADMIN);
	int ret = 0;

	/* the kernel doubles what it is given */
	if (img->userlocks & SOCK_SNDBUF_LOCK)
		ret = ckpt_set_option(sock, SOL_SOCKET, force ? SO_SNDBUFFORCE : SO_SNDBUF,
				      img->sndbuf / 2);
	if (!ret && img->userlocks & SOCK_RCVBUF_LOCK)
		ret = ckpt_set_option(sock, SOL_SOCKET, force ? SO_RCVBUFFORCE : SO_RCVBUF,
				      img->rcvbuf / 2);
	return ret;
}

static long timeo_jiffies(s64 ns)
{
	return ns < 0 ? MAX_SCHEDULE_TIMEOUT : nsecs_to_jiffies(ns);
}

static int set_options(struct socket *sock, const struct ckpt_image_file_sock *img)
{
	struct sock *sk = sock->sk;
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(flag_options); i++) {
		if (!(img->options & flag_options[i].bit))
			continue;
		ret = ckpt_set_option(sock, SOL_SOCKET, flag_options[i].opt, 1);
		if (ret)
			return ret;
	}
	if (img->options & CKPT_SO_REUSEADDR)
		ckpt_set_option(sock, SOL_SOCKET, SO_REUSEADDR, 1);
	if (img->options & CKPT_SO_REUSEPORT)
		ckpt_set_option(sock, SOL_SOCKET, SO_REUSEPORT, 1);
	if (img->options & CKPT_SO_PASSCRED)
		ckpt_set_option(sock, SOL_SOCKET, SO_PASSCRED, 1);
	ret = set_buffers(sock, img);
	if (!ret && img->priority)
		ret = ckpt_set_option(sock, SOL_SOCKET, SO_PRIORITY, img->priority);
	if (!ret && img->mark)
		ret = ckpt_set_option(sock, SOL_SOCKET, SO_MARK, img->mark);
	if (!ret && img->rcvlowat > 1)
		ret = ckpt_set_option(sock, SOL_SOCKET, SO_RCVLOWAT, img->rcvlowat);
	sk->sk_rcvtimeo = timeo_jiffies(img->rcvtimeo_ns);
	sk->sk_sndtimeo = timeo_jiffies(img->sndtimeo_ns);
	if (img->linger >= 0) {
		struct linger l = { .l_onoff = 1, .l_linger = img->linger };

		sock_setsockopt(sock, SOL_SOCKET, SO_LINGER, KERNEL_SOCKPTR(&l), sizeof(l));
	}
	return ret;
}

struct socket *ckpt_make_socket(const struct ckpt_image_file_sock *img)
{
	struct socket *sock;
	int ret;

	ret = sock_create(img->family, img->type, img->protocol, &sock);
	if (ret)
		return ERR_PTR(ret);
	ret = set_options(sock, img);
	if (ret) {
		sock_release(sock);
		return ERR_PTR(ret);
	}
	return sock;
}

/* the socket goes with the file, also when there is none */
struct file *ckpt_socket_file(struct socket *sock)
{
	return sock_alloc_file(sock, 0, NULL);
}
