// SPDX-License-Identifier: GPL-2.0-only
/* Sockets of TCP, over IPv4 and IPv6, and what they share with UDP's: udp.c; connections are tcp*.c's.  C7. */
#include <net/inet_sock.h>
#include <net/tcp_states.h>

#include "sock.h"

struct socket *ckpt_inet_socket_of(struct file *file, int type, int protocol)
{
	struct socket *sock = ckpt_socket_of(file, AF_INET, type);

	if (!sock)
		sock = ckpt_socket_of(file, AF_INET6, type);
	return sock && sock->sk->sk_protocol == protocol ? sock : NULL;
}

static bool tcp_mine(struct file *file)
{
	return ckpt_inet_socket_of(file, SOCK_STREAM, IPPROTO_TCP);
}

int ckpt_save_inet(struct ckpt_checkpoint *cp, struct file *file,
		   struct ckpt_image_file_sock *img, struct ckpt_rec_out *rec)
{
	struct sock *sk = sock_from_file(file)->sk;

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
	struct ckpt_image_file_sock *img;

	if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV)
		return ckpt_refuse(cp, -EBUSY, "a TCP connection that is being made is not supported");
	img = ckpt_put(rec, FILE, SOCK);
	return img ? ckpt_save_inet(cp, file, img, rec) : -ENOMEM;
}

/* bound as it was; an address or port that the kernel had chosen is not held for ever */
static int bind_inet(struct socket *sock, const struct ckpt_image_file_sock *img)
{
	const bool only_ipv6 = sock->sk->sk_ipv6only;
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_storage addr = {};
	int ret = kernel_bind(sock, (struct sockaddr *)img->addr, img->addr_len);

	/* an address whose port went with a connection */
	if (!ret && sock->type == SOCK_DGRAM && !((struct sockaddr_in *)img->addr)->sin_port)
		ret = kernel_connect(sock, &none, sizeof(none), 0);
	if (ret)
		return ret;
	lock_sock(sock->sk);
	if (!(img->state & CKPT_SOCK_ADDR_LOCK))
		sock->sk->sk_userlocks &= ~SOCK_BINDADDR_LOCK;
	if (!(img->state & CKPT_SOCK_PORT_LOCK))
		sock->sk->sk_userlocks &= ~SOCK_BINDPORT_LOCK;
	/* whose address connect(2) chose has kept its IPV6_V6ONLY, which bind(2) sets */
	if (!(img->state & CKPT_SOCK_ADDR_LOCK))
		sock->sk->sk_ipv6only = only_ipv6;
	release_sock(sock->sk);
	ret = sock->ops->getname(sock, (struct sockaddr *)&addr, 0);
	if (ret < 0)
		return ret;
	return ret == img->addr_len && !memcmp(&addr, img->addr, ret) ? 0 : -EADDRNOTAVAIL;
}

int ckpt_start_inet(struct ckpt_restart *rs, struct socket *sock,
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

int ckpt_check_inet(struct ckpt_log *log, const struct ckpt_rec_buf *buf, int type, int protocol)
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
	return ckpt_check_inet(log, buf, SOCK_STREAM, IPPROTO_TCP);
}

static struct file *tcp_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				 const struct cred *cred)
{
	struct socket *sock;
	int ret;

	sock = ckpt_make_socket(rs, buf, cred);
	if (IS_ERR(sock))
		return ERR_CAST(sock);
	/* one with a connection gets its addresses with it */
	ret = ckpt_start_inet(rs, sock, ckpt_get(buf, FILE, SOCK));
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
	.restore = tcp_restore,
};
