// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unix sockets are connected again, when all of them are there: by the kernel's
 * own socketpair(2), connect(2) and shutdown(2) where these lead to what was.
 * In the root task, with the lock of making held; nobody runs who has them.  C6.
 */
#include <linux/net.h>
#include <linux/security.h>
#include <net/tcp_states.h>

#include "file.h"
#include "sock.h"
#include "unix.h"

#define for_each_unix(buf, rs)							\
	for (buf = ckpt_next_rec(rs, NULL, CKPT_REC_UNIX); buf;			\
	     buf = ckpt_next_rec(rs, buf, CKPT_REC_UNIX))

int ckpt_check_unix(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const u32 ends = CKPT_UNIX_CLOSED | CKPT_UNIX_OUTSIDE;
	const struct ckpt_image_unix *img = ckpt_get(buf, UNIX, BASE);
	const char *name = ckpt_get(buf, UNIX, NAME);

	if (img->addr_len > sizeof(img->addr) || (img->error && img->error != ECONNRESET) ||
	    (img->addr_len && !ckpt_unix_address_ok(img->addr, img->addr_len)))
		return ckpt_malformed(log, buf);
	/* one other end at most, of which one outside has a name */
	if (!!img->peer + hweight32(img->flags & ends) > 1 ||
	    (img->flags & CKPT_UNIX_OUTSIDE && !img->addr_len) ||
	    (name && (*name != '/' || !(img->flags & CKPT_UNIX_OUTSIDE))))
		return ckpt_malformed(log, buf);
	/* what waits to be accepted waits for somebody, and was connected by somebody */
	if (!img->file && (!img->listener || !(img->peer || img->flags & CKPT_UNIX_CLOSED)))
		return ckpt_malformed(log, buf);
	return ckpt_check_queue(log, buf);
}

static struct sock *sock_of(struct ckpt_restart *rs, u32 ref)
{
	return ref ? ckpt_find_restored(rs, ref, &ckpt_type_unix) : NULL;
}

static const struct ckpt_image_unix *base_of(struct ckpt_restart *rs, u32 ref)
{
	const struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_unix);

	return buf ? ckpt_get(buf, UNIX, BASE) : NULL;
}

static const struct ckpt_rec_buf *file_rec(struct ckpt_restart *rs,
					   const struct ckpt_image_unix *img)
{
	return ckpt_find_rec(rs, img->file, &ckpt_type_file);
}

static int add_sock(struct ckpt_restart *rs, u32 ref, struct sock *sk)
{
	sock_hold(sk);
	return ckpt_add_restored(rs, ref, &ckpt_type_unix, sk);
}

/* its file, which may be in no table, but on its way; and those that are on their way to it */
static int find_files(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_unix *img = ckpt_get(buf, UNIX, BASE);
	struct socket *sock;
	struct file *file;
	const u32 *refs;
	u64 i, nr;

	refs = ckpt_get_nr(buf, UNIX, FILES, &nr);
	for (i = 0; i < nr; i++) {
		file = ckpt_restore_fd(rs, refs[i]);
		if (IS_ERR(file))
			return PTR_ERR(file);
	}
	if (!img->file)
		return 0;
	file = ckpt_restore_obj(rs, img->file, &ckpt_type_file);
	if (IS_ERR(file))
		return PTR_ERR(file);
	sock = ckpt_socket_of(file, AF_UNIX, 0);
	return sock ? add_sock(rs, img->ref, sock->sk) : -EINVAL;
}

/* ---- streams and packets in sequence ---- */

static bool can_connect(const struct socket *sock)
{
	return sock->type != SOCK_DGRAM && sock->sk->sk_state == TCP_CLOSE &&
	       !unix_peer(sock->sk);
}

/* the kernel takes both for new, and lets nothing go that they may have had */
static int join(struct socket *a, struct socket *b)
{
	int ret;

	if (a == b || a->type != b->type || !can_connect(a) || !can_connect(b))
		return -EINVAL;
	ckpt_set_peer(a->sk, NULL, NULL);
	ckpt_set_peer(b->sk, NULL, NULL);
	ret = security_socket_socketpair(a, b);
	return ret ? : a->ops->socketpair(a, b);
}

/* the record of the other end tells the same; the second of two finds it done */
static int join_peer(struct ckpt_restart *rs, const struct ckpt_image_unix *img)
{
	const struct ckpt_image_unix *other = base_of(rs, img->peer);
	struct sock *sk = sock_of(rs, img->ref), *peer = sock_of(rs, img->peer);

	if (!img->peer || sk->sk_type == SOCK_DGRAM)
		return 0;
	if (!other || other->peer != img->ref)
		return -EINVAL;
	/* one that waits to be accepted is connected with it already */
	if (peer && unix_peer(sk) == peer)
		return 0;
	return peer && peer->sk_socket ? join(sk->sk_socket, peer->sk_socket) : -EINVAL;
}

/* connect(2), with what it asks for as it was then */
static int connect_to(struct ckpt_restart *rs, struct socket *sock, struct sock *listener,
		      const struct ckpt_rec_buf *file)
{
	const struct ckpt_image_file_sock *img = ckpt_get(file, FILE, SOCK);
	const u32 backlog = listener->sk_max_ack_backlog;
	int ret;

	ckpt_set_peer(sock->sk, NULL, NULL);
	WRITE_ONCE(listener->sk_max_ack_backlog, INT_MAX);
	ret = ckpt_unix_connect_quietly(sock, ckpt_get(file, FILE, NAME), img->addr, img->addr_len);
	WRITE_ONCE(listener->sk_max_ack_backlog, backlog);
	return ret;
}

/* one that waits to be accepted, connected by @sock */
static int make_waiting(struct ckpt_restart *rs, const struct ckpt_image_unix *img,
			struct socket *sock)
{
	const struct ckpt_image_unix *at = base_of(rs, img->listener);
	struct sock *listener = sock_of(rs, img->listener);
	int ret;

	if (!at || !listener || listener->sk_state != TCP_LISTEN ||
	    listener->sk_type != sock->type || !can_connect(sock))
		return -EINVAL;
	ret = connect_to(rs, sock, listener, file_rec(rs, at));
	/* whoever has taken that name meanwhile is somebody else */
	if (!ret && READ_ONCE(unix_sk(unix_peer(sock->sk))->listener) != listener)
		ret = -EADDRINUSE;
	if (!ret)
		ret = add_sock(rs, img->ref, unix_peer(sock->sk));
	return ret ? : ckpt_restore_peer(rs, unix_peer(sock->sk), img->peer_cred, img->peer_pid);
}

/* whoever connected it is gone, and has left what he sent */
static int make_waiting_closed(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_unix *img = ckpt_get(buf, UNIX, BASE);
	struct sock *listener = sock_of(rs, img->listener);
	struct socket *sock;
	int ret;

	if (!listener)
		return -EINVAL;
	sock = ckpt_stand_in(listener->sk_type, img->addr, img->addr_len);
	if (IS_ERR(sock))
		return PTR_ERR(sock);
	ret = make_waiting(rs, img, sock);
	if (!ret)
		ret = ckpt_queue_restore(rs, buf, unix_peer(sock->sk), sock);
	sock_release(sock);
	return ret;
}

static int restore_waiting(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_unix *img = ckpt_get(buf, UNIX, BASE);
	struct sock *client;

	if (img->file)
		return 0;
	if (img->flags & CKPT_UNIX_CLOSED)
		return make_waiting_closed(rs, buf);
	client = sock_of(rs, img->peer);
	return client && client->sk_socket ? make_waiting(rs, img, client->sk_socket) : -EINVAL;
}

static int restore_joined(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_unix *img = ckpt_get(buf, UNIX, BASE);

	return img->file ? join_peer(rs, img) : 0;
}

/* the other end comes once more, sends what it had sent, and goes */
static int fill_closed(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, struct sock *sk)
{
	const struct ckpt_image_unix *img = ckpt_get(buf, UNIX, BASE);
	struct socket *sock = ckpt_stand_in(sk->sk_type, img->addr, img->addr_len);
	int ret;

	if (IS_ERR(sock))
		return PTR_ERR(sock);
	ret = join(sock, sk->sk_socket);
	if (!ret)
		ret = ckpt_queue_restore(rs, buf, sk, sock);
	sock_release(sock);
	return ret;
}

static int fill(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_unix *img = ckpt_get(buf, UNIX, BASE);
	struct sock *sk = sock_of(rs, img->ref), *peer = sock_of(rs, img->peer);

	if (sk->sk_type == SOCK_DGRAM)
		return ckpt_queue_restore(rs, buf, sk, NULL);
	if (img->flags & CKPT_UNIX_CLOSED)
		return img->file ? fill_closed(rs, buf, sk) : 0;
	if (peer && peer->sk_socket)
		return ckpt_queue_restore(rs, buf, sk, peer->sk_socket);
	/* what waits to be accepted has sent nothing */
	return ckpt_get(buf, UNIX, MESSAGES) ? -EINVAL : 0;
}

/* ---- datagrams: when all is filled, as one that is connected takes from its other end only ---- */

/* connect(2) to one that may have lost its name, or take from another only */
static int aim(struct sock *sk, struct sock *to)
{
	if (to->sk_type != SOCK_DGRAM || unix_peer(sk))
		return -EINVAL;
	sock_hold(to);
	unix_state_lock(sk);
	unix_peer(sk) = to;
	unix_state_unlock(sk);
	return 0;
}

static int aim_at_closed(struct sock *sk, const struct ckpt_image_unix *img)
{
	struct socket *sock = ckpt_stand_in(SOCK_DGRAM, img->addr, img->addr_len);
	int ret;

	if (IS_ERR(sock))
		return PTR_ERR(sock);
	ret = aim(sk, sock->sk);
	sock_release(sock);
	return ret;
}

static int connect_outside(const struct ckpt_rec_buf *buf, struct sock *sk)
{
	const struct ckpt_image_unix *img = ckpt_get(buf, UNIX, BASE);

	return ckpt_unix_connect_quietly(sk->sk_socket, ckpt_get(buf, UNIX, NAME), img->addr,
					 img->addr_len);
}

static int restore_aim(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_unix *img = ckpt_get(buf, UNIX, BASE);
	struct sock *sk = sock_of(rs, img->ref), *peer = sock_of(rs, img->peer);

	if (sk->sk_type != SOCK_DGRAM)
		return img->flags & CKPT_UNIX_OUTSIDE ? -EINVAL : 0;
	if (img->flags & CKPT_UNIX_CLOSED)
		return aim_at_closed(sk, img);
	if (img->flags & CKPT_UNIX_OUTSIDE)
		return connect_outside(buf, sk);
	if (!img->peer)
		return 0;
	return peer ? aim(sk, peer) : -EINVAL;
}

/* ---- at last ---- */

/* as connect(2) gives it to the new end */
static int inherit_name(struct ckpt_restart *rs, const struct ckpt_image_unix *img, struct sock *sk)
{
	const struct ckpt_image_file_sock *was = ckpt_get(file_rec(rs, img), FILE, SOCK);
	struct sock *listener = sock_of(rs, img->listener);
	struct unix_sock *u = unix_sk(sk), *from;

	if (u->addr)
		return -EINVAL;
	if (!img->listener)
		return ckpt_unix_address_ok(was->addr, was->addr_len) ?
			ckpt_unix_set_address(sk, was->addr, was->addr_len) : -EINVAL;
	if (!listener || listener->sk_state != TCP_LISTEN)
		return -EINVAL;
	from = unix_sk(listener);
	if (from->path.dentry) {
		path_get(&from->path);
		u->path = from->path;
	}
	refcount_inc(&from->addr->refcnt);
	/* as above: pairs with those who look at it without a lock */
	smp_store_release(&u->addr, from->addr);
	return 0;
}

static int shut_down(struct sock *sk, u32 shutdown)
{
	const u32 more = shutdown & ~sk->sk_shutdown;

	/* RCV_SHUTDOWN is what SHUT_RD makes, and so on */
	return more ? sk->sk_socket->ops->shutdown(sk->sk_socket, more - 1) : 0;
}

static bool is_complete(struct ckpt_restart *rs, const struct ckpt_image_unix *img, struct sock *sk)
{
	bool established = img->flags & CKPT_UNIX_ESTABLISHED;

	if (sk->sk_type == SOCK_DGRAM)
		return true;
	return established == (sk->sk_state == TCP_ESTABLISHED) &&
		(!img->peer || unix_peer(sk) == sock_of(rs, img->peer));
}

static int finish(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_unix *img = ckpt_get(buf, UNIX, BASE);
	struct sock *sk = sock_of(rs, img->ref);
	const struct ckpt_image_file_sock *file;
	int ret;

	if (!is_complete(rs, img, sk))
		return -EINVAL;
	if (!img->file)
		return 0;
	file = ckpt_get(file_rec(rs, img), FILE, SOCK);
	ret = img->flags & CKPT_UNIX_ACCEPTED ? inherit_name(rs, img, sk) : 0;
	if (!ret)
		ret = shut_down(sk, img->shutdown);
	if (!ret)
		ret = ckpt_restore_peer(rs, sk, file->peer_cred, file->peer_pid);
	if (ret)
		return ret;
	unix_state_lock(sk);
	if (sk->sk_type == SOCK_DGRAM)
		WRITE_ONCE(sk->sk_state, img->flags & CKPT_UNIX_ESTABLISHED ? TCP_ESTABLISHED : TCP_CLOSE);
	WRITE_ONCE(sk->sk_err, img->error);
	sk->sk_socket->state = img->flags & CKPT_UNIX_CONNECTED ? SS_CONNECTED : SS_UNCONNECTED;
	unix_state_unlock(sk);
	/* epoll files that watch it are here already */
	if (img->error)
		sk_error_report(sk);
	return 0;
}

static const struct step {
	int (*take)(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf);
	const char *what;
} steps[] = {
	{ find_files, "found" },
	{ restore_waiting, "put where it waits to be accepted" },
	{ restore_joined, "connected with its other end" },
	{ fill, "given what waited in it" },
	{ restore_aim, "connected with the one that its datagrams go to" },
	{ finish, "made what it was" },
};

/* each step of all before the next: it may need any other */
int ckpt_restore_unixes(struct ckpt_restart *rs)
{
	struct ckpt_rec_buf *buf;
	const char *name;
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		for_each_unix(buf, rs) {
			ret = steps[i].take(rs, buf);
			if (!ret)
				continue;
			name = ckpt_get(buf, UNIX, NAME);
			return ckpt_fail(ckpt_restore_log(rs), ret,
					 "a unix socket (UNIX %u%s%s) cannot be %s: error %d",
					 ckpt_ref_of(buf), name ? " " : "", name ? : "",
					 steps[i].what, -ret);
		}
	}
	return 0;
}
