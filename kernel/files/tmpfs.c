// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tmpfs of the container's own goes with it: its tree is a TMPFS, and each file in it an
 * INODE, so that one that is open, mapped or only there is the same.  Which these are is
 * seen by where they are mounted.  T10.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/nsproxy.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "compat_tmpfs.h"
#include "file.h"
#include "memory.h"

/* a name on its way into the record */
struct entry {
	struct list_head list;
	struct dentry *dentry;		/* a reference is held */
	u64 offset;
	u32 dir;
	u32 inode;
	u32 len;
	char name[];
};

struct tree {
	struct path root;
	struct list_head entries;	/* directories before what is in them */
	u64 nr;
	u64 bytes;			/* of all names */
};

struct own {
	struct list_head list;
	struct super_block *sb;		/* active */
};

struct search {
	struct mnt_namespace *ns;
	struct list_head own;
	u32 nr;
	int err;
};

static bool has_policy(struct inode *inode)
{
#ifdef CONFIG_NUMA
	return S_ISREG(inode->i_mode) && !RB_EMPTY_ROOT(&SHMEM_I(inode)->policy.root);
#else
	return false;
#endif
}

static const char *refusal(struct dentry *dentry, struct inode *inode)
{
	if (ckpt_has_attributes(dentry, inode))
		return "has attributes of chattr(1)";
	if (has_policy(inode))
		return "has a NUMA memory policy";
	/* user space makes the place again where something is mounted, and knows of these two only */
	if (d_mountpoint(dentry) && !S_ISDIR(inode->i_mode) && !S_ISREG(inode->i_mode))
		return "has something mounted on it and is neither a directory nor a regular file";
	if (d_mountpoint(dentry) && !S_ISDIR(inode->i_mode) && inode->i_nlink > 1)
		return "has something mounted on it and several names";
	if (S_ISSOCK(inode->i_mode) && inode->i_nlink > 1)
		return "is a socket with several names";
	if (S_ISLNK(inode->i_mode) && (inode->i_mode & 07777) != 0777)
		return "is a symbolic link with a mode of its own";
	return NULL;
}

static int save_target(struct ckpt_checkpoint *cp, struct dentry *dentry, struct ckpt_rec_out *rec)
{
	DEFINE_DELAYED_CALL(done);
	const char *target = vfs_get_link(dentry, &done);
	int ret = PTR_ERR_OR_ZERO(target);

	if (!ret)
		ret = ckpt_put_string(rec, INODE, TARGET, target);
	else
		ret = ckpt_refuse(cp, ret, "the symbolic link %pd4 cannot be read: error %d", dentry, -ret);
	do_delayed_call(&done);
	return ret;
}

static int save_named(struct ckpt_checkpoint *cp, struct ckpt_obj *obj, const struct path *path)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_INODE);
	struct ckpt_image_inode *img = ckpt_put(rec, INODE, BASE);
	struct inode *inode = obj->ptr;
	const char *what = refusal(path->dentry, inode);
	int ret = 0;

	if (!img)
		return -ENOMEM;
	if (what)
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pd4, in a tmpfs of the container's own, %s, which is not supported",
				   path->dentry, what);
	ckpt_inode_fields(img, obj->ref, inode, inode);
	img->flags = CKPT_INODE_NAMED;
	img->ino = inode->i_ino;
	img->ctime_ns = ckpt_inode_ctime_ns(inode);
	img->btime_ns = timespec64_to_ns(&SHMEM_I(inode)->i_crtime);
	if (S_ISCHR(inode->i_mode) || S_ISBLK(inode->i_mode))
		img->rdev = new_encode_dev(inode->i_rdev);
	if (S_ISREG(inode->i_mode))
		img->size = i_size_read(inode);
	if (S_ISLNK(inode->i_mode))
		ret = save_target(cp, path->dentry, rec);
	if (!ret)
		ret = ckpt_save_xattrs(cp, path, rec, "lies in a tmpfs of the container's own");
	if (!ret && img->size && READ_ONCE(SHMEM_I(inode)->alloced))
		ret = ckpt_keep_shmem(cp, obj->ref, inode, img->size);
	return ret ? : ckpt_done(cp, rec);
}

/* with the first of its names */
static int save_node(struct ckpt_checkpoint *cp, const struct path *path, u32 *ref)
{
	struct inode *inode = d_inode(path->dentry);
	struct ckpt_obj *obj;
	int ret;

	/* removed by somebody outside */
	if (!inode)
		return -EAGAIN;
	ret = ckpt_obj_save(cp, &ckpt_type_inode, inode, ref);
	if (ret)
		return ret;
	obj = ckpt_obj_find(cp, &ckpt_type_inode, inode);
	if (obj->users > 1)
		return 0;
	/* a deleted name of it is met later, and is opened by this mount, too */
	obj->mount = path->mnt;
	ret = save_named(cp, obj, path);
	obj->refused = ret == CKPT_REFUSED;
	return ret;
}

/* all that are there, the newest first: a reference each; the directory is locked.  Returns how many, @list may be NULL */
static u64 list_children(struct dentry *dir, struct dentry **list)
{
	struct dentry *child;
	u64 nr = 0;

	spin_lock(&dir->d_lock);
	ckpt_for_each_child(child, dir) {
		spin_lock_nested(&child->d_lock, DENTRY_D_LOCK_NESTED);
		if (simple_positive(child)) {
			if (list)
				list[nr] = dget_dlock(child);
			nr++;
		}
		spin_unlock(&child->d_lock);
	}
	spin_unlock(&dir->d_lock);
	return nr;
}

/* @dentry's reference is taken over, also on error */
static int add_entry(struct tree *tree, struct dentry *dentry, u32 dir)
{
	u32 len = dentry->d_name.len;
	struct entry *e = kmalloc(struct_size(e, name, len), GFP_KERNEL);

	if (!e) {
		dput(dentry);
		return -ENOMEM;
	}
	e->dentry = dentry;
	e->offset = ckpt_dir_offset(dentry);
	e->dir = dir;
	e->inode = 0;
	e->len = len;
	memcpy(e->name, dentry->d_name.name, len);
	list_add_tail(&e->list, &tree->entries);
	tree->nr++;
	tree->bytes += len;
	return 0;
}

/*
 * The oldest first, as they are made again; nobody gives them other names meanwhile.  Who
 * changes the directory from outside is not waited for.
 */
static int add_children(struct tree *tree, struct dentry *dir, u32 ref)
{
	struct inode *inode = d_inode(dir);
	struct dentry **list;
	int ret = 0;
	u64 nr;

	if (!inode_trylock_shared(inode))
		return -EAGAIN;
	nr = list_children(dir, NULL);
	list = kvmalloc_array(nr + 1, sizeof(*list), GFP_KERNEL);
	if (list)
		nr = list_children(dir, list);
	else
		ret = -ENOMEM;
	while (list && nr--) {
		if (ret)
			dput(list[nr]);
		else
			ret = add_entry(tree, list[nr], ref);
	}
	inode_unlock_shared(inode);
	kvfree(list);
	return ret;
}

static int still_time(struct ckpt_checkpoint *cp)
{
	cond_resched();
	if (fatal_signal_pending(current))
		return -EINTR;
	/* whatever it has more of would be memory of this machine's, and in no image */
	if (ckpt_save_out(cp)->len > CKPT_RECORDS_MAX)
		return ckpt_fail(ckpt_save_log(cp), -E2BIG, "the container has more files in a tmpfs of its own than an image takes (%u bytes for what is no memory)",
				 CKPT_RECORDS_MAX);
	return ckpt_save_overdue(cp) ? -ETIMEDOUT : 0;
}

/* every INODE of it; the list grows while it is gone through */
static int save_nodes(struct ckpt_checkpoint *cp, struct tree *tree, u32 *root)
{
	struct path path = tree->root;
	int ret, refused;
	struct entry *e;

	refused = save_node(cp, &path, root);
	if (ckpt_go_on(refused))
		return refused;
	ret = add_children(tree, path.dentry, *root);
	if (ret)
		return ret;
	list_for_each_entry(e, &tree->entries, list) {
		path.dentry = e->dentry;
		ret = still_time(cp) ? : save_node(cp, &path, &e->inode);
		refused = ret ? : refused;
		if (!ckpt_go_on(ret) && d_is_dir(e->dentry))
			ret = add_children(tree, e->dentry, e->inode);
		if (ckpt_go_on(ret))
			return ret;
	}
	return refused;
}

static int put_entries(const struct tree *tree, struct ckpt_rec_out *rec)
{
	struct ckpt_image_tmpfs_entry *img;
	struct entry *e;
	u8 *name;

	if (!tree->nr)
		return 0;
	img = ckpt_put_nr(rec, TMPFS, ENTRIES, tree->nr);
	name = ckpt_put_nr(rec, TMPFS, NAMES, tree->bytes);
	if (!img || !name)
		return -ENOMEM;
	list_for_each_entry(e, &tree->entries, list) {
		img->dir = e->dir;
		img->inode = e->inode;
		img->name_len = e->len;
		img->offset = e->offset;
		memcpy(name, e->name, e->len);
		name += e->len;
		img++;
	}
	return 0;
}

static void free_entries(struct tree *tree)
{
	struct entry *e, *next;

	list_for_each_entry_safe(e, next, &tree->entries, list) {
		dput(e->dentry);
		kfree(e);
	}
}

static int save_tree(struct ckpt_checkpoint *cp, struct tree *tree, const char *name, u32 ref)
{
	struct super_block *sb = tree->root.mnt->mnt_sb;
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_TMPFS);
	struct ckpt_image_tmpfs *img = ckpt_put(rec, TMPFS, BASE);
	const struct shmem_sb_info *info = sb->s_fs_info;
	int ret;

	if (!img || ckpt_put_string(rec, TMPFS, NAME, name))
		return -ENOMEM;
	img->ref = ref;
	img->next_ino = info->next_ino;
	img->flags = sb_rdonly(sb) ? CKPT_TMPFS_RDONLY : 0;
	ret = save_nodes(cp, tree, &img->root);
	if (!ret)
		ret = put_entries(tree, rec);
	free_entries(tree);
	return ret ? : ckpt_done(cp, rec);
}

/* where all of it is mounted, and a path leads to: its name, which lies in @buf, and a reference to the mount; or NULL */
static const char *find_root(struct ckpt_checkpoint *cp, struct super_block *sb, struct path *root,
			     char *buf)
{
	struct mnt_namespace *ns = ckpt_mount_ns(ckpt_save_root(cp)->mnt);
	const char *name = NULL;
	u32 n;

	root->dentry = sb->s_root;
	for (n = 0; !name; n++) {
		root->mnt = ckpt_nth_mount(sb, ns, n);
		if (!root->mnt)
			return NULL;
		if (root->mnt->mnt_root == sb->s_root && !is_idmapped_mnt(root->mnt))
			name = ckpt_path_name_if(cp, root, buf);
		if (!name)
			mntput(root->mnt);
	}
	return name;
}

static int save_tmpfs(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct super_block *sb = obj->ptr;
	struct tree tree = { .entries = LIST_HEAD_INIT(tree.entries) };
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL);
	const char *name;
	int ret;

	if (!buf)
		return -ENOMEM;
	name = find_root(cp, sb, &tree.root, buf);
	if (!name) {
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "the container has a tmpfs file system of its own (%s) to whose root directory no path leads, which is not supported",
				  sb->s_id);
	} else {
		ret = save_tree(cp, &tree, name, obj->ref);
		mntput(tree.root.mnt);
	}
	kfree(buf);
	return ret;
}

/* is it the container's own?  Somebody else has mounted what it only shows */
static void note_own(struct super_block *sb, void *arg)
{
	struct search *s = arg;
	u32 in = ckpt_mounted_in(sb, s->ns, current->nsproxy->mnt_ns);
	struct own *own;

	if (s->err || !(in & CKPT_MOUNTED_HERE) || in & CKPT_MOUNTED_OUTSIDE)
		return;
	own = kmalloc(sizeof(*own), GFP_KERNEL);
	if (!own) {
		s->err = -ENOMEM;
		return;
	}
	/* it goes, and is nobody's any more */
	if (!atomic_inc_not_zero(&sb->s_active)) {
		kfree(own);
		return;
	}
	own->sb = sb;
	list_add_tail(&own->list, &s->own);
	s->nr++;
}

static int save_own(struct ckpt_checkpoint *cp, struct search *s)
{
	int ret, refused = 0;
	struct own *own;
	u32 ref;

	list_for_each_entry(own, &s->own, list) {
		if (ckpt_mounted_in(own->sb, s->ns, current->nsproxy->mnt_ns) & CKPT_MOUNTED_ELSEWHERE)
			ret = ckpt_refuse(cp, -EOPNOTSUPP, "the container has a tmpfs file system (%s) that is mounted in another mount namespace, too, but not in the caller's, which is not supported",
					  own->sb->s_id);
		else
			ret = ckpt_obj_save(cp, &ckpt_type_tmpfs, own->sb, &ref);
		if (ckpt_go_on(ret))
			return ret;
		refused = ret ? : refused;
	}
	return refused;
}

/*
 * ckpt_save_tmpfs - every tmpfs of the container's own; before any file, which may lie there
 * @nr: takes how many there are
 *
 * Returns 0, CKPT_REFUSED, -EAGAIN if somebody outside changes one, or another negative errno.
 */
int ckpt_save_tmpfs(struct ckpt_checkpoint *cp, u32 *nr)
{
	struct search s = { .own = LIST_HEAD_INIT(s.own) };
	struct file_system_type *type = get_fs_type("tmpfs");
	struct own *own, *next;
	int ret;

	*nr = 0;
	if (!ckpt_mounts_known())
		return 0;
	s.ns = ckpt_mount_ns(ckpt_save_root(cp)->mnt);
	if (type && s.ns && s.ns != current->nsproxy->mnt_ns)
		iterate_supers_type(type, note_own, &s);
	ret = s.err ? : save_own(cp, &s);
	*nr = s.nr;
	list_for_each_entry_safe(own, next, &s.own, list) {
		deactivate_super(own->sb);
		kfree(own);
	}
	return ret;
}

static void take_tmpfs(void *ptr)
{
	atomic_inc(&((struct super_block *)ptr)->s_active);
}

static void drop_tmpfs(void *ptr)
{
	deactivate_super(ptr);
}

/* known by its superblock; at a restart by the path of its root */
const struct ckpt_type ckpt_type_tmpfs = {
	.name = "TMPFS",
	.record = CKPT_REC_TMPFS,
	.take = take_tmpfs,
	.drop = drop_tmpfs,
	.save = save_tmpfs,
	.check = ckpt_check_tmpfs,
	.last = ckpt_last_tmpfs,
	.put = ckpt_put_tmpfs,
};
