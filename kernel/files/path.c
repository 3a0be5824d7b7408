// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are opened again by their path: regular files, directories, and
 * devices that keep nothing between calls.  C1.
 */
#include <linux/magic.h>
#include <linux/namei.h>
#include <linux/pagemap.h>

#include "file.h"
#include "memory.h"

#define CKPT_MEM_MAJOR 1

/* /dev/null, zero, full, random, urandom */
static bool is_simple_device(struct inode *inode)
{
	static const int minors[] = { 3, 5, 7, 8, 9 };
	int i;

	if (!S_ISCHR(inode->i_mode) || imajor(inode) != CKPT_MEM_MAJOR)
		return false;
	for (i = 0; i < ARRAY_SIZE(minors); i++)
		if (iminor(inode) == minors[i])
			return true;
	return false;
}

static bool path_mine(struct file *file)
{
	struct inode *inode = file_inode(file);

	/* nor what lies in a file system that has no paths */
	if (ckpt_is_shmem(file) || inode->i_sb->s_flags & SB_NOUSER ||
	    inode->i_sb->s_magic == NSFS_MAGIC)
		return false;
	return S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode) || is_simple_device(inode);
}

static int path_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct inode *inode = file_inode(file);
	struct ckpt_image_file_path *img = ckpt_put(rec, FILE, PATH);

	if (!img)
		return -ENOMEM;
	img->size = i_size_read(inode);
	img->mtime_ns = ckpt_inode_mtime_ns(inode);
	img->rdev = S_ISCHR(inode->i_mode) ? new_encode_dev(inode->i_rdev) : 0;
	if (S_ISREG(inode->i_mode) && ckpt_is_pseudo(inode->i_sb))
		return ckpt_check_pseudo(cp, file);
	return 0;
}

static int path_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return ckpt_get(buf, FILE, PATH) ? 0 : ckpt_malformed(log, buf);
}

static int check_type(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
		      struct inode *inode)
{
	const struct ckpt_image_file_path *img = ckpt_get(buf, FILE, PATH);
	const char *name = ckpt_get(buf, FILE, NAME);

	if ((inode->i_mode ^ ckpt_get(buf, FILE, BASE)->mode) & S_IFMT)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "%s is of another type than it was", name);
	if (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode))
		return 0;
	if (!is_simple_device(inode) || new_encode_dev(inode->i_rdev) != img->rdev)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "%s is another device than it was", name);
	return 0;
}

/*
 * The path of a name, which is looked up once.  Whoever opened the file may not
 * get there any more; then the restarter must.
 */
int ckpt_find_path(const char *name, const struct cred *cred, struct path *path)
{
	const struct cred *old = override_creds(cred);
	int ret = kern_path(name, LOOKUP_FOLLOW, path);

	revert_creds(old);
	return ret == -EACCES ? kern_path(name, LOOKUP_FOLLOW, path) : ret;
}

static struct file *open_as(const struct path *path, u32 flags, const struct cred *cred)
{
	const struct cred *old = override_creds(cred);
	struct file *file = file_open_root(path, "", flags, 0);

	revert_creds(old);
	return file;
}

/*
 * With the credentials that it was opened with.  These may not open it any more,
 * since its mode was changed: then the restarter's must.
 */
struct file *ckpt_open_path(const struct path *path, u32 flags, const struct cred *cred)
{
	struct file *mine, *file = open_as(path, flags, cred);
	const struct cred *old;

	if (file != ERR_PTR(-EACCES) && file != ERR_PTR(-EPERM))
		return file;
	mine = file_open_root(path, "", flags, 0);
	if (IS_ERR(mine))
		return mine;
	old = override_creds(cred);
	file = dentry_open(path, flags, cred);
	revert_creds(old);
	fput(mine);
	return file;
}

static struct file *path_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				 const struct cred *cred)
{
	const u32 flags = ckpt_get(buf, FILE, BASE)->flags & CKPT_OPEN_FLAGS & ~O_NOFOLLOW;
	const char *name = ckpt_get(buf, FILE, NAME);
	struct file *file;
	struct path path;
	int ret;

	ret = ckpt_find_path(name, cred, &path);
	if (ret)
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), ret,
					 "%s is gone: error %d; put it back to restart", name, -ret));
	/* a device must not even be opened before it is known which it is */
	ret = check_type(rs, buf, d_inode(path.dentry)) ? :
	      ckpt_check_leases(rs, name, d_inode(path.dentry), flags);
	file = ret ? ERR_PTR(ret) : ckpt_open_path(&path, flags, cred);
	path_put(&path);
	return IS_ERR(file) ? file : ckpt_file_or(file, ckpt_restored_pseudo(file));
}

const struct ckpt_file_ops ckpt_file_path = {
	.name = "path",
	.kind = CKPT_FILE_PATH,
	.has_path = true,
	.has_cred = true,
	.mine = path_mine,
	.save = path_save,
	.check = path_check,
	.restore = path_restore,
};
