// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a POSIX message queue has its lock, messages, attributes and whom it
 * notifies: the kernel's type information says it, once, when the module is
 * loaded.  C8.
 */
#include <linux/kernel.h>
#include <linux/stddef.h>

#include "btf.h"
#include "mqueue.h"

static u32 at_lock, at_inode, at_tree, at_attr, at_ucounts, at_event, at_owner, at_exec_id, at_user_ns;
static bool known;

static bool node_is_ours(void)
{
	u32 list, priority, node;
	const struct ckpt_member m[] = {
		{ "rb_node", "struct rb_node", sizeof(struct rb_node), &node },
		{ "msg_list", "struct list_head", sizeof(struct list_head), &list },
		{ "priority", "int", sizeof(int), &priority },
	};

	return !ckpt_btf_find("posix_msg_tree_node", m, ARRAY_SIZE(m)) &&
	       node == offsetof(struct ckpt_mq_node, rb_node) &&
	       list == offsetof(struct ckpt_mq_node, msg_list) &&
	       priority == offsetof(struct ckpt_mq_node, priority);
}

void ckpt_mqueue_init(void)
{
	const struct ckpt_member m[] = {
		{ "lock", "spinlock_t", sizeof(spinlock_t), &at_lock },
		{ "vfs_inode", "struct inode", sizeof(struct inode), &at_inode },
		{ "msg_tree", "struct rb_root", sizeof(struct rb_root), &at_tree },
		{ "attr", "struct mq_attr", sizeof(struct mq_attr), &at_attr },
		{ "ucounts", "struct ucounts *", sizeof(struct ucounts *), &at_ucounts },
		{ "notify", "struct sigevent", sizeof(struct sigevent), &at_event },
		{ "notify_owner", "struct pid *", sizeof(struct pid *), &at_owner },
		{ "notify_self_exec_id", "u32", sizeof(u32), &at_exec_id },
		{ "notify_user_ns", "struct user_namespace *", sizeof(struct user_namespace *), &at_user_ns },
	};

	known = !ckpt_lacks(CKPT_FOR_MQUEUE) &&
		!ckpt_btf_find("mqueue_inode_info", m, ARRAY_SIZE(m)) && node_is_ours();
	if (!known)
		pr_warn("ckpt: POSIX message queues are not supported: this kernel's structs are not known\n");
}

bool ckpt_mqueue_known(void)
{
	return known;
}

static void *member(struct inode *inode, u32 offset)
{
	return (void *)inode - at_inode + offset;
}

spinlock_t *ckpt_mq_lock(struct inode *inode)
{
	return member(inode, at_lock);
}

struct rb_root *ckpt_mq_tree(struct inode *inode)
{
	return member(inode, at_tree);
}

struct mq_attr *ckpt_mq_attr(struct inode *inode)
{
	return member(inode, at_attr);
}

struct ucounts *ckpt_mq_ucounts(struct inode *inode)
{
	return *(struct ucounts **)member(inode, at_ucounts);
}

struct ckpt_mq_notify ckpt_mq_notify(struct inode *inode)
{
	return (struct ckpt_mq_notify) {
		.event = member(inode, at_event),
		.owner = member(inode, at_owner),
		.exec_id = member(inode, at_exec_id),
		.user_ns = member(inode, at_user_ns),
	};
}
