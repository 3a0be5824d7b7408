// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP connections are there again, when all files are: every end is made as it was, but
 * for what it had sent to the other; then that is sent.  In the root task, with the lock
 * of making held; nobody runs who has them.  C7.
 */
#include <net/ipv6.h>

#include "tcp.h"

#define for_each_tcp(buf, rs)							\
	for (buf = ckpt_next_rec(rs, NULL, CKPT_REC_TCP); buf;			\
	     buf = ckpt_next_rec(rs, buf, CKPT_REC_TCP))

/* what the other end takes of one that is closed with everything read */
#define WINDOW_OF_GONE	U16_MAX

static struct sock *sock_of(struct ckpt_restart *rs, u32 ref)
{
	return ref ? ckpt_find_restored(rs, ref, &ckpt_type_tcp) : NULL;
}

static const struct ckpt_rec_buf *peer_of(struct ckpt_restart *rs, const struct ckpt_image_tcp *img)
{
	return img->peer ? ckpt_find_rec(rs, img->peer, &ckpt_type_tcp) : NULL;
}

static u32 received_end(const struct ckpt_rec_buf *buf)
{
	u64 nr;

	ckpt_get_nr(buf, TCP, RECEIVED, &nr);
	return ckpt_get(buf, TCP, BASE)->received_seq + nr;
}

/* ---- do both ends tell of the same connection? ---- */

static bool agree(const struct ckpt_rec_buf *buf, const struct ckpt_rec_buf *other)
{
	const struct ckpt_image_tcp *a = ckpt_get(buf, TCP, BASE), *b = ckpt_get(other, TCP, BASE);

	return b->peer == a->ref && b->state != TCP_CLOSE &&
	       a->port == b->peer_port && a->peer_port == b->port &&
	       !memcmp(a->addr, b->peer_addr, sizeof(a->addr)) &&
	       !memcmp(a->peer_addr, b->addr, sizeof(a->addr)) &&
	       a->unsent_seq == received_end(other) && b->unsent_seq == received_end(buf);
}

static int compare_ends(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);
	const struct ckpt_rec_buf *other = peer_of(rs, img);

	return !img->peer || (other && agree(buf, other)) ? 0 : -EINVAL;
}

/* ---- sockets ---- */

static struct socket *find_socket(struct ckpt_restart *rs, const struct ckpt_image_tcp *img)
{
	struct file *file = ckpt_restore_obj(rs, img->file, &ckpt_type_file);
	struct socket *sock;

	if (IS_ERR(file))
		return ERR_CAST(file);
	sock = ckpt_socket_of(file, img->family, SOCK_STREAM);
	if (!sock || sock->sk->sk_protocol != IPPROTO_TCP || sock->sk->sk_state != TCP_CLOSE ||
	    inet_sk(sock->sk)->inet_num || sock->state != SS_UNCONNECTED)
		return ERR_PTR(-EINVAL);
	return sock;
}

static int add(struct ckpt_restart *rs, u32 ref, struct socket *sock)
{
	sock_hold(sock->sk);
	return ckpt_add_restored(rs, ref, &ckpt_type_tcp, sock->sk);
}

/* those that wait have options of their own, as they had them from who listened then */
static int make_socket(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);
	struct socket *sock;
	int ret;

	sock = img->file ? find_socket(rs, img) : ckpt_tcp_make(img);
	if (IS_ERR(sock))
		return PTR_ERR(sock);
	/* from here on it goes with the reference */
	ret = add(rs, img->ref, sock);
	if (ret)
		return ret;
	return img->file ? 0 : ckpt_restore_sock_options(rs, sock, buf, CKPT_TAG_TCP_OPTIONS);
}

static int fill(const struct ckpt_rec_buf *buf, struct socket *sock)
{
	const u8 *bytes;
	u64 nr;

	bytes = ckpt_get_nr(buf, TCP, RECEIVED, &nr);
	return ckpt_tcp_fill(sock, bytes, nr);
}

/* ---- those that have ended: before the others, who may have their ports by now ---- */

static void end(struct sock *sk, const struct ckpt_image_tcp *img)
{
	lock_sock(sk);
	tcp_sk(sk)->repair = 0;
	if (img->flags & CKPT_TCP_FIN)
		tcp_sk(sk)->rcv_nxt++;
	WRITE_ONCE(sk->sk_err, img->error);
	local_bh_disable();
	tcp_done(sk);
	local_bh_enable();
	WRITE_ONCE(sk->sk_shutdown, img->shutdown);
	release_sock(sk);
}

static int restore_ended(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);
	struct sock *sk = sock_of(rs, img->ref);
	int ret;

	if (img->state != TCP_CLOSE)
		return 0;
	ret = ckpt_tcp_connect(sk->sk_socket, img, 0);
	if (!ret)
		ret = fill(buf, sk->sk_socket);
	if (ret)
		return ret;
	end(sk, img);
	return 0;
}

/* ---- the others ---- */

static bool is_here(struct net *net, const u8 *address)
{
	const struct in6_addr *addr = (const struct in6_addr *)address;

	if (ipv6_addr_v4mapped(addr))
		return inet_addr_type(net, addr->s6_addr32[3]) == RTN_LOCAL;
	return k_ipv6_chk_addr(net, addr, NULL, 0);
}

static int restore_connected(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);
	const struct ckpt_rec_buf *other = peer_of(rs, img);
	struct sock *sk = sock_of(rs, img->ref);
	int ret;

	if (img->state == TCP_CLOSE)
		return 0;
	/* nothing leaves this machine, whatever an image says */
	if (!is_here(sock_net(sk), img->addr) || !is_here(sock_net(sk), img->peer_addr))
		return -EADDRNOTAVAIL;
	ret = ckpt_tcp_connect(sk->sk_socket, img,
			       other ? ckpt_get(other, TCP, BASE)->rcv_wnd : WINDOW_OF_GONE);
	return ret ? : fill(buf, sk->sk_socket);
}

/* from here on packets come and go */
static int restore_going(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);

	if (img->state != TCP_CLOSE)
		ckpt_tcp_go(sock_of(rs, img->ref), img);
	return 0;
}

/* the other end comes once more, and goes */
static int restore_gone(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);
	struct ckpt_image_tcp other = *img;
	struct socket *sock;
	int ret;

	if (img->peer || img->state == TCP_CLOSE)
		return 0;
	memcpy(other.addr, img->peer_addr, sizeof(other.addr));
	memcpy(other.peer_addr, img->addr, sizeof(other.addr));
	other.port = img->peer_port;
	other.peer_port = img->port;
	other.received_seq = img->unsent_seq;
	other.unsent_seq = received_end(buf);
	other.rcv_wnd = WINDOW_OF_GONE;
	other.snd_wscale = img->rcv_wscale;
	other.rcv_wscale = img->snd_wscale;
	other.timestamp = img->peer_timestamp;
	other.peer_timestamp = img->timestamp;
	other.listener = 0;
	sock = ckpt_tcp_make(&other);
	if (IS_ERR(sock))
		return PTR_ERR(sock);
	/* there must be room for its FIN */
	ret = ckpt_tcp_connect(sock, &other, max(img->rcv_wnd, 1U));
	if (!ret)
		ckpt_tcp_go(sock->sk, &other);
	sock_release(sock);
	return ret;
}

/* one whose other end nobody has any more may hear of it at once, as it would have a moment later */
static int unless_reset(struct ckpt_restart *rs, const struct ckpt_image_tcp *img, int ret)
{
	const struct ckpt_rec_buf *other = peer_of(rs, img);
	const struct ckpt_image_tcp *peer = other ? ckpt_get(other, TCP, BASE) : NULL;

	if (READ_ONCE(sock_of(rs, img->ref)->sk_state) != TCP_CLOSE || (peer && (peer->file || peer->listener)))
		return ret;
	return 0;
}

static int restore_unsent(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);
	const u8 *bytes;
	u64 nr;

	bytes = ckpt_get_nr(buf, TCP, UNSENT, &nr);
	return unless_reset(rs, img, ckpt_tcp_send(sock_of(rs, img->ref)->sk_socket, bytes, nr));
}

static int restore_waiting(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);
	struct sock *sk = sock_of(rs, img->ref);
	struct socket *listener;
	struct file *file;

	if (!img->listener)
		return 0;
	file = ckpt_restore_obj(rs, img->listener, &ckpt_type_file);
	if (IS_ERR(file))
		return PTR_ERR(file);
	listener = ckpt_socket_of(file, img->family, SOCK_STREAM);
	if (!listener || listener->sk->sk_protocol != IPPROTO_TCP ||
	    listener->sk->sk_state != TCP_LISTEN || sock_net(listener->sk) != sock_net(sk) ||
	    inet_sk(listener->sk)->inet_num != img->port)
		return -EINVAL;
	return ckpt_tcp_make_waiting(sk->sk_socket, listener->sk);
}

static int close_again(struct ckpt_restart *rs, const struct ckpt_image_tcp *img)
{
	struct sock *sk = sock_of(rs, img->ref);

	if (img->file)
		return ckpt_tcp_sent_fin(img->state) ?
			unless_reset(rs, img, kernel_sock_shutdown(sk->sk_socket, SHUT_WR)) : 0;
	if (!img->listener)
		sock_release(sk->sk_socket);
	return 0;
}

/*
 * The FIN comes behind all that was sent, and the other end is what it was when it has come. Who has been the first to
 * close is seen in his state: so first those that had sent theirs when that of the other end came, ...
 */
static int restore_crossing(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);

	return img->state == TCP_CLOSING ? close_again(rs, img) : 0;
}

/* ... then those that have seen none, ... */
static int restore_closed(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);

	return img->state == TCP_CLOSING || img->state == TCP_LAST_ACK ? 0 : close_again(rs, img);
}

/* ... and those that answered it last, when it is there: it can be on its way for a moment, also in one machine */
static int restore_answered(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);
	struct sock *sk;
	int patience;

	if (img->state != TCP_LAST_ACK)
		return 0;
	sk = sock_of(rs, img->ref);
	for (patience = 1000; patience && READ_ONCE(sk->sk_state) == TCP_ESTABLISHED; patience--) {
		if (fatal_signal_pending(current))
			return -EINTR;
		usleep_range(500, 1000);
	}
	return close_again(rs, img);
}

static int finish(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);
	struct sock *sk = sock_of(rs, img->ref);

	if (!img->file)
		return 0;
	lock_sock(sk);
	if (img->state != TCP_CLOSE)
		sk->sk_shutdown |= img->shutdown & RCV_SHUTDOWN;
	if (img->flags & CKPT_TCP_DONE)
		sock_set_flag(sk, SOCK_DONE);
	sk->sk_socket->state = img->flags & CKPT_TCP_CONNECTED ? SS_CONNECTED : SS_CONNECTING;
	release_sock(sk);
	return 0;
}

/* both ends are there to answer */
static int keep_alive(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);
	struct sock *sk = sock_of(rs, img->ref);

	if (!img->file && !img->listener)
		return 0;
	lock_sock(sk);
	if (sock_flag(sk, SOCK_KEEPOPEN) && sk->sk_state != TCP_CLOSE)
		inet_csk_reset_keepalive_timer(sk, keepalive_time_when(tcp_sk(sk)));
	release_sock(sk);
	return 0;
}

static const struct step {
	int (*take)(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf);
	const char *what;
} steps[] = {
	{ compare_ends, "what its other end says" },
	{ make_socket, "made" },
	{ restore_ended, "ended again" },
	{ restore_connected, "connected again" },
	{ restore_going, "let go" },
	{ restore_gone, "given the other end that it had" },
	{ restore_unsent, "given what had not come to its other end" },
	{ restore_waiting, "put where it waits to be accepted" },
	{ restore_crossing, "closed as it was" },
	{ restore_closed, "closed as it was" },
	{ restore_answered, "closed as it was" },
	{ finish, "made what it was" },
	{ keep_alive, "kept alive" },
};

static const char *name_of(const struct ckpt_rec_buf *buf, char *text, size_t len)
{
	const struct ckpt_image_tcp *img = ckpt_get(buf, TCP, BASE);

	if (ipv6_addr_v4mapped((const struct in6_addr *)img->addr))
		snprintf(text, len, "%pI4:%u and %pI4:%u", img->addr + 12, img->port,
			 img->peer_addr + 12, img->peer_port);
	else
		snprintf(text, len, "[%pI6c]:%u and [%pI6c]:%u", img->addr, img->port,
			 img->peer_addr, img->peer_port);
	return text;
}

/* each step of all before the next: it may need any other */
int ckpt_restore_tcps(struct ckpt_restart *rs)
{
	struct ckpt_rec_buf *buf;
	char name[128];
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		for_each_tcp(buf, rs) {
			ret = steps[i].take(rs, buf);
			if (ret)
				return ckpt_fail(ckpt_restore_log(rs), ret,
						 "a TCP connection (TCP %u, of %s) cannot be %s: error %d",
						 ckpt_ref_of(buf), name_of(buf, name, sizeof(name)),
						 steps[i].what, -ret);
		}
	}
	return 0;
}
