// SPDX-License-Identifier: GPL-2.0-only
/*
 * Named pipes: files that are found by their path, unless it was deleted, and that share a
 * pipe as long as one of them is open.  Who waits in open(2) for the other end has taken
 * back what he did when he is frozen, and calls again.  C3.
 */
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/slab.h>

#include "pipe.h"

static bool fifo_mine(struct file *file)
{
	struct inode *inode = file_inode(file);

	return S_ISFIFO(inode->i_mode) && !ckpt_is_pipefs(inode) &&
	       (file->f_op == kv_pipefifo_fops || file->f_mode & FMODE_PATH);
}

static int save_deleted(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec, u32 *ref)
{
	const struct path *path = &file->f_path;
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL);
	const char *other;
	int ret;

	if (!buf)
		return -ENOMEM;
	other = ckpt_other_name(cp, path, buf);
	ret = other ? ckpt_put_string(rec, FILE, NAME, other) : ckpt_save_deleted_fifo(cp, path, ref);
	kfree(buf);
	return ret;
}

/* what is mounted by itself is there under its name */
static bool is_deleted(const struct path *path)
{
	return ckpt_is_deleted(path->dentry) && path->dentry != path->mnt->mnt_root;
}

static int fifo_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct pipe_inode_info *pipe = file_inode(file)->i_pipe;
	struct ckpt_image_file_fifo *img = ckpt_put(rec, FILE, FIFO);
	int ret;

	if (!img)
		return -ENOMEM;
	ret = is_deleted(&file->f_path) ? save_deleted(cp, file, rec, &img->inode) :
	      ckpt_save_path(cp, file, rec);
	if (ret)
		return ret;
	/* it is a name, and has neither end */
	if (file->f_mode & FMODE_PATH)
		return 0;
	/* poll(2) says that the writers are gone only to those who have seen one */
	if (!(file->f_mode & FMODE_WRITE) && ckpt_fifo_writers(file) == READ_ONCE(pipe->w_counter))
		img->flags = CKPT_FIFO_NO_WRITER;
	return ckpt_save_pipe_of(cp, file, &img->pipe);
}

static int fifo_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_fifo *img = ckpt_get(buf, FILE, FIFO);
	u32 flags = ckpt_get(buf, FILE, BASE)->flags;

	if (!img || !ckpt_get(buf, FILE, NAME) != !!img->inode)
		return ckpt_malformed(log, buf);
	if (flags & O_PATH)
		return img->pipe || img->flags ? ckpt_malformed(log, buf) : 0;
	return (flags & O_ACCMODE) == O_ACCMODE ? ckpt_malformed(log, buf) : 0;
}

static struct file *open_fifo(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
			      const struct path *path, const struct cred *cred)
{
	const u32 had = ckpt_get(buf, FILE, BASE)->flags;
	/* as to open(2), packets are fcntl(2)'s to ask for */
	const u32 flags = had & CKPT_OPEN_FLAGS & ~(O_NOFOLLOW | O_DIRECT);
	const struct ckpt_image_file_fifo *img = ckpt_get(buf, FILE, FIFO);
	struct ckpt_pipe_ends *ends;
	struct file *file;

	if (!(had & O_PATH)) {
		/* with both ends open already it waits for nobody */
		ends = ckpt_restore_pipe(rs, img->pipe, path, ckpt_get(buf, FILE, NAME) ? : "(deleted)", cred);
		if (IS_ERR(ends))
			return ERR_CAST(ends);
	}
	/* a deleted one gets its owner and mode in the end, and who had it open may have it */
	file = img->inode ? dentry_open(path, flags, cred) : ckpt_open_path(path, flags, cred);
	if (IS_ERR(file))
		return file;
	if (had & O_PATH)
		return file;
	file->f_flags |= had & O_DIRECT;
	if (img->flags & CKPT_FIFO_NO_WRITER)
		ckpt_fifo_writers(file) = file_inode(file)->i_pipe->w_counter;
	return file;
}

static struct file *open_deleted(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				 const struct cred *cred)
{
	const struct path *path;

	path = ckpt_restore_deleted(rs, ckpt_get(buf, FILE, FIFO)->inode, S_IFIFO);
	return IS_ERR(path) ? ERR_CAST(path) : open_fifo(rs, buf, path, cred);
}

static struct file *fifo_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				 const struct cred *cred)
{
	const char *name = ckpt_get(buf, FILE, NAME);
	struct file *file;
	struct path path;
	int ret;

	if (!name)
		return open_deleted(rs, buf, cred);

	ret = ckpt_find_path(name, cred, &path);
	if (ret)
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), ret,
					 "%s is gone: error %d; make it again with mkfifo(1) to restart", name, -ret));
	/* a link of proc's may lead to a pipe that has no name */
	if (S_ISFIFO(d_inode(path.dentry)->i_mode) && path.dentry->d_sb->s_magic != PIPEFS_MAGIC)
		file = open_fifo(rs, buf, &path, cred);
	else
		file = ERR_PTR(ckpt_fail(ckpt_restore_log(rs), -EINVAL,
					 "%s is no named pipe any more", name));
	path_put(&path);
	return file;
}

const struct ckpt_file_ops ckpt_file_fifo = {
	.name = "named pipe",
	.kind = CKPT_FILE_FIFO,
	.saves_path = true,
	.has_cred = true,
	.mine = fifo_mine,
	.save = fifo_save,
	.check = fifo_check,
	.restore = fifo_restore,
};
