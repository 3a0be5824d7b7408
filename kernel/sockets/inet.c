// SPDX-License-Identifier: GPL-2.0-only
/* Sockets of TCP, and of UDP that are not connected, over IPv4 and IPv6; connections are tcp*.c's.  C7. */
#include <linux/udp.h>
#include <net/inet_sock.h>
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

static int save_inet(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_file_sock *img = ckpt_put(rec, FILE, SOCK);
	struct sock *sk = sock_from_file(file)->sk;

	if (!img)
		return -ENOMEM;
	if (sk->sk_family == AF_INET6 && ckpt_lacks(CKPT_FOR_INET6))
		return ckpt_refuse_lack(cp, CKPT_FOR_INET6);
	if (ckpt_is_connection(sk)) {
		img->state |= CKPT_SOCK_CONNECTED;
		return ckpt_save_socket(cp, file, img, rec);
	}
	/* with IP_BIND_ADDRESS_NO_PORT to an address alone */
	if (inet_sk(sk)->inet_num || sk->sk_userlocks & SOCK_BINDADDR_LOCK)
		img->state |= CKPT_SOCK_BOUND;
	if (sk->sk_userlocks & SOCK_BINDADDR_LOCK)
		img->state |= CKPT_SOCK_ADDR_LOCK;
	if (sk->sk_userlocks & SOCK_BINDPORT_LOCK)
		img->state |= CKPT_SOCK_PORT_LOCK;
	return ckpt_save_socket(cp, file, img, rec);
}

static int tcp_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct sock *sk = sock_from_file(file)->sk;

	if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV)
		return ckpt_refuse(cp, -EBUSY, "a TCP connection that is being made is not supported");
	return save_inet(cp, file, rec);
}

static int udp_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct sock *sk = sock_from_file(file)->sk;

	if (sk->sk_state != TCP_CLOSE)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a connected UDP socket is not supported");
	if (!skb_queue_empty(&sk->sk_receive_queue) ||
	    !skb_queue_empty(&udp_sk(sk)->reader_queue))
		return ckpt_refuse(cp, -EOPNOTSUPP, "a UDP socket with queued data is not supported");
	return save_inet(cp, file, rec);
}

/* bound as it was; an address or port that the kernel had chosen is not held for ever */
static int bind_inet(struct socket *sock, const struct ckpt_image_file_sock *img)
{
	struct sockaddr_storage addr = {};
	int ret = kernel_bind(sock, (struct sockaddr *)img->addr, img->addr_len);

	if (ret)
		return ret;
	lock_sock(sock->sk);
	if (!(img->state & CKPT_SOCK_ADDR_LOCK))
		sock->sk->sk_userlocks &= ~SOCK_BINDADDR_LOCK;
	if (!(img->state & CKPT_SOCK_PORT_LOCK))
		sock->sk->sk_userlocks &= ~SOCK_BINDPORT_LOCK;
	release_sock(sock->sk);
	ret = sock->ops->getname(sock, (struct sockaddr *)&addr, 0);
	if (ret < 0)
		return ret;
	return ret == img->addr_len && !memcmp(&addr, img->addr, ret) ? 0 : -EADDRNOTAVAIL;
}

static int start(struct ckpt_restart *rs, struct socket *sock,
		 const struct ckpt_image_file_sock *img)
{
	int ret = 0;

	if (img->state & CKPT_SOCK_BOUND)
		ret = bind_inet(sock, img);
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
	    img->protocol != protocol || img->state & CKPT_SOCK_PATH ||
	    (img->state & CKPT_SOCK_CONNECTED && img->state != CKPT_SOCK_CONNECTED))
		return ckpt_malformed(log, buf);
	return ckpt_check_socket(log, buf);
}

static int tcp_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return check_sock(log, buf, SOCK_STREAM, IPPROTO_TCP);
}

static int udp_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	if (ckpt_get(buf, FILE, SOCK) && ckpt_get(buf, FILE, SOCK)->state & CKPT_SOCK_CONNECTED)
		return ckpt_malformed(log, buf);
	return check_sock(log, buf, SOCK_DGRAM, IPPROTO_UDP);
}

static struct file *inet_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				 const struct cred *cred)
{
	struct socket *sock;
	int ret;

	sock = ckpt_make_socket(rs, buf, cred);
	if (IS_ERR(sock))
		return ERR_CAST(sock);
	/* one with a connection gets its addresses with it */
	ret = start(rs, sock, ckpt_get(buf, FILE, SOCK));
	if (ret) {
		sock_release(sock);
		return ERR_PTR(ret);
	}
	return ckpt_socket_file(sock, buf, cred);
}

const struct ckpt_file_ops ckpt_file_tcp = {
	.name = "tcp",
	.kind = CKPT_FILE_TCP,
	.needs = CKPT_FOR_INET,
	.has_cred = true,
	.mine = tcp_mine,
	.save = tcp_save,
	.check = tcp_check,
	.restore = inet_restore,
};

const struct ckpt_file_ops ckpt_file_udp = {
	.name = "udp",
	.kind = CKPT_FILE_UDP,
	.needs = CKPT_FOR_INET,
	.has_cred = true,
	.mine = udp_mine,
	.save = udp_save,
	.check = udp_check,
	.restore = inet_restore,
};
