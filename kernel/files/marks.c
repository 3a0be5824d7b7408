// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an inotify instance watches.  A mark is on an inode and knows of no path;
 * the names that the kernel has at hand are tried in each of the container's
 * mounts.  No directory is searched: the container stands.  C4.
 */
#include <linux/dcache.h>
#include <linux/fsnotify_backend.h>
#include <linux/idr.h>
#include <linux/inotify.h>
#include <linux/mount.h>
#include <linux/slab.h>

#include "file.h"
#include "inotify.h"

/* the path of a name in one of the container's mounts, which lies in @buf, or NULL */
static const char *path_of_name(struct ckpt_checkpoint *cp, struct dentry *dentry, char *buf)
{
	struct mnt_namespace *ns = ckpt_mount_ns(ckpt_save_root(cp)->mnt);
	const char *name = NULL;
	struct path path = { .dentry = dentry };
	u32 n;

	for (n = 0; ns && !name; n++) {
		path.mnt = ckpt_nth_mount(dentry->d_sb, ns, n);
		if (!path.mnt)
			break;
		if (is_subdir(dentry, path.mnt->mnt_root))
			name = ckpt_path_name_if(cp, &path, buf);
		mntput(path.mnt);
	}
	return name;
}

static int find_path(struct ckpt_checkpoint *cp, struct ckpt_mark *m, char *buf)
{
	const char *name = NULL;
	struct dentry *dentry;
	u32 n;

	for (n = 0; !name; n++) {
		dentry = ckpt_nth_name(m->inode, n);
		if (!dentry)
			break;
		name = path_of_name(cp, dentry, buf);
		dput(dentry);
	}
	if (name) {
		m->path = kstrdup(name, GFP_KERNEL);
		return m->path ? 0 : -ENOMEM;
	}
	return ckpt_refuse(cp, -EOPNOTSUPP, m->inode->i_nlink ?
			   "inotify watch %d is on inode %lu of %s (%s), for which the kernel has no name in the container at hand, which is not supported" :
			   "inotify watch %d is on inode %lu of %s (%s), which is deleted, which is not supported",
			   m->wd, m->inode->i_ino, m->inode->i_sb->s_type->name, m->inode->i_sb->s_id);
}

int ckpt_find_paths(struct ckpt_checkpoint *cp, struct ckpt_marks *ms)
{
	int ret = 0, refused = 0;
	char *buf;
	u32 i;

	if (!ms->nr)
		return 0;
	if (!ckpt_mounts_known())
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "an inotify instance with watches is not supported on this kernel, which has no type information (BTF) of mounts");
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	for (i = 0; i < ms->nr && !ckpt_go_on(ret); i++) {
		ret = find_path(cp, &ms->m[i], buf);
		refused = ret ? : refused;
	}
	kfree(buf);
	return refused;
}

static u32 user_mask(const struct fsnotify_mark *mark)
{
	u32 mask = READ_ONCE(mark->mask) & IN_ALL_EVENTS;

	if (mark->flags & FSNOTIFY_MARK_FLAG_EXCL_UNLINK)
		mask |= IN_EXCL_UNLINK;
	if (mark->flags & FSNOTIFY_MARK_FLAG_IN_ONESHOT)
		mask |= IN_ONESHOT;
	return mask;
}

static u32 count_marks(struct fsnotify_group *group)
{
	struct fsnotify_mark *mark;
	u32 nr = 0;
	int wd;

	spin_lock(&group->inotify_data.idr_lock);
	idr_for_each_entry(&group->inotify_data.idr, mark, wd)
		nr++;
	spin_unlock(&group->inotify_data.idr_lock);
	return nr;
}

/*
 * The inode of a mark, with a reference, and one to its file system, which must not
 * be unmounted meanwhile; or NULL: the mark comes or goes, by the hand of somebody
 * outside or as its inode ends.  The group's lock is held.
 */
static struct inode *inode_of(const struct fsnotify_mark *mark)
{
	struct inode *inode;

	if (!(mark->flags & FSNOTIFY_MARK_FLAG_ATTACHED) ||
	    mark->connector->type != FSNOTIFY_OBJ_TYPE_INODE)
		return NULL;
	inode = ckpt_conn_inode(mark->connector);
	if (!atomic_inc_not_zero(&inode->i_sb->s_active))
		return NULL;
	ihold(inode);
	return inode;
}

/* the group's lock is held */
static int list_marks(struct fsnotify_group *group, struct ckpt_marks *ms, u32 max)
{
	struct fsnotify_mark *mark;
	int wd, ret = 0;

	spin_lock(&group->inotify_data.idr_lock);
	/* the number's struct begins with the mark */
	idr_for_each_entry(&group->inotify_data.idr, mark, wd) {
		struct ckpt_mark *m = &ms->m[ms->nr];

		m->inode = ms->nr < max ? inode_of(mark) : NULL;
		if (!m->inode) {
			ret = -EAGAIN;
			break;
		}
		m->wd = wd;
		m->mask = user_mask(mark);
		ms->nr++;
	}
	spin_unlock(&group->inotify_data.idr_lock);
	return ret ? : ms->nr == max ? 0 : -EAGAIN;
}

int ckpt_list_marks(struct fsnotify_group *group, struct ckpt_marks *ms)
{
	u32 nr = count_marks(group);

	ms->m = kvcalloc(nr + 1, sizeof(*ms->m), GFP_KERNEL);
	return ms->m ? list_marks(group, ms, nr) : -ENOMEM;
}

void ckpt_free_marks(struct ckpt_marks *ms)
{
	u32 i;

	for (i = 0; i < ms->nr; i++) {
		struct super_block *sb = ms->m[i].inode->i_sb;

		iput(ms->m[i].inode);
		deactivate_super(sb);
		kfree(ms->m[i].path);
	}
	kvfree(ms->m);
}
