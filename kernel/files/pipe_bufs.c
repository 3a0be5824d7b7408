// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in a pipe: buffers of bytes, each of which has one of the places that the pipe's
 * size gives.  They come back one by one, and not by write(2), which would put two into one
 * place where there were two, and tell the file of a named pipe that it was written to.  C3.
 */
#include <linux/highmem.h>
#include <linux/slab.h>

#include "pipe.h"

/* what is saved: how many buffers, of how many bytes */
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

static int check_buf(struct ckpt_checkpoint *cp, struct inode *inode, struct pipe_buffer *buf)
{
	int ret = pipe_buf_confirm(inode->i_pipe, buf);

	if (ret)
		return ckpt_refuse(cp, ret, "pipe:[%lu] has data of a file that cannot be read any more: error %d",
				   inode->i_ino, -ret);
	if (buf->len > CKPT_PIPE_BUF_MAX)
		return ckpt_refuse(cp, -EOPNOTSUPP, "pipe:[%lu] with %u bytes in one piece is not supported",
				   inode->i_ino, buf->len);
	return 0;
}

static void save_buf(const struct pipe_buffer *buf, struct ckpt_image_pipe_buf *img)
{
	img->len = buf->len;
	if (buf->flags & PIPE_BUF_FLAG_PACKET)
		img->flags |= CKPT_PIPE_PACKET;
	/* what is written next goes behind it, as far as its page has room */
	if (buf->flags & PIPE_BUF_FLAG_CAN_MERGE) {
		img->flags |= CKPT_PIPE_MERGE;
		img->offset = buf->offset;
	}
}

int ckpt_save_pipe_bufs(struct ckpt_checkpoint *cp, struct inode *inode, struct ckpt_rec_out *rec)
{
	struct pipe_inode_info *pipe = inode->i_pipe;
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
		ret = check_buf(cp, inode, buf);
		if (ret)
			return ret;
		save_buf(buf, img++);
		copy_buf(buf, bytes);
		bytes += buf->len;
	}
	return 0;
}

static bool buf_ok(const struct ckpt_image_pipe_buf *img)
{
	if (!img->len || img->len > CKPT_PIPE_BUF_MAX)
		return false;
	if (img->flags & CKPT_PIPE_MERGE)
		return !(img->flags & CKPT_PIPE_PACKET) && img->offset < PAGE_SIZE &&
		       img->len <= PAGE_SIZE - img->offset;
	return !img->offset && (!(img->flags & CKPT_PIPE_PACKET) || img->len <= PAGE_SIZE);
}

bool ckpt_pipe_bufs_ok(const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_pipe_buf *bufs;
	u64 i, nr, bytes, sum = 0;

	bufs = ckpt_get_nr(buf, PIPE, BUFS, &nr);
	ckpt_get_nr(buf, PIPE, BYTES, &bytes);
	for (i = 0; i < nr; i++) {
		if (!buf_ok(&bufs[i]))
			return false;
		sum += bufs[i].len;
	}
	return sum == bytes && nr <= ckpt_get(buf, PIPE, BASE)->size >> PAGE_SHIFT;
}

/* a buffer of more than a page was one of a compound page, and is again */
static int put_buf(struct pipe_inode_info *pipe, const struct ckpt_image_pipe_buf *img,
		   const void *bytes)
{
	unsigned int order = get_order(img->offset + img->len);
	struct page *page;

	if (pipe_full(pipe->head, pipe->tail, pipe->max_usage))
		return -EAGAIN;
	page = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_NOWARN | (order ? __GFP_COMP : 0), order);
	if (!page)
		return -ENOMEM;
	memcpy(page_address(page) + img->offset, bytes, img->len);
	pipe->bufs[pipe->head & (pipe->ring_size - 1)] = (struct pipe_buffer){
		.page = page,
		.offset = img->offset,
		.len = img->len,
		.ops = &nosteal_pipe_buf_ops,
		.flags = (img->flags & CKPT_PIPE_PACKET ? PIPE_BUF_FLAG_PACKET : 0) |
			 (img->flags & CKPT_PIPE_MERGE ? PIPE_BUF_FLAG_CAN_MERGE : 0),
	};
	pipe->head++;
	return 0;
}

int ckpt_fill_pipe(struct pipe_inode_info *pipe, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_pipe_buf *bufs;
	const u8 *bytes = ckpt_get(buf, PIPE, BYTES);
	u64 i, nr;
	int ret;

	bufs = ckpt_get_nr(buf, PIPE, BUFS, &nr);
	for (i = 0; i < nr; i++) {
		ret = put_buf(pipe, &bufs[i], bytes);
		if (ret)
			return ret;
		bytes += bufs[i].len;
	}
	return 0;
}
