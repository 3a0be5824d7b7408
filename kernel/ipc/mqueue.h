/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * POSIX message queues: what is read and written of their structs, which are private
 * to the kernel's ipc/mqueue.c.  Where they lie its type information says.  C8.
 */
#ifndef _CKPT_MQUEUE_H
#define _CKPT_MQUEUE_H

#include <linux/fs.h>
#include <linux/mqueue.h>
#include <linux/msg.h>
#include <linux/rbtree.h>
#include <linux/signal_types.h>

#include "ipc.h"

#define CKPT_MQUEUE_MAGIC 0x19800202

struct ucounts;
struct user_namespace;

/* all messages of one priority, in the order in which they were sent */
struct ckpt_mq_node {
	struct rb_node rb_node;
	struct list_head msg_list;
	int priority;
};

/* mqueue_layout.c: members of a queue's struct, by its inode */
spinlock_t *ckpt_mq_lock(struct inode *inode);
struct rb_root *ckpt_mq_tree(struct inode *inode);
struct mq_attr *ckpt_mq_attr(struct inode *inode);
/* for whom it counts; NULL: for nobody */
struct ucounts *ckpt_mq_ucounts(struct inode *inode);

/* who is notified, and how; the queue's lock is held */
struct ckpt_mq_notify {
	struct sigevent *event;
	struct pid **owner;		/* NULL: nobody */
	u32 *exec_id;			/* self_exec_id when he asked for it */
	struct user_namespace **user_ns;
};

struct ckpt_mq_notify ckpt_mq_notify(struct inode *inode);

/* mqueue_notify.c: with the queue's lock; what cannot be saved of it, or NULL */
const char *ckpt_save_mq_notify(struct ckpt_checkpoint *cp, struct inode *inode,
				struct ckpt_image_mqueue *img);
bool ckpt_mq_notify_ok(const struct ckpt_image_mqueue *img);
/* by the coordinator; -ESRCH, -EBUSY */
int ckpt_finish_mq_notify(struct inode *inode, const struct ckpt_image_mqueue *img,
			  struct pid *owner);

/*
 * mqueue.c: the queues of a namespace in the order in which they were made, those without a
 * name among them.  None comes or goes until they are put; -EINTR, -ENOMEM
 */
struct ckpt_mq_list {
	struct inode *dir;
	struct dentry **queue;
	u64 nr;
};

int ckpt_list_mqueues(struct ipc_namespace *ns, struct ckpt_mq_list *list);
void ckpt_unlist_mqueues(struct ckpt_mq_list *list);

/* at a restart: what is there of them until all is complete */
struct ckpt_mqueues {
	u64 nr;
	struct ckpt_mqueue {
		u32 id;
		struct file *file;
		struct pid *notified;
	} queue[];
};

#endif
