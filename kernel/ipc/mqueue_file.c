// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors of POSIX message queues.  C8. */
#include <linux/dcache.h>
#include <linux/ipc_namespace.h>
#include <linux/mount.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "file.h"
#include "mqueue.h"

static bool mqueue_mine(struct file *file)
{
	struct inode *inode = file_inode(file);

	return inode->i_sb->s_magic == CKPT_MQUEUE_MAGIC && S_ISREG(inode->i_mode);
}

/* of one that was opened by a path and not by its name: where its file system is mounted */
static int save_mount(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct path top = { .mnt = file->f_path.mnt, .dentry = file->f_path.mnt->mnt_root };
	const char *name;
	char *buf;
	int ret;

	if (top.dentry != top.mnt->mnt_sb->s_root)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a POSIX message queue (%pD) that was opened where it alone is mounted is not supported",
				   file);
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	ret = ckpt_path_name(cp, &top, buf, &name);
	if (!ret)
		ret = ckpt_put_string(rec, FILE, NAME, name);
	kfree(buf);
	return ret;
}

static int mqueue_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ipc_namespace *ns = ckpt_save_root_task(cp)->nsproxy->ipc_ns;
	struct ckpt_image_file_mqueue *img = ckpt_put(rec, FILE, MQUEUE);
	int ret = 0;

	if (!img)
		return -ENOMEM;
	if (file_inode(file)->i_sb != ns->mq_mnt->mnt_sb || ns == current->nsproxy->ipc_ns)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "a POSIX message queue (%pD) of another ipc namespace than the container's is not supported",
				   file);
	img->queue = file_inode(file)->i_ino;
	if (file->f_path.mnt != ns->mq_mnt)
		ret = save_mount(cp, file, rec);
	return ret ? : ckpt_obj_save(cp, &ckpt_type_namespace, &ns->ns, &img->ns);
}

static int mqueue_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return ckpt_get(buf, FILE, MQUEUE) ? 0 : ckpt_malformed(log, buf);
}

static const struct file *find_queue(struct ckpt_restart *rs, const struct ckpt_image_file_mqueue *img)
{
	const struct ckpt_mqueues *all = ckpt_find_mqueues(rs, img->ns);
	u64 i;

	for (i = 0; all && i < all->nr; i++)
		if (all->queue[i].id == img->queue)
			return all->queue[i].file;
	ckpt_fail(ckpt_restore_log(rs), -EINVAL, "the image has no POSIX message queue %u in NAMESPACE %u",
		  img->queue, img->ns);
	return NULL;
}

/* where it was opened, if that shows the same queues again */
static int find_mount(struct ckpt_restart *rs, const char *name, const struct file *queue,
		      const struct cred *cred, struct path *path)
{
	int ret = ckpt_find_path(name, cred, path);

	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, "%s is gone: error %d", name, -ret);
	if (path->dentry == file_inode(queue)->i_sb->s_root)
		return 0;
	path_put(path);
	return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "%s does not show the container's POSIX message queues", name);
}

/* as mq_open(2) opens one, which keeps any flags */
static struct file *mqueue_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				   const struct cred *cred)
{
	const u32 flags = ckpt_get(buf, FILE, BASE)->flags & (CKPT_OPEN_FLAGS | O_CLOEXEC);
	const struct file *queue = find_queue(rs, ckpt_get(buf, FILE, MQUEUE));
	const char *name = ckpt_get(buf, FILE, NAME);
	struct path path, mount = {};
	struct file *file;
	int ret = 0;

	if (!queue)
		return ERR_PTR(-EINVAL);
	path = queue->f_path;
	if (name)
		ret = find_mount(rs, name, queue, cred, &mount);
	if (ret)
		return ERR_PTR(ret);
	if (name)
		path.mnt = mount.mnt;
	file = dentry_open(&path, flags, cred);
	path_put(&mount);
	return file;
}

const struct ckpt_file_ops ckpt_file_mqueue = {
	.name = "POSIX message queue",
	.kind = CKPT_FILE_MQUEUE,
	.needs = CKPT_FOR_MQUEUE,
	.saves_path = true,
	.has_cred = true,
	.mine = mqueue_mine,
	.save = mqueue_save,
	.check = mqueue_check,
	.restore = mqueue_restore,
};

/* how often a queue is open: a kernel without IMA does not count readers, but who has the entry, and so have we */
static unsigned int nr_opens(struct dentry *entry)
{
	struct inode *inode = d_inode(entry);

#ifdef CONFIG_IMA
	return atomic_read(&inode->i_writecount) + atomic_read(&inode->i_readcount);
#else
	return d_count(entry) - 1 - !!inode->i_nlink;
#endif
}

static bool counts(const struct file *file)
{
	return !IS_ENABLED(CONFIG_IMA) || file->f_mode & (FMODE_READ | FMODE_WRITE);
}

/* how often the container has each queue open, by number */
static int count_own(struct ckpt_checkpoint *cp, const struct super_block *sb, struct xarray *own)
{
	struct ckpt_obj *obj;
	int ret;

	ckpt_for_each_obj(obj, cp, &ckpt_type_file) {
		const struct inode *inode = file_inode(obj->ptr);
		unsigned long nr;

		if (inode->i_sb != sb || !S_ISREG(inode->i_mode) || !counts(obj->ptr))
			continue;
		nr = xa_to_value(xa_load(own, inode->i_ino) ? : xa_mk_value(0));
		ret = xa_err(xa_store(own, inode->i_ino, xa_mk_value(nr + 1), GFP_KERNEL_ACCOUNT));
		if (ret)
			return ret;
	}
	return 0;
}

static int compare_own(struct ckpt_checkpoint *cp, const struct ckpt_mq_list *list, struct xarray *own)
{
	int ret = 0;
	u64 i;

	for (i = 0; i < list->nr; i++) {
		void *nr = xa_load(own, d_inode(list->queue[i])->i_ino) ? : xa_mk_value(0);

		if (nr_opens(list->queue[i]) <= xa_to_value(nr))
			continue;
		/* let go meanwhile, it is the container itself */
		if (ckpt_save_overdue(cp))
			return -ETIMEDOUT;
		ret = ckpt_refuse_whole(cp, -EBUSY,
					"the container has a POSIX message queue (%pd) that a process outside of it has open, too, which is not supported",
					list->queue[i]);
	}
	return ret;
}

/* whose queues are seen in the container's file systems, and its own elsewhere */
struct search {
	const struct mnt_namespace *ns;
	const struct super_block *own;
	bool others, outside;
};

static void look_at(struct super_block *sb, void *arg)
{
	struct search *s = arg;
	u32 in = ckpt_mounted_in(sb, s->ns, current->nsproxy->mnt_ns);

	if (!(in & CKPT_MOUNTED_HERE))
		return;
	if (sb == s->own)
		s->outside |= in & CKPT_MOUNTED_OUTSIDE;
	else
		s->others |= !(in & CKPT_MOUNTED_OUTSIDE);
}

/* a restart mounts the file system of the container's own queues, or what is mounted outside */
static int check_mounts(struct ckpt_checkpoint *cp, const struct super_block *own)
{
	struct search s = { .own = own };

	if (!ckpt_mounts_known())
		return 0;
	s.ns = ckpt_mount_ns(ckpt_save_root(cp)->mnt);
	if (s.ns && s.ns != current->nsproxy->mnt_ns)
		iterate_supers_type(own->s_type, look_at, &s);
	if (s.others)
		return ckpt_refuse_whole(cp, -EOPNOTSUPP, "the container has mounted the POSIX message queues of another ipc namespace, which is not supported");
	if (s.outside)
		return ckpt_refuse_whole(cp, -EOPNOTSUPP, "the container has mounted its POSIX message queues where they are mounted outside of it, too, which is not supported");
	return 0;
}

static int check_opens(struct ckpt_checkpoint *cp, struct ipc_namespace *ns)
{
	struct ckpt_mq_list list;
	struct xarray own;
	int ret;

	xa_init_flags(&own, XA_FLAGS_ACCOUNT);
	ret = count_own(cp, ns->mq_mnt->mnt_sb, &own);
	if (!ret)
		ret = ckpt_list_mqueues(ns, &list);
	if (!ret) {
		ret = compare_own(cp, &list, &own);
		ckpt_unlist_mqueues(&list);
	}
	xa_destroy(&own);
	return ret;
}

int ckpt_check_mqueue_users(struct ckpt_checkpoint *cp)
{
	struct ipc_namespace *ns = ckpt_save_root_task(cp)->nsproxy->ipc_ns;
	int ret, refused;

	/* a kernel may be built without */
	if (!ns->mq_mnt)
		return 0;
	refused = check_mounts(cp, ns->mq_mnt->mnt_sb);
	if (ckpt_go_on(refused) || !ckpt_mqueue_known())
		return refused;
	ret = check_opens(cp, ns);
	return ret ? : refused;
}
