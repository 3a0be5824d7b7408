// SPDX-License-Identifier: GPL-2.0-only
/*
 * The value of an option of a socket, as setsockopt(2) takes it: what
 * getsockopt(2) shows is not always that.  C6, C7.
 */
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/inet_ecn.h>
#include <net/sock.h>
#include <net/udplite.h>

#include "sock.h"

/* getsockopt(2) of UDP takes addresses of user space only */
static int get_udp(struct sock *sk, int name, int *val)
{
	switch (name) {
	case UDP_CORK:
		*val = udp_test_bit(CORK, sk);
		return 0;
	case UDP_NO_CHECK6_TX:
		*val = udp_get_no_check6_tx(sk);
		return 0;
	case UDP_NO_CHECK6_RX:
		*val = udp_get_no_check6_rx(sk);
		return 0;
	case UDP_SEGMENT:
		*val = READ_ONCE(udp_sk(sk)->gso_size);
		return 0;
	case UDP_GRO:
		*val = udp_test_bit(GRO_ENABLED, sk);
		return 0;
	case UDPLITE_SEND_CSCOV:
		*val = READ_ONCE(udp_sk(sk)->pcslen);
		return 0;
	case UDPLITE_RECV_CSCOV:
		*val = READ_ONCE(udp_sk(sk)->pcrlen);
		return 0;
	}
	return -ENOPROTOOPT;
}

static int get_plain(struct sock *sk, const struct ckpt_option *o, void *val)
{
	int len = o->len;
	sockptr_t to = KERNEL_SOCKPTR(val), to_len = KERNEL_SOCKPTR(&len);

	switch (o->level) {
	case SOL_SOCKET:
		return k_sk_getsockopt(sk, o->level, o->name, to, to_len);
	case SOL_IP:
		return k_do_ip_getsockopt(sk, o->level, o->name, to, to_len);
	case SOL_IPV6:
		return k_do_ipv6_getsockopt(sk, o->level, o->name, to, to_len);
	case SOL_TCP:
		return k_do_tcp_getsockopt(sk, o->level, o->name, to, to_len);
	}
	return get_udp(sk, o->name, val);
}

/* no time at all, which getsockopt(2) shows as no limit; it is set by less than none */
static void mend_timeo(long timeo, struct __kernel_sock_timeval *tv)
{
	if (!timeo)
		tv->tv_sec = -1;
}

/* the value that setsockopt(2) takes to make the socket so; @val has room for the longest */
int ckpt_get_option(struct sock *sk, const struct ckpt_option *o, void *val)
{
	int *n = val;
	int ret;

	memset(val, 0, CKPT_SOCKOPT_LEN);
#ifdef CONFIG_NET_RX_BUSY_POLL
	if (o->level == SOL_SOCKET && o->name == SO_BUSY_POLL_BUDGET) {
		*n = READ_ONCE(sk->sk_busy_poll_budget);
		return 0;
	}
#endif
	/* of a connection it shows what is in force */
	if (o->level == SOL_TCP && o->name == TCP_MAXSEG && tcp_sk(sk)->rx_opt.user_mss) {
		*n = tcp_sk(sk)->rx_opt.user_mss;
		return 0;
	}
	ret = get_plain(sk, o, val);
	/* what the kernel says of congestion, which a stream cannot set */
	if (!ret && sk->sk_type == SOCK_STREAM && ((o->level == SOL_IP && o->name == IP_TOS) ||
						   (o->level == SOL_IPV6 && o->name == IPV6_TCLASS)))
		*n &= ~INET_ECN_MASK;
	if (ret || o->level != SOL_SOCKET)
		return ret;
	switch (o->name) {
	case SO_RCVBUF:
	case SO_SNDBUF:
		/* it is doubled when it is set */
		*n /= 2;
		break;
	case SO_TXREHASH:
		*n = (s8)*n;
		break;
	case SO_RCVTIMEO_NEW:
		mend_timeo(sk->sk_rcvtimeo, val);
		break;
	case SO_SNDTIMEO_NEW:
		mend_timeo(sk->sk_sndtimeo, val);
		break;
	case SO_LINGER:
		if (sk->sk_lingertime == MAX_SCHEDULE_TIMEOUT)
			((struct linger *)val)->l_linger = -1;
		break;
	}
	return 0;
}

static int set_plain(struct socket *sock, const struct ckpt_option *o, int name, void *val)
{
	sockptr_t from = KERNEL_SOCKPTR(val);

	/* as setsockopt(2) chooses */
	if (o->level == SOL_SOCKET && !ckpt_sock_has_own_sockopt(sock))
		return sock_setsockopt(sock, o->level, name, from, o->len);
	return sock->ops->setsockopt(sock, o->level, name, from, o->len);
}

/* off, with a time that would be in force if it were on */
static int set_linger(struct socket *sock, const struct ckpt_option *o, const struct linger *val)
{
	struct linger l = { .l_onoff = 1, .l_linger = val->l_linger };
	int ret = set_plain(sock, o, o->name, &l);

	l.l_onoff = val->l_onoff;
	return ret || val->l_onoff ? ret : set_plain(sock, o, o->name, &l);
}

/* "no limit" after one has been: pacing is on */
static int set_pacing(struct socket *sock, const struct ckpt_option *o, unsigned long *val)
{
	unsigned long some = U32_MAX - 1UL;
	int ret = *val == ~0UL ? set_plain(sock, o, o->name, &some) : 0;

	return ret ? ret : set_plain(sock, o, o->name, val);
}

int ckpt_set_option(struct socket *sock, const struct ckpt_option *o, void *val)
{
	bool force = capable(CAP_NET_ADMIN);

	if (o->level == SOL_SOCKET) {
		switch (o->name) {
		case SO_RCVBUF:
			return set_plain(sock, o, force ? SO_RCVBUFFORCE : SO_RCVBUF, val);
		case SO_SNDBUF:
			return set_plain(sock, o, force ? SO_SNDBUFFORCE : SO_SNDBUF, val);
		case SO_LINGER:
			return set_linger(sock, o, val);
		case SO_MAX_PACING_RATE:
			return set_pacing(sock, o, val);
		}
	}
	return set_plain(sock, o, o->name, val);
}
