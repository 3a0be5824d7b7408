// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and directories that are deleted and still open, mapped or somebody's
 * current directory: nobody can find them at a restart, so they are in the image, each
 * once.  C2.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fileattr.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/slab.h>

#include "file.h"
#include "memory.h"

/* copied from a disk while the container stands */
#define CKPT_DELETED_MAX (64 << 20)

/* a file of whose like a new one has none, and that would be lost */
#define CKPT_INODE_FLAGS (S_SYNC | S_DIRSYNC | S_NOATIME | S_APPEND | S_IMMUTABLE | S_SWAPFILE | S_DAX | \
			  S_VERITY | S_ENCRYPTED | S_CASEFOLD)
#define CKPT_ATTR_FLAGS_LOST (FS_SECRM_FL | FS_UNRM_FL | FS_COMPR_FL | FS_NODUMP_FL | FS_NOCOMP_FL | \
			      FS_JOURNAL_DATA_FL | FS_NOTAIL_FL | FS_TOPDIR_FL | FS_NOCOW_FL | \
			      FS_PROJINHERIT_FL)

/* at a restart */
struct unnamed {
	struct file *file;		/* for reading; a reference is held */
	struct file *writer;		/* of a file until it is finished: a reference is held; or NULL */
	bool finished;
};

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

/* what a new file has not, of what is not in its inode: for those that know of it */
static bool has_attributes(struct dentry *dentry)
{
	struct fileattr fa = {};

	return !vfs_fileattr_get(dentry, &fa) &&
	       (fa.flags & CKPT_ATTR_FLAGS_LOST || fa.fsx_projid || fa.fsx_extsize || fa.fsx_cowextsize);
}

static const char *refusal(const struct path *path, struct inode *real)
{
	if (__mnt_is_readonly(path->mnt))
		return "on a mount for reading only, where it could not be made again";
	if (is_idmapped_mnt(path->mnt))
		return "on a mount that maps ids";
	if (real->i_flags & CKPT_INODE_FLAGS || has_attributes(path->dentry))
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
	img->ref = obj->ref;
	img->mode = inode->i_mode;
	img->uid = from_kuid(current_user_ns(), inode->i_uid);
	img->gid = from_kgid(current_user_ns(), inode->i_gid);
	img->size = i_size_read(real);
	img->atime_ns = ckpt_inode_atime_ns(real);
	img->mtime_ns = ckpt_inode_mtime_ns(real);
	img->flags = READ_ONCE(inode->i_state) & I_LINKABLE ? CKPT_INODE_LINKABLE : 0;
	ret = save_name(cp, path, rec);
	if (!ret)
		ret = ckpt_save_xattrs(cp, path, rec);
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

/* save_once() does the rest */
static int save_inode(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	return 0;
}

static bool name_ok(const char *name)
{
	const char *last = strrchr(name, '/');

	return *name == '/' && last[1] && strlen(last + 1) <= NAME_MAX &&
	       strcmp(last + 1, ".") && strcmp(last + 1, "..");
}

static int check_inode(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_inode *img = ckpt_get(buf, INODE, BASE);

	return (S_ISREG(img->mode) || S_ISDIR(img->mode) || S_ISFIFO(img->mode)) && !(img->mode & ~(S_IFMT | 07777)) &&
	       img->size <= MAX_LFS_FILESIZE && name_ok(ckpt_get(buf, INODE, NAME)) &&
	       ckpt_xattrs_ok(buf) ? 0 : ckpt_malformed(log, buf);
}

static void put_unnamed(void *ptr)
{
	struct unnamed *u = ptr;

	if (u->writer)
		fput(u->writer);
	fput(u->file);
	kfree(u);
}

/* its size is there from the beginning, as it is mapped before its contents come */
static struct unnamed *new_unnamed(struct file *writer, loff_t size)
{
	struct unnamed *u;
	struct file *file;
	int ret;

	ret = vfs_truncate(&writer->f_path, size);
	if (ret)
		return ERR_PTR(ret);
	file = dentry_open(&writer->f_path, O_RDONLY | O_LARGEFILE, current_cred());
	if (IS_ERR(file))
		return ERR_CAST(file);
	u = kmalloc(sizeof(*u), GFP_KERNEL);
	if (!u) {
		fput(file);
		return ERR_PTR(-ENOMEM);
	}
	u->file = file;
	u->writer = writer;
	u->finished = false;
	return u;
}

/* a directory or named pipe: what of it is in the image is not in it */
static void *restore_empty(struct ckpt_restart *rs, const char *name, u32 type)
{
	struct unnamed *u = kzalloc(sizeof(*u), GFP_KERNEL);
	struct file *file;

	if (!u)
		return ERR_PTR(-ENOMEM);
	file = ckpt_make_unnamed_empty(rs, name, type);
	if (IS_ERR(file)) {
		kfree(u);
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), PTR_ERR(file),
					 "the deleted %s %s cannot be made again: error %ld",
					 S_ISDIR(type) ? "directory" : "named pipe", name, -PTR_ERR(file)));
	}
	u->file = file;
	return u;
}

static void *restore_inode(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_inode *img = ckpt_get(buf, INODE, BASE);
	const char *name = ckpt_get(buf, INODE, NAME);
	struct unnamed *u;
	struct file *file;

	if (!S_ISREG(img->mode))
		return restore_empty(rs, name, img->mode & S_IFMT);
	file = ckpt_make_unnamed(rs, name, img->flags & CKPT_INODE_LINKABLE);
	if (IS_ERR(file))
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), PTR_ERR(file),
					 "the deleted file %s cannot be made again: error %ld",
					 name, -PTR_ERR(file)));
	u = new_unnamed(file, img->size);
	if (!IS_ERR(u))
		return u;
	fput(file);
	return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), PTR_ERR(u),
				 "the deleted file %s cannot have its size of %llu bytes again: error %ld",
				 name, img->size, -PTR_ERR(u)));
}

static int set_times(const struct path *path, const struct ckpt_image_inode *img)
{
	struct inode *inode = d_inode(path->dentry);
	struct iattr attr = {
		.ia_valid = ATTR_ATIME | ATTR_ATIME_SET | ATTR_MTIME | ATTR_MTIME_SET,
		.ia_atime = ns_to_timespec64(img->atime_ns),
		.ia_mtime = ns_to_timespec64(img->mtime_ns),
	};
	int ret;

	inode_lock(inode);
	ret = notify_change(ckpt_mnt_idmap(path->mnt), path->dentry, &attr, NULL);
	inode_unlock(inode);
	return ret;
}

static int cannot_have(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, const char *what, int ret)
{
	return ckpt_fail(ckpt_restore_log(rs), ret, "the deleted file %s cannot have %s again: error %d",
			 (const char *)ckpt_get(buf, INODE, NAME), what, -ret);
}

/*
 * When its contents are there, which would take away a set-user-ID bit, and change the times.
 * An address space whose executable it is has it finished first.
 */
static int finish_inode(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr)
{
	const struct ckpt_image_inode *img = ckpt_get(buf, INODE, BASE);
	struct unnamed *u = ptr;
	const struct path *path = &u->file->f_path;
	int ret;

	if (u->finished)
		return 0;
	u->finished = true;
	if (u->writer) {
		fput(u->writer);
		u->writer = NULL;
		ckpt_end_files();
	}
	ret = ckpt_set_owner(u->file, img->mode & 07777, img->uid, img->gid);
	if (ret)
		return cannot_have(rs, buf, "its owner", ret);
	ret = mnt_want_write(path->mnt);
	if (ret)
		return cannot_have(rs, buf, "its attributes", ret);
	ret = ckpt_restore_xattrs(rs, path, buf);
	if (!ret) {
		ret = set_times(path, img);
		if (ret)
			cannot_have(rs, buf, "its times", ret);
		/* a set-group-ID bit that the restarter may not give is taken away in silence */
		else if (d_inode(path->dentry)->i_mode != img->mode)
			ret = cannot_have(rs, buf, "its mode", -EPERM);
	}
	mnt_drop_write(path->mnt);
	return ret;
}

struct file *ckpt_inode_writer(void *restored)
{
	return ((struct unnamed *)restored)->writer;
}

const struct path *ckpt_restore_deleted(struct ckpt_restart *rs, u32 ref, u32 type)
{
	struct unnamed *u = ckpt_restore_obj(rs, ref, &ckpt_type_inode);

	if (IS_ERR(u))
		return ERR_CAST(u);
	return (file_inode(u->file)->i_mode & S_IFMT) == type ? &u->file->f_path : ERR_PTR(-EINVAL);
}

bool ckpt_is_deleted_rec(const struct ckpt_rec_buf *file)
{
	return ckpt_get(file, FILE, BASE)->kind == CKPT_FILE_DELETED;
}

int ckpt_finish_deleted(struct ckpt_restart *rs, const struct ckpt_rec_buf *file)
{
	u32 ref = ckpt_get(file, FILE, DELETED)->inode;
	void *restored = ckpt_find_restored(rs, ref, &ckpt_type_inode);

	return restored ? finish_inode(rs, ckpt_find_rec(rs, ref, &ckpt_type_inode), restored) : -EINVAL;
}

/* known by its inode, of an overlay by the one below; at restart by files of ours */
const struct ckpt_type ckpt_type_inode = {
	.name = "INODE",
	.record = CKPT_REC_INODE,
	.take = ckpt_take_inode,
	.drop = ckpt_drop_inode,
	.save = save_inode,
	.check = check_inode,
	.restore = restore_inode,
	.finish = finish_inode,
	.put = put_unnamed,
};

static int deleted_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return ckpt_get(buf, FILE, DELETED) ? 0 : ckpt_malformed(log, buf);
}

/* opened anew, with the credentials that it was opened with: what it lets them see is in the image */
static struct file *deleted_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				    const struct cred *cred)
{
	const u32 flags = ckpt_get(buf, FILE, BASE)->flags & CKPT_OPEN_FLAGS & ~O_NOFOLLOW;
	struct unnamed *u = ckpt_restore_obj(rs, ckpt_get(buf, FILE, DELETED)->inode, &ckpt_type_inode);
	const struct cred *old;
	struct file *file;

	if (IS_ERR(u))
		return ERR_CAST(u);
	/* one that waits in its open(2) would not come back */
	if (S_ISFIFO(file_inode(u->file)->i_mode))
		return ERR_PTR(-EINVAL);
	/* as open(2) sees to it, and nobody behind it */
	if (S_ISDIR(file_inode(u->file)->i_mode) && flags & O_ACCMODE && !(flags & O_PATH))
		return ERR_PTR(-EISDIR);
	old = override_creds(cred);
	file = dentry_open(&u->file->f_path, flags, cred);
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
