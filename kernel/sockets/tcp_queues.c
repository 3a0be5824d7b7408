// SPDX-License-Identifier: GPL-2.0-only
/*
 * What waits in an end of a TCP connection: bytes that have not been read, and bytes
 * that have not come to the other end.  C7.
 */
#include <linux/uio.h>

#include "tcp.h"

/* bytes of one send: a page would take a call each */
#define PIECE	(64U << 10)

static u32 end_of(const struct sk_buff *skb)
{
	return TCP_SKB_CB(skb)->seq + skb->len;
}

u64 ckpt_tcp_count_received(struct sock *sk)
{
	const u32 seq = tcp_sk(sk)->copied_seq;
	struct sk_buff *skb;
	u64 len = 0;

	skb_queue_walk(&sk->sk_receive_queue, skb)
		if (after(end_of(skb), seq))
			len += end_of(skb) - (after(seq, TCP_SKB_CB(skb)->seq) ? seq : TCP_SKB_CB(skb)->seq);
	return len;
}

/* what @skb has of the bytes behind *@seq, if it goes on there; *@seq goes ahead */
static int copy_skb(struct sk_buff *skb, u32 *seq, u8 **to, u64 *len)
{
	const u32 begin = TCP_SKB_CB(skb)->seq;
	u32 n;
	int ret;

	if (!*len || !after(end_of(skb), *seq))
		return 0;
	/* there must be no hole */
	if (after(begin, *seq))
		return -EAGAIN;
	n = min_t(u64, end_of(skb) - *seq, *len);
	ret = skb_copy_bits(skb, *seq - begin, *to, n);
	*seq += n;
	*to += n;
	*len -= n;
	return ret;
}

int ckpt_tcp_copy_received(struct sock *sk, u8 *to, u64 len)
{
	u32 seq = tcp_sk(sk)->copied_seq;
	struct sk_buff *skb;
	int ret;

	skb_queue_walk(&sk->sk_receive_queue, skb) {
		ret = copy_skb(skb, &seq, &to, &len);
		if (ret)
			return ret;
	}
	return len ? -EAGAIN : 0;
}

/* what was sent and may have got lost is in one queue, what was not sent in another */
int ckpt_tcp_copy_written(struct sock *sk, u32 from, u8 *to, u32 nr)
{
	struct sk_buff *skb;
	u64 len = nr;
	int ret;

	for (skb = tcp_rtx_queue_head(sk); skb; skb = skb_rb_next(skb)) {
		ret = copy_skb(skb, &from, &to, &len);
		if (ret)
			return ret;
	}
	skb_queue_walk(&sk->sk_write_queue, skb) {
		ret = copy_skb(skb, &from, &to, &len);
		if (ret)
			return ret;
	}
	return len ? -EAGAIN : 0;
}

static int put_bytes(struct socket *sock, const u8 *bytes, u64 len)
{
	while (len) {
		struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
		struct kvec vec = { .iov_base = (void *)bytes, .iov_len = min_t(u64, len, PIECE) };
		int ret;

		if (fatal_signal_pending(current))
			return -EINTR;
		ret = kernel_sendmsg(sock, &msg, &vec, 1, vec.iov_len);
		if (ret <= 0)
			return ret ? : -EIO;
		bytes += ret;
		len -= ret;
	}
	return 0;
}

/* what was there once is not too much; it is the repaired socket that takes it for its reader */
int ckpt_tcp_fill(struct socket *sock, const u8 *bytes, u64 len)
{
	struct sock *sk = sock->sk;
	const int rcvbuf = sk->sk_rcvbuf;
	int ret;

	WRITE_ONCE(sk->sk_rcvbuf, INT_MAX / 2);
	tcp_sk(sk)->repair_queue = TCP_RECV_QUEUE;
	ret = put_bytes(sock, bytes, len);
	tcp_sk(sk)->repair_queue = TCP_NO_QUEUE;
	WRITE_ONCE(sk->sk_rcvbuf, rcvbuf);
	return ret;
}

int ckpt_tcp_send(struct socket *sock, const u8 *bytes, u64 len)
{
	struct sock *sk = sock->sk;
	struct tcp_sock *tp = tcp_sk(sk);
	const u32 lowat = tp->notsent_lowat;
	const int sndbuf = sk->sk_sndbuf;
	int ret;

	WRITE_ONCE(sk->sk_sndbuf, INT_MAX / 2);
	WRITE_ONCE(tp->notsent_lowat, U32_MAX);
	ret = put_bytes(sock, bytes, len);
	WRITE_ONCE(tp->notsent_lowat, lowat);
	WRITE_ONCE(sk->sk_sndbuf, sndbuf);
	return ret;
}
