// SPDX-License-Identifier: GPL-2.0-only
/* Unix sockets that listen, or are not connected and have nothing queued.  C6. */
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/af_unix.h>
#include <net/tcp_states.h>

#include "file.h"
#include "sock.h"

static bool unix_mine(struct file *file)
{
	return ckpt_socket_of(file, AF_UNIX, 0);
}

static int check_state(struct ckpt_checkpoint *cp, struct sock *sk)
{
	if (sk->sk_state == TCP_LISTEN)
		return skb_queue_empty(&sk->sk_receive_queue) ? 0 :
			ckpt_refuse(cp, -EBUSY, "a unix socket has connections that wait to be accepted, which is not supported");
	if (sk->sk_state != TCP_CLOSE || unix_peer(sk))
		return ckpt_refuse(cp, -EOPNOTSUPP, "a connected unix socket is not supported");
	if (!skb_queue_empty(&sk->sk_receive_queue))
		return ckpt_refuse(cp, -EOPNOTSUPP, "a unix socket with queued data is not supported");
	return 0;
}

/* a bound path must be absolute, and must still lead to this socket */
static int save_path(struct ckpt_checkpoint *cp, struct unix_sock *u,
		     struct ckpt_image_file_sock *img)
{
	const struct sockaddr_un *addr = (void *)img->addr;
	struct inode *inode = d_inode(u->path.dentry);
	const char *name;
	char *buf;
	int ret;

	if (addr->sun_path[0] != '/')
		return ckpt_refuse(cp, -EOPNOTSUPP, "a unix socket bound to a relative path (%.*s) is not supported",
				   (int)sizeof(addr->sun_path), addr->sun_path);
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	ret = ckpt_path_name(cp, &u->path, buf, &name);
	kfree(buf);
	img->state |= CKPT_SOCK_PATH;
	img->mode = inode->i_mode & 07777;
	img->uid = from_kuid(current_user_ns(), inode->i_uid);
	img->gid = from_kgid(current_user_ns(), inode->i_gid);
	return ret;
}

static int unix_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_file_sock *img = ckpt_put(rec, FILE, SOCK);
	struct sock *sk = sock_from_file(file)->sk;
	struct unix_sock *u = unix_sk(sk);
	int ret;

	if (!img)
		return -ENOMEM;
	ret = check_state(cp, sk);
	if (ret)
		return ret;
	ret = ckpt_save_peer(cp, sk, img);
	if (!ret)
		ret = ckpt_save_socket(cp, file, img, rec);
	if (ret)
		return ret;
	if (READ_ONCE(u->addr))
		img->state |= CKPT_SOCK_BOUND;
	return u->path.dentry ? save_path(cp, u, img) : 0;
}

/* does nobody have the socket of that name any more? */
static bool is_stale(struct socket *sock, const struct sockaddr_un *addr, int len)
{
	struct socket *probe;
	int ret;

	ret = sock_create(AF_UNIX, sock->type, 0, &probe);
	if (ret)
		return false;
	ret = kernel_connect(probe, (struct sockaddr *)addr, len, O_NONBLOCK);
	sock_release(probe);
	return ret == -ECONNREFUSED;
}

/*
 * The file that the dead socket left behind is in the way of its successor;
 * one that somebody listens on, or anything else under that name, stays and is
 * an error.
 */
static int remove_stale(struct socket *sock, const struct sockaddr_un *addr, int len,
			const char *name, unsigned long scratch)
{
	struct path path;
	bool is_sock;
	int ret;

	ret = kern_path(name, 0, &path);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	is_sock = S_ISSOCK(d_inode(path.dentry)->i_mode);
	path_put(&path);
	if (!is_sock || !is_stale(sock, addr, len))
		return -EADDRINUSE;
	if (copy_to_user((void __user *)scratch, name, strlen(name) + 1))
		return -EFAULT;
	return ckpt_syscall(unlink, scratch);
}

static int set_owner(const struct ckpt_image_file_sock *img, const char *name,
		     unsigned long scratch)
{
	long ret;

	if (copy_to_user((void __user *)scratch, name, strlen(name) + 1))
		return -EFAULT;
	ret = ckpt_syscall(lchown, scratch, img->uid, img->gid);
	if (!ret)
		ret = ckpt_syscall(chmod, scratch, img->mode & 07777);
	return ret;
}

static int bind_unix(struct ckpt_restart *rs, struct socket *sock,
		     const struct ckpt_image_file_sock *img, unsigned long scratch)
{
	const struct sockaddr_un *addr = (void *)img->addr;
	char name[sizeof(addr->sun_path) + 1] = "";
	int ret;

	if (!(img->state & CKPT_SOCK_PATH))
		return kernel_bind(sock, (struct sockaddr *)addr, img->addr_len);
	memcpy(name, addr->sun_path, img->addr_len - offsetof(struct sockaddr_un, sun_path));
	ret = remove_stale(sock, addr, img->addr_len, name, scratch);
	if (!ret)
		ret = kernel_bind(sock, (struct sockaddr *)addr, img->addr_len);
	if (!ret)
		ret = set_owner(img, name, scratch);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "%s cannot be bound to: error %d", name, -ret) : 0;
}

static int unix_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const u32 states = CKPT_SOCK_LISTEN | CKPT_SOCK_BOUND | CKPT_SOCK_PATH;
	const struct ckpt_image_file_sock *img = ckpt_get(buf, FILE, SOCK);
	const struct sockaddr_un *addr;

	if (!img || img->family != AF_UNIX || img->state & ~states)
		return ckpt_malformed(log, buf);
	addr = (const void *)img->addr;
	if (img->state & CKPT_SOCK_BOUND && (img->addr_len > sizeof(*addr) ||
					     img->addr_len <= offsetof(struct sockaddr_un, sun_path)))
		return ckpt_malformed(log, buf);
	if (img->state & CKPT_SOCK_PATH && (!(img->state & CKPT_SOCK_BOUND) || addr->sun_path[0] != '/'))
		return ckpt_malformed(log, buf);
	return ckpt_check_socket(log, buf);
}

static struct file *unix_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				 const struct cred *cred)
{
	const struct ckpt_image_file_sock *img = ckpt_get(buf, FILE, SOCK);
	struct socket *sock;
	int ret = 0;

	sock = ckpt_make_socket(rs, buf, cred);
	if (IS_ERR(sock))
		return ERR_CAST(sock);
	if (img->state & CKPT_SOCK_BOUND)
		ret = bind_unix(rs, sock, img, ckpt_scratch(rs));
	if (!ret && img->state & CKPT_SOCK_LISTEN)
		ret = kernel_listen(sock, img->backlog);
	if (!ret)
		ret = ckpt_restore_peer(rs, sock->sk, img);
	if (ret) {
		sock_release(sock);
		return ERR_PTR(ret);
	}
	return ckpt_socket_file(sock, buf, cred);
}

const struct ckpt_file_ops ckpt_file_unix = {
	.name = "unix",
	.kind = CKPT_FILE_UNIX,
	.has_cred = true,
	.mine = unix_mine,
	.save = unix_save,
	.check = unix_check,
	.restore = unix_restore,
};
