// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams that wait in a socket of UDP.  They are looked at without being taken; a restart
 * makes packets of their like, with all that recvmsg(2) shows of one, and adds them as the
 * network does, before the socket has a port.  C7.
 */
#include <linux/ipv6.h>
#include <linux/net_tstamp.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/udp.h>

#include "sock.h"

#define FLAGS (CKPT_DATAGRAM_PEEKED | CKPT_DATAGRAM_CSUM)

/* longer ones are in pages */
#define LINEAR_MAX 2048

struct datagrams {
	struct sk_buff **skb;
	u32 nr;
};

/* reader_queue has those that came first; at most @max */
static void take(struct sock *sk, struct datagrams *d, u32 max)
{
	struct sk_buff_head *first = &udp_sk(sk)->reader_queue, *then = &sk->sk_receive_queue;
	struct sk_buff *skb;

	spin_lock_bh(&first->lock);
	spin_lock(&then->lock);
	skb_queue_walk(first, skb)
		if (d->nr < max)
			d->skb[d->nr++] = skb_get(skb);
	skb_queue_walk(then, skb)
		if (d->nr < max)
			d->skb[d->nr++] = skb_get(skb);
	spin_unlock(&then->lock);
	spin_unlock_bh(&first->lock);
}

static void drop(struct datagrams *d)
{
	while (d->nr)
		consume_skb(d->skb[--d->nr]);
	kvfree(d->skb);
}

/* the kernel looks when it is read, and lets it go then; what it has not noted is not noted here either */
static bool is_damaged(struct sk_buff *skb)
{
	const u32 len = min_t(u32, UDP_SKB_CB(skb)->cscov, skb->len);

	return !skb_csum_unnecessary(skb) && csum_fold(skb_checksum(skb, 0, len, skb->csum));
}

/* the damaged go */
static u32 sort_out(struct datagrams *d)
{
	u32 i, good = 0, nr = d->nr;

	for (i = 0; i < nr; i++) {
		if (is_damaged(d->skb[i]))
			consume_skb(d->skb[i]);
		else
			d->skb[good++] = d->skb[i];
		cond_resched();
	}
	d->nr = good;
	return nr - good;
}

/* what security modules and drivers have noted beside it, all of which recvmsg(2) may tell */
static const char *strange_mark(const struct sock *sk, const struct sk_buff *skb)
{
	if (ckpt_skb_has_secmark(skb))
		return "with a security mark (SECMARK)";
	if (ckpt_skb_has_secpath(skb))
		return "that came through IPsec";
	if (ckpt_skb_tells_of_wifi(skb))
		return "with a report of a wireless device";
	if (skb_shinfo(skb)->tx_flags & SKBTX_HW_TSTAMP_NETDEV)
		return "whose device has yet to be asked when it came";
	/* it comes with the device and the length on the wire */
	if (ktime_to_ns(skb_shinfo(skb)->hwtstamps.hwtstamp) &&
	    READ_ONCE(sk->sk_tsflags) & SOF_TIMESTAMPING_OPT_PKTINFO)
		return "with a device's time stamp (SOF_TIMESTAMPING_OPT_PKTINFO)";
	return NULL;
}

static const char *strange(const struct sock *sk, const struct sk_buff *skb)
{
	const bool v4 = skb->protocol == htons(ETH_P_IP);

	if (!v4 && skb->protocol != htons(ETH_P_IPV6))
		return "of another protocol than IP";
	if (skb->len > U16_MAX)
		return "of more than 65535 bytes";
	if (v4 && ip_hdr(skb)->ihl != sizeof(struct iphdr) / 4)
		return "with IP options";
	if (!v4 && ipv6_hdr(skb)->nexthdr != sk->sk_protocol)
		return "with IPv6 extension headers";
	if (!v4 && IP6CB(skb)->flags & IP6SKB_L3SLAVE)
		return "that came through a VRF";
	if (UDP_SKB_CB(skb)->partial_cov)
		return "whose checksum covers a part of it (UDP-Lite)";
	if (skb->ip_summed == CHECKSUM_COMPLETE && !skb->csum_valid)
		return "whose device counted a checksum that is not its own";
	return strange_mark(sk, skb);
}

static void save_headers(const struct sk_buff *skb, struct ckpt_image_datagram *img)
{
	const struct ipv6hdr *v6 = ipv6_hdr(skb);
	const struct iphdr *v4 = ip_hdr(skb);

	if (skb->protocol == htons(ETH_P_IP)) {
		img->version = 4;
		memcpy(img->from, &v4->saddr, sizeof(v4->saddr));
		memcpy(img->to, &v4->daddr, sizeof(v4->daddr));
		img->tos = v4->tos;
		img->ttl = v4->ttl;
		img->ifindex = PKTINFO_SKB_CB(skb)->ipi_ifindex;
		img->spec_dst = (__force u32)PKTINFO_SKB_CB(skb)->ipi_spec_dst.s_addr;
		img->frag_size = IPCB(skb)->frag_max_size;
	} else {
		img->version = 6;
		memcpy(img->from, &v6->saddr, sizeof(v6->saddr));
		memcpy(img->to, &v6->daddr, sizeof(v6->daddr));
		img->flow = (__force u32)ip6_flowinfo(v6);
		img->ttl = v6->hop_limit;
		img->ifindex = IP6CB(skb)->iif;
		img->frag_size = IP6CB(skb)->frag_max_size;
	}
	img->from_port = (__force u16)udp_hdr(skb)->source;
	img->to_port = (__force u16)udp_hdr(skb)->dest;
}

static int save_datagram(struct sk_buff *skb, struct ckpt_image_datagram *img, u8 *data)
{
	img->len = skb->len;
	img->stamp = ktime_to_ns(skb->tstamp);
	img->device_stamp = ktime_to_ns(skb_hwtstamps(skb)->hwtstamp);
	img->mark = skb->mark;
	img->drops = SOCK_SKB_CB(skb)->dropcount;
	if (skb->peeked)
		img->flags |= CKPT_DATAGRAM_PEEKED;
	if (skb->ip_summed == CHECKSUM_COMPLETE) {
		img->flags |= CKPT_DATAGRAM_CSUM;
		img->csum = (__force u32)skb->csum;
	}
	if (skb_is_gso(skb) && skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4)
		img->gso_size = skb_shinfo(skb)->gso_size;
	save_headers(skb, img);
	return skb_copy_bits(skb, 0, data, img->len);
}

static int save_all(struct ckpt_checkpoint *cp, struct sock *sk, const struct datagrams *d,
		    struct ckpt_rec_out *rec)
{
	struct ckpt_image_datagram *img;
	const char *what;
	u64 len = 0;
	u8 *data;
	u32 i;
	int ret = 0;

	for (i = 0; i < d->nr; i++) {
		what = strange(sk, d->skb[i]);
		if (what)
			return ckpt_refuse(cp, -EOPNOTSUPP, "a UDP socket with a queued datagram %s is not supported",
					   what);
		len += d->skb[i]->len;
	}
	img = ckpt_put_nr(rec, FILE, DATAGRAMS, d->nr);
	data = ckpt_put_nr(rec, FILE, DATA, len);
	if (!img || !data)
		return -ENOMEM;
	for (i = 0; i < d->nr && !ret; i++) {
		ret = save_datagram(d->skb[i], &img[i], data);
		data += img[i].len;
	}
	return ret;
}

int ckpt_save_datagrams(struct ckpt_checkpoint *cp, struct sock *sk, struct ckpt_rec_out *rec,
			u32 *drops)
{
	u32 max = skb_queue_len_lockless(&udp_sk(sk)->reader_queue) +
		  skb_queue_len_lockless(&sk->sk_receive_queue);
	struct datagrams d = {};
	int ret = 0;

	if (!max)
		return 0;
	d.skb = kvcalloc(max, sizeof(*d.skb), GFP_KERNEL);
	if (!d.skb)
		return -ENOMEM;
	/* what comes from outside after this look is not in it */
	take(sk, &d, max);
	*drops += sort_out(&d);
	if (d.nr)
		ret = save_all(cp, sk, &d, rec);
	drop(&d);
	return ret;
}

int ckpt_check_datagrams(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const u32 family = ckpt_get(buf, FILE, SOCK)->family;
	const struct ckpt_image_datagram *img;
	u64 i, nr, bytes, len = 0;

	img = ckpt_get_nr(buf, FILE, DATAGRAMS, &nr);
	ckpt_get_nr(buf, FILE, DATA, &bytes);
	for (i = 0; i < nr; i++, img++) {
		if (img->len > U16_MAX || img->flags & ~FLAGS || img->gso_size > img->len ||
		    memchr_inv(img->reserved, 0, sizeof(img->reserved)) ||
		    (img->version != 4 && (img->version != 6 || family != AF_INET6)))
			return ckpt_malformed(log, buf);
		len += img->len;
	}
	return len == bytes ? 0 : ckpt_malformed(log, buf);
}

/* ---- restore ---- */

static void fill_ipv4(struct sk_buff *skb, const struct ckpt_image_datagram *img, u8 protocol)
{
	struct iphdr *ip = skb_put_zero(skb, sizeof(*ip));

	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tos = img->tos;
	ip->ttl = img->ttl;
	ip->protocol = protocol;
	memcpy(&ip->saddr, img->from, sizeof(ip->saddr));
	memcpy(&ip->daddr, img->to, sizeof(ip->daddr));
	skb->protocol = htons(ETH_P_IP);
	PKTINFO_SKB_CB(skb)->ipi_ifindex = img->ifindex;
	PKTINFO_SKB_CB(skb)->ipi_spec_dst.s_addr = (__force __be32)img->spec_dst;
	IPCB(skb)->frag_max_size = img->frag_size;
}

static void fill_ipv6(struct sk_buff *skb, const struct ckpt_image_datagram *img, u8 protocol)
{
	struct ipv6hdr *ip = skb_put_zero(skb, sizeof(*ip));

	ip6_flow_hdr(ip, 0, 0);
	*(__be32 *)ip |= (__force __be32)img->flow & IPV6_FLOWINFO_MASK;
	ip->nexthdr = protocol;
	ip->hop_limit = img->ttl;
	memcpy(&ip->saddr, img->from, sizeof(ip->saddr));
	memcpy(&ip->daddr, img->to, sizeof(ip->daddr));
	skb->protocol = htons(ETH_P_IPV6);
	IP6CB(skb)->iif = img->ifindex;
	IP6CB(skb)->nhoff = offsetof(struct ipv6hdr, nexthdr);
	IP6CB(skb)->frag_max_size = img->frag_size;
}

/* the headers lie before the data, as if they had been read */
static void fill_headers(struct sk_buff *skb, const struct ckpt_image_datagram *img, u8 protocol)
{
	struct udphdr *udp;

	skb_reset_network_header(skb);
	if (img->version == 4)
		fill_ipv4(skb, img, protocol);
	else
		fill_ipv6(skb, img, protocol);
	skb_set_transport_header(skb, skb->len);
	udp = skb_put_zero(skb, sizeof(*udp));
	udp->source = (__force __be16)img->from_port;
	udp->dest = (__force __be16)img->to_port;
	udp->len = htons(min_t(u32, img->len + sizeof(*udp), U16_MAX));
	__skb_pull(skb, skb->len);
}

static void fill_rest(struct sk_buff *skb, const struct ckpt_image_datagram *img)
{
	skb->tstamp = ns_to_ktime(img->stamp);
	skb_hwtstamps(skb)->hwtstamp = ns_to_ktime(img->device_stamp);
	skb->mark = img->mark;
	skb->peeked = !!(img->flags & CKPT_DATAGRAM_PEEKED);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	if (img->flags & CKPT_DATAGRAM_CSUM) {
		skb->ip_summed = CHECKSUM_COMPLETE;
		skb->csum = (__force __wsum)img->csum;
		skb->csum_valid = 1;
	}
	UDP_SKB_CB(skb)->cscov = img->len;
	if (img->gso_size) {
		skb_shinfo(skb)->gso_size = img->gso_size;
		skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
		skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(img->len, img->gso_size);
	}
}

static struct sk_buff *make(const struct ckpt_image_datagram *img, const u8 *data, u8 protocol)
{
	/* in no more memory than it had: its socket may be as good as full */
	const u32 linear = img->len <= LINEAR_MAX ? img->len : 0;
	struct sk_buff *skb;
	int ret;

	skb = alloc_skb_with_frags(sizeof(struct ipv6hdr) + sizeof(struct udphdr) + linear,
				   img->len - linear, 0, &ret, GFP_KERNEL);
	if (!skb)
		return ERR_PTR(ret);
	fill_headers(skb, img, protocol);
	skb_put(skb, linear);
	skb->data_len = img->len - linear;
	skb->len = img->len;
	fill_rest(skb, img);
	ret = skb_store_bits(skb, 0, data, img->len);
	if (!ret)
		return skb;
	kfree_skb(skb);
	return ERR_PTR(ret);
}

/* what was there once is not too much; nobody else has the socket */
static int add(struct sock *sk, struct sk_buff *skb, u32 drops)
{
	const int rcvbuf = sk->sk_rcvbuf;
	int ret;

	WRITE_ONCE(sk->sk_rcvbuf, INT_MAX / 2);
	local_bh_disable();
	ret = __udp_enqueue_schedule_skb(sk, skb);
	local_bh_enable();
	WRITE_ONCE(sk->sk_rcvbuf, rcvbuf);
	if (ret)
		kfree_skb(skb);
	else
		SOCK_SKB_CB(skb)->dropcount = drops;
	return ret;
}

int ckpt_restore_datagrams(struct ckpt_restart *rs, struct socket *sock,
			   const struct ckpt_rec_buf *buf)
{
	const u8 *data = ckpt_get(buf, FILE, DATA);
	const struct ckpt_image_datagram *img;
	struct sk_buff *skb;
	int ret = 0;
	u64 i, nr;

	img = ckpt_get_nr(buf, FILE, DATAGRAMS, &nr);
	for (i = 0; i < nr && !ret; i++, img++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		skb = make(img, data, sock->sk->sk_protocol);
		if (IS_ERR(skb))
			ret = PTR_ERR(skb);
		else
			ret = add(sock->sk, skb, img->drops);
		data += img->len;
		cond_resched();
	}
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "a datagram cannot be put back where it waited: error %d", -ret) : 0;
}

/* behind those that were put back; nobody reads yet */
static struct sk_buff *take_stranger(struct sock *sk, u64 nr)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	struct sk_buff *skb = NULL;

	spin_lock_bh(&queue->lock);
	if (skb_queue_len(queue) > nr)
		skb = __skb_dequeue_tail(queue);
	spin_unlock_bh(&queue->lock);
	return skb;
}

void ckpt_drop_strangers(struct sock *sk, const struct ckpt_rec_buf *buf)
{
	struct sk_buff *skb;
	u64 nr;

	ckpt_get_nr(buf, FILE, DATAGRAMS, &nr);
	while ((skb = take_stranger(sk, nr))) {
		udp_skb_destructor(sk, skb);
		kfree_skb(skb);
		cond_resched();
	}
}
