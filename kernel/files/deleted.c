// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and directories that are deleted and still open, mapped or somebody's
 * current directory: nobody can find them at a restart, so they are in the image, each
 * once.  C2.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/slab.h>

#include "file.h"
#include "memory.h"

/* copied from a disk while the container stands */
#define CKPT_DELETED_MAX (64 << 20)

static bool is_deleted(const struct path *path)
{
	struct inode *inode = d_inode(path->dentry);

	return inode && (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode)) &&
	       !(inode->i_sb->s_flags & SB_NOUSER) && !ckpt_is_pseudo(inode->i_sb) &&
	       path->dentry != path->mnt->mnt_root && ckpt_is_deleted(path->dentry);
}

static bool deleted_mine(struct file *file)
{
	return !ckpt_is_shmem(file) && is_deleted(ckpt_file_user_path(file));
}

/*
 * What a file of an overlay is kept in: so one that is open and one that is mapped,
 * which is that, are the same.
 */
static struct inode *real_inode(struct file *file)
{
	struct inode *inode = file_inode(file);

	return inode == d_inode(file->f_path.dentry) ? d_real_inode(file->f_path.dentry) : inode;
}

/* can it be read without a wait for anybody but a disk? */
bool ckpt_is_local(const struct super_block *sb)
{
	static const char * const names[] = {
		"tmpfs", "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "exfat",
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(sb->s_type->name, names[i]))
			return true;
	return false;
}

static bool has_leases(struct inode *inode)
{
	struct file_lock_context *ctx = ckpt_lock_context(inode);

	return ctx && !list_empty_careful(&ctx->flc_lease);
}

static const char *refusal(const struct path *path, struct inode *real)
{
	if (__mnt_is_readonly(path->mnt))
		return "on a mount for reading only, where it could not be made again";
	if (is_idmapped_mnt(path->mnt))
		return "on a mount that maps ids";
	if (ckpt_has_attributes(path->dentry, real))
		return "with attributes of chattr(1)";
	/* to read it would break them */
	if (has_leases(d_inode(path->dentry)) || has_leases(real))
		return "with a lease";
	return NULL;
}

/* the name that it is made under again, or at least near to */
static int save_name(struct ckpt_checkpoint *cp, const struct path *path, struct ckpt_rec_out *rec)
{
	struct path at = { .mnt = path->mnt, .dentry = dget_parent(path->dentry) };
	char *buf = kmalloc(2 * PATH_MAX, GFP_KERNEL), *full = buf + PATH_MAX;
	struct name_snapshot last;
	const char *dir = NULL;
	struct dentry *up;
	int ret;

	if (!buf) {
		dput(at.dentry);
		return -ENOMEM;
	}
	while (!(dir = ckpt_path_name_if(cp, &at, buf)) && at.dentry != at.mnt->mnt_root &&
	       !IS_ROOT(at.dentry)) {
		up = dget_parent(at.dentry);
		dput(at.dentry);
		at.dentry = up;
	}
	dput(at.dentry);
	take_dentry_name_snapshot(&last, path->dentry);
	if (!dir)
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "%s is deleted, and no directory above it is in the container, which is not supported",
				  last.name.name);
	else if (snprintf(full, PATH_MAX, "%s/%s", strcmp(dir, "/") ? dir : "", last.name.name) >= PATH_MAX)
		ret = ckpt_refuse(cp, -ENAMETOOLONG, "%s: its path is too long", last.name.name);
	else
		ret = ckpt_put_string(rec, INODE, NAME, full);
	release_dentry_name_snapshot(&last);
	kfree(buf);
	return ret;
}

/*
 * A file of ours to read it with: in nobody's table, seen by nobody who watches, and the
 * offset is not the container's.
 */
static int keep_contents(struct ckpt_checkpoint *cp, struct ckpt_obj *obj, const struct path *path,
			 loff_t size)
{
	struct inode *real = obj->ptr;
	struct file *file;
	loff_t data;

	file = dentry_open(path, O_RDONLY | O_NONBLOCK | O_LARGEFILE | O_NOATIME | (__force int)FMODE_NONOTIFY,
			   current_cred());
	if (IS_ERR(file))
		return ckpt_refuse(cp, PTR_ERR(file), "%pd is deleted and cannot be read: error %ld",
				   path->dentry, -PTR_ERR(file));
	if (real_inode(file) != real) {
		fput(file);
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pd is deleted, and was changed after it had been mapped from the lower layer of an overlay, which is not supported",
				   path->dentry);
	}
	/* what lies in memory is copied as other shared memory is */
	data = real->i_sb->s_magic == TMPFS_MAGIC ? 0 : ckpt_data_in(cp, file, size, CKPT_DELETED_MAX);
	if (data == -EAGAIN || data == -EINTR || data == -ETIMEDOUT) {
		fput(file);
		return data;
	}
	if (data < 0 || data > CKPT_DELETED_MAX) {
		fput(file);
		return data < 0 ?
			ckpt_refuse(cp, data, "%pd is deleted and cannot be read: error %lld", path->dentry, -data) :
			ckpt_refuse(cp, -EFBIG, "%pd is deleted and has more than %u MiB, which would be copied while the container stands; close it, or cut it with truncate(1) by /proc/PID/fd",
				    path->dentry, CKPT_DELETED_MAX >> 20);
	}
	return ckpt_keep_contents(cp, obj->ref, file, size);
}

static int save_inode_of(struct ckpt_checkpoint *cp, struct ckpt_obj *obj, const struct path *path)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_INODE);
	struct ckpt_image_inode *img = ckpt_put(rec, INODE, BASE);
	struct inode *inode = d_inode(path->dentry), *real = obj->ptr;
	const char *what = refusal(path, real);
	int ret;

	if (!img)
		return -ENOMEM;
	if (!ckpt_is_local(real->i_sb))
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pd is deleted, and lies on %s, of which nothing can be read while the container stands; close it",
				   path->dentry, real->i_sb->s_type->name);
	if (what)
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pd is deleted, and is a file %s, which is not supported",
				   path->dentry, what);
	if (inode->i_nlink && !S_ISDIR(inode->i_mode))
		ckpt_log(ckpt_save_log(cp), "%pd is deleted, and its file has another name that the kernel has not at hand: from the image on they are two",
			 path->dentry);
	ckpt_inode_fields(img, obj->ref, inode, real);
	img->size = i_size_read(real);
	img->flags = READ_ONCE(inode->i_state) & I_LINKABLE ? CKPT_INODE_LINKABLE : 0;
	ret = save_name(cp, path, rec);
	if (!ret)
		ret = ckpt_save_xattrs(cp, path, rec, "is deleted");
	if (!ret && S_ISREG(inode->i_mode))
		ret = keep_contents(cp, obj, path, img->size);
	return ret ? : ckpt_done(cp, rec);
}

/* with the first that has it, as its name and its mount are theirs */
static int save_once(struct ckpt_checkpoint *cp, const struct path *path, struct inode *real, u32 *ref)
{
	struct ckpt_obj *obj;
	int ret;

	ret = ckpt_obj_save(cp, &ckpt_type_inode, real, ref);
	if (ret)
		return ret;
	obj = ckpt_obj_find(cp, &ckpt_type_inode, real);
	/* all that is opened at a restart is in the mount where it is made */
	if (obj->users > 1)
		return obj->mount == path->mnt ? 0 :
			ckpt_refuse(cp, -EOPNOTSUPP, "%pd is deleted, and is open or mapped by two mounts, which is not supported",
				    path->dentry);
	obj->mount = path->mnt;
	ret = save_inode_of(cp, obj, path);
	obj->refused = ret == CKPT_REFUSED;
	return ret;
}

/* the number of a named pipe that is deleted */
int ckpt_save_deleted_fifo(struct ckpt_checkpoint *cp, const struct path *path, u32 *ref)
{
	return save_once(cp, path, d_real_inode(path->dentry), ref);
}

/* the number of a directory that is deleted, or 0 of any other */
int ckpt_save_deleted_dir(struct ckpt_checkpoint *cp, const struct path *path, u32 *ref)
{
	*ref = 0;
	return is_deleted(path) ? save_once(cp, path, d_real_inode(path->dentry), ref) : 0;
}

static int deleted_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_file_deleted *img = ckpt_put(rec, FILE, DELETED);

	if (!img)
		return -ENOMEM;
	return save_once(cp, ckpt_file_user_path(file), real_inode(file), &img->inode);
}

const struct path *ckpt_restore_deleted(struct ckpt_restart *rs, u32 ref, u32 type)
{
	void *restored = ckpt_restore_obj(rs, ref, &ckpt_type_inode);
	const struct path *path;

	if (IS_ERR(restored))
		return ERR_CAST(restored);
	path = ckpt_inode_path(restored);
	return (d_inode(path->dentry)->i_mode & S_IFMT) == type ? path : ERR_PTR(-EINVAL);
}

bool ckpt_is_deleted_rec(const struct ckpt_rec_buf *file)
{
	return ckpt_get(file, FILE, BASE)->kind == CKPT_FILE_DELETED;
}

int ckpt_finish_deleted(struct ckpt_restart *rs, const struct ckpt_rec_buf *file)
{
	return ckpt_finish_inode(rs, ckpt_get(file, FILE, DELETED)->inode);
}

static int deleted_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return ckpt_get(buf, FILE, DELETED) ? 0 : ckpt_malformed(log, buf);
}

/* opened anew, with the credentials that it was opened with: what it lets them see is in the image */
static struct file *deleted_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				    const struct cred *cred)
{
	const u32 flags = ckpt_get(buf, FILE, BASE)->flags & CKPT_OPEN_FLAGS & ~O_NOFOLLOW;
	void *restored = ckpt_restore_obj(rs, ckpt_get(buf, FILE, DELETED)->inode, &ckpt_type_inode);
	const struct cred *old;
	const struct path *path;
	struct file *file;

	if (IS_ERR(restored))
		return ERR_CAST(restored);
	path = ckpt_inode_path(restored);
	/* what a tmpfs has may be a device, which nobody opens so */
	if (!d_is_reg(path->dentry) && !d_is_dir(path->dentry))
		return ERR_PTR(-EINVAL);
	/* as open(2) sees to it, and nobody behind it */
	if (d_is_dir(path->dentry) && flags & O_ACCMODE && !(flags & O_PATH))
		return ERR_PTR(-EISDIR);
	old = override_creds(cred);
	file = dentry_open(path, flags, cred);
	revert_creds(old);
	return file;
}

const struct ckpt_file_ops ckpt_file_deleted = {
	.name = "deleted",
	.kind = CKPT_FILE_DELETED,
	.has_cred = true,
	.mine = deleted_mine,
	.save = deleted_save,
	.check = deleted_check,
	.restore = deleted_restore,
};
