// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of sockets.  One table serves save, restore and comparison: what
 * getsockopt(2) shows is held against a socket that was just made, and what
 * differs goes into the image as (level, name, value), for setsockopt(2): value.c.
 * What getsockopt(2) does not show is in fields.c.  C6, C7.
 */
#include <linux/ipv6.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/inet_connection_sock.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>
#include <net/udplite.h>

#include "sock.h"

/* saved even when it is as in a new socket: there that may be another value */
#define ALWAYS	0x1
/* of struct socket: one that waits to be accepted has none yet */
#define SOCKET	0x2
/* setsockopt(2) does not take it for streams; tcp_state.c saves what they have */
#define NO_STREAM 0x4
/* of a connection it is what the kernel has made of it; tcp_state.c saves it */
#define NO_CONNECTION 0x8

#define WAS_SET(what, test)								\
	static bool what##_was_set(const struct sock *sk, const struct sock *pristine)	\
	{										\
		return test;								\
	}

WAS_SET(ttl, inet_sk(sk)->uc_ttl != inet_sk(pristine)->uc_ttl)
WAS_SET(hops, inet6_sk(sk)->hop_limit != inet6_sk(pristine)->hop_limit)
WAS_SET(mcast_hops, inet6_sk(sk)->mcast_hops != inet6_sk(pristine)->mcast_hops)
WAS_SET(flowlabel, ckpt_inet6_autoflowlabel_set(sk))
WAS_SET(addr_preferences, inet6_sk(sk)->srcprefs != inet6_sk(pristine)->srcprefs)
WAS_SET(txtime, sock_flag(sk, SOCK_TXTIME))
/* a limit that was lifted again has left pacing on */
WAS_SET(pacing, sk->sk_max_pacing_rate != pristine->sk_max_pacing_rate ||
	sk->sk_pacing_status != pristine->sk_pacing_status)
WAS_SET(congestion, inet_csk(sk)->icsk_ca_setsockopt ||
	inet_csk(sk)->icsk_ca_ops != inet_csk(pristine)->icsk_ca_ops)
WAS_SET(maxseg, tcp_sk(sk)->rx_opt.user_mss)
WAS_SET(keepidle, tcp_sk(sk)->keepalive_time)
WAS_SET(keepintvl, tcp_sk(sk)->keepalive_intvl)
WAS_SET(keepcnt, tcp_sk(sk)->keepalive_probes)
WAS_SET(syncnt, inet_csk(sk)->icsk_syn_retries)
WAS_SET(linger2, tcp_sk(sk)->linger2)
WAS_SET(send_coverage, ckpt_udplite_sends_part(sk))
WAS_SET(recv_coverage, ckpt_udplite_takes_part(sk))

#define INT(level, name)	  { level, name, sizeof(int), 0, #name }
#define INT_ALWAYS(level, name)	  { level, name, sizeof(int), ALWAYS, #name }
#define INT_SOCKET(level, name)	  { level, name, sizeof(int), SOCKET, #name }
#define INT_SET(level, name, set) { level, name, sizeof(int), 0, #name, set }

/*
 * In the order in which they are set: IP_TOS and IPV6_TCLASS before the priority
 * that comes with it, SO_RCVLOWAT before the buffer and the window that it may
 * widen, the buffers' sizes before SO_BUF_LOCK.
 */
static const struct ckpt_option options[] = {
	INT(SOL_IP, IP_TOS),
	INT_SET(SOL_IP, IP_TTL, ttl_was_set),
	INT(SOL_IP, IP_MINTTL),
	INT_ALWAYS(SOL_IP, IP_MTU_DISCOVER),
	INT(SOL_IP, IP_PKTINFO),
	INT(SOL_IP, IP_RECVTTL),
	INT(SOL_IP, IP_RECVTOS),
	INT(SOL_IP, IP_RECVOPTS),
	INT(SOL_IP, IP_RETOPTS),
	INT(SOL_IP, IP_PASSSEC),
	INT(SOL_IP, IP_RECVORIGDSTADDR),
	INT(SOL_IP, IP_CHECKSUM),
	INT(SOL_IP, IP_RECVFRAGSIZE),
	INT(SOL_IP, IP_RECVERR),
	INT(SOL_IP, IP_RECVERR_RFC4884),
	INT(SOL_IP, IP_FREEBIND),
	INT(SOL_IP, IP_TRANSPARENT),
	INT(SOL_IP, IP_BIND_ADDRESS_NO_PORT),
	INT(SOL_IP, IP_LOCAL_PORT_RANGE),
	{ SOL_IP, IP_MULTICAST_TTL, sizeof(int), NO_STREAM, "IP_MULTICAST_TTL" },
	INT(SOL_IP, IP_MULTICAST_LOOP),
	INT(SOL_IP, IP_MULTICAST_ALL),

	INT_ALWAYS(SOL_IPV6, IPV6_V6ONLY),
	INT(SOL_IPV6, IPV6_TCLASS),
	INT_SET(SOL_IPV6, IPV6_UNICAST_HOPS, hops_was_set),
	{ SOL_IPV6, IPV6_MULTICAST_HOPS, sizeof(int), NO_STREAM, "IPV6_MULTICAST_HOPS", mcast_hops_was_set },
	INT(SOL_IPV6, IPV6_MULTICAST_LOOP),
	INT(SOL_IPV6, IPV6_MULTICAST_ALL),
	INT(SOL_IPV6, IPV6_MINHOPCOUNT),
	INT_ALWAYS(SOL_IPV6, IPV6_MTU_DISCOVER),
	INT(SOL_IPV6, IPV6_DONTFRAG),
	INT(SOL_IPV6, IPV6_RECVERR),
	INT(SOL_IPV6, IPV6_RECVERR_RFC4884),
	INT(SOL_IPV6, IPV6_FLOWINFO_SEND),
	INT_SET(SOL_IPV6, IPV6_AUTOFLOWLABEL, flowlabel_was_set),
	INT_SET(SOL_IPV6, IPV6_ADDR_PREFERENCES, addr_preferences_was_set),
	INT(SOL_IPV6, IPV6_ROUTER_ALERT_ISOLATE),
	INT(SOL_IPV6, IPV6_RECVPKTINFO),
	INT(SOL_IPV6, IPV6_2292PKTINFO),
	INT(SOL_IPV6, IPV6_RECVHOPLIMIT),
	INT(SOL_IPV6, IPV6_2292HOPLIMIT),
	INT(SOL_IPV6, IPV6_RECVRTHDR),
	INT(SOL_IPV6, IPV6_2292RTHDR),
	INT(SOL_IPV6, IPV6_RECVHOPOPTS),
	INT(SOL_IPV6, IPV6_2292HOPOPTS),
	INT(SOL_IPV6, IPV6_RECVDSTOPTS),
	INT(SOL_IPV6, IPV6_2292DSTOPTS),
	INT(SOL_IPV6, IPV6_RECVTCLASS),
	INT(SOL_IPV6, IPV6_FLOWINFO),
	INT(SOL_IPV6, IPV6_RECVPATHMTU),
	INT(SOL_IPV6, IPV6_RECVORIGDSTADDR),
	INT(SOL_IPV6, IPV6_RECVFRAGSIZE),

	INT(SOL_SOCKET, SO_DEBUG),
	INT(SOL_SOCKET, SO_REUSEADDR),
	INT(SOL_SOCKET, SO_REUSEPORT),
	INT(SOL_SOCKET, SO_KEEPALIVE),
	INT(SOL_SOCKET, SO_BROADCAST),
	INT(SOL_SOCKET, SO_OOBINLINE),
	INT(SOL_SOCKET, SO_DONTROUTE),
	INT(SOL_SOCKET, SO_NO_CHECK),
	INT_ALWAYS(SOL_SOCKET, SO_PRIORITY),
	INT(SOL_SOCKET, SO_MARK),
	INT(SOL_SOCKET, SO_RCVMARK),
	INT_SOCKET(SOL_SOCKET, SO_PASSCRED),
	INT_SOCKET(SOL_SOCKET, SO_PASSSEC),
	INT_SOCKET(SOL_SOCKET, SO_PASSPIDFD),
	INT(SOL_SOCKET, SO_RXQ_OVFL),
	INT(SOL_SOCKET, SO_WIFI_STATUS),
	INT(SOL_SOCKET, SO_NOFCS),
	INT(SOL_SOCKET, SO_SELECT_ERR_QUEUE),
	INT(SOL_SOCKET, SO_INCOMING_CPU),
	INT_SOCKET(SOL_SOCKET, SO_PEEK_OFF),
	INT(SOL_SOCKET, SO_ZEROCOPY),
	INT_ALWAYS(SOL_SOCKET, SO_TXREHASH),
	INT_ALWAYS(SOL_SOCKET, SO_BUSY_POLL),
	INT(SOL_SOCKET, SO_PREFER_BUSY_POLL),
	INT(SOL_SOCKET, SO_BUSY_POLL_BUDGET),
	{ SOL_SOCKET, SO_MAX_PACING_RATE, sizeof(long), 0, "SO_MAX_PACING_RATE", pacing_was_set },
	{ SOL_SOCKET, SO_LINGER, sizeof(struct linger), 0, "SO_LINGER" },
	{ SOL_SOCKET, SO_RCVTIMEO_NEW, sizeof(struct __kernel_sock_timeval), 0, "SO_RCVTIMEO" },
	{ SOL_SOCKET, SO_SNDTIMEO_NEW, sizeof(struct __kernel_sock_timeval), 0, "SO_SNDTIMEO" },
	{ SOL_SOCKET, SO_TXTIME, sizeof(struct sock_txtime), 0, "SO_TXTIME", txtime_was_set },
	{ SOL_SOCKET, SO_TIMESTAMPING_OLD, sizeof(struct so_timestamping), 0, "SO_TIMESTAMPING" },
	{ SOL_SOCKET, SO_TIMESTAMPING_NEW, sizeof(struct so_timestamping), 0, "SO_TIMESTAMPING" },
	INT(SOL_SOCKET, SO_TIMESTAMP_OLD),
	INT(SOL_SOCKET, SO_TIMESTAMP_NEW),
	INT(SOL_SOCKET, SO_TIMESTAMPNS_OLD),
	INT(SOL_SOCKET, SO_TIMESTAMPNS_NEW),
	INT(SOL_SOCKET, SO_RCVLOWAT),
	INT_ALWAYS(SOL_SOCKET, SO_RCVBUF),
	INT_ALWAYS(SOL_SOCKET, SO_SNDBUF),
	INT_ALWAYS(SOL_SOCKET, SO_BUF_LOCK),
	INT(SOL_SOCKET, SO_RESERVE_MEM),
	INT(SOL_SOCKET, SO_LOCK_FILTER),

	{ SOL_TCP, TCP_CONGESTION, TCP_CA_NAME_MAX, 0, "TCP_CONGESTION", congestion_was_set },
	INT_SET(SOL_TCP, TCP_MAXSEG, maxseg_was_set),
	INT(SOL_TCP, TCP_NODELAY),
	INT(SOL_TCP, TCP_CORK),
	INT_SET(SOL_TCP, TCP_KEEPIDLE, keepidle_was_set),
	INT_SET(SOL_TCP, TCP_KEEPINTVL, keepintvl_was_set),
	INT_SET(SOL_TCP, TCP_KEEPCNT, keepcnt_was_set),
	INT_SET(SOL_TCP, TCP_SYNCNT, syncnt_was_set),
	INT_SET(SOL_TCP, TCP_LINGER2, linger2_was_set),
	INT(SOL_TCP, TCP_DEFER_ACCEPT),
	INT(SOL_TCP, TCP_USER_TIMEOUT),
	INT(SOL_TCP, TCP_QUICKACK),
	INT(SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS),
	INT(SOL_TCP, TCP_SAVE_SYN),
	INT(SOL_TCP, TCP_FASTOPEN),
	INT(SOL_TCP, TCP_FASTOPEN_CONNECT),
	INT(SOL_TCP, TCP_FASTOPEN_NO_COOKIE),
	INT(SOL_TCP, TCP_NOTSENT_LOWAT),
	INT(SOL_TCP, TCP_INQ),
	INT(SOL_TCP, TCP_TX_DELAY),
	{ SOL_TCP, TCP_WINDOW_CLAMP, sizeof(int), ALWAYS | NO_CONNECTION, "TCP_WINDOW_CLAMP" },

	INT(SOL_UDP, UDP_CORK),
	INT(SOL_UDP, UDP_NO_CHECK6_TX),
	INT(SOL_UDP, UDP_NO_CHECK6_RX),
	INT(SOL_UDP, UDP_SEGMENT),
	INT(SOL_UDP, UDP_GRO),

	INT_SET(SOL_UDPLITE, UDPLITE_SEND_CSCOV, send_coverage_was_set),
	INT_SET(SOL_UDPLITE, UDPLITE_RECV_CSCOV, recv_coverage_was_set),
};

static const struct ckpt_option *option_of(int level, int name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].level == level && options[i].name == name)
			return &options[i];
	return NULL;
}

/* sockets of IPv6 have the options of IPv4, too */
bool ckpt_sock_has_level(int family, int protocol, int level)
{
	switch (level) {
	case SOL_SOCKET:
		return true;
	case SOL_IP:
		return family == AF_INET || family == AF_INET6;
	case SOL_IPV6:
		return family == AF_INET6;
	case SOL_TCP:
	case SOL_UDPLITE:
		return ckpt_sock_has_level(family, protocol, SOL_IP) && protocol == level;
	case SOL_UDP:
		return ckpt_sock_has_level(family, protocol, SOL_IP) &&
			(protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE);
	}
	return false;
}

static bool has_option(const struct sock *sk, const struct ckpt_option *o)
{
	if (o->flags & SOCKET && !sk->sk_socket)
		return false;
	if (o->flags & NO_STREAM && sk->sk_type == SOCK_STREAM)
		return false;
	if (o->flags & NO_CONNECTION && ckpt_is_connection(sk))
		return false;
	return ckpt_sock_has_level(sk->sk_family, sk->sk_protocol, o->level);
}

/* 1: it goes into the image; 0: it does not; negative: it cannot be told */
static int save_option(struct sock *sk, struct sock *pristine, const struct ckpt_option *o,
		       struct ckpt_image_sockopt *img)
{
	u8 born[CKPT_SOCKOPT_LEN];
	int ret;

	if (!has_option(sk, o))
		return 0;
	ret = ckpt_get_option(sk, o, img->value);
	if (ret)
		/* not of this kind of socket, or not of this kernel */
		return ret == -ENOPROTOOPT || ret == -EOPNOTSUPP ? 0 : ret;
	ret = ckpt_get_option(pristine, o, born);
	if (ret)
		return ret;
	if (!(o->flags & ALWAYS) &&
	    !(o->was_set ? o->was_set(sk, pristine) : memcmp(img->value, born, sizeof(born))))
		return 0;
	img->level = o->level;
	img->name = o->name;
	img->len = o->len;
	return 1;
}

/* @list has room for all; returns how many it has */
static int list_options(struct ckpt_checkpoint *cp, struct sock *sk, struct sock *pristine,
			struct ckpt_image_sockopt *list)
{
	int i, ret, nr = 0;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		ret = save_option(sk, pristine, &options[i], &list[nr]);
		if (ret < 0)
			return ckpt_refuse(cp, ret, "%s of a socket cannot be read: error %d",
					   options[i].text, -ret);
		nr += ret;
	}
	return nr;
}

static int save_options(struct ckpt_checkpoint *cp, struct sock *sk, struct sock *pristine,
			struct ckpt_rec_out *rec, u16 tag)
{
	struct ckpt_image_sockopt *list, *img;
	int nr;

	list = kcalloc(ARRAY_SIZE(options), sizeof(*list), GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	nr = list_options(cp, sk, pristine, list);
	if (nr >= 0) {
		img = ckpt_part_new(rec, tag, sizeof(*img), nr);
		if (img)
			memcpy(img, list, nr * sizeof(*list));
		nr = img ? 0 : -ENOMEM;
	}
	kfree(list);
	return nr;
}

/*
 * ckpt_save_sock_options - add to @rec, as its part @tag, what differs from a new socket
 *
 * Refuses what is neither among these options nor as in a new socket.
 */
int ckpt_save_sock_options(struct ckpt_checkpoint *cp, struct sock *sk, struct ckpt_rec_out *rec,
			   u16 tag)
{
	struct socket *pristine;
	int ret;

	ret = sock_create_kern(sock_net(sk), sk->sk_family, sk->sk_type, sk->sk_protocol, &pristine);
	if (ret)
		return ckpt_refuse(cp, ret, "no socket to compare this one with: error %d", -ret);
	ret = ckpt_check_sock_fields(cp, sk, pristine->sk);
	if (!ret)
		ret = save_options(cp, sk, pristine->sk, rec, tag);
	sock_release(pristine);
	return ret;
}

static int restore_option(struct ckpt_restart *rs, struct socket *sock, const struct ckpt_option *o,
			  const struct ckpt_image_sockopt *img)
{
	u8 now[CKPT_SOCKOPT_LEN], val[CKPT_SOCKOPT_LEN];
	int ret;

	/* what is so already asks for no right */
	ret = ckpt_get_option(sock->sk, o, now);
	if (!ret && !o->was_set && !memcmp(now, img->value, sizeof(now)))
		return 0;
	memcpy(val, img->value, sizeof(val));
	ret = ckpt_set_option(sock, o, val);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "%s of a socket cannot be set: error %d", o->text, -ret) : 0;
}

static int compare_option(struct ckpt_restart *rs, struct socket *sock, const struct ckpt_option *o,
			const struct ckpt_image_sockopt *img)
{
	u8 now[CKPT_SOCKOPT_LEN];
	int ret = ckpt_get_option(sock->sk, o, now);

	if (!ret && !memcmp(now, img->value, sizeof(now)))
		return 0;
	return ckpt_fail(ckpt_restore_log(rs), ret ? ret : -EOPNOTSUPP,
			 "%s of a socket cannot be what it was: this machine gives it %*ph, not %*ph",
			 o->text, (int)o->len, now, (int)o->len, img->value);
}

/* options must be of the table, and in its order */
int ckpt_check_sock_options(struct ckpt_log *log, const struct ckpt_rec_buf *buf, u16 tag,
			    int family, int protocol)
{
	const struct ckpt_option *o, *last = NULL;
	const struct ckpt_image_sockopt *img;
	u64 i, nr;

	img = ckpt_part_find(buf, tag, &nr);
	for (i = 0; i < nr; i++, img++, last = o) {
		o = option_of(img->level, img->name);
		if (!o)
			return ckpt_fail(log, -EOPNOTSUPP,
					 "%s %u has an option (level %d, %d) that this version does not know",
					 ckpt_rec_name(buf->type), ckpt_ref_of(buf), img->level, img->name);
		if (!ckpt_sock_has_level(family, protocol, o->level))
			return ckpt_fail(log, -EINVAL, "%s %u has %s, which such a socket cannot have",
					 ckpt_rec_name(buf->type), ckpt_ref_of(buf), o->text);
		if ((last && o <= last) || img->len != o->len || img->reserved ||
		    memchr_inv(img->value + o->len, 0, sizeof(img->value) - o->len))
			return ckpt_malformed(log, buf);
	}
	return 0;
}

/* ckpt_restore_sock_options - set the options of the record on a new socket that is not bound yet */
int ckpt_restore_sock_options(struct ckpt_restart *rs, struct socket *sock,
			      const struct ckpt_rec_buf *buf, u16 tag)
{
	const struct ckpt_image_sockopt *img;
	u64 i, nr;
	int ret;

	img = ckpt_part_find(buf, tag, &nr);
	for (i = 0; i < nr; i++) {
		ret = restore_option(rs, sock, option_of(img[i].level, img[i].name), &img[i]);
		if (ret)
			return ret;
	}
	for (i = 0; i < nr; i++) {
		ret = compare_option(rs, sock, option_of(img[i].level, img[i].name), &img[i]);
		if (ret)
			return ret;
	}
	return 0;
}
