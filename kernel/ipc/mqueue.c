// SPDX-License-Identifier: GPL-2.0-only
/*
 * POSIX message queues, out.  Who waits at one has left it when it is frozen, and
 * his call, whose timeout is absolute, is made again.  C8.
 */
#include <linux/dcache.h>
#include <linux/ipc_namespace.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/spinlock.h>
#include <linux/user_namespace.h>
#include <linux/xarray.h>

#include "compat_tmpfs.h"
#include "mqueue.h"
#include "private.h"

/* a queue without a name has an entry all the same, as long as somebody has it open */
static void fill_list(struct super_block *sb, struct ckpt_mq_list *list, u64 room)
{
	struct inode *inode;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry_reverse(inode, &sb->s_inodes, i_sb_list) {
		struct dentry *entry;

		if (list->nr == room || !S_ISREG(inode->i_mode))
			continue;
		entry = d_find_any_alias(inode);
		if (entry)
			list->queue[list->nr++] = entry;
	}
	spin_unlock(&sb->s_inode_list_lock);
}

static u64 count_inodes(struct super_block *sb)
{
	struct inode *inode;
	u64 nr = 0;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list)
		nr += S_ISREG(inode->i_mode);
	spin_unlock(&sb->s_inode_list_lock);
	return nr;
}

/* with its directory's lock, in which queues are made and unlinked; others than the container's may be there, too */
int ckpt_list_mqueues(struct ipc_namespace *ns, struct ckpt_mq_list *list)
{
	struct super_block *sb = ns->mq_mnt->mnt_sb;
	u64 room;

	list->dir = d_inode(sb->s_root);
	list->nr = 0;
	/* who reads it may be outside, and stand: the container does not wait for him */
	if (!inode_trylock_shared(list->dir))
		return -EAGAIN;
	room = count_inodes(sb);
	list->queue = kvmalloc_array(room + 1, sizeof(*list->queue), GFP_KERNEL);
	if (!list->queue) {
		inode_unlock_shared(list->dir);
		return -ENOMEM;
	}
	fill_list(sb, list, room);
	return 0;
}

void ckpt_unlist_mqueues(struct ckpt_mq_list *list)
{
	u64 i;

	inode_unlock_shared(list->dir);
	for (i = 0; i < list->nr; i++)
		dput(list->queue[i]);
	kvfree(list->queue);
}

/* what of the four parts is to be filled */
struct room {
	struct ckpt_image_mqueue *queue;
	u8 *name;
	struct ckpt_image_msg *msg;	/* its type is the priority */
	u8 *byte;
	u64 names, msgs, bytes;		/* left */
};

static void count(const struct ckpt_mq_list *list, struct room *room)
{
	struct msg_msg *msg;
	struct rb_node *n;
	u64 i;

	for (i = 0; i < list->nr; i++) {
		struct inode *inode = d_inode(list->queue[i]);

		room->names += list->queue[i]->d_name.len;
		spin_lock(ckpt_mq_lock(inode));
		for (n = rb_first(ckpt_mq_tree(inode)); n; n = rb_next(n)) {
			list_for_each_entry(msg, &rb_entry(n, struct ckpt_mq_node, rb_node)->msg_list,
					    m_list) {
				room->msgs++;
				room->bytes += msg->m_ts;
			}
		}
		spin_unlock(ckpt_mq_lock(inode));
	}
}

static int save_msg(const struct msg_msg *msg, struct room *room)
{
	if (!room->msgs || msg->m_ts > room->bytes)
		return -EAGAIN;
	room->msg->type = msg->m_type;
	room->msg->len = msg->m_ts;
	ckpt_copy_msg(msg, room->byte);
	room->byte += msg->m_ts;
	room->bytes -= msg->m_ts;
	room->msg++;
	room->msgs--;
	room->queue->messages++;
	return 0;
}

/* in the order in which they are received; with the queue's lock */
static int save_msgs(struct inode *inode, struct room *room)
{
	struct msg_msg *msg;
	struct rb_node *n;
	int ret;

	for (n = rb_last(ckpt_mq_tree(inode)); n; n = rb_prev(n)) {
		list_for_each_entry(msg, &rb_entry(n, struct ckpt_mq_node, rb_node)->msg_list, m_list) {
			ret = save_msg(msg, room);
			if (ret)
				return ret;
		}
	}
	return 0;
}

static void save_inode(struct inode *inode, struct ckpt_image_mqueue *img)
{
	img->id = inode->i_ino;
	img->flags = inode->i_nlink ? 0 : CKPT_MQ_UNLINKED;
	img->mode = inode->i_mode & 07777;
	img->uid = from_kuid(current_user_ns(), inode->i_uid);
	img->gid = from_kgid(current_user_ns(), inode->i_gid);
	img->maxmsg = ckpt_mq_attr(inode)->mq_maxmsg;
	img->msgsize = ckpt_mq_attr(inode)->mq_msgsize;
	img->atime_ns = ckpt_inode_atime_ns(inode);
	img->mtime_ns = ckpt_inode_mtime_ns(inode);
	img->ctime_ns = ckpt_inode_ctime_ns(inode);
}

static void save_name(const struct dentry *entry, struct room *room)
{
	room->queue->name_len = entry->d_name.len;
	memcpy(room->name, entry->d_name.name, entry->d_name.len);
	room->name += entry->d_name.len;
}

/* whose limit it counts for */
static int save_creator(struct ckpt_checkpoint *cp, struct dentry *entry, struct ckpt_image_mqueue *img)
{
	struct ucounts *u = ckpt_mq_ucounts(d_inode(entry));

	if (!u || u->ns != current_user_ns())
		return ckpt_refuse_whole(cp, -EOPNOTSUPP,
					 "the container has a POSIX message queue (%pd) that counts for a user of another user namespace, which is not supported",
					 entry);
	img->creator = from_kuid(u->ns, u->uid);
	return 0;
}

static int save_queue(struct ckpt_checkpoint *cp, struct dentry *entry, struct room *room)
{
	struct inode *inode = d_inode(entry);
	const char *notifies;
	int ret;

	spin_lock(ckpt_mq_lock(inode));
	save_inode(inode, room->queue);
	notifies = ckpt_save_mq_notify(cp, inode, room->queue);
	ret = save_msgs(inode, room);
	spin_unlock(ckpt_mq_lock(inode));
	save_name(entry, room);
	if (!ret)
		ret = save_creator(cp, entry, room->queue);
	room->queue++;
	if (!ckpt_go_on(ret) && notifies)
		ret = ckpt_refuse_whole(cp, -EOPNOTSUPP,
					"the container has a POSIX message queue (%pd) that notifies %s, which is not supported",
					entry, notifies);
	return ret;
}

/* FILEs know a queue by its number, which the kernel takes from 32 bits */
static int check_numbers(struct ckpt_checkpoint *cp, const struct ckpt_mq_list *list)
{
	struct xarray numbers;
	int ret = 0;
	u64 i;

	xa_init_flags(&numbers, XA_FLAGS_ACCOUNT);
	for (i = 0; i < list->nr && !ret; i++)
		ret = xa_insert(&numbers, d_inode(list->queue[i])->i_ino, xa_mk_value(0),
				GFP_KERNEL_ACCOUNT);
	xa_destroy(&numbers);
	return ret != -EBUSY ? ret :
		ckpt_refuse_whole(cp, -EOPNOTSUPP,
				  "the container has two POSIX message queues of the same inode number, which is not supported");
}

static int save_all(struct ckpt_checkpoint *cp, const struct ckpt_mq_list *list,
		    struct ckpt_rec_out *rec)
{
	struct room room = {};
	int ret, refused;
	u64 i;

	if (!list->nr)
		return 0;
	count(list, &room);
	room.queue = ckpt_put_nr(rec, NAMESPACE, MQUEUES, list->nr);
	room.name = ckpt_put_nr(rec, NAMESPACE, MQ_NAMES, room.names);
	room.msg = ckpt_put_nr(rec, NAMESPACE, MQ_MSGS, room.msgs);
	room.byte = ckpt_put_nr(rec, NAMESPACE, MQ_BYTES, room.bytes);
	if (!room.queue || !room.name || !room.msg || !room.byte)
		return -ENOMEM;
	refused = check_numbers(cp, list);
	if (ckpt_go_on(refused))
		return refused;
	for (i = 0; i < list->nr; i++) {
		ret = save_queue(cp, list->queue[i], &room);
		if (ckpt_go_on(ret))
			return ret;
		refused = ret ? : refused;
	}
	return room.msgs || room.bytes ? -EAGAIN : refused;
}

static int save_dir(struct inode *dir, struct ckpt_rec_out *rec)
{
	struct ckpt_image_mq_dir *img = ckpt_put(rec, NAMESPACE, MQ_DIR);

	if (!img)
		return -ENOMEM;
	img->mode = dir->i_mode & 07777;
	img->uid = from_kuid(current_user_ns(), dir->i_uid);
	img->gid = from_kgid(current_user_ns(), dir->i_gid);
	img->atime_ns = ckpt_inode_atime_ns(dir);
	img->mtime_ns = ckpt_inode_mtime_ns(dir);
	img->ctime_ns = ckpt_inode_ctime_ns(dir);
	return 0;
}

int ckpt_save_mqueues(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec)
{
	struct ckpt_mq_list list;
	int ret;

	if (!ckpt_mqueue_known())
		return ns->mq_queues_count ?
			ckpt_refuse_whole(cp, -EOPNOTSUPP,
					  "the container has POSIX message queues, which are not supported on this kernel, whose structs are not known") :
			0;
	ret = ckpt_list_mqueues(ns, &list);
	if (ret)
		return ret;
	ret = save_dir(list.dir, rec) ? : save_all(cp, &list, rec);
	ckpt_unlist_mqueues(&list);
	return ret;
}
