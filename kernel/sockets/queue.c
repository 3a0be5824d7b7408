// SPDX-License-Identifier: GPL-2.0-only
/*
 * What waits in a unix socket: bytes, in the pieces that they came in, who has
 * sent them, and files that are on their way.  It is looked at without being
 * taken, and sent again at a restart.  C6.
 */
#include <linux/file.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "file.h"
#include "sock.h"
#include "unix.h"

/* what is added by somebody outside after the look is not in it */
int ckpt_queue_take(struct sock *sk, struct ckpt_queue *q)
{
	u32 max = skb_queue_len_lockless(&sk->sk_receive_queue);
	struct sk_buff *skb;

	q->nr = 0;
	q->skb = kvcalloc(max ? : 1, sizeof(*q->skb), GFP_KERNEL);
	if (!q->skb)
		return -ENOMEM;
	spin_lock(&sk->sk_receive_queue.lock);
	skb_queue_walk(&sk->sk_receive_queue, skb) {
		if (q->nr == max)
			break;
		q->skb[q->nr++] = skb_get(skb);
	}
	spin_unlock(&sk->sk_receive_queue.lock);
	return 0;
}

void ckpt_queue_drop(struct ckpt_queue *q)
{
	while (q->nr)
		consume_skb(q->skb[--q->nr]);
	kvfree(q->skb);
	q->skb = NULL;
}

/*
 * With iolock nobody reads meanwhile; one outside may hold it who waits for a
 * page of his own.
 */
static int lock_queue(struct sock *sk, struct ckpt_queue *q)
{
	int ret;

	if (mutex_lock_killable(&unix_sk(sk)->iolock))
		return -EINTR;
	ret = ckpt_queue_take(sk, q);
	if (ret)
		mutex_unlock(&unix_sk(sk)->iolock);
	return ret;
}

static void unlock_queue(struct sock *sk)
{
	mutex_unlock(&unix_sk(sk)->iolock);
}

static u64 count_files(const struct ckpt_queue *q)
{
	u64 nr = 0;
	u32 i;

	for (i = 0; i < q->nr; i++)
		if (UNIXCB(q->skb[i]).fp)
			nr += UNIXCB(q->skb[i]).fp->count;
	return nr;
}

/* iolock is held; a reference to each, for the caller to put */
static struct file **get_files(const struct ckpt_queue *q, u64 *nr)
{
	struct file **files = kvcalloc(count_files(q) ? : 1, sizeof(*files), GFP_KERNEL);
	u32 i;
	int j;

	*nr = 0;
	for (i = 0; files && i < q->nr; i++) {
		const struct scm_fp_list *fp = UNIXCB(q->skb[i]).fp;

		for (j = 0; fp && j < fp->count; j++)
			files[(*nr)++] = get_file(fp->fp[j]);
	}
	return files;
}

/* without iolock, as there may be pipes among them, which have locks of their own */
int ckpt_queue_note_files(struct ckpt_checkpoint *cp, struct sock *sk)
{
	struct ckpt_queue q;
	struct file **files;
	int ret, err = 0;
	u64 i, nr;
	u32 ref;

	ret = lock_queue(sk, &q);
	if (ret)
		return ret;
	files = get_files(&q, &nr);
	unlock_queue(sk);
	ckpt_queue_drop(&q);
	if (!files)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		ret = err ? 0 : ckpt_obj_save(cp, &ckpt_type_file, files[i], &ref);
		err = err ? : ckpt_go_on(ret);
		fput(files[i]);
	}
	kvfree(files);
	return err;
}

/* a mark in a stream that bytes do not show */
static bool has_urgent(struct sock *sk, const struct ckpt_queue *q)
{
	u32 i;

#if IS_ENABLED(CONFIG_AF_UNIX_OOB)
	if (READ_ONCE(unix_sk(sk)->oob_skb))
		return true;
#endif
	for (i = 0; sk->sk_type == SOCK_STREAM && i < q->nr; i++)
		if (q->skb[i]->len <= UNIXCB(q->skb[i]).consumed)
			return true;
	return false;
}

/* of datagrams: the one that it came from, or the name that one which is not here had */
static void save_sender(struct ckpt_checkpoint *cp, struct sock *from,
			struct ckpt_image_unix_message *img)
{
	struct ckpt_obj *obj = ckpt_obj_find(cp, &ckpt_type_unix, from);
	const struct unix_address *addr;

	if (obj) {
		img->from = obj->ref;
		return;
	}
	/* pairs with the store of bind(2) */
	addr = smp_load_acquire(&unix_sk(from)->addr);
	if (!addr)
		return;
	img->addr_len = min_t(u32, addr->len, sizeof(img->addr));
	memcpy(img->addr, addr->name, img->addr_len);
}

static void save_creds(struct ckpt_checkpoint *cp, struct sk_buff *skb,
		       struct ckpt_image_unix_message *img)
{
	if (!uid_valid(UNIXCB(skb).uid))
		return;
	img->flags |= CKPT_UNIX_CREDS;
	img->pid = ckpt_own_nr(UNIXCB(skb).pid, ckpt_save_pid_ns(cp));
	img->uid = from_kuid(current_user_ns(), UNIXCB(skb).uid);
	img->gid = from_kgid(current_user_ns(), UNIXCB(skb).gid);
}

/* iolock is held; @refs has room */
static int save_rights(struct ckpt_checkpoint *cp, const struct scm_fp_list *fp, u32 *refs)
{
	int i;

	for (i = 0; fp && i < fp->count; i++) {
		struct ckpt_obj *obj = ckpt_obj_find(cp, &ckpt_type_file, fp->fp[i]);

		/* it has come from outside since the files were noted */
		if (!obj)
			return -EAGAIN;
		refs[i] = obj->ref;
	}
	return 0;
}

static int save_message(struct ckpt_checkpoint *cp, struct sk_buff *skb, bool stream,
			struct ckpt_image_unix_message *img, u8 *bytes, u32 *refs)
{
	int ret;

	img->len = skb->len - UNIXCB(skb).consumed;
	img->files = UNIXCB(skb).fp ? UNIXCB(skb).fp->count : 0;
	img->stamp = ktime_to_ns(skb->tstamp);
	save_creds(cp, skb, img);
	if (!stream)
		save_sender(cp, skb->sk, img);
	ret = skb_copy_bits(skb, UNIXCB(skb).consumed, bytes, img->len);
	return ret ? : save_rights(cp, UNIXCB(skb).fp, refs);
}

static u64 count_bytes(const struct ckpt_queue *q)
{
	u64 len = 0;
	u32 i;

	for (i = 0; i < q->nr; i++)
		len += q->skb[i]->len - UNIXCB(q->skb[i]).consumed;
	return len;
}

/* iolock is held */
static int save_messages(struct ckpt_checkpoint *cp, struct sock *sk, const struct ckpt_queue *q,
			 struct ckpt_rec_out *rec)
{
	struct ckpt_image_unix_message *img;
	u64 len = count_bytes(q);
	u8 *bytes, *end;
	u32 i, *refs;
	int ret;

	if (!q->nr)
		return 0;
	if (has_urgent(sk, q))
		return ckpt_refuse_whole(cp, -EOPNOTSUPP,
					 "the container's socket:[%lu] has urgent data (MSG_OOB), which is not supported",
					 sock_i_ino(sk));
	img = ckpt_put_nr(rec, UNIX, MESSAGES, q->nr);
	bytes = ckpt_put_nr(rec, UNIX, BYTES, len);
	refs = ckpt_put_nr(rec, UNIX, FILES, count_files(q));
	if (!img || !bytes || !refs)
		return -ENOMEM;
	for (i = 0, end = bytes + len; i < q->nr; i++, img++) {
		ret = save_message(cp, q->skb[i], sk->sk_type == SOCK_STREAM, img, bytes, refs);
		if (ret)
			return ret;
		bytes += img->len;
		refs += img->files;
	}
	/* whoever closes it outside lets what is left go without iolock on some kernels */
	return bytes == end ? 0 : -EAGAIN;
}

int ckpt_queue_save(struct ckpt_checkpoint *cp, struct sock *sk, struct ckpt_rec_out *rec)
{
	struct ckpt_queue q;
	int ret;

	ret = lock_queue(sk, &q);
	if (ret)
		return ret;
	ret = save_messages(cp, sk, &q, rec);
	unlock_queue(sk);
	ckpt_queue_drop(&q);
	return ret;
}

int ckpt_check_queue(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_unix_message *img;
	u64 i, nr, bytes, files, len = 0, refs = 0;

	img = ckpt_get_nr(buf, UNIX, MESSAGES, &nr);
	ckpt_get_nr(buf, UNIX, BYTES, &bytes);
	ckpt_get_nr(buf, UNIX, FILES, &files);
	for (i = 0; i < nr; i++, img++) {
		if (img->files > SCM_MAX_FD || img->pid < 0 || img->addr_len > sizeof(img->addr) ||
		    (img->addr_len && !ckpt_unix_address_ok(img->addr, img->addr_len)))
			return ckpt_malformed(log, buf);
		len += img->len;
		refs += img->files;
	}
	return len == bytes && refs == files ? 0 : ckpt_malformed(log, buf);
}

struct socket *ckpt_stand_in(int type, const void *name, u32 len)
{
	struct socket *sock;
	int ret;

	ret = sock_create(AF_UNIX, type, 0, &sock);
	if (ret)
		return ERR_PTR(ret);
	ret = len ? ckpt_unix_set_address(sock->sk, name, len) : 0;
	if (ret) {
		sock_release(sock);
		return ERR_PTR(ret);
	}
	return sock;
}

/* whom datagrams go to, as connect(2) sets it; returns whom they went to.  The references go with it. */
static struct sock *aim(struct sock *sk, struct sock *to)
{
	struct sock *was;

	unix_state_lock(sk);
	was = unix_peer(sk);
	unix_peer(sk) = to;
	unix_state_unlock(sk);
	return was;
}

/*
 * What the kernel has made of the message just sent, in one piece or several, is
 * as it came: when, and if it was from a process outside of the container, which
 * has no number there.
 */
static void mend(struct sock *sk, const struct sock *from,
		 const struct ckpt_image_unix_message *img)
{
	bool outside = img->flags & CKPT_UNIX_CREDS && !img->pid;
	struct sk_buff *skb;
	u32 len = 0;

	spin_lock(&sk->sk_receive_queue.lock);
	skb_queue_reverse_walk(&sk->sk_receive_queue, skb) {
		if (skb->sk != from)
			continue;
		skb->tstamp = ns_to_ktime(img->stamp);
		if (outside) {
			put_pid(UNIXCB(skb).pid);
			UNIXCB(skb).pid = NULL;
		}
		len += skb->len;
		if (len >= img->len)
			break;
	}
	spin_unlock(&sk->sk_receive_queue.lock);
}

static int send(struct socket *from, struct sock *to, const struct ckpt_image_unix_message *img,
		const u8 *bytes, struct ckpt_control *control)
{
	struct msghdr msg = {
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL,
		.msg_control = control->len ? control->data : NULL,
		.msg_controllen = control->len,
	};
	struct kvec vec = { .iov_base = (void *)bytes, .iov_len = img->len };
	int ret = kernel_sendmsg(from, &msg, &vec, 1, img->len);

	if (ret >= 0)
		ret = ret == img->len ? 0 : -EMSGSIZE;
	if (!ret)
		mend(to, from->sk, img);
	return ret;
}

/* what was there once is not too much, whatever limits there are by now */
static int send_unlimited(struct socket *from, struct sock *to,
			  const struct ckpt_image_unix_message *img, const u8 *bytes,
			  struct ckpt_control *control)
{
	const u32 backlog = to->sk_max_ack_backlog;
	const int sndbuf = from->sk->sk_sndbuf;
	int ret;

	WRITE_ONCE(to->sk_max_ack_backlog, INT_MAX);
	WRITE_ONCE(from->sk->sk_sndbuf, INT_MAX / 2);
	ret = send(from, to, img, bytes, control);
	WRITE_ONCE(from->sk->sk_sndbuf, sndbuf);
	WRITE_ONCE(to->sk_max_ack_backlog, backlog);
	return ret;
}

/* the lock of making is held, and nobody runs who has the sockets */
static int send_quietly(struct socket *from, struct sock *to,
			const struct ckpt_image_unix_message *img, const u8 *bytes,
			struct ckpt_control *control)
{
	struct socket *sock = to->sk_socket;
	unsigned long from_was = ckpt_unix_quiet(from), to_was = ckpt_unix_quiet(sock);
	struct sock *peer = NULL;
	int ret;

	if (from->type == SOCK_DGRAM) {
		sock_hold(to);
		peer = aim(from->sk, to);
	}
	ret = send_unlimited(from, to, img, bytes, control);
	if (from->type == SOCK_DGRAM) {
		aim(from->sk, peer);
		sock_put(to);
	}
	ckpt_unix_unquiet(sock, to_was);
	ckpt_unix_unquiet(from, from_was);
	return ret;
}

/* of datagrams: its sender, or one in his place, for the caller to release as *@stand_in */
static struct socket *sender_of(struct ckpt_restart *rs, const struct ckpt_image_unix_message *img,
				struct socket **stand_in)
{
	struct sock *sk;

	if (!img->from) {
		*stand_in = ckpt_stand_in(SOCK_DGRAM, img->addr, img->addr_len);
		return *stand_in;
	}
	sk = ckpt_find_restored(rs, img->from, &ckpt_type_unix);
	return sk && sk->sk_type == SOCK_DGRAM && sk->sk_socket ? sk->sk_socket : ERR_PTR(-EINVAL);
}

static int restore_message(struct ckpt_restart *rs, struct sock *sk, struct socket *peer,
			   const struct ckpt_image_unix_message *img, const u8 *bytes,
			   const u32 *refs, struct ckpt_control *control)
{
	struct socket *from = peer, *stand_in = NULL;
	int ret;

	if (!from)
		from = sender_of(rs, img, &stand_in);
	if (IS_ERR(from))
		return PTR_ERR(from);
	ret = ckpt_control_make(rs, control, img, refs);
	if (!ret)
		ret = send_quietly(from, sk, img, bytes, control);
	ckpt_control_end(control);
	if (stand_in)
		sock_release(stand_in);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "a message of process %d, user %u, cannot be sent again: error %d",
			       img->pid, img->uid, -ret) : 0;
}

int ckpt_queue_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, struct sock *sk,
		       struct socket *peer)
{
	const u8 *bytes = ckpt_get(buf, UNIX, BYTES);
	const u32 *refs = ckpt_get(buf, UNIX, FILES);
	const struct ckpt_image_unix_message *img;
	struct ckpt_control *control;
	int ret = 0;
	u64 i, nr;

	img = ckpt_get_nr(buf, UNIX, MESSAGES, &nr);
	control = nr ? kmalloc(sizeof(*control), GFP_KERNEL) : NULL;
	if (nr && !control)
		return -ENOMEM;
	for (i = 0; i < nr && !ret; i++, img++) {
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		ret = restore_message(rs, sk, peer, img, bytes, refs, control);
		bytes += img->len;
		refs += img->files;
	}
	kfree(control);
	return ret;
}
