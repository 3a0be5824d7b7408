// SPDX-License-Identifier: GPL-2.0-only
/*
 * What unix sockets are connected with: told when all files are known, as the
 * other end may be any of them.  C6.
 */
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/pid.h>
#include <net/tcp_states.h>

#include "file.h"
#include "sock.h"
#include "unix.h"

/* what of them is the same for many in turn */
struct walk {
	struct ckpt_checkpoint *cp;
	const struct unix_address *name;	/* compared, never used */
	u32 listener;				/* who has it */
};

/* ---- which there are ---- */

static int note_sock(struct ckpt_checkpoint *cp, struct sock *sk)
{
	u32 ref;

	return ckpt_obj_save(cp, &ckpt_type_unix, sk, &ref);
}

static int note_file(struct ckpt_checkpoint *cp, struct file *file)
{
	struct socket *sock = ckpt_socket_of(file, AF_UNIX, 0);

	return sock ? note_sock(cp, sock->sk) : 0;
}

/* those that wait to be accepted, which are no files yet */
static int note_waiting(struct ckpt_checkpoint *cp, struct sock *sk)
{
	struct ckpt_queue q;
	int ret;
	u32 i;

	ret = ckpt_queue_take(sk, &q);
	for (i = 0; i < q.nr && !ret; i++) {
		struct sock *waiting = q.skb[i]->sk;

		/* whoever listens outside, too, may have accepted and closed it */
		if (!refcount_inc_not_zero(&waiting->sk_refcnt)) {
			ret = -EAGAIN;
			break;
		}
		ret = note_sock(cp, waiting);
		sock_put(waiting);
	}
	ckpt_queue_drop(&q);
	return ret;
}

/* each may lead to others, which are then behind it in the list */
static int note_all(struct ckpt_checkpoint *cp)
{
	struct ckpt_obj *obj;
	int ret = 0;

	list_for_each_entry(obj, ckpt_objs(cp), list) {
		struct sock *sk = obj->ptr;

		if (obj->type == &ckpt_type_file)
			ret = note_file(cp, obj->ptr);
		else if (obj->type == &ckpt_type_unix)
			ret = sk->sk_state == TCP_LISTEN ? note_waiting(cp, sk) :
							   ckpt_queue_note_files(cp, sk);
		if (ckpt_go_on(ret))
			return ret;
	}
	return 0;
}

/* ---- the other end ---- */

static void save_address(struct sock *sk, struct ckpt_image_unix *img)
{
	/* pairs with the store of bind(2) */
	const struct unix_address *addr = smp_load_acquire(&unix_sk(sk)->addr);

	if (!addr)
		return;
	img->addr_len = min_t(u32, addr->len, sizeof(img->addr));
	memcpy(img->addr, addr->name, img->addr_len);
}

#define OWNER_LEN (TASK_COMM_LEN + 32)

/* who has the other end or has made it, as far as ours knows: a number as the caller counts, and a name */
static void tell_owner(struct sock *sk, char *text)
{
	struct task_struct *t;
	struct pid *pid;

	strscpy(text, "", OWNER_LEN);
	spin_lock(&sk->sk_peer_lock);
	pid = get_pid(sk->sk_peer_pid);
	spin_unlock(&sk->sk_peer_lock);
	t = get_pid_task(pid, PIDTYPE_TGID);
	if (t) {
		snprintf(text, OWNER_LEN, ", of process %d (%s)", pid_vnr(pid), t->comm);
		put_task_struct(t);
	}
	put_pid(pid);
}

static int refuse_outside(struct ckpt_checkpoint *cp, struct sock *sk, struct sock *peer)
{
	/* what waits to be accepted has no inode yet; the one that listens is the container's */
	struct sock *known = sk->sk_socket ? sk : unix_sk(sk)->listener;
	char owner[OWNER_LEN];

	tell_owner(sk, owner);
	return ckpt_refuse_whole(cp, -EBUSY,
				 "the container's socket:[%lu] is connected with socket:[%lu] outside of it%s, which is not supported",
				 sock_i_ino(known), sock_i_ino(peer), owner);
}

static int save_name(struct ckpt_checkpoint *cp, const struct path *path, struct ckpt_rec_out *rec)
{
	const char *name;
	char *buf;
	int ret;

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	ret = ckpt_path_name(cp, path, buf, &name);
	if (!ret)
		ret = ckpt_put_string(rec, UNIX, NAME, name);
	kfree(buf);
	return ret;
}

/* go to the entry of that name, and to what is mounted there; false: it is not known, or a link */
static bool step(struct path *path, const char *name, u32 len)
{
	struct qstr q = QSTR_INIT(name, len);
	struct dentry *dentry;

	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return false;
	dentry = d_hash_and_lookup(path->dentry, &q);
	if (IS_ERR_OR_NULL(dentry))
		return false;
	dput(path->dentry);
	path->dentry = dentry;
	while (d_mountpoint(path->dentry) && follow_down_one(path))
		;
	return d_is_positive(path->dentry) && !d_is_symlink(path->dentry);
}

/*
 * Does the name that it was bound to lead to it from the container's root?  It may
 * be another mount than its own.  Told from memory: nobody is waited for.
 */
static bool leads_to(struct ckpt_checkpoint *cp, const char *name, const struct path *to)
{
	struct path path = *ckpt_save_root(cp);
	bool found = *name == '/';

	path_get(&path);
	while (found) {
		u32 len;

		name += strspn(name, "/");
		len = strcspn(name, "/");
		if (!len)
			break;
		found = step(&path, name, len);
		name += len;
	}
	found = found && d_backing_inode(path.dentry) == d_backing_inode(to->dentry);
	path_put(&path);
	return found;
}

/* a file is found from everywhere, another name only in its network namespace */
static bool has_name_for(struct sock *peer, struct sock *sk)
{
	return ckpt_unix_is_bound(peer) &&
	       (unix_sk(peer)->addr->name->sun_path[0] || sock_net(sk) == sock_net(peer));
}

/* as that of syslog: it is connected with again, by its name */
static int save_outside(struct ckpt_checkpoint *cp, struct sock *sk, struct sock *peer,
			struct ckpt_image_unix *img, struct ckpt_rec_out *rec)
{
	struct path path = {};
	const char *name;
	int ret;

	if (sk->sk_type != SOCK_DGRAM || !has_name_for(peer, sk))
		return refuse_outside(cp, sk, peer);
	img->flags |= CKPT_UNIX_OUTSIDE;
	save_address(peer, img);
	/* it may be closed at any time */
	unix_state_lock(peer);
	path = unix_sk(peer)->path;
	if (path.dentry)
		path_get(&path);
	unix_state_unlock(peer);
	if (!path.dentry)
		return 0;
	name = unix_sk(peer)->addr->name->sun_path;
	ret = leads_to(cp, name, &path) ? ckpt_put_string(rec, UNIX, NAME, name) :
					  save_name(cp, &path, rec);
	path_put(&path);
	return ret;
}

static int save_peer(struct ckpt_checkpoint *cp, struct sock *sk, struct ckpt_image_unix *img,
		     struct ckpt_rec_out *rec)
{
	struct sock *peer = unix_peer_get(sk);
	struct ckpt_obj *obj;
	int ret = 0;

	if (!peer)
		return 0;
	obj = ckpt_obj_find(cp, &ckpt_type_unix, peer);
	if (obj) {
		img->peer = obj->ref;
	} else if (sock_flag(peer, SOCK_DEAD)) {
		img->flags |= CKPT_UNIX_CLOSED;
		save_address(peer, img);
	} else {
		ret = save_outside(cp, sk, peer, img, rec);
	}
	sock_put(peer);
	return ret;
}

/* ---- all of it ---- */

/* of one that was accepted: who listens at its name, if he still does */
static u32 find_listener(struct walk *w, struct sock *sk)
{
	const struct unix_address *name = READ_ONCE(unix_sk(sk)->addr);
	struct ckpt_obj *obj;

	if (w->name == name)
		return w->listener;
	w->name = name;
	w->listener = 0;
	ckpt_for_each_obj(obj, w->cp, &ckpt_type_unix) {
		struct sock *other = obj->ptr;

		if (other->sk_state == TCP_LISTEN && READ_ONCE(unix_sk(other)->addr) == name) {
			w->listener = obj->ref;
			break;
		}
	}
	return w->listener;
}

static int save_waiting(struct ckpt_checkpoint *cp, struct sock *sk, struct ckpt_image_unix *img)
{
	struct ckpt_obj *obj = ckpt_obj_find(cp, &ckpt_type_unix, READ_ONCE(unix_sk(sk)->listener));

	/* somebody outside has accepted it */
	if (!obj)
		return -EAGAIN;
	img->listener = obj->ref;
	return ckpt_save_peer(cp, sk, &img->peer_cred, &img->peer_pid);
}

static int save_accepted(struct walk *w, struct sock *sk, struct file *file,
			 struct ckpt_image_unix *img)
{
	struct ckpt_obj *obj = ckpt_obj_find(w->cp, &ckpt_type_file, file);

	if (!obj)
		return -EAGAIN;
	img->file = obj->ref;
	if (sk->sk_socket->state == SS_CONNECTED)
		img->flags |= CKPT_UNIX_CONNECTED;
	if (!READ_ONCE(unix_sk(sk)->addr) || ckpt_unix_is_bound(sk))
		return 0;
	img->flags |= CKPT_UNIX_ACCEPTED;
	img->listener = find_listener(w, sk);
	return 0;
}

static int save_state(struct ckpt_checkpoint *cp, struct sock *sk, struct ckpt_image_unix *img)
{
	const int error = READ_ONCE(sk->sk_err);

	if (error && error != ECONNRESET)
		return ckpt_refuse_whole(cp, -EOPNOTSUPP,
					 "the container's socket:[%lu] has an error %d that its owner has not read yet, which is not supported",
					 sock_i_ino(sk), error);
	img->error = error;
	img->shutdown = READ_ONCE(sk->sk_shutdown);
	if (sk->sk_state == TCP_ESTABLISHED)
		img->flags |= CKPT_UNIX_ESTABLISHED;
	return 0;
}

static int save_unix(struct walk *w, struct ckpt_obj *obj)
{
	struct ckpt_rec_out *rec = ckpt_rec(w->cp, CKPT_REC_UNIX);
	struct ckpt_image_unix *img = ckpt_put(rec, UNIX, BASE);
	struct sock *sk = obj->ptr;
	struct file *file = ckpt_sock_file(sk);
	int ret;

	if (!img)
		return -ENOMEM;
	img->ref = obj->ref;
	ret = save_state(w->cp, sk, img);
	if (!ret)
		ret = file ? save_accepted(w, sk, file, img) : save_waiting(w->cp, sk, img);
	if (!ret)
		ret = save_peer(w->cp, sk, img, rec);
	if (!ret && sk->sk_state != TCP_LISTEN)
		ret = ckpt_queue_save(w->cp, sk, rec);
	return ret ? : ckpt_done(w->cp, rec);
}

int ckpt_save_unixes(struct ckpt_checkpoint *cp)
{
	struct walk w = { .cp = cp };
	struct ckpt_obj *obj;
	int ret;

	ret = note_all(cp);
	if (ret)
		return ret;
	ckpt_for_each_obj(obj, cp, &ckpt_type_unix) {
		ret = save_unix(&w, obj);
		if (ckpt_go_on(ret))
			return ret;
	}
	return 0;
}

/* it is written behind all others: ckpt_save_unixes() */
static int save_later(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	return 0;
}

/* known by its sock, as one that waits to be accepted has nothing else */
const struct ckpt_type ckpt_type_unix = {
	.name = "UNIX",
	.record = CKPT_REC_UNIX,
	.take = ckpt_take_sock,
	.drop = ckpt_drop_sock,
	.save = save_later,
	.check = ckpt_check_unix,
	.put = ckpt_drop_sock,
};
