// SPDX-License-Identifier: GPL-2.0-only
/*
 * The numbers of an end of a TCP connection.  A new socket gets them as TCP_REPAIR
 * gives them, which was made for this.  C7.
 */
#include <linux/ipv6.h>
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/ipv6.h>

#include "tcp.h"

#define WINDOW_MAX	(U16_MAX << TCP_MAX_WSCALE)
/* what is left of the kernel's least where there are timestamps; more packets than it can count would be in one */
#define SND_MSS_MIN	(TCP_MIN_SND_MSS - TCPOLEN_TSTAMP_ALIGNED)

bool ckpt_tcp_is_v4(const struct sock *sk)
{
	return sk->sk_family == AF_INET || ipv6_addr_v4mapped(&sk->sk_v6_daddr);
}

bool ckpt_tcp_sent_fin(u32 state)
{
	return state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_CLOSING ||
	       state == TCP_LAST_ACK;
}

bool ckpt_tcp_got_fin(u32 state)
{
	return state == TCP_CLOSE_WAIT || state == TCP_CLOSING || state == TCP_LAST_ACK;
}

/* a FIN takes a number, too */
u32 ckpt_tcp_written_end(const struct sock *sk)
{
	return tcp_sk(sk)->write_seq - ckpt_tcp_sent_fin(sk->sk_state);
}

u32 ckpt_tcp_received_end(const struct sock *sk)
{
	return tcp_sk(sk)->rcv_nxt - ckpt_tcp_got_fin(sk->sk_state);
}

/* of one that has ended: the other's FIN takes a number behind what has not been read */
static bool has_unread_fin(const struct sock *sk)
{
	const struct sk_buff *last = skb_peek_tail(&sk->sk_receive_queue);

	return sk->sk_state == TCP_CLOSE && last &&
	       after(tcp_sk(sk)->rcv_nxt, TCP_SKB_CB(last)->seq + last->len);
}

/* ---- a checkpoint ---- */

static void save_addresses(const struct sock *sk, struct ckpt_image_tcp *img)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct in6_addr *addr = (struct in6_addr *)img->addr;
	struct in6_addr *peer_addr = (struct in6_addr *)img->peer_addr;

	img->family = sk->sk_family;
	img->port = ntohs(inet->inet_sport);
	img->peer_port = ntohs(inet->inet_dport);
	if (sk->sk_family == AF_INET6) {
		*addr = sk->sk_v6_rcv_saddr;
		*peer_addr = sk->sk_v6_daddr;
	} else {
		ipv6_addr_set_v4mapped(inet->inet_rcv_saddr, addr);
		ipv6_addr_set_v4mapped(inet->inet_daddr, peer_addr);
	}
}

/* ms, as the kernel counts for timestamps */
static u32 clock_ms(void)
{
	return div_u64(ktime_get_ns(), NSEC_PER_MSEC);
}

/* what both ends have agreed on */
static void save_options(const struct tcp_sock *tp, struct ckpt_image_tcp *img)
{
	const struct tcp_options_received *rx = &tp->rx_opt;

	if (rx->wscale_ok) {
		img->flags |= CKPT_TCP_WSCALE;
		img->snd_wscale = rx->snd_wscale;
		img->rcv_wscale = rx->rcv_wscale;
	}
	if (tcp_is_sack(tp))
		img->flags |= CKPT_TCP_SACK;
	if (tp->ecn_flags & TCP_ECN_OK)
		img->flags |= CKPT_TCP_ECN;
	img->timestamp = clock_ms() + tp->tsoffset;
	if (rx->tstamp_ok) {
		img->flags |= CKPT_TCP_TIMESTAMPS;
		img->peer_timestamp = rx->ts_recent;
	}
	img->mss_clamp = rx->mss_clamp;
	img->advmss = tp->advmss;
	img->header_len = tp->tcp_header_len;
}

/* what it has learnt of the other end, without which both wait for each other for a while */
static void save_measures(const struct sock *sk, struct ckpt_image_tcp *img)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	img->snd_mss = tp->mss_cache;
	img->rcv_mss = inet_csk(sk)->icsk_ack.rcv_mss;
	img->scaling_ratio = ckpt_tcp_scaling_ratio(tp);
	img->rcv_ssthresh = tp->rcv_ssthresh;
	img->max_window = tp->max_window;
	img->window_clamp = tp->window_clamp;
}

/* what the packet that began it has left in an end that was accepted */
static void save_traces(const struct sock *sk, struct ckpt_image_tcp *img)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct ipv6_pinfo *np = inet6_sk(sk);

	img->mcast_if = inet->mc_index;
	img->mcast_ttl = inet->mc_ttl;
	img->tos = inet->rcv_tos;
	if (sk->sk_family != AF_INET6)
		return;
	img->mcast6_if = np->mcast_oif;
	img->mcast6_hops = np->mcast_hops;
	img->flowinfo = ntohl(np->rcv_flowinfo);
}

void ckpt_tcp_save_state(const struct sock *sk, struct ckpt_image_tcp *img)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const u32 received = ckpt_tcp_received_end(sk);
	const u32 edge = tp->rcv_wup + tp->rcv_wnd;

	save_addresses(sk, img);
	save_options(tp, img);
	save_measures(sk, img);
	save_traces(sk, img);
	img->state = sk->sk_state;
	img->shutdown = sk->sk_shutdown;
	img->error = sk->sk_err;
	if (sk->sk_userlocks & SOCK_BINDADDR_LOCK)
		img->flags |= CKPT_TCP_ADDR_LOCK;
	if (sk->sk_userlocks & SOCK_BINDPORT_LOCK)
		img->flags |= CKPT_TCP_PORT_LOCK;
	if (sock_flag(sk, SOCK_DONE))
		img->flags |= CKPT_TCP_DONE;
	if (sk->sk_socket && sk->sk_socket->state == SS_CONNECTED)
		img->flags |= CKPT_TCP_CONNECTED;
	if (sk->sk_socket && sk->sk_socket->state == SS_CONNECTING)
		img->flags |= CKPT_TCP_CONNECTING;
	/* what it has read may be the FIN, behind all bytes */
	img->received_seq = before(received, tp->copied_seq) ? received : tp->copied_seq;
	if (has_unread_fin(sk))
		img->flags |= CKPT_TCP_FIN;
	img->rcv_wnd = after(edge, received) ? edge - received : 0;
}

/* ---- a restart ---- */

static bool has_good_addresses(const struct ckpt_image_tcp *img)
{
	const struct in6_addr *addr = (const struct in6_addr *)img->addr;
	const struct in6_addr *peer_addr = (const struct in6_addr *)img->peer_addr;

	if ((img->family != AF_INET && img->family != AF_INET6) || !img->port || !img->peer_port ||
	    img->port > U16_MAX || img->peer_port > U16_MAX)
		return false;
	if (ipv6_addr_v4mapped(addr) != ipv6_addr_v4mapped(peer_addr))
		return false;
	return img->family == AF_INET6 || ipv6_addr_v4mapped(addr);
}

/* without options, or with room for timestamps */
static bool has_good_header(const struct ckpt_image_tcp *img)
{
	const u32 plain = sizeof(struct tcphdr);

	return img->header_len == plain + TCPOLEN_TSTAMP_ALIGNED ||
	       (img->header_len == plain && !(img->flags & CKPT_TCP_TIMESTAMPS));
}

static bool has_good_numbers(const struct ckpt_image_tcp *img)
{
	const u32 state = CKPT_TCP_CONNECTED | CKPT_TCP_CONNECTING;

	return img->snd_wscale <= TCP_MAX_WSCALE && img->rcv_wscale <= TCP_MAX_WSCALE &&
	       img->rcv_wnd <= WINDOW_MAX && img->rcv_ssthresh <= WINDOW_MAX &&
	       img->max_window <= WINDOW_MAX && img->window_clamp <= INT_MAX &&
	       img->mss_clamp && img->mss_clamp <= U16_MAX &&
	       img->advmss && img->advmss <= U16_MAX &&
	       img->snd_mss >= SND_MSS_MIN && img->snd_mss <= U16_MAX &&
	       img->rcv_mss && img->rcv_mss <= U16_MAX && img->scaling_ratio <= U8_MAX &&
	       has_good_header(img) && (img->flags & state) != state &&
	       (!img->file || img->flags & state) &&
	       img->mcast_if <= INT_MAX && img->mcast_ttl <= U8_MAX && img->mcast6_if >= 0 &&
	       img->mcast6_hops >= -1 && img->mcast6_hops <= U8_MAX && img->tos <= U8_MAX &&
	       !(htonl(img->flowinfo) & ~IPV6_FLOWINFO_MASK);
}

/* has it what goes with its state and with whose it is? */
static bool is_possible(const struct ckpt_image_tcp *img, u64 received, u64 unsent)
{
	const bool waits = img->listener, nobodys = !img->file && !waits;
	const u32 peer = img->peer;

	if ((img->file && waits) || (waits && unsent) || (nobodys && (received || !peer)))
		return false;
	if (img->state == TCP_CLOSE)
		return !peer && !unsent && !nobodys && img->error <= CKPT_SOCK_ERROR_MAX;
	if (img->error || !(img->shutdown & SEND_SHUTDOWN) != !ckpt_tcp_sent_fin(img->state))
		return false;
	switch (img->state) {
	case TCP_ESTABLISHED:
		return peer && !nobodys;
	case TCP_CLOSE_WAIT:
		return !nobodys;
	case TCP_LAST_ACK:
		return !waits;
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_CLOSING:
		return peer && !waits;
	}
	return false;
}

int ckpt_check_tcp(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);
	u64 received, unsent;

	ckpt_get_nr(buf, TCP, RECEIVED, &received);
	ckpt_get_nr(buf, TCP, UNSENT, &unsent);
	if (!has_good_addresses(img) || !has_good_numbers(img) ||
	    !is_possible(img, received, unsent))
		return ckpt_malformed(log, buf);
	if (ckpt_lacks(CKPT_FOR_INET))
		return ckpt_fail_lack(log, CKPT_FOR_INET);
	if (img->family == AF_INET6 && ckpt_lacks(CKPT_FOR_INET6))
		return ckpt_fail_lack(log, CKPT_FOR_INET6);
	return ckpt_check_sock_options(log, buf, CKPT_TAG_TCP_OPTIONS, img->family, IPPROTO_TCP);
}

/* returns its length */
static int make_address(struct sockaddr_storage *to, u32 family, const u8 *addr, u32 port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
	struct sockaddr_in *in = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	to->ss_family = family;
	if (family == AF_INET) {
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, addr + 12, 4);
		return sizeof(*in);
	}
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, addr, 16);
	return sizeof(*in6);
}

static int bind_and_connect(struct socket *sock, const struct ckpt_image_tcp *img)
{
	struct sockaddr_storage addr;
	int ret, len;

	len = make_address(&addr, img->family, img->addr, img->port);
	ret = kernel_bind(sock, (struct sockaddr *)&addr, len);
	if (ret)
		return ret;
	len = make_address(&addr, img->family, img->peer_addr, img->peer_port);
	return kernel_connect(sock, (struct sockaddr *)&addr, len, 0);
}

static void set_options(struct sock *sk, const struct ckpt_image_tcp *img)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_options_received *rx = &tp->rx_opt;

	rx->wscale_ok = !!(img->flags & CKPT_TCP_WSCALE);
	rx->snd_wscale = img->snd_wscale;
	rx->rcv_wscale = img->rcv_wscale;
	rx->sack_ok = img->flags & CKPT_TCP_SACK ? TCP_SACK_SEEN : 0;
	tp->ecn_flags = img->flags & CKPT_TCP_ECN ? TCP_ECN_OK : 0;
	rx->tstamp_ok = !!(img->flags & CKPT_TCP_TIMESTAMPS);
	tp->tcp_header_len = img->header_len;
	tp->tsoffset = img->timestamp - clock_ms();
	if (rx->tstamp_ok) {
		rx->ts_recent = img->peer_timestamp;
		rx->ts_recent_stamp = ktime_get_seconds();
	}
	rx->mss_clamp = img->mss_clamp;
	tp->advmss = img->advmss;
	tp->mss_cache = min(img->snd_mss, k_tcp_sync_mss(sk, inet_csk(sk)->icsk_pmtu_cookie));
}

static void set_traces(struct sock *sk, const struct ckpt_image_tcp *img)
{
	struct inet_sock *inet = inet_sk(sk);
	struct ipv6_pinfo *np = inet6_sk(sk);

	inet->mc_index = img->mcast_if;
	inet->mc_ttl = img->mcast_ttl;
	inet->rcv_tos = img->tos;
	if (sk->sk_family != AF_INET6)
		return;
	np->mcast_oif = img->mcast6_if;
	np->mcast_hops = img->mcast6_hops;
	np->rcv_flowinfo = htonl(img->flowinfo);
}

static void set_userlocks(struct sock *sk, const struct ckpt_image_tcp *img)
{
	sk->sk_userlocks &= ~(SOCK_BINDADDR_LOCK | SOCK_BINDPORT_LOCK);
	if (img->flags & CKPT_TCP_ADDR_LOCK)
		sk->sk_userlocks |= SOCK_BINDADDR_LOCK;
	if (img->flags & CKPT_TCP_PORT_LOCK)
		sk->sk_userlocks |= SOCK_BINDPORT_LOCK;
}

/* what connecting changes, and is to be as it was before */
struct before {
	unsigned char reuse;
	bool fastopen;
	bool ipv6only;
	int sndbuf, rcvbuf;
};

/*
 * What connect(2) has found is not what was.  Nobody may share the port who could not
 * have shared it then.
 */
static void set_state(struct sock *sk, const struct ckpt_image_tcp *img, u32 snd_wnd,
		      const struct before *was)
{
	struct inet_bind_bucket *tb = inet_csk(sk)->icsk_bind_hash;
	struct tcp_sock *tp = tcp_sk(sk);

	sk->sk_reuse = was->reuse;
	sk->sk_ipv6only = was->ipv6only;
	if (tb && !sk->sk_reuse)
		tb->fastreuse = 0;
	WRITE_ONCE(sk->sk_sndbuf, was->sndbuf);
	WRITE_ONCE(sk->sk_rcvbuf, was->rcvbuf);
	set_userlocks(sk, img);
	tp->max_window = max(img->max_window, snd_wnd);
	tp->snd_wnd = snd_wnd;
	tcp_init_wl(tp, tp->rcv_nxt);
	tp->pred_flags = 0;
	/* there is nobody yet to ask whether he is alive */
	inet_csk_delete_keepalive_timer(sk);
	WRITE_ONCE(tp->window_clamp, img->window_clamp);
	inet_csk(sk)->icsk_ack.rcv_mss = img->rcv_mss;
	ckpt_tcp_set_scaling_ratio(tp, img->scaling_ratio);
	set_options(sk, img);
	set_traces(sk, img);
}

int ckpt_tcp_connect(struct socket *sock, const struct ckpt_image_tcp *img, u32 snd_wnd)
{
	struct sock *sk = sock->sk;
	struct tcp_sock *tp = tcp_sk(sk);
	const struct before was = {
		.reuse = sk->sk_reuse, .fastopen = tp->fastopen_connect,
		.ipv6only = sk->sk_ipv6only,
		.sndbuf = sk->sk_sndbuf, .rcvbuf = sk->sk_rcvbuf,
	};
	int ret;

	if (!ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	lock_sock(sk);
	tp->repair = 1;
	tp->repair_queue = TCP_NO_QUEUE;
	tp->fastopen_connect = 0;
	sk->sk_reuse = SK_FORCE_REUSE;
	WRITE_ONCE(tp->write_seq, img->unsent_seq);
	tp->rcv_nxt = img->received_seq;
	WRITE_ONCE(tp->copied_seq, img->received_seq);
	release_sock(sk);
	ret = bind_and_connect(sock, img);
	lock_sock(sk);
	tp->fastopen_connect = was.fastopen;
	if (!ret && sk->sk_state != TCP_ESTABLISHED)
		ret = -EINVAL;
	if (!ret)
		set_state(sk, img, snd_wnd, &was);
	release_sock(sk);
	return ret;
}

void ckpt_tcp_go(struct sock *sk, const struct ckpt_image_tcp *img)
{
	struct tcp_sock *tp = tcp_sk(sk);

	lock_sock(sk);
	tp->rcv_wup = tp->rcv_nxt;
	tp->rcv_wnd = img->rcv_wnd;
	tp->rcv_ssthresh = img->rcv_ssthresh;
	tp->repair = 0;
	tp->repair_queue = TCP_NO_QUEUE;
	release_sock(sk);
}
