// SPDX-License-Identifier: GPL-2.0-only
/* Unix sockets that listen, or are not connected and have nothing queued.  C6. */
#include <linux/fs_struct.h>
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

static const char *last_of(const char *name)
{
	return strrchr(name, '/') + 1;
}

/*
 * Where its file lies: what bind(2) got counts from the directories that its owner
 * had then, and the file may have another name by now.
 */
static int save_path(struct ckpt_checkpoint *cp, struct unix_sock *u,
		     struct ckpt_image_file_sock *img, struct ckpt_rec_out *rec)
{
	struct inode *inode = d_inode(u->path.dentry);
	const char *name;
	char *buf;
	int ret;

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	ret = ckpt_path_name(cp, &u->path, buf, &name);
	if (!ret && strlen(last_of(name)) > UNIX_PATH_MAX)
		ret = ckpt_refuse(cp, -EOPNOTSUPP,
				  "%s: a unix socket whose file has a name of more than %d bytes is not supported",
				  name, UNIX_PATH_MAX);
	if (!ret)
		ret = ckpt_put_string(rec, FILE, NAME, name);
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
	return u->path.dentry ? save_path(cp, u, img, rec) : 0;
}

/* room for the NUL that the kernel puts behind the longest name */
struct address {
	struct sockaddr_storage addr;
	int len;
};

static int make_address(struct address *a, const char *name)
{
	struct sockaddr_un *addr = (struct sockaddr_un *)&a->addr;
	size_t n = strlen(name);

	if (!n || n > UNIX_PATH_MAX)
		return -EINVAL;
	memset(a, 0, sizeof(*a));
	addr->sun_family = AF_UNIX;
	memcpy(addr->sun_path, name, n);
	a->len = offsetof(struct sockaddr_un, sun_path) + min_t(size_t, n + 1, UNIX_PATH_MAX);
	return 0;
}

/* does nobody have the socket of that name any more? */
static bool is_stale(struct socket *sock, struct address *a)
{
	struct socket *probe;
	int ret;

	ret = sock_create(AF_UNIX, sock->type, 0, &probe);
	if (ret)
		return false;
	ret = kernel_connect(probe, (struct sockaddr *)&a->addr, a->len, O_NONBLOCK);
	sock_release(probe);
	return ret == -ECONNREFUSED;
}

/*
 * The file that the dead socket left behind is in the way of its successor;
 * one that somebody listens on, or anything else under that name, stays and is
 * an error.
 */
static int remove_stale(struct socket *sock, struct address *a, const char *name,
			unsigned long scratch, bool *was_there)
{
	struct path path;
	bool is_sock;
	int ret;

	ret = kern_path(name, 0, &path);
	*was_there = !ret;
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	is_sock = S_ISSOCK(d_inode(path.dentry)->i_mode);
	path_put(&path);
	if (!is_sock || !is_stale(sock, a))
		return -EADDRINUSE;
	if (copy_to_user((void __user *)scratch, name, strlen(name) + 1))
		return -EFAULT;
	return ckpt_syscall(unlink, scratch);
}

/* owner and mode of the file that the socket has made, whatever has its name by now */
static int set_file_owner(struct sock *sk, const struct ckpt_image_file_sock *img)
{
	struct file *file = dentry_open(&unix_sk(sk)->path, O_PATH, current_cred());
	int ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = ckpt_set_owner(file, img->mode, img->uid, img->gid);
	fput(file);
	return ret;
}

/* the address that getsockname(2) shows; nobody else has the socket yet */
static int set_address(struct sock *sk, const struct ckpt_image_file_sock *img)
{
	struct unix_address *old, *addr = kmalloc(sizeof(*addr) + img->addr_len, GFP_KERNEL);
	struct unix_sock *u = unix_sk(sk);

	if (!addr)
		return -ENOMEM;
	refcount_set(&addr->refcnt, 1);
	addr->len = img->addr_len;
	memcpy(addr->name, img->addr, img->addr_len);
	mutex_lock(&u->bindlock);
	old = u->addr;
	/* pairs with those who look at it without the lock, unix_getname() among them */
	smp_store_release(&u->addr, addr);
	mutex_unlock(&u->bindlock);
	/* /proc/net/unix may be looking at it */
	synchronize_rcu();
	if (refcount_dec_and_test(&old->refcnt))
		kfree(old);
	return 0;
}

static int bind_to(struct ckpt_restart *rs, struct socket *sock,
		   const struct ckpt_image_file_sock *img, const char *name)
{
	struct address a;
	bool was_there;
	int ret;

	ret = make_address(&a, name);
	if (!ret)
		ret = remove_stale(sock, &a, name, ckpt_scratch(rs), &was_there);
	if (!ret)
		ret = kernel_bind(sock, (struct sockaddr *)&a.addr, a.len);
	if (!ret && !was_there)
		ret = ckpt_note_made(rs, &unix_sk(sock->sk)->path);
	return ret ? : set_file_owner(sock->sk, img);
}

/* the directory of @name, which is changed for the moment */
static int find_dir(char *name, struct path *dir)
{
	char *last = name + (last_of(name) - name), first = *last;
	int ret;

	*last = 0;
	ret = kern_path(name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, dir);
	*last = first;
	return ret;
}

/*
 * From within the directory, as the path may be longer than an address.  The lock
 * of making is held; who shares our directories looks up whole paths only.
 */
static int bind_within(struct ckpt_restart *rs, struct socket *sock,
		       const struct ckpt_image_file_sock *img, char *name)
{
	struct path dir, was;
	int ret;

	ret = find_dir(name, &dir);
	if (ret)
		return ret;
	get_fs_pwd(current->fs, &was);
	k_set_fs_pwd(current->fs, &dir);
	ret = bind_to(rs, sock, img, last_of(name));
	k_set_fs_pwd(current->fs, &was);
	path_put(&was);
	path_put(&dir);
	return ret ? : set_address(sock->sk, img);
}

static int bind_path(struct ckpt_restart *rs, struct socket *sock,
		     const struct ckpt_image_file_sock *img, char *name)
{
	const struct sockaddr_un *addr = (const void *)img->addr;

	return !strcmp(name, addr->sun_path) ? bind_to(rs, sock, img, name) :
					       bind_within(rs, sock, img, name);
}

static int bind_unix(struct ckpt_restart *rs, struct socket *sock, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_sock *img = ckpt_get(buf, FILE, SOCK);
	const char *path = ckpt_get(buf, FILE, NAME);
	char *name;
	int ret;

	if (!path)
		return kernel_bind(sock, (struct sockaddr *)img->addr, img->addr_len);
	name = kstrdup(path, GFP_KERNEL);
	if (!name)
		return -ENOMEM;
	ret = bind_path(rs, sock, img, name);
	kfree(name);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "%s cannot be bound to: error %d", path, -ret) : 0;
}

/* an address as bind(2) leaves it: a name has one NUL, at its end, even behind the longest */
static bool address_ok(const struct ckpt_image_file_sock *img)
{
	const size_t head = offsetof(struct sockaddr_un, sun_path);
	const struct sockaddr_un *addr = (const void *)img->addr;

	if (addr->sun_family != AF_UNIX || img->addr_len <= head)
		return false;
	if (!(img->state & CKPT_SOCK_PATH))
		return !addr->sun_path[0] && img->addr_len <= sizeof(*addr);
	return addr->sun_path[0] && img->addr_len <= sizeof(*addr) + 1 &&
	       strnlen(addr->sun_path, img->addr_len - head) == img->addr_len - head - 1;
}

static int unix_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const u32 states = CKPT_SOCK_LISTEN | CKPT_SOCK_BOUND | CKPT_SOCK_PATH;
	const struct ckpt_image_file_sock *img = ckpt_get(buf, FILE, SOCK);

	if (!img || img->family != AF_UNIX || img->state & ~states)
		return ckpt_malformed(log, buf);
	if (!!(img->state & CKPT_SOCK_PATH) != !!ckpt_get(buf, FILE, NAME) ||
	    (img->state & CKPT_SOCK_PATH && !(img->state & CKPT_SOCK_BOUND)))
		return ckpt_malformed(log, buf);
	if (img->state & CKPT_SOCK_BOUND && !address_ok(img))
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
		ret = bind_unix(rs, sock, buf);
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
	.saves_path = true,
	.mine = unix_mine,
	.save = unix_save,
	.check = unix_check,
	.restore = unix_restore,
};
