// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of files that have no name any more, or lie in a tmpfs of the container's own:
 * nobody can read them later, so they are copied while the container is frozen, as shared
 * memory is.  C2, T10.
 */
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "file.h"
#include "memory.h"

struct kept {
	struct ckpt_source src;
	struct file *file;		/* ours, for reading; NULL when it is copied */
	struct inode *inode;		/* or of a tmpfs's the inode, which its object holds while it is copied */
	loff_t size;			/* bytes, as the image says */
	struct xarray pages;		/* struct page of ours, by index */
};

static struct kept *kept_of(struct ckpt_source *src)
{
	return container_of(src, struct kept, src);
}

/*
 * The next bytes that are no hole, from *@from on: [*@from, *@to).  Returns 1, 0 if
 * there are none, or a negative errno: -EAGAIN if somebody outside changes them.
 */
static int next_data(struct ckpt_checkpoint *cp, struct file *file, loff_t size, loff_t *from,
		     loff_t *to)
{
	loff_t pos;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (ckpt_save_overdue(cp))
		return -ETIMEDOUT;
	cond_resched();

	if (*from >= size)
		return 0;
	pos = vfs_llseek(file, *from, SEEK_DATA);
	if (pos == -ENXIO || pos >= size)
		return 0;
	if (pos < 0)
		return pos;
	*from = pos;
	pos = vfs_llseek(file, pos, SEEK_HOLE);
	if (pos < 0)
		return pos;
	*to = min(pos, size);
	return *to > *from ? 1 : -EAGAIN;
}

/*
 * ckpt_data_in - how many bytes of a file are no holes
 * @size: of it, bytes
 * @most: who has more than these is not looked at any further
 *
 * Returns bytes, or a negative errno.
 */
loff_t ckpt_data_in(struct ckpt_checkpoint *cp, struct file *file, loff_t size, loff_t most)
{
	loff_t from = 0, to = 0, sum = 0;
	int ret;

	while ((ret = next_data(cp, file, size, &from, &to)) > 0 && sum <= most) {
		sum += to - from;
		from = to;
	}
	return ret < 0 ? ret : sum;
}

/* the container pays for the copy alone, and not for what is read for it */
static int keep_page(struct kept *k, pgoff_t index, struct page *page, struct mem_cgroup *memcg)
{
	struct mem_cgroup *old = set_active_memcg(memcg);
	int ret = xa_err(xa_store(&k->pages, index, page, CKPT_GFP_COPY));

	set_active_memcg(old);
	return ret;
}

static struct page *new_page(struct mem_cgroup *memcg)
{
	struct mem_cgroup *old = set_active_memcg(memcg);
	struct page *page = alloc_page(CKPT_GFP_COPY | __GFP_ZERO);

	set_active_memcg(old);
	return page;
}

/* a page of zeroes is left out: it comes back as a hole */
static int copy_page_at(struct kept *k, loff_t pos, struct mem_cgroup *memcg)
{
	ssize_t n, len = min_t(loff_t, PAGE_SIZE, k->size - pos);
	pgoff_t index = pos >> PAGE_SHIFT;
	struct page *page;
	int ret = 0;

	page = new_page(memcg);
	if (!page)
		return -ENOMEM;
	n = kernel_read(k->file, page_address(page), len, &pos);
	if (n != len)
		ret = n < 0 ? n : -EAGAIN;
	if (ret || !memchr_inv(page_address(page), 0, PAGE_SIZE)) {
		__free_page(page);
		return ret;
	}
	ret = keep_page(k, index, page, memcg);
	if (ret)
		__free_page(page);
	return ret;
}

static int copy_data(struct ckpt_checkpoint *cp, struct kept *k, loff_t from, loff_t to,
		     struct mem_cgroup *memcg)
{
	loff_t pos;
	int ret;

	for (pos = round_down(from, PAGE_SIZE); pos < to; pos += PAGE_SIZE) {
		ret = copy_page_at(k, pos, memcg);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (ckpt_save_overdue(cp))
			return -ETIMEDOUT;
		cond_resched();
	}
	return 0;
}

static void close_kept(struct kept *k)
{
	if (k->file)
		fput(k->file);
	k->file = NULL;
}

static int copy_from_disk(struct ckpt_checkpoint *cp, struct kept *k, struct mem_cgroup *memcg)
{
	loff_t from = 0, to = 0;
	int ret;

	while ((ret = next_data(cp, k->file, k->size, &from, &to)) > 0) {
		ret = copy_data(cp, k, from, to, memcg);
		if (ret)
			break;
		from = round_up(to, PAGE_SIZE);
	}
	return ret;
}

/* whole pages, also what mappings have behind the end; swap that comes in is the container's, too */
static int copy_from_tmpfs(struct ckpt_checkpoint *cp, struct kept *k, struct inode *inode,
			   struct mem_cgroup *memcg)
{
	struct mem_cgroup *old = set_active_memcg(memcg);
	int ret = ckpt_copy_shmem_pages(cp, inode->i_mapping, DIV_ROUND_UP(k->size, PAGE_SIZE),
					&k->pages);

	set_active_memcg(old);
	return ret;
}

static int copy_kept(struct ckpt_checkpoint *cp, struct kept *k, struct mem_cgroup *memcg)
{
	struct inode *inode = k->inode ? : d_real_inode(k->file->f_path.dentry);
	int ret;

	if (inode->i_sb->s_magic == TMPFS_MAGIC)
		ret = copy_from_tmpfs(cp, k, inode, memcg);
	else
		ret = copy_from_disk(cp, k, memcg);
	if (ret == -ENOMEM && k->inode)
		ckpt_fail(ckpt_save_log(cp), ret,
			  "there is no room for a copy of the container's own tmpfs, for which its cgroup pays: see memory.max, or memory.swap.max");
	else if (ret && ret != -EINTR && ret != -ETIMEDOUT && ret != -EAGAIN && k->inode)
		ckpt_fail(ckpt_save_log(cp), ret, "a file of the container's own tmpfs cannot be read: error %d", -ret);
	else if (ret == -ENOMEM)
		ckpt_fail(ckpt_save_log(cp), ret,
			  "there is no room for a copy of the deleted file %pD, for which the container's cgroup pays: see memory.max",
			  k->file);
	else if (ret && ret != -EINTR && ret != -ETIMEDOUT && ret != -EAGAIN)
		ckpt_fail(ckpt_save_log(cp), ret, "the deleted file %pD cannot be read: error %d",
			  k->file, -ret);
	close_kept(k);
	return ret;
}

static int kept_stream(struct ckpt_source *src, struct ckpt_page_batch *b, struct ckpt_sink *sink)
{
	return ckpt_stream_copies(&kept_of(src)->pages, b, sink);
}

static void kept_free(struct ckpt_source *src)
{
	struct kept *k = kept_of(src);

	close_kept(k);
	ckpt_free_copies(&k->pages);
	kfree(k);
}

static const struct ckpt_source_ops kept_source = {
	.stream = kept_stream,
	.free = kept_free,
};

static struct kept *add_kept(struct ckpt_checkpoint *cp, u32 ref, loff_t size)
{
	struct kept *k = kzalloc(sizeof(*k), GFP_KERNEL);

	if (!k)
		return NULL;
	k->src.ref = ref;
	k->src.ops = &kept_source;
	k->size = size;
	xa_init_flags(&k->pages, XA_FLAGS_ACCOUNT);
	ckpt_add_source(cp, &k->src);
	return k;
}

/*
 * ckpt_keep_contents - the contents of @file are to be in the image, as those of @ref
 * @file: open for reading and ours alone; its reference is taken over, also on error
 * @size: of it, bytes, as the image says
 *
 * Returns 0 or -ENOMEM.
 */
int ckpt_keep_contents(struct ckpt_checkpoint *cp, u32 ref, struct file *file, loff_t size)
{
	struct kept *k = add_kept(cp, ref, size);

	if (!k) {
		fput(file);
		return -ENOMEM;
	}
	k->file = file;
	return 0;
}

/* ckpt_keep_shmem - the same of a file of tmpfs, whose inode has an object */
int ckpt_keep_shmem(struct ckpt_checkpoint *cp, u32 ref, struct inode *inode, loff_t size)
{
	struct kept *k = add_kept(cp, ref, size);

	if (!k)
		return -ENOMEM;
	k->inode = inode;
	return 0;
}

/* ckpt_free_kept - give the copies back; waits for nobody */
void ckpt_free_kept(struct ckpt_checkpoint *cp)
{
	ckpt_free_sources(cp, &kept_source);
}

/*
 * ckpt_copy_kept - copy the contents of all that are to be kept; the container is frozen
 *
 * Its memory cgroup pays, as it does for copies of shared memory.
 *
 * Returns 0, -EINTR if current was killed, -ETIMEDOUT if the container was let go, or
 * another negative errno with a sentence.
 */
int ckpt_copy_kept(struct ckpt_checkpoint *cp)
{
	struct mem_cgroup *memcg;
	struct ckpt_source *src;
	int ret = 0;

	memcg = get_mem_cgroup_from_mm(ckpt_save_root_task(cp)->mm);
	list_for_each_entry(src, ckpt_sources(cp), list) {
		if (src->ops == &kept_source)
			ret = copy_kept(cp, kept_of(src), memcg);
		if (ret)
			break;
	}
	mem_cgroup_put(memcg);
	return ret;
}
