// SPDX-License-Identifier: GPL-2.0-only
/*
 * POSIX message queues, in: made by the system calls in the order in which they were
 * made first, so that a name that had another queue before is free again.  C8.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/ipc_namespace.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat_tmpfs.h"
#include "file.h"
#include "mqueue.h"
#include "private.h"

/* the four parts, and how far they are read */
struct parts {
	const struct ckpt_image_mqueue *queue;
	const char *name;
	const struct ckpt_image_msg *msg;
	const u8 *byte;
	u64 queues, names, msgs, bytes;		/* left */
};

static struct parts parts_of(const struct ckpt_rec_buf *buf)
{
	struct parts p = {};

	p.queue = ckpt_get_nr(buf, NAMESPACE, MQUEUES, &p.queues);
	p.name = ckpt_get_nr(buf, NAMESPACE, MQ_NAMES, &p.names);
	p.msg = ckpt_get_nr(buf, NAMESPACE, MQ_MSGS, &p.msgs);
	p.byte = ckpt_get_nr(buf, NAMESPACE, MQ_BYTES, &p.bytes);
	return p;
}

static bool name_ok(const char *name, u32 len)
{
	if (!len || len > NAME_MAX || memchr(name, '/', len) || memchr(name, 0, len))
		return false;
	return *name != '.' || (len != 1 && (len != 2 || name[1] != '.'));
}

/* as they are received: those of a higher priority come first */
static bool msgs_ok(const struct ckpt_image_mqueue *img, struct parts *p)
{
	s64 before = MQ_PRIO_MAX - 1;
	u32 i;

	for (i = 0; i < img->messages; i++, p->msg++) {
		if (p->msg->type < 0 || p->msg->type > before || p->msg->reserved ||
		    p->msg->len > img->msgsize || p->msg->len > p->bytes)
			return false;
		before = p->msg->type;
		p->bytes -= p->msg->len;
	}
	p->msgs -= img->messages;
	return true;
}

static bool queue_ok(const struct ckpt_image_mqueue *img, struct parts *p)
{
	if (img->mode & ~07777 || !img->maxmsg || img->maxmsg > HARD_MSGMAX || !img->msgsize ||
	    img->msgsize > HARD_MSGSIZEMAX || img->messages > img->maxmsg ||
	    img->messages > p->msgs || img->name_len > p->names || !name_ok(p->name, img->name_len) ||
	    !ckpt_mq_notify_ok(img))
		return false;
	p->name += img->name_len;
	p->names -= img->name_len;
	return msgs_ok(img, p);
}

int ckpt_check_mqueues(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_mq_dir *dir = ckpt_get(buf, NAMESPACE, MQ_DIR);
	struct parts p = parts_of(buf);

	if (dir && dir->mode & ~07777)
		return ckpt_malformed(log, buf);
	/* every container has the directory, and may do without */
	if (p.queues && ckpt_lacks(CKPT_FOR_MQUEUE))
		return ckpt_fail_lack(log, CKPT_FOR_MQUEUE);
	if (p.queues && !ckpt_mqueue_known())
		return ckpt_fail(log, -EOPNOTSUPP, "POSIX message queues are not supported on this kernel, whose structs are not known");
	for (; p.queues; p.queues--, p.queue++)
		if (!queue_ok(p.queue, &p))
			return ckpt_malformed(log, buf);
	return p.names || p.msgs || p.bytes ? ckpt_malformed(log, buf) : 0;
}

/* where mq_timedsend(2) finds the bytes that it is to send: memory of current's */
struct outgoing {
	unsigned long addr;
	size_t size;
};

static int make_room(struct outgoing *out, const struct parts *p)
{
	u64 i;

	out->size = 1;
	for (i = 0; i < p->msgs; i++)
		out->size = max_t(size_t, out->size, p->msg[i].len);
	out->addr = vm_mmap(NULL, 0, out->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	return IS_ERR_VALUE(out->addr) ? out->addr : 0;
}

/* it counts for whoever made it */
static const struct cred *creator(u32 uid)
{
	kuid_t kuid = make_kuid(current_user_ns(), uid);
	struct user_struct *user;
	struct cred *new;
	int ret;

	if (!uid_valid(kuid))
		return ERR_PTR(-EINVAL);
	if (uid_eq(kuid, current_uid()))
		return get_current_cred();
	if (!ns_capable(current_user_ns(), CAP_SETUID))
		return ERR_PTR(-EPERM);
	new = prepare_creds();
	user = new ? k_alloc_uid(kuid) : NULL;
	if (!user) {
		if (new)
			abort_creds(new);
		return ERR_PTR(-ENOMEM);
	}
	free_uid(new->user);
	new->user = user;
	new->uid = kuid;
	ret = k_set_cred_ucounts(new);
	if (!ret)
		return new;
	abort_creds(new);
	return ERR_PTR(ret);
}

/* a page has room for both */
struct arguments {
	char name[NAME_MAX + 1];
	struct mq_attr attr;
};

static int put_arguments(struct arguments __user *to, const struct ckpt_image_mqueue *img,
			 const char *name)
{
	const struct mq_attr attr = { .mq_maxmsg = img->maxmsg, .mq_msgsize = img->msgsize };

	if (copy_to_user(to->name, name, img->name_len) || put_user(0, &to->name[img->name_len]) ||
	    copy_to_user(&to->attr, &attr, sizeof(attr)))
		return -EFAULT;
	return 0;
}

/* a descriptor of a new one */
static long make(struct ckpt_restart *rs, const struct ckpt_image_mqueue *img, const char *name)
{
	struct arguments __user *args = (void __user *)ckpt_scratch(rs);
	const struct cred *old, *cred;
	long ret;

	ret = put_arguments(args, img, name);
	if (ret)
		return ret;
	cred = creator(img->creator);
	if (IS_ERR(cred))
		return PTR_ERR(cred);
	old = override_creds(cred);
	ret = ckpt_syscall(mq_open, (unsigned long)args->name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK,
			   0600, (unsigned long)&args->attr);
	revert_creds(old);
	put_cred(cred);
	if (ret < 0 || !(img->flags & CKPT_MQ_UNLINKED))
		return ret;
	return ckpt_syscall(mq_unlink, (unsigned long)args->name) ? : ret;
}

static int send(const struct outgoing *out, int fd, const struct ckpt_image_msg *msg, const u8 *bytes)
{
	if (copy_to_user((void __user *)out->addr, bytes, msg->len))
		return -EFAULT;
	return ckpt_syscall(mq_timedsend, fd, out->addr, msg->len, msg->type, 0);
}

static int send_all(struct ckpt_restart *rs, int fd, const struct outgoing *out, struct parts *p)
{
	int ret;
	u32 i;

	for (i = 0; i < p->queue->messages; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = send(out, fd, p->msg, p->byte);
		if (ret)
			return ckpt_fail(ckpt_restore_log(rs), ret,
					 "message %u of the POSIX message queue %.*s cannot be sent: error %d",
					 i, (int)p->queue->name_len, p->name, -ret);
		p->byte += p->msg->len;
		p->msg++;
		cond_resched();
	}
	return 0;
}

/* a set-group-ID bit that the restarter may not give is taken away in silence */
static int set_owner(struct file *file, u32 mode, u32 uid, u32 gid)
{
	int ret = ckpt_set_owner(file, mode, uid, gid);

	return ret ? : (file_inode(file)->i_mode & 07777) == mode ? 0 : -EPERM;
}

static int find_notified(struct ckpt_restart *rs, const struct parts *p, struct ckpt_mqueue *q)
{
	if (!p->queue->notified)
		return 0;
	q->notified = find_get_pid(p->queue->notified);
	return q->notified ? 0 :
		ckpt_fail(ckpt_restore_log(rs), -EINVAL, "process %d, which the POSIX message queue %.*s notifies, is none of the image's",
			  p->queue->notified, (int)p->queue->name_len, p->name);
}

static int restore_queue(struct ckpt_restart *rs, struct parts *p, const struct outgoing *out,
			 struct ckpt_mqueue *q)
{
	const struct ckpt_image_mqueue *img = p->queue;
	long fd = make(rs, img, p->name);
	struct file *file;
	int ret;

	if (fd < 0)
		return ckpt_fail(ckpt_restore_log(rs), fd, "the POSIX message queue %.*s cannot be made: error %ld%s",
				 (int)img->name_len, p->name, -fd, fd != -EMFILE ? "" :
				 "; see RLIMIT_MSGQUEUE, above which CAP_SYS_RESOURCE is needed");
	ret = send_all(rs, fd, out, p);
	file = ckpt_file_of_fd(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	q->id = img->id;
	q->file = file;
	if (ret)
		return ret;
	ret = set_owner(file, img->mode, img->uid, img->gid);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, "the POSIX message queue %.*s cannot have its owner or mode again: error %d",
				 (int)img->name_len, p->name, -ret);
	return find_notified(rs, p, q);
}

static int restore_dir(struct ckpt_restart *rs, struct ipc_namespace *ns,
		       const struct ckpt_image_mq_dir *img)
{
	const struct path path = { .mnt = ns->mq_mnt, .dentry = ns->mq_mnt->mnt_root };
	struct file *file = dentry_open(&path, O_RDONLY | O_DIRECTORY, current_cred());
	int ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = set_owner(file, img->mode, img->uid, img->gid);
	fput(file);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret,
			       "the directory of the POSIX message queues cannot have its owner or mode again: error %d",
			       -ret) : 0;
}

/* as who may raise it does with setrlimit(2): who made a queue may have had another */
static unsigned long swap_rlimit(unsigned long limit)
{
	struct rlimit *rlim = &current->signal->rlim[RLIMIT_MSGQUEUE];
	unsigned long old;

	task_lock(current->group_leader);
	old = rlim->rlim_cur;
	rlim->rlim_cur = limit;
	task_unlock(current->group_leader);
	return old;
}

static int restore_all(struct ckpt_restart *rs, struct parts *p, struct ckpt_mqueues *all)
{
	struct outgoing out;
	int ret;

	ret = make_room(&out, p);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret,
				 "there is no room for the longest message of the POSIX message queues (%zu bytes): error %d",
				 out.size, -ret);
	for (; p->queues && !ret; p->queues--, p->queue++) {
		ret = restore_queue(rs, p, &out, &all->queue[all->nr++]);
		p->name += p->queue->name_len;
		if (fatal_signal_pending(current))
			ret = ret ? : -EINTR;
		cond_resched();
	}
	vm_munmap(out.addr, out.size);
	return ret;
}

struct ckpt_mqueues *ckpt_restore_mqueues(struct ckpt_restart *rs, struct ipc_namespace *ns,
					  const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_mq_dir *dir = ckpt_get(buf, NAMESPACE, MQ_DIR);
	const bool lift = capable(CAP_SYS_RESOURCE);
	struct parts p = parts_of(buf);
	struct ckpt_mqueues *all;
	unsigned long limit = 0;
	int ret = 0;

	all = kvzalloc(struct_size(all, queue, p.queues), GFP_KERNEL_ACCOUNT);
	if (!all)
		return ERR_PTR(-ENOMEM);
	if (lift)
		limit = swap_rlimit(RLIM_INFINITY);
	if (p.queues)
		ret = restore_all(rs, &p, all);
	if (lift)
		swap_rlimit(limit);
	if (!ret && dir && ckpt_mqueue_known())
		ret = restore_dir(rs, ns, dir);
	if (!ret)
		return all;
	ckpt_put_mqueues(all);
	return ERR_PTR(ret);
}

static int set_times(const struct path *path, s64 atime, s64 mtime, s64 ctime)
{
	const struct ckpt_image_inode times = { .atime_ns = atime, .mtime_ns = mtime };
	int ret = ckpt_set_inode_times(path, &times);

	ckpt_inode_set_ctime_ns(d_inode(path->dentry), ctime);
	return ret;
}

static int finish_queue(struct ckpt_log *log, const struct ckpt_image_mqueue *img, struct ckpt_mqueue *q)
{
	int ret = 0;

	if (q->notified)
		ret = ckpt_finish_mq_notify(file_inode(q->file), img, q->notified);
	if (ret)
		return ckpt_fail(log, ret, "the POSIX message queue %pD cannot notify process %d again: error %d",
				 q->file, img->notified, -ret);
	return set_times(&q->file->f_path, img->atime_ns, img->mtime_ns, img->ctime_ns);
}

int ckpt_finish_mqueues(struct ckpt_restart *rs, struct ipc_namespace *ns, const struct ckpt_rec_buf *buf,
			struct ckpt_mqueues *all)
{
	const struct ckpt_image_mq_dir *dir = ckpt_get(buf, NAMESPACE, MQ_DIR);
	const struct ckpt_image_mqueue *img = parts_of(buf).queue;
	struct path top = { .mnt = ns->mq_mnt };
	int ret = 0;
	u64 i;

	for (i = 0; i < all->nr && !ret; i++)
		ret = finish_queue(ckpt_restore_log(rs), &img[i], &all->queue[i]);
	if (ret || !dir || !ckpt_mqueue_known())
		return ret;
	top.dentry = top.mnt->mnt_root;
	return set_times(&top, dir->atime_ns, dir->mtime_ns, dir->ctime_ns);
}

void ckpt_put_mqueues(struct ckpt_mqueues *all)
{
	u64 i;

	for (i = 0; i < all->nr; i++) {
		if (all->queue[i].file)
			fput(all->queue[i].file);
		put_pid(all->queue[i].notified);
	}
	kvfree(all);
}
