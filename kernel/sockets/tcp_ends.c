// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP connections: which there are is told when all files are known, as the other end
 * may be any of them, may wait to be accepted, or may have been closed with bytes that
 * are still on their way.  C7.
 */
#include <linux/xarray.h>
#include <net/inet_hashtables.h>
#include <net/inet6_hashtables.h>

#include "tcp.h"

struct walk {
	struct ckpt_checkpoint *cp;
	struct xarray listeners;	/* by the number of a TCP that waits: the FILE that listens */
};

static bool is_tcp(const struct sock *sk)
{
	return (sk->sk_family == AF_INET || sk->sk_family == AF_INET6) &&
	       sk->sk_type == SOCK_STREAM && sk->sk_protocol == IPPROTO_TCP;
}

static bool is_listener(const struct sock *sk)
{
	return is_tcp(sk) && sk->sk_state == TCP_LISTEN;
}

/* once connected, it has the other's port until connect(2) takes it back */
bool ckpt_is_connection(const struct sock *sk)
{
	return is_tcp(sk) && sk->sk_state != TCP_LISTEN && inet_sk(sk)->inet_dport;
}

/* ---- those that wait to be accepted ---- */

static struct sock *listener_of(struct walk *w, const struct ckpt_obj *obj)
{
	const struct ckpt_obj *file = xa_load(&w->listeners, obj->ref);

	return file ? sock_from_file(file->ptr)->sk : NULL;
}

/* ---- which there are ---- */

static int note_waiting(struct walk *w, struct ckpt_obj *file, struct sock *listener)
{
	struct sock **list;
	int i, nr, ret = 0;
	u32 ref;

	nr = ckpt_tcp_get_waiting(listener, &list);
	for (i = 0; i < nr; i++) {
		ret = ret ? : ckpt_obj_save(w->cp, &ckpt_type_tcp, list[i], &ref);
		ret = ret ? : xa_err(xa_store(&w->listeners, ref, file, GFP_KERNEL));
		sock_put(list[i]);
	}
	kvfree(nr < 0 ? NULL : list);
	return nr < 0 ? nr : ret;
}

static int note_file(struct walk *w, struct ckpt_obj *obj)
{
	struct socket *sock = sock_from_file(obj->ptr);
	u32 ref;

	if (!sock || !sock->sk)
		return 0;
	/* refused already, with its descriptor */
	if (sock->sk->sk_state == TCP_SYN_SENT || sock->sk->sk_state == TCP_SYN_RECV)
		return 0;
	if (ckpt_is_connection(sock->sk))
		return ckpt_obj_save(w->cp, &ckpt_type_tcp, sock->sk, &ref);
	if (is_listener(sock->sk))
		return note_waiting(w, obj, sock->sk);
	return 0;
}

/* ---- the other end ---- */

/* with a reference, for sock_gen_put(); it may be less than a socket */
static struct sock *find_other_end(struct sock *sk)
{
	struct net *net = sock_net(sk);
	struct inet_hashinfo *hash = net->ipv4.tcp_death_row.hashinfo;
	const struct inet_sock *inet = inet_sk(sk);
	const int lo = net->loopback_dev->ifindex;
	struct sock *other;

	rcu_read_lock();
	if (ckpt_tcp_is_v4(sk))
		other = __inet_lookup_established(net, hash, inet->inet_rcv_saddr, inet->inet_sport,
						  inet->inet_daddr, ntohs(inet->inet_dport), lo, 0);
	else
		other = k___inet6_lookup_established(net, hash, &sk->sk_v6_rcv_saddr,
						     inet->inet_sport, &sk->sk_v6_daddr,
						     ntohs(inet->inet_dport), lo, 0);
	rcu_read_unlock();
	return other;
}

static bool is_here(const struct sock *sk)
{
	struct net *net = sock_net(sk);

	if (ckpt_tcp_is_v4(sk))
		return inet_addr_type(net, inet_sk(sk)->inet_daddr) == RTN_LOCAL;
	return k_ipv6_chk_addr(net, &sk->sk_v6_daddr, NULL, 0);
}

static unsigned long inode_of(struct walk *w, const struct ckpt_obj *obj)
{
	struct sock *sk = obj->ptr, *listener = listener_of(w, obj);

	/* what waits to be accepted has none yet; the one that listens is the container's */
	return sock_i_ino(listener ? : sk);
}

static int refuse(struct walk *w, const struct ckpt_obj *obj, int err, const char *why)
{
	struct sock *sk = obj->ptr;
	const __be16 port = inet_sk(sk)->inet_dport;

	if (ckpt_tcp_is_v4(sk))
		return ckpt_refuse_whole(w->cp, err, "the container's socket:[%lu], a TCP connection with %pI4:%u, %s",
					 inode_of(w, obj), &inet_sk(sk)->inet_daddr, ntohs(port), why);
	return ckpt_refuse_whole(w->cp, err, "the container's socket:[%lu], a TCP connection with [%pI6c]:%u, %s",
				 inode_of(w, obj), &sk->sk_v6_daddr, ntohs(port), why);
}

static int refuse_outside(struct walk *w, const struct ckpt_obj *obj)
{
	return refuse(w, obj, -EBUSY, "has its other end outside of the container, which is not supported");
}

/* there is none any more: who closed it needs no more than that, if it is the container's */
static int find_none(struct walk *w, const struct ckpt_obj *obj)
{
	const struct sock *sk = obj->ptr;
	const int state = READ_ONCE(sk->sk_state);

	if (state == TCP_CLOSE)
		return 0;
	return (state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK) && is_here(sk) ? 0 : refuse_outside(w, obj);
}

/* does one of ours listen where @sk was made? */
static bool listens_at(struct walk *w, const struct sock *sk)
{
	struct ckpt_obj *obj;

	ckpt_for_each_obj(obj, w->cp, &ckpt_type_file) {
		const struct socket *sock = sock_from_file(obj->ptr);

		if (sock && sock->sk && is_listener(sock->sk) &&
		    inet_sk(sock->sk)->inet_num == inet_sk(sk)->inet_num)
			return true;
	}
	return false;
}

/* @other: set to the object that is the other end, or NULL */
static int find_peer(struct walk *w, const struct ckpt_obj *obj, struct ckpt_obj **other)
{
	struct sock *sk = obj->ptr, *peer;
	int ret = 0;
	u32 ref;

	*other = NULL;
	if (READ_ONCE(sk->sk_state) == TCP_CLOSE)
		return 0;
	peer = find_other_end(sk);
	if (!peer || peer->sk_state == TCP_TIME_WAIT) {
		ret = find_none(w, obj);
	} else if (peer->sk_state == TCP_NEW_SYN_RECV) {
		ret = refuse(w, obj, -EBUSY, "has not been taken by who listens there yet, which is not supported");
	} else {
		*other = ckpt_obj_find(w->cp, &ckpt_type_tcp, peer);
		if (!*other && sock_flag(peer, SOCK_DEAD)) {
			ret = ckpt_obj_save(w->cp, &ckpt_type_tcp, peer, &ref);
			*other = ckpt_obj_find(w->cp, &ckpt_type_tcp, peer);
		} else if (!*other) {
			/* one that waits to be accepted only since those were noted */
			ret = peer->sk_socket || !listens_at(w, peer) ? refuse_outside(w, obj) : -EAGAIN;
		}
	}
	if (peer)
		sock_gen_put(peer);
	/* a restart makes no other */
	if (!ret && *other && !is_here(sk))
		ret = refuse(w, obj, -EOPNOTSUPP, "goes to an address that is not this machine's, which is not supported");
	return ret;
}

/* those that nobody has any more are known by their other ends */
static int note_all(struct walk *w)
{
	struct ckpt_obj *obj, *peer;
	int ret;

	list_for_each_entry(obj, ckpt_objs(w->cp), list) {
		if (obj->type == &ckpt_type_file)
			ret = note_file(w, obj);
		else if (obj->type == &ckpt_type_tcp)
			ret = find_peer(w, obj, &peer);
		else
			continue;
		if (ret == CKPT_REFUSED)
			obj->refused = true;
		if (ckpt_go_on(ret))
			return ret;
	}
	return 0;
}

/* ---- what it is; its lock is held ---- */

struct end {
	struct ckpt_obj *obj;
	struct ckpt_rec_out *rec;
	struct ckpt_image_tcp *img;
};

static const char *strange(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_err && sk->sk_state != TCP_CLOSE)
		return "has an error that its owner has not read yet, which is not supported";
	if (tp->urg_data || tp->snd_up != tp->snd_una)
		return "has urgent data (MSG_OOB), which is not supported";
	if (inet_csk(sk)->icsk_ulp_ops || ckpt_tcp_has_md5(tp) || ckpt_tcp_has_ao(tp) || tp->repair)
		return "has TCP_ULP, TCP_MD5SIG, TCP_AO or TCP_REPAIR, which is not supported";
	if (rcu_access_pointer(tp->fastopen_rsk) || tp->fastopen_req)
		return "is being made by TCP_FASTOPEN, which is not supported";
	if (!sk->sk_socket && READ_ONCE(sk->sk_peek_off) >= 0)
		return "waits to be accepted with SO_PEEK_OFF, which is not supported";
	if (ckpt_tcp_stamps_us(tp))
		return "has timestamps in microseconds, which are not supported";
	if (sk->sk_socket && sk->sk_socket->state != SS_CONNECTED && sk->sk_socket->state != SS_CONNECTING)
		return "is being ended by its owner, which is not supported";
	if (!((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2 | TCPF_CLOSE |
				     TCPF_CLOSE_WAIT | TCPF_LAST_ACK | TCPF_CLOSING)))
		return "is being made, which is not supported";
	return NULL;
}

static int save_received(struct sock *sk, struct ckpt_image_tcp *img, struct ckpt_rec_out *rec)
{
	const u64 len = ckpt_tcp_count_received(sk);
	u8 *bytes;

	/* all that was acknowledged is in the queue */
	if (sk->sk_state != TCP_CLOSE && len != ckpt_tcp_received_end(sk) - img->received_seq)
		return -EAGAIN;
	bytes = ckpt_put_nr(rec, TCP, RECEIVED, len);
	return bytes ? ckpt_tcp_copy_received(sk, bytes, len) : -ENOMEM;
}

/* what has come to the other end, acknowledged or not, is saved there */
static int save_unsent(struct sock *sk, struct sock *peer, struct ckpt_image_tcp *img,
		       struct ckpt_rec_out *rec)
{
	const u32 from = peer ? ckpt_tcp_received_end(peer) : tcp_sk(sk)->snd_una;
	const u32 end = ckpt_tcp_written_end(sk);
	const u32 len = after(end, from) ? end - from : 0;
	u8 *bytes;

	img->unsent_seq = from;
	if (sk->sk_state == TCP_CLOSE)
		return 0;
	/* an end that is gone has seen the FIN, too */
	if (peer && after(from, end))
		return -EAGAIN;
	bytes = ckpt_put_nr(rec, TCP, UNSENT, len);
	return bytes ? ckpt_tcp_copy_written(sk, from, bytes, len) : -ENOMEM;
}

static int save_whose(struct walk *w, const struct ckpt_obj *obj, struct ckpt_image_tcp *img)
{
	const struct ckpt_obj *listener = xa_load(&w->listeners, obj->ref);
	struct file *file = ckpt_sock_file(obj->ptr);

	if (listener) {
		img->listener = listener->ref;
		return ckpt_tcp_waits_at(sock_from_file(listener->ptr)->sk, obj->ptr) ? 0 : -EAGAIN;
	}
	if (!file)
		return sock_flag((struct sock *)obj->ptr, SOCK_DEAD) ? 0 : -EAGAIN;
	obj = ckpt_obj_find(w->cp, &ckpt_type_file, file);
	if (!obj)
		return -EAGAIN;
	img->file = obj->ref;
	return 0;
}

/* are both what they were when they were found? */
static bool is_still(const struct sock *sk, const struct sock *peer)
{
	if (sk->sk_state == TCP_CLOSE)
		return !peer;
	if (!peer)
		return sk->sk_state == TCP_CLOSE_WAIT || sk->sk_state == TCP_LAST_ACK;
	return peer->sk_state != TCP_CLOSE;
}

/* @other: the other end, or NULL */
static int save_end(struct walk *w, const struct end *e, const struct ckpt_obj *other)
{
	struct sock *sk = e->obj->ptr, *peer = other ? other->ptr : NULL;
	const char *why = strange(sk);
	int ret;

	if (why)
		return refuse(w, e->obj, -EOPNOTSUPP, why);
	e->img->peer = other ? other->ref : 0;
	ckpt_tcp_save_state(sk, e->img);
	ret = save_whose(w, e->obj, e->img);
	if (!ret)
		ret = save_received(sk, e->img, e->rec);
	return ret ? : save_unsent(sk, peer, e->img, e->rec);
}

/* ---- all of it ---- */

/*
 * Of one that waits, which cannot be read while its lock is held.  Whoever accepts it, or
 * closes the listener, needs the listener's.
 */
static int save_options(struct walk *w, struct sock *listener, struct ckpt_obj *obj,
			struct ckpt_rec_out *rec)
{
	struct ckpt_tcp_owned o = {};
	int ret = -EAGAIN;

	if (ckpt_tcp_own(&o, listener) && ckpt_tcp_waits_at(listener, obj->ptr))
		ret = ckpt_save_sock_options(w->cp, obj->ptr, rec, CKPT_TAG_TCP_OPTIONS);
	ckpt_tcp_let_go(&o);
	return ret;
}

static int begin(struct walk *w, struct ckpt_obj *obj, struct end *e)
{
	struct sock *listener;

	e->obj = obj;
	e->rec = ckpt_rec(w->cp, CKPT_REC_TCP);
	e->img = ckpt_put(e->rec, TCP, BASE);
	if (!e->img)
		return -ENOMEM;
	e->img->ref = obj->ref;
	/* nobody makes two of one: whoever comes to its other end finds it here */
	obj->ends[0] = 1;
	listener = listener_of(w, obj);
	return listener ? save_options(w, listener, obj, e->rec) : 0;
}

static bool own_end(struct walk *w, struct ckpt_tcp_owned *o, const struct ckpt_obj *obj)
{
	struct sock *listener = listener_of(w, obj);

	/* what it closes with itself must not be somebody else's then */
	return (!listener || ckpt_tcp_own(o, listener)) && ckpt_tcp_own(o, obj->ptr);
}

/* both ends at the same moment; @other: the same one if a socket is connected with itself */
static int save_ends(struct walk *w, const struct end *e, const struct end *other)
{
	struct ckpt_obj *peer = other ? other->obj : NULL;
	struct ckpt_tcp_owned o = {};
	int ret = -EAGAIN;

	if (own_end(w, &o, e->obj) && (!peer || own_end(w, &o, peer)) &&
	    is_still(e->obj->ptr, peer ? peer->ptr : NULL))
		ret = save_end(w, e, peer);
	if (!ckpt_go_on(ret) && other && other != e)
		ret = save_end(w, other, e->obj) ? : ret;
	ckpt_tcp_let_go(&o);
	return ret;
}

static int save_connection(struct walk *w, struct ckpt_obj *obj)
{
	struct ckpt_obj *peer;
	struct end a, b;
	int ret, err;

	ret = find_peer(w, obj, &peer);
	if (ret)
		return ret;
	if (peer && peer->ends[0])
		return -EAGAIN;
	ret = begin(w, obj, &a);
	if (!ckpt_go_on(ret) && peer && peer != obj) {
		err = begin(w, peer, &b);
		ret = err ? : ret;
	}
	if (ret)
		return ret;
	ret = save_ends(w, &a, !peer ? NULL : peer == obj ? &a : &b);
	if (ret)
		return ret;
	ckpt_done(w->cp, a.rec);
	return peer && peer != obj ? ckpt_done(w->cp, b.rec) : 0;
}

/* one that was closed may have gone since it was found */
static bool is_gone(const struct sock *sk)
{
	return sk->sk_state == TCP_CLOSE && sock_flag(sk, SOCK_DEAD);
}

static int save_those(struct walk *w, bool wait)
{
	struct ckpt_obj *obj;
	int ret;

	ckpt_for_each_obj(obj, w->cp, &ckpt_type_tcp) {
		if (obj->refused || obj->ends[0] || is_gone(obj->ptr) || !!listener_of(w, obj) != wait)
			continue;
		ret = save_connection(w, obj);
		if (ckpt_go_on(ret))
			return ret;
	}
	return 0;
}

/* those that wait come first, and so in the order in which they are to be accepted */
static int save_all(struct walk *w)
{
	int ret = note_all(w);

	if (!ret)
		ret = save_those(w, true);
	return ret ? : save_those(w, false);
}

int ckpt_save_tcps(struct ckpt_checkpoint *cp)
{
	struct walk w = { .cp = cp };
	int ret;

	xa_init(&w.listeners);
	ret = save_all(&w);
	xa_destroy(&w.listeners);
	return ret;
}

/* it is written behind all others: ckpt_save_tcps() */
static int save_later(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	return 0;
}

/* known by its sock, as it may have nothing else */
const struct ckpt_type ckpt_type_tcp = {
	.name = "TCP",
	.record = CKPT_REC_TCP,
	.take = ckpt_take_sock,
	.drop = ckpt_drop_sock,
	.save = save_later,
	.check = ckpt_check_tcp,
	.put = ckpt_tcp_put_restored,
};
