/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernels in what is about sockets, apart from compat.h: the
 * headers of the network are nearly half of all that is compiled with a file.
 */
#ifndef _CKPT_COMPAT_SOCK_H
#define _CKPT_COMPAT_SOCK_H

#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <linux/version.h>
#include <net/inet_sock.h>
#include <net/sock.h>

/* 6.5 */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

/* not in 6.1: a protocol may look after SOL_SOCKET's options, too */
static inline bool ckpt_sock_has_own_sockopt(const struct socket *sock)
{
#ifdef SOCK_CUSTOM_SOCKOPT
	return test_bit(SOCK_CUSTOM_SOCKOPT, &sock->flags);
#else
	return false;
#endif
}

/* 6.6: inet options are bits of one word */
static inline bool ckpt_inet6_autoflowlabel_set(const struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return inet6_test_bit(AUTOFLOWLABEL_SET, sk);
#else
	return inet6_sk(sk)->autoflowlabel_set;
#endif
}

/* 6.12: moved from the part that is IPv6's own */
static inline bool ckpt_inet6_has_flowlabels(const struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return rcu_access_pointer(inet_sk(sk)->ipv6_fl_list);
#else
	return rcu_access_pointer(inet6_sk(sk)->ipv6_fl_list);
#endif
}

/* 6.7: bits of a word that UDP has, too; was a checksum of a part asked for? */
static inline bool ckpt_udplite_sends_part(const struct sock *sk)
{
#ifdef UDPLITE_SEND_CC
	return udp_sk(sk)->pcflag & UDPLITE_SEND_CC;
#else
	return udp_test_bit(UDPLITE_SEND_CC, sk);
#endif
}

static inline bool ckpt_udplite_takes_part(const struct sock *sk)
{
#ifdef UDPLITE_RECV_CC
	return udp_sk(sk)->pcflag & UDPLITE_RECV_CC;
#else
	return udp_test_bit(UDPLITE_RECV_CC, sk);
#endif
}

/* what a kernel may be built without */
static inline bool ckpt_skb_has_secmark(const struct sk_buff *skb)
{
#ifdef CONFIG_NETWORK_SECMARK
	return skb->secmark;
#else
	return false;
#endif
}

static inline bool ckpt_skb_has_secpath(const struct sk_buff *skb)
{
#ifdef CONFIG_XFRM
	return skb_ext_exist(skb, SKB_EXT_SEC_PATH);
#else
	return false;
#endif
}

static inline bool ckpt_skb_tells_of_wifi(const struct sk_buff *skb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0) || defined(CONFIG_WIRELESS)
	return skb->wifi_acked_valid;
#else
	return false;
#endif
}

static inline bool ckpt_sock_has_policy(const struct sock *sk)
{
#ifdef CONFIG_XFRM
	return rcu_access_pointer(sk->sk_policy[0]) || rcu_access_pointer(sk->sk_policy[1]);
#else
	return false;
#endif
}

static inline bool ckpt_sock_has_bpf_storage(const struct sock *sk)
{
#ifdef CONFIG_BPF_SYSCALL
	return rcu_access_pointer(sk->sk_bpf_storage);
#else
	return false;
#endif
}

static inline bool ckpt_tcp_has_md5(const struct tcp_sock *tp)
{
#ifdef CONFIG_TCP_MD5SIG
	return rcu_access_pointer(tp->md5sig_info);
#else
	return false;
#endif
}

/* 6.7: a route may ask for timestamps in us */
static inline bool ckpt_tcp_stamps_us(const struct tcp_sock *tp)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return tp->tcp_usec_ts;
#else
	return false;
#endif
}

/* 6.6: bytes of a window for 256 bytes of memory, as packets are; 0: the kernel does not count so */
static inline u32 ckpt_tcp_scaling_ratio(const struct tcp_sock *tp)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return tp->scaling_ratio;
#else
	return 0;
#endif
}

static inline void ckpt_tcp_set_scaling_ratio(struct tcp_sock *tp, u32 ratio)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	if (ratio)
		tp->scaling_ratio = ratio;
#endif
}

static inline bool ckpt_tcp_has_ao(const struct tcp_sock *tp)
{
#ifdef CONFIG_TCP_AO
	return rcu_access_pointer(tp->ao_info);
#else
	return false;
#endif
}

#endif
