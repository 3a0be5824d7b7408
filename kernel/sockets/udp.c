// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets of UDP and UDP-Lite: whom they are connected with, which nobody there needs to
 * know; what waits in them is udp_queue.c's.  C7.
 */
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/inet_sock.h>
#include <net/tcp_states.h>

#include "sock.h"

bool ckpt_is_udp(const struct sock *sk)
{
	return (sk->sk_family == AF_INET || sk->sk_family == AF_INET6) &&
		sk->sk_type == SOCK_DGRAM &&
		(sk->sk_protocol == IPPROTO_UDP || sk->sk_protocol == IPPROTO_UDPLITE);
}

static bool udp_mine(struct file *file)
{
	return ckpt_inet_socket_of(file, SOCK_DGRAM, IPPROTO_UDP) ||
		ckpt_inet_socket_of(file, SOCK_DGRAM, IPPROTO_UDPLITE);
}

/* getpeername(2) does not show one whose port is 0 */
static u32 peer_of(const struct sock *sk, void *addr)
{
	struct sockaddr_in6 *in6 = addr;
	struct sockaddr_in *in = addr;

	if (sk->sk_family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = inet_sk(sk)->inet_dport;
		in->sin_addr.s_addr = inet_sk(sk)->inet_daddr;
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = inet_sk(sk)->inet_dport;
	in6->sin6_addr = sk->sk_v6_daddr;
	return sizeof(*in6);
}

static int save_peer(const struct sock *sk, struct ckpt_rec_out *rec)
{
	const bool connected = sk->sk_state == TCP_ESTABLISHED;
	const u32 shutdown = READ_ONCE(sk->sk_shutdown);
	const int error = READ_ONCE(sk->sk_err);
	struct ckpt_image_file_peer *img;

	if (!connected && !shutdown && !error)
		return 0;
	img = ckpt_put(rec, FILE, PEER);
	if (!img)
		return -ENOMEM;
	img->shutdown = shutdown;
	img->error = error;
	if (connected) {
		img->flags |= CKPT_PEER_CONNECTED;
		img->addr_len = peer_of(sk, img->addr);
	}
	return 0;
}

static int udp_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct sock *sk = sock_from_file(file)->sk;
	struct ckpt_image_file_sock *img;
	int ret;

	if (sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_ESTABLISHED)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a UDP socket in state %d is not supported", sk->sk_state);
	img = ckpt_put(rec, FILE, SOCK);
	if (!img)
		return -ENOMEM;
	ret = ckpt_save_inet(cp, file, img, rec);
	if (!ret)
		ret = save_peer(sk, rec);
	return ret ? : ckpt_save_datagrams(cp, sk, rec, &img->drops);
}

static bool peer_ok(const struct ckpt_image_file_peer *peer, u32 family)
{
	const struct sockaddr *to = (const void *)peer->addr;
	const u32 len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

	if (peer->flags & ~CKPT_PEER_CONNECTED || peer->shutdown & ~SHUTDOWN_MASK ||
	    peer->error > CKPT_SOCK_ERROR_MAX)
		return false;
	if (!(peer->flags & CKPT_PEER_CONNECTED))
		return !peer->addr_len;
	return peer->addr_len == len && to->sa_family == family;
}

static int udp_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_peer *peer = ckpt_get(buf, FILE, PEER);
	const struct ckpt_image_file_sock *img = ckpt_get(buf, FILE, SOCK);
	int ret;

	if (!img || img->state & (CKPT_SOCK_CONNECTED | CKPT_SOCK_LISTEN) ||
	    (img->protocol != IPPROTO_UDP && img->protocol != IPPROTO_UDPLITE))
		return ckpt_malformed(log, buf);
	ret = ckpt_check_inet(log, buf, SOCK_DGRAM, img->protocol);
	if (ret)
		return ret;
	/* what is connected has a port */
	if (peer && (!peer_ok(peer, img->family) ||
		     (peer->flags & CKPT_PEER_CONNECTED && !(img->state & CKPT_SOCK_BOUND))))
		return ckpt_malformed(log, buf);
	return ckpt_check_datagrams(log, buf);
}

/* from the address and port that it is bound to by now */
static int connect_again(struct ckpt_restart *rs, struct socket *sock,
			 const struct ckpt_image_file_sock *img,
			 const struct ckpt_image_file_peer *peer)
{
	struct sockaddr_storage to = {}, now = {};
	int ret;

	memcpy(&to, peer->addr, peer->addr_len);
	ret = kernel_connect(sock, (struct sockaddr *)&to, peer->addr_len, 0);
	if (!ret) {
		ret = peer_of(sock->sk, &now);
		ret = ret == peer->addr_len && !memcmp(&now, peer->addr, ret) ? 0 : -EADDRNOTAVAIL;
	}
	if (!ret) {
		memset(&now, 0, sizeof(now));
		ret = sock->ops->getname(sock, (struct sockaddr *)&now, 0);
		if (ret >= 0)
			ret = ret == img->addr_len && !memcmp(&now, img->addr, ret) ? 0 : -EADDRNOTAVAIL;
	}
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "a UDP socket at %pISpc cannot be connected with %pISpc: error %d",
			       img->addr, &to, -ret) : 0;
}

static int restore_peer(struct ckpt_restart *rs, struct socket *sock, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_peer *peer = ckpt_get(buf, FILE, PEER);
	int ret;

	if (!peer)
		return 0;
	if (peer->flags & CKPT_PEER_CONNECTED) {
		ret = connect_again(rs, sock, ckpt_get(buf, FILE, SOCK), peer);
		if (ret)
			return ret;
		ckpt_drop_strangers(sock->sk, buf);
	}
	/* one that is not connected is shut down although it says that it is not */
	if (peer->shutdown)
		sock->ops->shutdown(sock, peer->shutdown - 1);
	if (READ_ONCE(sock->sk->sk_shutdown) != peer->shutdown)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "a UDP socket cannot be shut down");
	WRITE_ONCE(sock->sk->sk_err, peer->error);
	return 0;
}

static struct file *udp_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				const struct cred *cred)
{
	struct socket *sock = ckpt_make_socket(rs, buf, cred);
	int ret;

	if (IS_ERR(sock))
		return ERR_CAST(sock);
	ret = ckpt_restore_datagrams(rs, sock, buf);
	if (!ret)
		ret = ckpt_start_inet(rs, sock, ckpt_get(buf, FILE, SOCK));
	if (!ret)
		ret = restore_peer(rs, sock, buf);
	if (ret) {
		sock_release(sock);
		return ERR_PTR(ret);
	}
	return ckpt_socket_file(sock, buf, cred);
}

const struct ckpt_file_ops ckpt_file_udp = {
	.name = "udp",
	.kind = CKPT_FILE_UDP,
	.needs = CKPT_FOR_INET,
	.has_cred = true,
	.mine = udp_mine,
	.save = udp_save,
	.check = udp_check,
	.restore = udp_restore,
};
