// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a socket can have that getsockopt(2) does not show and the engine does
 * not save: it must be as in a new socket.  C6, C7, C10.
 */
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/inet_connection_sock.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/sock_reuseport.h>

#include "sock.h"

/* flags of struct sock that options stand for, or that the socket's state brings with it */
#define KNOWN_FLAGS (BIT(SOCK_URGINLINE) | BIT(SOCK_KEEPOPEN) | BIT(SOCK_LINGER) |		\
		     BIT(SOCK_BROADCAST) | BIT(SOCK_TIMESTAMP) | BIT(SOCK_DBG) |		\
		     BIT(SOCK_RCVTSTAMP) | BIT(SOCK_RCVTSTAMPNS) | BIT(SOCK_LOCALROUTE) |	\
		     BIT(SOCK_TIMESTAMPING_RX_SOFTWARE) | BIT(SOCK_FASYNC) |			\
		     BIT(SOCK_RXQ_OVFL) | BIT(SOCK_ZEROCOPY) | BIT(SOCK_WIFI_STATUS) |		\
		     BIT(SOCK_NOFCS) | BIT(SOCK_FILTER_LOCKED) | BIT(SOCK_SELECT_ERR_QUEUE) |	\
		     BIT(SOCK_RCU_FREE) | BIT(SOCK_TXTIME) | BIT(SOCK_TSTAMP_NEW) |		\
		     BIT(SOCK_RCVMARK))

/* SIOCGSTAMP, or a SO_TIMESTAMP that was taken back, leaves the clock on */
static bool stamps_for_nobody(const struct sock *sk)
{
	return sock_flag(sk, SOCK_TIMESTAMP) && !sock_flag(sk, SOCK_RCVTSTAMP) &&
		!(READ_ONCE(sk->sk_tsflags) & SOF_TIMESTAMPING_RX_SOFTWARE);
}

static bool has_reuseport_program(struct sock *sk)
{
	struct sock_reuseport *reuse;
	bool has;

	rcu_read_lock();
	reuse = rcu_dereference(sk->sk_reuseport_cb);
	has = reuse && rcu_access_pointer(reuse->prog);
	rcu_read_unlock();
	return has;
}

/* a socket of IPv6 that is connected over IPv4: what takes its packets is another's */
static bool is_v4_mapped(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 && ckpt_is_connection(sk) && ipv6_addr_v4mapped(&sk->sk_v6_daddr);
}

/* somebody in the kernel has taken the socket over: a tunnel, a BPF map, TLS */
static bool is_taken_over(const struct sock *sk, const struct sock *pristine)
{
	return sk->sk_prot != pristine->sk_prot || sk->sk_user_data != pristine->sk_user_data ||
		sk->sk_data_ready != pristine->sk_data_ready ||
		sk->sk_write_space != pristine->sk_write_space ||
		sk->sk_state_change != pristine->sk_state_change ||
		sk->sk_error_report != pristine->sk_error_report ||
		(sk->sk_backlog_rcv != pristine->sk_backlog_rcv && !is_v4_mapped(sk)) ||
		sk->sk_destruct != pristine->sk_destruct;
}

static const char *strange_sock(struct sock *sk, const struct sock *pristine)
{
	/* of unix sockets and of TCP connections all of these are saved: peers.c, tcp_ends.c */
	const bool saved = sk->sk_family == AF_UNIX || ckpt_is_connection(sk);
	/* udp.c */
	const bool ends_saved = saved || ckpt_is_udp(sk);

	if (READ_ONCE(sk->sk_shutdown) && !ends_saved)
		return "one or both directions shut down";
	if ((READ_ONCE(sk->sk_err) && !ends_saved) || READ_ONCE(sk->sk_err_soft) ||
	    !skb_queue_empty(&sk->sk_error_queue))
		return "an error that its owner has not read yet";
	if (!saved && sk->sk_socket && sk->sk_socket->state != pristine->sk_socket->state)
		return "a connection that was begun";
	if (rcu_access_pointer(sk->sk_filter))
		return "a socket filter";
	if (sk->sk_bound_dev_if)
		return "SO_BINDTODEVICE";
	if (has_reuseport_program(sk))
		return "SO_ATTACH_REUSEPORT_BPF";
	if (stamps_for_nobody(sk))
		return "SIOCGSTAMP";
	if (atomic_read(&sk->sk_zckey))
		return "SO_ZEROCOPY that was used";
	if (atomic_read(&sk->sk_tskey))
		return "SO_TIMESTAMPING that was used to send";
	if (ckpt_sock_has_policy(sk))
		return "IP_XFRM_POLICY";
	if (ckpt_sock_has_bpf_storage(sk))
		return "BPF storage";
	if (is_taken_over(sk, pristine))
		return "a user in the kernel (ULP, tunnel, BPF map)";
	if ((sk->sk_flags ^ pristine->sk_flags) & ~(KNOWN_FLAGS | (saved ? BIT(SOCK_DONE) : 0)))
		return "a flag that only the kernel sets";
	return NULL;
}

static const char *strange_inet(const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	if (rcu_access_pointer(inet->mc_list))
		return "multicast membership";
	if (rcu_access_pointer(inet->inet_opt))
		return "IP_OPTIONS";
	if ((inet->mc_index && sk->sk_type != SOCK_STREAM) || inet->mc_addr)
		return "IP_MULTICAST_IF";
	if (inet->uc_index)
		return "IP_UNICAST_IF";
	return NULL;
}

static const char *strange_inet6(const struct sock *sk)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);

	if (rcu_access_pointer(np->ipv6_mc_list))
		return "multicast membership";
	if (np->ipv6_ac_list)
		return "anycast membership";
	if (rcu_access_pointer(np->opt))
		return "extension headers (IPV6_RTHDR, IPV6_HOPOPTS, IPV6_DSTOPTS)";
	if (!ipv6_addr_any(&np->sticky_pktinfo.ipi6_addr) || np->sticky_pktinfo.ipi6_ifindex)
		return "IPV6_PKTINFO";
	if (np->flow_label || ckpt_inet6_has_flowlabels(sk))
		return "IPV6_FLOWLABEL_MGR";
	if (np->frag_size)
		return "IPV6_MTU";
	if (np->mcast_oif && sk->sk_type != SOCK_STREAM)
		return "IPV6_MULTICAST_IF";
	if (np->ucast_oif)
		return "IPV6_UNICAST_IF";
	if (np->rxpmtu)
		return "an IPV6_RECVPATHMTU that its owner has not read yet";
	return NULL;
}

static const char *strange_tcp(const struct sock *sk, const struct sock *pristine)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk), *new = tcp_sk(pristine);

	if (tp->repair)
		return "TCP_REPAIR";
	if (icsk->icsk_ulp_ops)
		return "TCP_ULP";
	if (rcu_access_pointer(icsk->icsk_accept_queue.fastopenq.ctx))
		return "TCP_FASTOPEN_KEY";
	if (ckpt_tcp_has_md5(tp))
		return "TCP_MD5SIG";
	if (ckpt_tcp_has_ao(tp))
		return "TCP_AO";
	if (tp->fastopen_req || tp->saved_syn)
		return "TCP_FASTOPEN or TCP_SAVE_SYN under way";
	if (tp->bpf_sock_ops_cb_flags != new->bpf_sock_ops_cb_flags ||
	    tp->snd_cwnd_clamp != new->snd_cwnd_clamp ||
	    icsk->icsk_rto_min != inet_csk(pristine)->icsk_rto_min ||
	    icsk->icsk_delack_max != inet_csk(pristine)->icsk_delack_max)
		return "options that a BPF program has set";
	return NULL;
}

static const char *strange_udp(const struct sock *sk)
{
	const struct udp_sock *up = udp_sk(sk);

	if (up->pending)
		return "UDP_CORK and data that waits";
	if (up->encap_type || up->encap_rcv || up->encap_destroy || up->gro_receive)
		return "UDP_ENCAP";
	return NULL;
}

/*
 * ckpt_check_sock_fields - refuse what the options of a socket do not show, unless it is as in
 * @pristine, a new socket of the same family, type and protocol
 */
int ckpt_check_sock_fields(struct ckpt_checkpoint *cp, struct sock *sk,
			   const struct sock *pristine)
{
	const int family = sk->sk_family, protocol = sk->sk_protocol;
	const char *what = strange_sock(sk, pristine);

	if (!what && ckpt_sock_has_level(family, protocol, SOL_IP))
		what = strange_inet(sk);
	if (!what && ckpt_sock_has_level(family, protocol, SOL_IPV6))
		what = strange_inet6(sk);
	if (!what && ckpt_sock_has_level(family, protocol, SOL_TCP))
		what = strange_tcp(sk, pristine);
	if (!what && ckpt_sock_has_level(family, protocol, SOL_UDP))
		what = strange_udp(sk);
	return what ? ckpt_refuse(cp, -EOPNOTSUPP, "a socket with %s is not supported", what) : 0;
}
