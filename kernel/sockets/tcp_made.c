// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends of TCP connections that have no file: those that wait to be accepted, and those
 * that their owner has closed.  C7.
 */
#include <net/inet_connection_sock.h>
#include <net/request_sock.h>

#include "tcp.h"

int ckpt_tcp_get_waiting(struct sock *listener, struct sock ***list)
{
	struct request_sock_queue *queue = &inet_csk(listener)->icsk_accept_queue;
	const u32 max = READ_ONCE(listener->sk_ack_backlog);
	struct request_sock *req;
	u32 nr = 0;

	*list = kvcalloc(max ? : 1, sizeof(**list), GFP_KERNEL);
	if (!*list)
		return -ENOMEM;
	spin_lock_bh(&queue->rskq_lock);
	for (req = queue->rskq_accept_head; req && nr < max; req = req->dl_next) {
		if (!req->sk)
			continue;
		sock_hold(req->sk);
		(*list)[nr++] = req->sk;
	}
	spin_unlock_bh(&queue->rskq_lock);
	return nr;
}

bool ckpt_tcp_waits_at(struct sock *listener, struct sock *sk)
{
	struct request_sock_queue *queue = &inet_csk(listener)->icsk_accept_queue;
	struct request_sock *req;

	spin_lock_bh(&queue->rskq_lock);
	for (req = queue->rskq_accept_head; req && req->sk != sk; req = req->dl_next)
		;
	spin_unlock_bh(&queue->rskq_lock);
	return req;
}

/* accept(2) charges it to who accepts */
static void charge_nobody(struct sock *sk)
{
#ifdef CONFIG_MEMCG
	k_mem_cgroup_sk_free(sk);
	sk->sk_memcg = NULL;
#endif
}

struct socket *ckpt_tcp_make(const struct ckpt_image_tcp *img)
{
	struct socket *sock;
	int ret;

	ret = sock_create(img->family, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (ret)
		return ERR_PTR(ret);
	if (img->listener)
		charge_nobody(sock->sk);
	/* what only ends must not keep a server from its port */
	if (!img->listener) {
		sock->sk->sk_reuse = SK_CAN_REUSE;
		sock->sk->sk_reuseport = 1;
	}
	return sock;
}

/* it is there, and has neither socket nor file, as accept(2) finds it */
static struct sock *take_sock(struct socket *sock)
{
	struct sock *sk = sock->sk;

	lock_sock(sk);
	sock_orphan(sk);
	sock_reset_flag(sk, SOCK_DEAD);
	release_sock(sk);
	sock->sk = NULL;
	sock_release(sock);
	return sk;
}

int ckpt_tcp_make_waiting(struct socket *sock, struct sock *listener)
{
	const struct request_sock_ops *ops = listener->sk_family == AF_INET6 ?
		kv_tcp6_request_sock_ops : kv_tcp_request_sock_ops;
	struct sock *sk, *added;
	struct request_sock *req;

	req = inet_reqsk_alloc(ops, listener, true);
	if (!req) {
		sock_release(sock);
		return -ENOMEM;
	}
	tcp_rsk(req)->tfo_listener = false;
	/* of the queue; as those are counted that have come by the network */
	refcount_set(&req->rsk_refcnt, 1);
	sk = take_sock(sock);
	/* as the network adds it: whoever listens no more ends it at once, under its lock */
	sock_hold(sk);
	local_bh_disable();
	bh_lock_sock_nested(sk);
	added = inet_csk_reqsk_queue_add(listener, req, sk);
	bh_unlock_sock(sk);
	local_bh_enable();
	sock_put(sk);
	/* epoll files that watch it are here already */
	if (added)
		listener->sk_data_ready(listener);
	else
		reqsk_put(req);
	return added ? 0 : -EINVAL;
}

void ckpt_tcp_put_restored(void *ptr)
{
	struct socket *sock = NULL;
	struct sock *sk = ptr;

	/* whoever closes a file takes the socket away under this lock */
	read_lock_bh(&sk->sk_callback_lock);
	if (sk->sk_socket && !sk->sk_socket->file)
		sock = sk->sk_socket;
	read_unlock_bh(&sk->sk_callback_lock);
	if (sock)
		sock_release(sock);
	sock_put(sk);
}
