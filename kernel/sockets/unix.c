// SPDX-License-Identifier: GPL-2.0-only
/* Unix sockets: their names.  What they are connected with, and what waits in them: peers.c, join.c.  C6. */
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/fs_struct.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/af_unix.h>
#include <net/tcp_states.h>

#include "file.h"
#include "sock.h"
#include "unix.h"

static bool unix_mine(struct file *file)
{
	return ckpt_socket_of(file, AF_UNIX, 0);
}

/* is the name its own?  One that was accepted has that of the one that listened, and is not found by it. */
bool ckpt_unix_is_bound(struct sock *sk)
{
	/* pairs with the store of bind(2) */
	const struct unix_address *addr = smp_load_acquire(&unix_sk(sk)->addr);

	if (!addr)
		return false;
	/* a file's is in a list of its own, another in the upper half of the table */
	return addr->name->sun_path[0] ? !hlist_unhashed(&sk->sk_bind_node) :
					 sk->sk_hash > UNIX_HASH_MOD;
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
	const char *name = NULL;
	char *buf;
	int ret = 0;

	/* a restart makes one that has the name by which it is found here, and no other */
	if (inode->i_nlink > 1)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a unix socket whose file (%pd) has several names is not supported",
				   u->path.dentry);
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	/* bound to a name of the moment that was then linked to the one for clients, as supervisord does */
	if (ckpt_is_deleted(u->path.dentry))
		name = ckpt_other_name(cp, &u->path, buf);
	if (!name)
		ret = ckpt_path_name(cp, &u->path, buf, &name);
	if (!ret && strlen(last_of(name)) > UNIX_PATH_MAX)
		ret = ckpt_refuse(cp, -EOPNOTSUPP,
				  "%s: a unix socket whose file has a name of more than %d bytes is not supported",
				  name, UNIX_PATH_MAX);
	/* user space makes it so before the socket is bound again */
	if (!ret && u->path.mnt->mnt_sb->s_magic == TMPFS_MAGIC && __mnt_is_readonly(u->path.mnt))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "%s: a unix socket whose file is on a tmpfs that is mounted for reading only is not supported",
				  name);
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
	ret = ckpt_save_peer(cp, sk, &img->peer_cred, &img->peer_pid);
	if (!ret)
		ret = ckpt_save_socket(cp, file, img, rec);
	if (ret)
		return ret;
	if (!ckpt_unix_is_bound(sk))
		return 0;
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

/*
 * The address that getsockname(2) shows; nobody else has the socket yet.  It is
 * found by the name that it was bound to, if it was.
 */
int ckpt_unix_set_address(struct sock *sk, const void *name, u32 len)
{
	struct unix_address *old, *addr = kmalloc(sizeof(*addr) + len, GFP_KERNEL);
	struct unix_sock *u = unix_sk(sk);

	if (!addr)
		return -ENOMEM;
	refcount_set(&addr->refcnt, 1);
	addr->len = len;
	memcpy(addr->name, name, len);
	mutex_lock(&u->bindlock);
	old = u->addr;
	/* pairs with those who look at it without the lock, unix_getname() among them */
	smp_store_release(&u->addr, addr);
	mutex_unlock(&u->bindlock);
	if (!old)
		return 0;
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
	return ret ? : ckpt_unix_set_address(sock->sk, img->addr, img->addr_len);
}

/* the same of a connect(2); @path is absolute */
static int connect_within(struct socket *sock, char *path)
{
	struct path dir, was;
	struct address a;
	int ret;

	ret = make_address(&a, last_of(path)) ? : find_dir(path, &dir);
	if (ret)
		return ret;
	get_fs_pwd(current->fs, &was);
	k_set_fs_pwd(current->fs, &dir);
	ret = kernel_connect(sock, (struct sockaddr *)&a.addr, a.len, O_NONBLOCK);
	k_set_fs_pwd(current->fs, &was);
	path_put(&was);
	path_put(&dir);
	return ret;
}

unsigned long ckpt_unix_quiet(struct socket *sock)
{
	unsigned long was = sock ? sock->flags : 0;

	if (was & BIT(SOCK_PASSCRED))
		clear_bit(SOCK_PASSCRED, &sock->flags);
#ifdef SOCK_PASSPIDFD
	if (was & BIT(SOCK_PASSPIDFD))
		clear_bit(SOCK_PASSPIDFD, &sock->flags);
#endif
	return was;
}

void ckpt_unix_unquiet(struct socket *sock, unsigned long was)
{
	if (was & BIT(SOCK_PASSCRED))
		set_bit(SOCK_PASSCRED, &sock->flags);
#ifdef SOCK_PASSPIDFD
	if (was & BIT(SOCK_PASSPIDFD))
		set_bit(SOCK_PASSPIDFD, &sock->flags);
#endif
}

static int connect_by(struct socket *sock, const char *path, const void *addr, u32 len)
{
	struct address a = {};
	char *name;
	int ret;

	if (!path) {
		if (len > sizeof(struct sockaddr_un))
			return -EINVAL;
		memcpy(&a.addr, addr, len);
		return kernel_connect(sock, (struct sockaddr *)&a.addr, len, O_NONBLOCK);
	}
	name = kstrdup(path, GFP_KERNEL);
	if (!name)
		return -ENOMEM;
	ret = connect_within(sock, name);
	kfree(name);
	return ret;
}

/* the kernel gives no name to one that has none and asks for credentials */
int ckpt_unix_connect_quietly(struct socket *sock, const char *path, const void *addr, u32 len)
{
	unsigned long was = ckpt_unix_quiet(sock);
	int ret = connect_by(sock, path, addr, len);

	ckpt_unix_unquiet(sock, was);
	return ret;
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
bool ckpt_unix_address_ok(const void *name, u32 len)
{
	const size_t head = offsetof(struct sockaddr_un, sun_path);
	const struct sockaddr_un *addr = name;

	if (len <= head || len > sizeof(*addr) + 1 || addr->sun_family != AF_UNIX)
		return false;
	return addr->sun_path[0] ? strnlen(addr->sun_path, len - head) == len - head - 1 :
				   len <= sizeof(*addr);
}

static bool address_ok(const struct ckpt_image_file_sock *img)
{
	const struct sockaddr_un *addr = (const void *)img->addr;

	return ckpt_unix_address_ok(addr, img->addr_len) &&
	       !!addr->sun_path[0] == !!(img->state & CKPT_SOCK_PATH);
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
		ret = ckpt_restore_peer(rs, sock->sk, img->peer_cred, img->peer_pid);
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
