// SPDX-License-Identifier: GPL-2.0-only
/*
 * What lies nowhere but in the image: deleted files and directories, and all that is in
 * a tmpfs of the container's own.  Known by its inode, each once.  C2, T10.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fileattr.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/slab.h>

#include "file.h"
#include "memory.h"

/* a file of whose like a new one has none, and that would be lost */
#define CKPT_INODE_ATTRS (S_SYNC | S_DIRSYNC | S_NOATIME | S_APPEND | S_IMMUTABLE | S_SWAPFILE | S_DAX | \
			  S_VERITY | S_ENCRYPTED | S_CASEFOLD)
#define CKPT_ATTR_FLAGS_LOST (FS_SECRM_FL | FS_UNRM_FL | FS_COMPR_FL | FS_NODUMP_FL | FS_NOCOMP_FL | \
			      FS_JOURNAL_DATA_FL | FS_NOTAIL_FL | FS_TOPDIR_FL | FS_NOCOW_FL | \
			      FS_PROJINHERIT_FL)

/* at a restart */
struct again {
	struct path path;		/* of a named one a reference is held */
	struct file *file;		/* of another, for reading: a reference is held; or NULL */
	struct file *writer;		/* of a deleted file until it is finished: a reference is held; or NULL */
	bool finished;
};

bool ckpt_has_attributes(struct dentry *dentry, const struct inode *real)
{
	struct fileattr fa = {};

	if (real->i_flags & CKPT_INODE_ATTRS)
		return true;
	/* what is not in its inode: for those that know of it */
	return !vfs_fileattr_get(dentry, &fa) &&
	       (fa.flags & CKPT_ATTR_FLAGS_LOST || fa.fsx_projid || fa.fsx_extsize || fa.fsx_cowextsize);
}

void ckpt_inode_fields(struct ckpt_image_inode *img, u32 ref, struct inode *inode,
		       struct inode *real)
{
	img->ref = ref;
	img->mode = inode->i_mode;
	img->uid = from_kuid(current_user_ns(), inode->i_uid);
	img->gid = from_kgid(current_user_ns(), inode->i_gid);
	img->atime_ns = ckpt_inode_atime_ns(real);
	img->mtime_ns = ckpt_inode_mtime_ns(real);
}

/* who asks for it does the rest */
static int save_inode(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	return 0;
}

static bool name_ok(const char *name)
{
	const char *last = name ? strrchr(name, '/') : NULL;

	return last && *name == '/' && last[1] && strlen(last + 1) <= NAME_MAX &&
	       strcmp(last + 1, ".") && strcmp(last + 1, "..");
}

static bool named_ok(const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_inode *img = ckpt_get(buf, INODE, BASE);
	const char *target = ckpt_get(buf, INODE, TARGET);
	const u32 type = img->mode & S_IFMT;

	if (!S_ISREG(type) && !S_ISDIR(type) && !S_ISLNK(type) && !S_ISCHR(type) && !S_ISBLK(type) &&
	    !S_ISFIFO(type) && !S_ISSOCK(type))
		return false;
	if (S_ISLNK(type) ? !target || !*target : !!target)
		return false;
	return !ckpt_get(buf, INODE, NAME) && !(img->flags & CKPT_INODE_LINKABLE) &&
	       (S_ISREG(type) || !img->size) && (S_ISCHR(type) || S_ISBLK(type) || !img->rdev);
}

static bool unnamed_ok(const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_inode *img = ckpt_get(buf, INODE, BASE);

	return (S_ISREG(img->mode) || S_ISDIR(img->mode) || S_ISFIFO(img->mode)) && name_ok(ckpt_get(buf, INODE, NAME)) &&
	       !ckpt_get(buf, INODE, TARGET) && !img->rdev && !img->ino && !img->ctime_ns && !img->btime_ns;
}

static int check_inode(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_inode *img = ckpt_get(buf, INODE, BASE);

	return (img->flags & CKPT_INODE_NAMED ? named_ok(buf) : unnamed_ok(buf)) &&
	       !(img->mode & ~(S_IFMT | 07777)) && img->size <= MAX_LFS_FILESIZE && ckpt_xattrs_ok(buf) ?
		0 : ckpt_malformed(log, buf);
}

static void put_again(void *ptr)
{
	struct again *a = ptr;

	if (a->writer)
		fput(a->writer);
	if (a->file)
		fput(a->file);
	else
		path_put(&a->path);
	kfree(a);
}

int ckpt_add_named(struct ckpt_restart *rs, u32 ref, const struct path *path)
{
	struct again *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return -ENOMEM;
	a->path = *path;
	path_get(&a->path);
	return ckpt_add_restored(rs, ref, &ckpt_type_inode, a);
}

/* its size is there from the beginning, as it is mapped before its contents come */
static struct again *new_unnamed(struct file *writer, loff_t size)
{
	struct again *a;
	struct file *file;
	int ret;

	ret = vfs_truncate(&writer->f_path, size);
	if (ret)
		return ERR_PTR(ret);
	file = dentry_open(&writer->f_path, O_RDONLY | O_LARGEFILE, current_cred());
	if (IS_ERR(file))
		return ERR_CAST(file);
	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a) {
		fput(file);
		return ERR_PTR(-ENOMEM);
	}
	a->file = file;
	a->path = file->f_path;
	a->writer = writer;
	return a;
}

/* a directory or named pipe: what of it is in the image is not in it */
static void *restore_empty(struct ckpt_restart *rs, const char *name, u32 type)
{
	struct again *a = kzalloc(sizeof(*a), GFP_KERNEL);
	struct file *file;

	if (!a)
		return ERR_PTR(-ENOMEM);
	file = ckpt_make_unnamed_empty(rs, name, type);
	if (IS_ERR(file)) {
		kfree(a);
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), PTR_ERR(file),
					 "the deleted %s %s cannot be made again: error %ld",
					 S_ISDIR(type) ? "directory" : "named pipe", name, -PTR_ERR(file)));
	}
	a->file = file;
	a->path = file->f_path;
	return a;
}

/* a named one is there before anybody asks for it: fill.c */
static void *restore_inode(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_inode *img = ckpt_get(buf, INODE, BASE);
	const char *name = ckpt_get(buf, INODE, NAME);
	struct again *a;
	struct file *file;

	if (img->flags & CKPT_INODE_NAMED)
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), -EINVAL, "INODE %u is in no TMPFS", img->ref));
	if (!S_ISREG(img->mode))
		return restore_empty(rs, name, img->mode & S_IFMT);
	file = ckpt_make_unnamed(rs, name, img->flags & CKPT_INODE_LINKABLE);
	if (IS_ERR(file))
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), PTR_ERR(file),
					 "the deleted file %s cannot be made again: error %ld",
					 name, -PTR_ERR(file)));
	a = new_unnamed(file, img->size);
	if (!IS_ERR(a))
		return a;
	fput(file);
	return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), PTR_ERR(a),
				 "the deleted file %s cannot have its size of %llu bytes again: error %ld",
				 name, img->size, -PTR_ERR(a)));
}

int ckpt_set_inode_times(const struct path *path, const struct ckpt_image_inode *img)
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

static int finish_unnamed(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, struct again *a)
{
	const struct ckpt_image_inode *img = ckpt_get(buf, INODE, BASE);
	const struct path *path = &a->path;
	int ret;

	if (a->writer) {
		fput(a->writer);
		a->writer = NULL;
		ckpt_end_files();
	}
	ret = ckpt_set_owner(a->file, img->mode & 07777, img->uid, img->gid);
	if (ret)
		return cannot_have(rs, buf, "its owner", ret);
	ret = mnt_want_write(path->mnt);
	if (ret)
		return cannot_have(rs, buf, "its attributes", ret);
	ret = ckpt_restore_xattrs(rs, path, buf);
	if (!ret) {
		ret = ckpt_set_inode_times(path, img);
		if (ret)
			cannot_have(rs, buf, "its times", ret);
		/* a set-group-ID bit that the restarter may not give is taken away in silence */
		else if (d_inode(path->dentry)->i_mode != img->mode)
			ret = cannot_have(rs, buf, "its mode", -EPERM);
	}
	mnt_drop_write(path->mnt);
	return ret;
}

/*
 * When its contents are there, which would take away a set-user-ID bit, and change the times.
 * An address space whose executable it is has it finished first.
 */
static int finish_inode(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr)
{
	struct again *a = ptr;

	if (a->finished)
		return 0;
	a->finished = true;
	return a->file ? finish_unnamed(rs, buf, a) : ckpt_finish_named(rs, buf, &a->path);
}

const struct path *ckpt_inode_path(void *restored)
{
	return &((struct again *)restored)->path;
}

struct file *ckpt_inode_writer(void *restored)
{
	return ((struct again *)restored)->writer;
}

struct inode *ckpt_inode_memory(void *restored)
{
	const struct again *a = restored;
	struct inode *inode = d_real_inode(a->path.dentry);

	/* a deleted one that is finished gets no more */
	if (a->file && !a->writer)
		return NULL;
	return S_ISREG(inode->i_mode) && inode->i_sb->s_magic == TMPFS_MAGIC ? inode : NULL;
}

int ckpt_finish_inode(struct ckpt_restart *rs, u32 ref)
{
	void *restored = ckpt_find_restored(rs, ref, &ckpt_type_inode);

	return restored ? finish_inode(rs, ckpt_find_rec(rs, ref, &ckpt_type_inode), restored) : -EINVAL;
}

/* known by its inode, of an overlay by the one below */
const struct ckpt_type ckpt_type_inode = {
	.name = "INODE",
	.record = CKPT_REC_INODE,
	.take = ckpt_take_inode,
	.drop = ckpt_drop_inode,
	.save = save_inode,
	.check = check_inode,
	.restore = restore_inode,
	.finish = finish_inode,
	.put = put_again,
};
