// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP that listens or is not connected, and UDP that is not connected, over
 * IPv4 and IPv6.  C7.
 */
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/inet_connection_sock.h>
#include <net/inet_sock.h>
#include <net/tcp.h>
#include <net/tcp_states.h>

#include "sock.h"

static struct socket *inet_socket_of(struct file *file, int type, int protocol)
{
	struct socket *sock = ckpt_socket_of(file, AF_INET, type);

	if (!sock)
		sock = ckpt_socket_of(file, AF_INET6, type);
	return sock && sock->sk->sk_protocol == protocol ? sock : NULL;
}

static bool tcp_mine(struct file *file)
{
	return inet_socket_of(file, SOCK_STREAM, IPPROTO_TCP);
}

static bool udp_mine(struct file *file)
{
	return inet_socket_of(file, SOCK_DGRAM, IPPROTO_UDP);
}

static void save_inet(struct sock *sk, struct ckpt_image_file_sock *img)
{
	if (inet_sk(sk)->inet_num)
		img->state |= CKPT_SOCK_BOUND;
	if (sk->sk_family == AF_INET6 && sk->sk_ipv6only)
		img->options |= CKPT_SO_V6ONLY;
	if (ckpt_inet_freebind(sk))
		img->options |= CKPT_SO_FREEBIND;
}

static void save_tcp(struct sock *sk, struct ckpt_image_file_sock *img)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tp->nonagle & TCP_NAGLE_OFF)
		img->options |= CKPT_SO_NODELAY;
	if (tp->nonagle & TCP_NAGLE_CORK)
		img->options |= CKPT_SO_CORK;
	img->keepidle = tp->keepalive_time / HZ;
	img->keepintvl = tp->keepalive_intvl / HZ;
	img->keepcnt = tp->keepalive_probes;
	img->defer_accept = icsk->icsk_accept_queue.rskq_defer_accept;
	img->user_timeout = icsk->icsk_user_timeout;
}

/* options that are not saved must be as they were born */
static int check_inet(struct ckpt_checkpoint *cp, struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);
	const char *what = NULL;

	if (rcu_access_pointer(inet->mc_list) ||
	    (sk->sk_family == AF_INET6 && rcu_access_pointer(inet6_sk(sk)->ipv6_mc_list)))
		what = "multicast membership";
	else if (inet->tos || inet->uc_ttl != -1 || ckpt_inet_cmsg_flags(sk))
		what = "IP_TOS, IP_TTL or ancillary data";
	else if (rcu_access_pointer(inet->inet_opt))
		what = "IP options";
	else if (sk->sk_family == AF_INET6 && (rcu_access_pointer(inet6_sk(sk)->opt) ||
					       inet6_sk(sk)->rxopt.all || inet6_sk(sk)->tclass))
		what = "IPv6 options";
	return what ? ckpt_refuse(cp, -EOPNOTSUPP, "a socket with %s is not supported", what) : 0;
}

static int check_tcp(struct ckpt_checkpoint *cp, struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const char *what = NULL;

	if (icsk->icsk_ca_setsockopt)
		what = "TCP_CONGESTION";
	else if (icsk->icsk_ulp_ops)
		what = "TCP_ULP";
	else if (icsk->icsk_accept_queue.fastopenq.max_qlen)
		what = "TCP_FASTOPEN";
	else if (tcp_sk(sk)->rx_opt.user_mss || tcp_sk(sk)->window_clamp)
		what = "TCP_MAXSEG or TCP_WINDOW_CLAMP";
	return what ? ckpt_refuse(cp, -EOPNOTSUPP, "a socket with %s is not supported", what) : 0;
}

static int tcp_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct sock *sk = sock_from_file(file)->sk;
	struct ckpt_image_file_sock *img = ckpt_put(rec, FILE, SOCK);
	int ret;

	if (!img)
		return -ENOMEM;
	if (sk->sk_state != TCP_LISTEN && sk->sk_state != TCP_CLOSE)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a TCP connection (state %d) is not supported; close it first",
				   sk->sk_state);
	if (sk->sk_state == TCP_LISTEN && READ_ONCE(sk->sk_ack_backlog))
		return ckpt_refuse(cp, -EBUSY, "a TCP socket has connections that wait to be accepted, which is not supported");
	if (sk->sk_state == TCP_CLOSE && (!skb_queue_empty(&sk->sk_receive_queue) ||
					  sk->sk_shutdown || sk->sk_err))
		return ckpt_refuse(cp, -EOPNOTSUPP, "a TCP socket whose connection has ended is not supported; close it first");
	ret = check_inet(cp, sk);
	if (!ret)
		ret = check_tcp(cp, sk);
	if (!ret)
		ret = ckpt_save_socket(cp, file, img);
	if (ret)
		return ret;
	save_inet(sk, img);
	save_tcp(sk, img);
	return 0;
}

static int udp_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_file_sock *img = ckpt_put(rec, FILE, SOCK);
	struct sock *sk = sock_from_file(file)->sk;
	int ret;

	if (!img)
		return -ENOMEM;
	if (sk->sk_state != TCP_CLOSE)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a connected UDP socket is not supported");
	if (!skb_queue_empty(&sk->sk_receive_queue) ||
	    !skb_queue_empty(&udp_sk(sk)->reader_queue))
		return ckpt_refuse(cp, -EOPNOTSUPP, "a UDP socket with queued data is not supported");
	ret = check_inet(cp, sk);
	if (!ret && (udp_sk(sk)->pending || udp_sk(sk)->encap_type))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "UDP_CORK and UDP_ENCAP are not supported");
	if (!ret)
		ret = ckpt_save_socket(cp, file, img);
	if (ret)
		return ret;
	save_inet(sk, img);
	return 0;
}

static int set_tcp(struct socket *sock, const struct ckpt_image_file_sock *img)
{
	const struct {
		int opt;
		int val;
	} opts[] = {
		{ TCP_NODELAY, !!(img->options & CKPT_SO_NODELAY) },
		{ TCP_CORK, !!(img->options & CKPT_SO_CORK) },
		{ TCP_KEEPIDLE, img->keepidle },
		{ TCP_KEEPINTVL, img->keepintvl },
		{ TCP_KEEPCNT, img->keepcnt },
		{ TCP_USER_TIMEOUT, img->user_timeout },
	};
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(opts); i++) {
		if (!opts[i].val)
			continue;
		ret = ckpt_set_option(sock, SOL_TCP, opts[i].opt, opts[i].val);
		if (ret)
			return ret;
	}
	if (img->defer_accept)
		inet_csk(sock->sk)->icsk_accept_queue.rskq_defer_accept =
			clamp(img->defer_accept, 0, 255);
	return 0;
}

static int set_inet(struct socket *sock, const struct ckpt_image_file_sock *img)
{
	int ret = 0;

	if (img->family == AF_INET6)
		ret = ckpt_set_option(sock, SOL_IPV6, IPV6_V6ONLY, !!(img->options & CKPT_SO_V6ONLY));
	if (!ret && img->options & CKPT_SO_FREEBIND)
		ret = ckpt_set_option(sock, SOL_IP, IP_FREEBIND, 1);
	if (!ret && img->type == SOCK_STREAM)
		ret = set_tcp(sock, img);
	return ret;
}

static int start(struct ckpt_restart *rs, struct socket *sock,
		 const struct ckpt_image_file_sock *img)
{
	int ret = 0;

	if (img->state & CKPT_SOCK_BOUND)
		ret = kernel_bind(sock, (struct sockaddr *)img->addr, img->addr_len);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, "%pISpc cannot be bound to: error %d", img->addr, -ret);
	if (img->state & CKPT_SOCK_LISTEN)
		ret = kernel_listen(sock, img->backlog);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, "%pISpc cannot be listened on: error %d", img->addr, -ret);
	return 0;
}

static int check_sock(struct ckpt_log *log, const struct ckpt_rec_buf *buf, int type,
		      int protocol)
{
	const struct ckpt_image_file_sock *img = ckpt_get(buf, FILE, SOCK);

	if (!img || (img->family != AF_INET && img->family != AF_INET6) || img->type != type ||
	    img->protocol != protocol || img->addr_len > sizeof(img->addr))
		return ckpt_malformed(log, buf);
	return 0;
}

static int tcp_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return check_sock(log, buf, SOCK_STREAM, IPPROTO_TCP);
}

static int udp_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return check_sock(log, buf, SOCK_DGRAM, IPPROTO_UDP);
}

static struct file *inet_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_sock *img = ckpt_get(buf, FILE, SOCK);
	struct socket *sock;
	int ret;

	sock = ckpt_make_socket(img);
	if (IS_ERR(sock))
		return ERR_CAST(sock);
	ret = set_inet(sock, img);
	if (!ret)
		ret = start(rs, sock, img);
	if (ret) {
		sock_release(sock);
		return ERR_PTR(ret);
	}
	return ckpt_socket_file(sock);
}

const struct ckpt_file_ops ckpt_file_tcp = {
	.name = "tcp",
	.kind = CKPT_FILE_TCP,
	.mine = tcp_mine,
	.save = tcp_save,
	.check = tcp_check,
	.restore = inet_restore,
};

const struct ckpt_file_ops ckpt_file_udp = {
	.name = "udp",
	.kind = CKPT_FILE_UDP,
	.mine = udp_mine,
	.save = udp_save,
	.check = udp_check,
	.restore = inet_restore,
};
