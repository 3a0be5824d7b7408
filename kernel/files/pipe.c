// SPDX-License-Identifier: GPL-2.0-only
/* Pipes with their contents.  C3. */
#include <linux/highmem.h>
#include <linux/magic.h>
#include <linux/pipe_fs_i.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "file.h"

struct pipe_ends {			/* a reference each */
	struct file *file[2];		/* for reading, for writing */
};

static bool pipe_mine(struct file *file)
{
	return file->f_op == kv_pipefifo_fops &&
	       file_inode(file)->i_sb->s_magic == PIPEFS_MAGIC;
}

static int pipe_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_file_pipe *img = ckpt_put(rec, FILE, PIPE);
	int ret;

	if (!img)
		return -ENOMEM;
	if ((file->f_mode & (FMODE_READ | FMODE_WRITE)) == (FMODE_READ | FMODE_WRITE))
		return ckpt_refuse(cp, -EOPNOTSUPP, "a pipe that is open for both reading and writing is not supported");
	if (pipe_has_watch_queue(file_inode(file)->i_pipe))
		return ckpt_refuse(cp, -EOPNOTSUPP, "a pipe of kernel notifications is not supported");
	img->end = file->f_mode & FMODE_READ ? 1 : 2;
	ret = ckpt_obj_save(cp, &ckpt_type_pipe, file_inode(file), &img->pipe);
	if (!ret)
		ckpt_obj_find(cp, &ckpt_type_pipe, file_inode(file))->ends[img->end - 1]++;
	return ret;
}

/* what is saved of the contents: how many buffers, of how many bytes */
static void count_contents(struct pipe_inode_info *pipe, u64 *bufs, u64 *bytes)
{
	unsigned int i;

	*bufs = 0;
	*bytes = 0;
	for (i = pipe->tail; i != pipe->head; i++) {
		const struct pipe_buffer *buf = &pipe->bufs[i & (pipe->ring_size - 1)];

		*bufs += !!buf->len;
		*bytes += buf->len;
	}
}

/* a buffer that was spliced into the pipe can lie across several pages of a compound page */
static void copy_buf(const struct pipe_buffer *buf, u8 *to)
{
	size_t done, n;

	for (done = 0; done < buf->len; done += n) {
		size_t offset = buf->offset + done;

		n = min_t(size_t, buf->len - done, PAGE_SIZE - offset_in_page(offset));
		memcpy_from_page(to + done, buf->page + (offset >> PAGE_SHIFT),
				 offset_in_page(offset), n);
	}
}

static int check_buf(struct ckpt_checkpoint *cp, struct pipe_inode_info *pipe,
		     struct pipe_buffer *buf)
{
	int ret = pipe_buf_confirm(pipe, buf);

	if (ret)
		return ckpt_refuse(cp, ret, "a pipe has data of a file that cannot be read any more: error %d",
				   -ret);
	if (buf->len > CKPT_PIPE_BUF_MAX)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a pipe with %u bytes in one piece is not supported",
				   buf->len);
	return 0;
}

/* pipe->mutex is held */
static int save_contents(struct ckpt_checkpoint *cp, struct pipe_inode_info *pipe,
			 struct ckpt_rec_out *rec)
{
	struct ckpt_image_pipe_buf *img;
	unsigned int i;
	u64 bufs, len;
	u8 *bytes;
	int ret;

	count_contents(pipe, &bufs, &len);
	img = ckpt_put_nr(rec, PIPE, BUFS, bufs);
	bytes = ckpt_put_nr(rec, PIPE, BYTES, len);
	if (!img || !bytes)
		return -ENOMEM;
	for (i = pipe->tail; i != pipe->head; i++) {
		struct pipe_buffer *buf = &pipe->bufs[i & (pipe->ring_size - 1)];

		if (!buf->len)
			continue;
		ret = check_buf(cp, pipe, buf);
		if (ret)
			return ret;
		img->len = buf->len;
		img->flags = buf->flags & PIPE_BUF_FLAG_PACKET ? CKPT_PIPE_PACKET : 0;
		copy_buf(buf, bytes);
		bytes += buf->len;
		img++;
	}
	return 0;
}

static int save_pipe(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct inode *inode = obj->ptr;
	struct pipe_inode_info *pipe = inode->i_pipe;
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_PIPE);
	struct ckpt_image_pipe *img = ckpt_put(rec, PIPE, BASE);
	int ret;

	if (!img)
		return -ENOMEM;
	/* somebody outside may hold it, who waits for a page of his own */
	if (mutex_lock_killable(&pipe->mutex))
		return -EINTR;
	img->ref = obj->ref;
	img->size = pipe->max_usage * PAGE_SIZE;
	img->mode = inode->i_mode & 07777;
	img->uid = from_kuid(current_user_ns(), inode->i_uid);
	img->gid = from_kgid(current_user_ns(), inode->i_gid);
	ret = save_contents(cp, pipe, rec);
	mutex_unlock(&pipe->mutex);
	return ret ? : ckpt_done(cp, rec);
}

/* both ends must be the container's; called when all files are known */
int ckpt_check_pipes(struct ckpt_checkpoint *cp)
{
	struct ckpt_obj *obj;

	ckpt_for_each_obj(obj, cp, &ckpt_type_pipe) {
		struct inode *inode = obj->ptr;
		struct pipe_inode_info *pipe = inode->i_pipe;

		if (pipe->readers != obj->ends[0] || pipe->writers != obj->ends[1])
			ckpt_refuse(cp, -EBUSY,
				    "pipe:[%lu] has an end outside of the container; run it with its output to a file",
				    inode->i_ino);
	}
	return 0;
}

/*
 * Make both ends; @ends: reading, writing.  The pipe counts for whose it is, but
 * its size and its owner are the restarter's to set.
 */
static int make_ends(struct ckpt_restart *rs, const struct ckpt_image_pipe *img,
		     const struct cred *cred, struct file **ends)
{
	const struct cred *old = override_creds(cred);
	unsigned long scratch = ckpt_scratch(rs);
	int fds[2];
	long ret;

	ret = ckpt_syscall(pipe2, scratch, 0);
	revert_creds(old);
	if (ret)
		return ret;
	if (copy_from_user(fds, (void __user *)scratch, sizeof(fds)))
		return -EFAULT;
	ret = ckpt_syscall(fcntl, fds[1], F_SETPIPE_SZ, img->size);
	ends[0] = ckpt_file_of_fd(fds[0]);
	ends[1] = ckpt_file_of_fd(fds[1]);
	if (ret < 0)
		ckpt_log(ckpt_restore_log(rs), "PIPE %u cannot have its size of %u bytes: error %ld",
			 img->ref, img->size, -ret);
	else if (!IS_ERR(ends[0]))
		ret = ckpt_set_owner(ends[0], img->mode, img->uid, img->gid);
	return ret < 0 ? ret : 0;
}

static int write_buf(struct file *to, const struct ckpt_image_pipe_buf *buf, const void *bytes)
{
	u32 flags = O_NONBLOCK | (buf->flags & CKPT_PIPE_PACKET ? O_DIRECT : 0);
	ssize_t n;

	to->f_flags |= flags;
	n = kernel_write(to, bytes, buf->len, NULL);
	to->f_flags &= ~flags;
	return n == buf->len ? 0 : n < 0 ? n : -EINVAL;
}

/*
 * More than a page was in one buffer, and would need several if it was written:
 * the pipe may not have so many.
 */
static int splice_buf(struct file *to, const struct ckpt_image_pipe_buf *buf, const void *bytes)
{
	struct pipe_inode_info *pipe = file_inode(to)->i_pipe;
	struct page *page;
	int ret = -EAGAIN;

	page = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_COMP | __GFP_NOWARN, get_order(buf->len));
	if (!page)
		return -ENOMEM;
	memcpy(page_address(page), bytes, buf->len);
	mutex_lock(&pipe->mutex);
	if (!pipe_full(pipe->head, pipe->tail, pipe->max_usage)) {
		pipe->bufs[pipe->head & (pipe->ring_size - 1)] = (struct pipe_buffer){
			.page = page,
			.len = buf->len,
			.ops = &nosteal_pipe_buf_ops,
		};
		pipe->head++;
		ret = 0;
	}
	mutex_unlock(&pipe->mutex);
	if (ret)
		put_page(page);
	return ret;
}

static int fill_buf(struct file *to, const struct ckpt_image_pipe_buf *buf, const void *bytes)
{
	return buf->len > PAGE_SIZE ? splice_buf(to, buf, bytes) : write_buf(to, buf, bytes);
}

static int fill(const struct ckpt_rec_buf *rec, struct file *to)
{
	const struct ckpt_image_pipe_buf *bufs;
	const u8 *bytes = ckpt_get(rec, PIPE, BYTES);
	u64 i, nr;
	int ret;

	bufs = ckpt_get_nr(rec, PIPE, BUFS, &nr);
	for (i = 0; i < nr; i++) {
		ret = fill_buf(to, &bufs[i], bytes);
		if (ret)
			return ret;
		bytes += bufs[i].len;
	}
	return 0;
}

static void put_ends(void *ptr)
{
	struct pipe_ends *ends = ptr;
	int i;

	for (i = 0; i < ARRAY_SIZE(ends->file); i++)
		if (!IS_ERR_OR_NULL(ends->file[i]))
			fput(ends->file[i]);
	kfree(ends);
}

static int check_pipe(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_pipe *img = ckpt_get(buf, PIPE, BASE);
	const struct ckpt_image_pipe_buf *bufs;
	u64 i, nr, bytes, sum = 0;

	bufs = ckpt_get_nr(buf, PIPE, BUFS, &nr);
	ckpt_get_nr(buf, PIPE, BYTES, &bytes);
	for (i = 0; i < nr; i++) {
		bool packet = bufs[i].flags & CKPT_PIPE_PACKET;

		if (!bufs[i].len || bufs[i].len > (packet ? PAGE_SIZE : CKPT_PIPE_BUF_MAX))
			return ckpt_malformed(log, buf);
		sum += bufs[i].len;
	}
	return sum == bytes && img->size <= INT_MAX && !(img->mode & ~07777) ?
		0 : ckpt_malformed(log, buf);
}

/* the pipe of a number, with its contents; @cred: of the file that it is made for */
static struct pipe_ends *make_pipe(struct ckpt_restart *rs, u32 ref, const struct cred *cred)
{
	const struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_pipe);
	struct pipe_ends *ends;
	int ret;

	if (!buf)
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), -EINVAL, "the image has no PIPE %u", ref));
	ends = kzalloc(sizeof(*ends), GFP_KERNEL);
	if (!ends)
		return ERR_PTR(-ENOMEM);
	ret = make_ends(rs, ckpt_get(buf, PIPE, BASE), cred, ends->file);
	if (!ret)
		ret = fill(buf, ends->file[1]);
	if (ret) {
		put_ends(ends);
		return ERR_PTR(ret);
	}
	ret = ckpt_add_restored(rs, ref, &ckpt_type_pipe, ends);
	return ret ? ERR_PTR(ret) : ends;
}

static void take_inode(void *ptr)
{
	ihold(ptr);
}

static void drop_inode(void *ptr)
{
	iput(ptr);
}

/* known by its inode; at restart by the two ends that it was made with */
const struct ckpt_type ckpt_type_pipe = {
	.name = "PIPE",
	.record = CKPT_REC_PIPE,
	.take = take_inode,
	.drop = drop_inode,
	.save = save_pipe,
	.check = check_pipe,
	.put = put_ends,
};

static int pipe_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_pipe *img = ckpt_get(buf, FILE, PIPE);

	return img && (img->end == 1 || img->end == 2) ? 0 : ckpt_malformed(log, buf);
}

/*
 * An end: opened anew on the pipe, so that each description of the image is one
 * here.  The two that the pipe was made with go when the restart is complete.
 */
static struct file *pipe_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				 const struct cred *cred)
{
	const struct ckpt_image_file_pipe *img = ckpt_get(buf, FILE, PIPE);
	u32 flags = ckpt_get(buf, FILE, BASE)->flags;
	struct pipe_ends *ends;
	struct file *file;

	ends = ckpt_find_restored(rs, img->pipe, &ckpt_type_pipe);
	if (!ends)
		ends = make_pipe(rs, img->pipe, cred);
	if (IS_ERR(ends))
		return ERR_CAST(ends);
	file = dentry_open(&ends->file[img->end - 1]->f_path, (flags & O_NONBLOCK) |
			   (img->end == 1 ? O_RDONLY : O_WRONLY), cred);
	if (IS_ERR(file))
		return file;
	/* of a pipe it means packets, for which an open asks no leave */
	file->f_flags |= flags & O_DIRECT;
	/* RWF_NOWAIT: given to the ends that a pipe is made with, and not by an open */
	file->f_mode |= ends->file[img->end - 1]->f_mode & FMODE_NOWAIT;
	return file;
}

const struct ckpt_file_ops ckpt_file_pipe = {
	.name = "pipe",
	.kind = CKPT_FILE_PIPE,
	.has_cred = true,
	.mine = pipe_mine,
	.save = pipe_save,
	.check = pipe_check,
	.restore = pipe_restore,
};
