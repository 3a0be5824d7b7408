/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the kernels that the engine runs on: of the directories and files of a tmpfs. */
#ifndef _CKPT_COMPAT_TMPFS_H
#define _CKPT_COMPAT_TMPFS_H

#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/shmem_fs.h>
#include <linux/version.h>

/* 6.6: access to times of inodes goes through functions */
static inline s64 ckpt_inode_ctime_ns(struct inode *inode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	struct timespec64 ts = inode_get_ctime(inode);
#else
	struct timespec64 ts = inode->i_ctime;
#endif
	return timespec64_to_ns(&ts);
}

static inline void ckpt_inode_set_ctime_ns(struct inode *inode, s64 ns)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	inode_set_ctime_to_ts(inode, ns_to_timespec64(ns));
#else
	inode->i_ctime = ns_to_timespec64(ns);
#endif
}

/* 6.8: what is below a name is an hlist; the newest comes first, and d_lock of @dir is held */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define ckpt_for_each_child(child, dir)					\
	hlist_for_each_entry(child, &(dir)->d_children, d_sib)
#else
#define ckpt_for_each_child(child, dir)					\
	list_for_each_entry(child, &(dir)->d_subdirs, d_child)
#endif

/* 6.6: an entry of a directory of tmpfs has a number there, by which its readers go on; before, 0 */
static inline u64 ckpt_dir_offset(const struct dentry *dentry)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return (unsigned long)dentry->d_fsdata;
#else
	return 0;
#endif
}

/* that of the next one; the directory is locked */
static inline void ckpt_set_dir_offset(struct inode *dir, u64 offset)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	if (offset)
		SHMEM_I(dir)->dir_offsets.next_offset = offset;
#endif
}

/* an entry that is there too early lets its number go */
static inline void ckpt_drop_dir_offset(struct inode *dir, struct dentry *dentry)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	mtree_erase(&SHMEM_I(dir)->dir_offsets.mt, (unsigned long)dentry->d_fsdata);
	dentry->d_fsdata = NULL;
#endif
}

/* and becomes the newest, with the next number, once; the directory is locked */
static inline int ckpt_make_newest(struct inode *dir, struct dentry *dentry)
{
	struct dentry *parent = dentry->d_parent;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	struct offset_ctx *offsets = &SHMEM_I(dir)->dir_offsets;
	unsigned long offset;
	int ret;

	if (dentry->d_fsdata)
		return -EEXIST;
	ret = mtree_alloc_cyclic(&offsets->mt, &offset, dentry, 3, S32_MAX - 1, &offsets->next_offset,
				 GFP_KERNEL);
	if (ret < 0)
		return ret;
	dentry->d_fsdata = (void *)offset;
	spin_lock(&parent->d_lock);
	hlist_del(&dentry->d_sib);
	hlist_add_head(&dentry->d_sib, &parent->d_children);
	spin_unlock(&parent->d_lock);
#else
	spin_lock(&parent->d_lock);
	list_move(&dentry->d_child, &parent->d_subdirs);
	spin_unlock(&parent->d_lock);
#endif
	return 0;
}

#endif
