// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tmpfs of the container's own is filled again.  User space has mounted it, empty but for
 * the places where others are mounted on it; what is in it is made before any file is
 * opened, within the file system and not through what is mounted on it.  T10.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/nsproxy.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "compat_tmpfs.h"
#include "file.h"

/* an entry with its name, which has no NUL */
struct place {
	const struct ckpt_image_tmpfs_entry *img;
	const u8 *name;
};

static bool is_dir_rec(const struct ckpt_rec_buf *buf)
{
	return S_ISDIR(ckpt_get(buf, INODE, BASE)->mode);
}

static bool name_ok(const u8 *name, u32 len)
{
	return !memchr(name, '/', len) && !memchr(name, 0, len) && !(len == 1 && name[0] == '.') &&
	       !(len == 2 && name[0] == '.' && name[1] == '.');
}

int ckpt_check_tmpfs(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tmpfs_entry *e;
	const u8 *names = ckpt_get(buf, TMPFS, NAMES);
	u64 i, nr, bytes, sum = 0;

	e = ckpt_get_nr(buf, TMPFS, ENTRIES, &nr);
	ckpt_get_nr(buf, TMPFS, NAMES, &bytes);
	if (*ckpt_get(buf, TMPFS, NAME) != '/')
		return ckpt_malformed(log, buf);
	for (i = 0; i < nr; i++) {
		if (!e[i].name_len || e[i].name_len > NAME_MAX || sum + e[i].name_len > bytes ||
		    !name_ok(names + sum, e[i].name_len) || e[i].offset >= S32_MAX)
			return ckpt_malformed(log, buf);
		sum += e[i].name_len;
	}
	return sum == bytes ? 0 : ckpt_malformed(log, buf);
}

/* an INODE gets a place in @tmpfs: a directory one, others as many as they like, but there alone */
static bool give_place(struct ckpt_rec_buf *inode, const struct ckpt_rec_buf *tmpfs)
{
	if (!inode || !(ckpt_get(inode, INODE, BASE)->flags & CKPT_INODE_NAMED))
		return false;
	if (inode->of && (inode->of != tmpfs || is_dir_rec(inode)))
		return false;
	inode->of = tmpfs;
	return true;
}

static bool tree_ok(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	u32 root = ckpt_get(buf, TMPFS, BASE)->root;
	struct ckpt_rec_buf *dir = ckpt_find_rec(rs, root, &ckpt_type_inode);
	const struct ckpt_image_tmpfs_entry *e;
	u64 i, nr;

	if (!give_place(dir, buf) || !is_dir_rec(dir))
		return false;
	e = ckpt_get_nr(buf, TMPFS, ENTRIES, &nr);
	for (i = 0; i < nr; i++) {
		dir = ckpt_find_rec(rs, e[i].dir, &ckpt_type_inode);
		if (!dir || dir->of != buf || !is_dir_rec(dir) ||
		    !give_place(ckpt_find_rec(rs, e[i].inode, &ckpt_type_inode), buf))
			return false;
	}
	return true;
}

/* when all records are loaded, before any task changes: is each TMPFS a tree? */
int ckpt_check_trees(struct ckpt_restart *rs)
{
	struct ckpt_rec_buf *buf = NULL;

	while ((buf = ckpt_next_rec(rs, buf, CKPT_REC_TMPFS))) {
		if (!ckpt_mounts_known())
			return ckpt_fail(ckpt_restore_log(rs), -EOPNOTSUPP, "a tmpfs file system of the container's own is not supported on this kernel, which has no type information (BTF) of mounts");
		if (!tree_ok(rs, buf))
			return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "TMPFS %u is no tree", ckpt_ref_of(buf));
	}
	return 0;
}

static int change(const struct path *path, struct iattr *attr)
{
	struct inode *inode = d_inode(path->dentry);
	int ret;

	inode_lock(inode);
	ret = notify_change(ckpt_mnt_idmap(path->mnt), path->dentry, attr, NULL);
	inode_unlock(inode);
	return ret;
}

/*
 * A place that user space has made to mount something on: it has a sticky bit, as nothing has
 * that was made here, so that nothing is taken for two.
 */
static int accept(const struct path *path, const struct ckpt_image_inode *img)
{
	const struct inode *inode = d_inode(path->dentry);
	struct iattr attr = { .ia_valid = ATTR_MODE, .ia_mode = S_IFMT & inode->i_mode };

	if ((inode->i_mode ^ img->mode) & S_IFMT || !(inode->i_mode & S_ISVTX))
		return -EEXIST;
	if (!S_ISDIR(inode->i_mode) && inode->i_nlink != 1)
		return -EEXIST;
	if (S_ISCHR(inode->i_mode) ? inode->i_rdev != new_decode_dev(img->rdev) :
	    !S_ISDIR(inode->i_mode) && (!S_ISREG(inode->i_mode) || i_size_read(inode)))
		return -EEXIST;
	attr.ia_mode |= S_ISDIR(inode->i_mode) ? 0700 : 0600;
	return change(path, &attr);
}

static int make(const struct path *dir, struct dentry *dentry, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_inode *img = ckpt_get(buf, INODE, BASE);
	struct inode *inode = d_inode(dir->dentry);

	if (S_ISDIR(img->mode))
		return vfs_mkdir(ckpt_mnt_idmap(dir->mnt), inode, dentry, 0700);
	if (S_ISREG(img->mode))
		return vfs_create(ckpt_mnt_idmap(dir->mnt), inode, dentry, S_IFREG | 0600, true);
	if (S_ISLNK(img->mode))
		return vfs_symlink(ckpt_mnt_idmap(dir->mnt), inode, dentry, ckpt_get(buf, INODE, TARGET));
	return vfs_mknod(ckpt_mnt_idmap(dir->mnt), inode, dentry, (img->mode & S_IFMT) | 0600,
			 new_decode_dev(img->rdev));
}

/*
 * The directory is locked; @had: what has another name already, or NULL.  Returns 1 if it is
 * now there, 0 if there was nothing to do.
 */
static int put_at(const struct path *dir, const struct path *new, const struct ckpt_rec_buf *buf,
		  const struct path *had, bool make_it)
{
	int ret;

	if (d_is_positive(new->dentry) && !had) {
		ret = accept(new, ckpt_get(buf, INODE, BASE));
		if (!ret)
			ckpt_drop_dir_offset(d_inode(dir->dentry), new->dentry);
		return ret ? : 1;
	}
	/* its turn has come, if it is that one */
	if (d_is_positive(new->dentry))
		return had->dentry == new->dentry && make_it ?
			ckpt_make_newest(d_inode(dir->dentry), new->dentry) : -EEXIST;
	if (!make_it)
		return 0;
	if (had)
		return vfs_link(had->dentry, ckpt_mnt_idmap(dir->mnt), d_inode(dir->dentry), new->dentry, NULL);
	ret = make(dir, new->dentry, buf);
	return ret ? : d_is_positive(new->dentry) ? 1 : -EIO;
}

static int put_entry(struct ckpt_restart *rs, const struct path *dir, const struct place *place,
		     bool make_it)
{
	const struct ckpt_rec_buf *buf = ckpt_find_rec(rs, place->img->inode, &ckpt_type_inode);
	void *restored = ckpt_find_restored(rs, place->img->inode, &ckpt_type_inode);
	struct path new = { .mnt = dir->mnt };
	struct inode *inode = d_inode(dir->dentry);
	int ret;

	inode_lock_nested(inode, I_MUTEX_PARENT);
	new.dentry = lookup_one_len((const char *)place->name, dir->dentry, place->img->name_len);
	ret = PTR_ERR_OR_ZERO(new.dentry);
	if (!ret) {
		ckpt_set_dir_offset(inode, place->img->offset);
		ret = put_at(dir, &new, buf, restored ? ckpt_inode_path(restored) : NULL, make_it);
		/* nobody but us has seen it yet */
		if (ret > 0 && ckpt_get(buf, INODE, BASE)->ino)
			d_inode(new.dentry)->i_ino = ckpt_get(buf, INODE, BASE)->ino;
	}
	inode_unlock(inode);
	if (ret > 0)
		ret = ckpt_add_named(rs, place->img->inode, &new);
	if (!IS_ERR(new.dentry))
		dput(new.dentry);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "%.*s, in a tmpfs of the container's own, cannot be made again: error %d",
			       (int)place->img->name_len, place->name, -ret) : 0;
}

/* @make_it: what is not there is made; else it waits, as its directory may not be there, either */
static int put_entries(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, bool make_it)
{
	struct place place = { .name = ckpt_get(buf, TMPFS, NAMES) };
	const struct ckpt_image_tmpfs_entry *e;
	void *dir;
	u64 i, nr;
	int ret;

	e = ckpt_get_nr(buf, TMPFS, ENTRIES, &nr);
	for (i = 0; i < nr; i++) {
		place.img = &e[i];
		dir = ckpt_find_restored(rs, e[i].dir, &ckpt_type_inode);
		ret = dir ? put_entry(rs, ckpt_inode_path(dir), &place, make_it) : 0;
		if (ret)
			return ret;
		place.name += e[i].name_len;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* owner, mode and size: it is opened, executed and mapped with these, long before its contents are here */
static int set_owner(struct ckpt_restart *rs, u32 ref)
{
	const struct ckpt_image_inode *img = ckpt_get(ckpt_find_rec(rs, ref, &ckpt_type_inode), INODE, BASE);
	const struct path *path = ckpt_inode_path(ckpt_find_restored(rs, ref, &ckpt_type_inode));
	kuid_t uid = make_kuid(current_user_ns(), img->uid);
	kgid_t gid = make_kgid(current_user_ns(), img->gid);
	struct iattr attr = {
		.ia_valid = ATTR_UID | ATTR_GID | (S_ISLNK(img->mode) ? 0 : ATTR_MODE) |
			    (img->size ? ATTR_SIZE : 0),
		.ia_mode = img->mode,
		.ia_vfsuid = VFSUIDT_INIT(uid),
		.ia_vfsgid = VFSGIDT_INIT(gid),
		.ia_size = img->size,
	};
	int ret = uid_valid(uid) && gid_valid(gid) ? change(path, &attr) : -EINVAL;

	/* a set-group-ID bit that the restarter may not give is taken away in silence */
	if (!ret && d_inode(path->dentry)->i_mode != img->mode)
		ret = -EPERM;
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "%pd4, in a tmpfs of the container's own, cannot have its owner, mode or size again: error %d",
			       path->dentry, -ret) : 0;
}

static int set_owners(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tmpfs_entry *e;
	u64 i, nr;
	int ret;

	ret = set_owner(rs, ckpt_get(buf, TMPFS, BASE)->root);
	e = ckpt_get_nr(buf, TMPFS, ENTRIES, &nr);
	for (i = 0; i < nr && !ret; i++)
		ret = set_owner(rs, e[i].inode);
	return ret;
}

/* is it one that was mounted for this container, and for nothing else? */
static bool is_ours(struct ckpt_restart *rs, const struct path *path)
{
	struct super_block *sb = path->mnt->mnt_sb;
	struct mnt_namespace *ns = current->nsproxy->mnt_ns, *outside = ckpt_restore_outside(rs)->mnt_ns;

	return ns != outside && path->dentry == sb->s_root && !strcmp(sb->s_type->name, "tmpfs") &&
	       !ckpt_is_filled(rs, sb) && ckpt_mounted_in(sb, ns, outside) == CKPT_MOUNTED_HERE;
}

static int find_tmpfs(struct ckpt_restart *rs, const char *name, struct path *path)
{
	int ret = kern_path(name, LOOKUP_DIRECTORY, path);

	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, "there is no tmpfs on %s: error %d", name, -ret);
	if (is_ours(rs, path))
		return 0;
	path_put(path);
	return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "what is mounted on %s is no new tmpfs of the container's own", name);
}

/* which numbers new files get, when all are there that have theirs */
static void set_next_ino(struct super_block *sb, u64 next)
{
	struct shmem_sb_info *info = sb->s_fs_info;

	raw_spin_lock(&info->stat_lock);
	info->next_ino = next;
	raw_spin_unlock(&info->stat_lock);
}

static int fill(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_tmpfs *img = ckpt_get(buf, TMPFS, BASE);
	struct path *path = kzalloc(sizeof(*path), GFP_KERNEL);
	int ret;

	if (!path)
		return -ENOMEM;
	ret = find_tmpfs(rs, ckpt_get(buf, TMPFS, NAME), path);
	if (ret) {
		kfree(path);
		return ret;
	}
	ret = ckpt_add_restored(rs, img->ref, &ckpt_type_tmpfs, path);
	if (!ret)
		ret = ckpt_add_named(rs, img->root, path);
	if (!ret)
		ret = put_entries(rs, buf, false);
	if (!ret)
		ret = put_entries(rs, buf, true);
	if (!ret)
		ret = set_owners(rs, buf);
	if (!ret)
		set_next_ino(path->mnt->mnt_sb, img->next_ino);
	return ret;
}

/*
 * ckpt_fill_tmpfs - make what is in every tmpfs of the container's own, but contents
 *
 * By the first task that comes, once; the lock of making is held.
 * Returns 0 or a negative errno with a sentence.
 */
int ckpt_fill_tmpfs(struct ckpt_restart *rs)
{
	struct ckpt_rec_buf *buf = NULL;
	int ret = 0;

	while (!ret && (buf = ckpt_next_rec(rs, buf, CKPT_REC_TMPFS)))
		ret = fill(rs, buf);
	return ret;
}

bool ckpt_is_filled(struct ckpt_restart *rs, const struct super_block *sb)
{
	struct ckpt_rec_buf *buf = NULL;
	const struct path *path;

	while ((buf = ckpt_next_rec(rs, buf, CKPT_REC_TMPFS))) {
		path = ckpt_find_restored(rs, ckpt_ref_of(buf), &ckpt_type_tmpfs);
		if (path && path->mnt->mnt_sb == sb)
			return true;
	}
	return false;
}

/* a socket that was bound has made its file anew, under the same name; a reference */
static struct dentry *now_there(const struct path *path)
{
	struct dentry *dir, *dentry = path->dentry;

	if (!d_unlinked(dentry))
		return dget(dentry);
	dir = dget_parent(dentry);
	inode_lock(d_inode(dir));
	dentry = lookup_one_len(dentry->d_name.name, dir, dentry->d_name.len);
	inode_unlock(d_inode(dir));
	dput(dir);
	if (!IS_ERR(dentry) && (d_is_negative(dentry) || !S_ISSOCK(d_inode(dentry)->i_mode))) {
		dput(dentry);
		return ERR_PTR(-ENOENT);
	}
	return dentry;
}

/* what changes with everything that is done with it, when nothing is any more */
int ckpt_finish_named(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, const struct path *at)
{
	const struct ckpt_image_inode *img = ckpt_get(buf, INODE, BASE);
	struct path path = { .mnt = at->mnt };
	int ret;

	path.dentry = S_ISSOCK(img->mode) ? now_there(at) : dget(at->dentry);
	ret = PTR_ERR_OR_ZERO(path.dentry);
	if (!ret) {
		ret = ckpt_restore_xattrs(rs, &path, buf) ? : ckpt_set_inode_times(&path, img);
		if (!ret) {
			ckpt_inode_set_ctime_ns(d_inode(path.dentry), img->ctime_ns);
			SHMEM_I(d_inode(path.dentry))->i_crtime = ns_to_timespec64(img->btime_ns);
		}
		dput(path.dentry);
	}
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "%pd4, in a tmpfs of the container's own, cannot have its times and attributes again: error %d",
			       at->dentry, -ret) : 0;
}

/* nothing is made in it any more, and nobody has seen it: it becomes one for reading only */
int ckpt_last_tmpfs(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr)
{
	struct super_block *sb = ((struct path *)ptr)->mnt->mnt_sb;

	if (!(ckpt_get(buf, TMPFS, BASE)->flags & CKPT_TMPFS_RDONLY))
		return 0;
	down_write(&sb->s_umount);
	sb->s_flags |= SB_RDONLY;
	up_write(&sb->s_umount);
	return 0;
}

void ckpt_put_tmpfs(void *ptr)
{
	path_put(ptr);
	kfree(ptr);
}
