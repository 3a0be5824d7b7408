// SPDX-License-Identifier: GPL-2.0-only
/* What all sockets have: address and state.  C6, C7. */
#include <linux/net.h>
#include <linux/cred.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "sock.h"

/* the socket behind @file if it is of the family and type (0: any), or NULL */
struct socket *ckpt_socket_of(struct file *file, int family, int type)
{
	struct socket *sock = sock_from_file(file);

	if (!sock || !sock->sk || sock->sk->sk_family != family)
		return NULL;
	return !type || sock->type == type ? sock : NULL;
}

void ckpt_take_sock(void *ptr)
{
	sock_hold(ptr);
}

void ckpt_drop_sock(void *ptr)
{
	sock_put(ptr);
}

struct file *ckpt_sock_file(struct sock *sk)
{
	struct file *file;

	read_lock_bh(&sk->sk_callback_lock);
	file = sk->sk_socket ? sk->sk_socket->file : NULL;
	read_unlock_bh(&sk->sk_callback_lock);
	return file;
}

/* fill the record with what is not the family's own */
int ckpt_save_socket(struct ckpt_checkpoint *cp, struct file *file,
		     struct ckpt_image_file_sock *img, struct ckpt_rec_out *rec)
{
	const struct nsproxy *ns = ckpt_save_root_task(cp)->nsproxy;
	struct socket *sock = sock_from_file(file);
	struct sock *sk = sock->sk;
	int len;

	/* it would come back in the network of its task */
	if (!ns || sock_net(sk) != ns->net_ns)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "a socket of a network namespace other than the container's is not supported");
	if (!uid_eq(sk->sk_uid, file_inode(file)->i_uid))
		return ckpt_refuse(cp, -EOPNOTSUPP, "a socket that belongs to two users is not supported");
	img->family = sk->sk_family;
	img->type = sock->type;
	img->protocol = sk->sk_protocol;
	BUILD_BUG_ON(sizeof(img->addr) < sizeof(struct sockaddr_storage));
	len = sock->ops->getname(sock, (struct sockaddr *)img->addr, 0);
	if (len < 0)
		return len;
	img->addr_len = len;
	if (sk->sk_state == TCP_LISTEN) {
		img->state |= CKPT_SOCK_LISTEN;
		img->backlog = READ_ONCE(sk->sk_max_ack_backlog);
	}
	img->sk_uid = from_kuid(current_user_ns(), file_inode(file)->i_uid);
	img->sk_gid = from_kgid(current_user_ns(), file_inode(file)->i_gid);
	img->drops = atomic_read(&sk->sk_drops);
	return ckpt_save_sock_options(cp, sk, rec, CKPT_TAG_FILE_OPTIONS);
}

int ckpt_check_socket(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const u32 states = CKPT_SOCK_LISTEN | CKPT_SOCK_BOUND | CKPT_SOCK_PATH |
			   CKPT_SOCK_ADDR_LOCK | CKPT_SOCK_PORT_LOCK | CKPT_SOCK_CONNECTED;
	const struct ckpt_image_file_sock *img = ckpt_get(buf, FILE, SOCK);

	if (img->addr_len > sizeof(img->addr) || img->mode & ~07777 || img->state & ~states)
		return ckpt_malformed(log, buf);
	return ckpt_check_sock_options(log, buf, CKPT_TAG_FILE_OPTIONS, img->family, img->protocol);
}

/* a socket that belongs to whom it did; its options are the restarter's to set */
struct socket *ckpt_make_socket(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				const struct cred *cred)
{
	const struct ckpt_image_file_sock *img = ckpt_get(buf, FILE, SOCK);
	const struct cred *old = override_creds(cred);
	struct socket *sock;
	int ret;

	ret = sock_create(img->family, img->type, img->protocol, &sock);
	revert_creds(old);
	if (ret)
		return ERR_PTR(ret);
	ret = ckpt_restore_sock_options(rs, sock, buf, CKPT_TAG_FILE_OPTIONS);
	if (ret) {
		sock_release(sock);
		return ERR_PTR(ret);
	}
	atomic_set(&sock->sk->sk_drops, img->drops);
	return sock;
}

/* the socket goes with the file, also when there is none */
struct file *ckpt_socket_file(struct socket *sock, const struct ckpt_rec_buf *buf,
			      const struct cred *cred)
{
	const struct ckpt_image_file_sock *img = ckpt_get(buf, FILE, SOCK);
	const struct cred *old = override_creds(cred);
	struct file *file = sock_alloc_file(sock, 0, NULL);
	int ret;

	revert_creds(old);
	if (IS_ERR(file))
		return file;
	ret = ckpt_set_owner(file, ckpt_get(buf, FILE, BASE)->mode & 07777, img->sk_uid, img->sk_gid);
	return ckpt_file_or(file, ret);
}

/* its number; 0 also when it has ended and the number is another's by now, whom nobody may take for it */
pid_t ckpt_own_nr(struct pid *pid, struct pid_namespace *ns)
{
	pid_t nr = pid_nr_ns(pid, ns);
	struct pid *now;

	rcu_read_lock();
	now = find_pid_ns(nr, ns);
	if (now && now != pid)
		nr = 0;
	rcu_read_unlock();
	return nr;
}

/* whom SO_PEERCRED names, by his number in the container; of a socket that listens, who made it listen */
int ckpt_save_peer(struct ckpt_checkpoint *cp, struct sock *sk, u32 *cred_ref, s32 *nr)
{
	const struct cred *cred;
	struct pid *pid;
	int ret;

	spin_lock(&sk->sk_peer_lock);
	cred = sk->sk_peer_cred ? get_cred(sk->sk_peer_cred) : NULL;
	pid = get_pid(sk->sk_peer_pid);
	spin_unlock(&sk->sk_peer_lock);
	*nr = ckpt_own_nr(pid, ckpt_save_pid_ns(cp));
	ret = ckpt_obj_save(cp, &ckpt_type_cred, (void *)cred, cred_ref);
	put_pid(pid);
	put_cred(cred);
	return ret;
}

/* @cred, @pid: a reference each, which the socket gets, or NULL */
void ckpt_set_peer(struct sock *sk, const struct cred *cred, struct pid *pid)
{
	const struct cred *old_cred;
	struct pid *old_pid;

	spin_lock(&sk->sk_peer_lock);
	old_cred = sk->sk_peer_cred;
	old_pid = sk->sk_peer_pid;
	sk->sk_peer_cred = cred;
	sk->sk_peer_pid = pid;
	spin_unlock(&sk->sk_peer_lock);
	put_cred(old_cred);
	put_pid(old_pid);
}

int ckpt_restore_peer(struct ckpt_restart *rs, struct sock *sk, u32 cred_ref, s32 nr)
{
	const struct cred *cred;

	/* what has made the socket has said that it was the restarter */
	if (!cred_ref) {
		ckpt_set_peer(sk, NULL, NULL);
		return 0;
	}
	cred = ckpt_file_cred(rs, cred_ref);
	if (IS_ERR(cred))
		return PTR_ERR(cred);
	ckpt_set_peer(sk, cred, ckpt_get_pid(nr));
	return 0;
}
