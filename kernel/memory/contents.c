// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of memory on their way in: from the stream into the address spaces
 * and the shared memory of the restarted.  S10.
 */
#include <linux/highmem.h>
#include <linux/memcontrol.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/xxhash.h>

#include "file.h"
#include "memory.h"

/* a page of a restarted address space, private memory only: to be written */
static int page_of_mm(struct mm_struct *mm, u64 addr, struct page **page)
{
	struct vm_area_struct *vma;
	long got = -EFAULT;

	if (addr >= TASK_SIZE_MAX || !PAGE_ALIGNED(addr))
		return -EINVAL;
	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	if (vma && !(vma->vm_flags & (VM_SHARED | VM_MAYSHARE | VM_PFNMAP | VM_IO)))
		got = ckpt_get_user_pages(mm, addr, 1, FOLL_WRITE | FOLL_FORCE, page);
	mmap_read_unlock(mm);
	return got == 1 ? 0 : got < 0 ? got : -EFAULT;
}

/* charged to @payer, and not to current, who is outside of the container */
static int page_of_shmem(struct inode *inode, u64 offset, struct mem_cgroup *payer,
			 struct page **page)
{
	struct mem_cgroup *old;

	if (!PAGE_ALIGNED(offset) || offset >= i_size_read(inode))
		return -EINVAL;
	old = set_active_memcg(payer);
	*page = shmem_read_mapping_page(inode->i_mapping, offset >> PAGE_SHIFT);
	set_active_memcg(old);
	return PTR_ERR_OR_ZERO(*page);
}

static int find_page(struct ckpt_restart *rs, u32 ref, u64 addr, struct mem_cgroup *payer,
		     struct page **page)
{
	void *ptr;

	ptr = ckpt_find_restored(rs, ref, &ckpt_type_mm);
	if (ptr)
		return page_of_mm(ptr, addr, page);
	ptr = ckpt_find_restored(rs, ref, &ckpt_type_shmem);
	if (ptr)
		return page_of_shmem(file_inode(ptr), addr, payer, page);
	ptr = ckpt_find_restored(rs, ref, &ckpt_type_inode);
	if (ptr)
		return page_of_shmem(ckpt_inode_memory(ptr), addr, payer, page);
	return -ENOENT;
}

/* what is behind the file's end is in no file */
static int write_page(struct file *file, u64 offset, const void *p)
{
	loff_t size = file ? i_size_read(file_inode(file)) : 0, pos = offset;
	ssize_t n, len;

	if (!PAGE_ALIGNED(offset) || offset >= size)
		return -EINVAL;
	len = min_t(loff_t, PAGE_SIZE, size - pos);
	n = kernel_write(file, p, len, &pos);
	return n == len ? 0 : n < 0 ? n : -EIO;
}

/* a page of a file of a file system, which has to be told what is written */
static int read_file_page(struct ckpt_restart *rs, u32 ref, u64 offset, struct file *file,
			  struct xxh64_state *sum)
{
	struct ckpt_in *in = ckpt_restore_in(rs);
	void *p = (void *)__get_free_page(GFP_KERNEL);
	int ret;

	if (!p)
		return -ENOMEM;
	ret = ckpt_in_read(in, p, PAGE_SIZE);
	if (ret)
		goto out;
	xxh64_update(sum, p, PAGE_SIZE);
	in->pages++;
	ret = write_page(file, offset, p);
	if (ret)
		ckpt_fail(ckpt_restore_log(rs), ret, "page %#llx of INODE %u cannot be written: error %d",
			  offset, ref, -ret);
out:
	free_page((unsigned long)p);
	return ret;
}

static int read_page(struct ckpt_restart *rs, u32 ref, u64 addr, struct mem_cgroup *payer,
		     struct xxh64_state *sum)
{
	void *inode = ckpt_find_restored(rs, ref, &ckpt_type_inode);
	struct ckpt_in *in = ckpt_restore_in(rs);
	struct page *page;
	void *p;
	int ret;

	/* in memory whole pages are written, also what mappings have behind the end */
	if (inode && !ckpt_inode_memory(inode))
		return read_file_page(rs, ref, addr, ckpt_inode_writer(inode), sum);
	ret = find_page(rs, ref, addr, payer, &page);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret == -ENOMEM ? ret : -EINVAL,
				 "page %#llx of object %u has no place: error %d", addr, ref, -ret);
	p = kmap_local_page(page);
	ret = ckpt_in_read(in, p, PAGE_SIZE);
	if (!ret)
		xxh64_update(sum, p, PAGE_SIZE);
	kunmap_local(p);
	set_page_dirty_lock(page);
	put_page(page);
	in->pages++;
	return ret;
}

static int wrong_sum(struct ckpt_restart *rs, u32 ref, const struct ckpt_image_run *run)
{
	return ckpt_fail(ckpt_restore_log(rs), -EINVAL,
			 "the image is damaged: %u pages from %#llx on of object %u have a wrong checksum",
			 run->count, run->addr, ref);
}

static int read_run(struct ckpt_restart *rs, u32 ref, const struct ckpt_image_run *run,
		    struct mem_cgroup *payer)
{
	struct xxh64_state sum;
	int ret;
	u32 i;

	xxh64_reset(&sum, 0);
	for (i = 0; i < run->count; i++) {
		ret = read_page(rs, ref, run->addr + (u64)i * PAGE_SIZE, payer, &sum);
		if (ret)
			return ret;
	}
	return xxh64_digest(&sum) == run->sum ? 0 : wrong_sum(rs, ref, run);
}

/* zeroes at the end of the body, if it has any */
static bool fill_ok(const struct ckpt_rec_buf *buf)
{
	const u8 *fill;
	u64 nr;

	fill = ckpt_get_nr(buf, PAGES, FILL, &nr);
	return !fill || (fill + ALIGN(nr, 8) == buf->body + buf->len && !memchr_inv(fill, 0, nr));
}

/* do the runs have as many pages as the record says, and end at a page of the stream? */
static int check_pages(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_pages *img = ckpt_get(buf, PAGES, BASE);
	const struct ckpt_image_run *run;
	u64 i, nr, sum = 0;

	run = ckpt_get_nr(buf, PAGES, RUNS, &nr);
	for (i = 0; i < nr; i++) {
		if (!run[i].count || run[i].count > CKPT_PAGES_MAX)
			return ckpt_malformed(ckpt_restore_log(rs), buf);
		sum += run[i].count;
	}
	return sum == img->nr && sum <= CKPT_PAGES_MAX && fill_ok(buf) &&
	       IS_ALIGNED(ckpt_restore_in(rs)->pos, CKPT_PAGE_SIZE) ?
		0 : ckpt_malformed(ckpt_restore_log(rs), buf);
}

/* the container's; a reference, or NULL */
static struct mem_cgroup *payer_of(struct ckpt_restart *rs)
{
	struct mm_struct *mm = get_task_mm(ckpt_restore_root_task(rs));
	struct mem_cgroup *memcg;

	/* killed: the restart is about to fail */
	if (!mm)
		return NULL;
	memcg = get_mem_cgroup_from_mm(mm);
	mmput(mm);
	return memcg;
}

static int read_batch(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_run *run;
	struct mem_cgroup *payer;
	int ret;
	u64 i, nr;

	ret = check_pages(rs, buf);
	run = ckpt_get_nr(buf, PAGES, RUNS, &nr);
	payer = payer_of(rs);
	for (i = 0; i < nr && !ret; i++)
		ret = read_run(rs, ckpt_ref_of(buf), &run[i], payer);
	mem_cgroup_put(payer);
	return ret;
}

/* the pages of the record pass by, and must be what their sums say */
static int verify_batch(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	struct ckpt_in *in = ckpt_restore_in(rs);
	const struct ckpt_image_run *run;
	struct xxh64_state sum;
	int ret;
	u64 i, nr;
	u32 n;
	void *p;

	ret = check_pages(rs, buf);
	if (ret)
		return ret;
	p = (void *)__get_free_page(GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	run = ckpt_get_nr(buf, PAGES, RUNS, &nr);
	for (i = 0; i < nr && !ret; i++) {
		xxh64_reset(&sum, 0);
		for (n = 0; n < run[i].count && !ret; n++) {
			ret = ckpt_in_read(in, p, PAGE_SIZE);
			xxh64_update(&sum, p, PAGE_SIZE);
			in->pages++;
		}
		if (!ret && xxh64_digest(&sum) != run[i].sum)
			ret = wrong_sum(rs, ckpt_ref_of(buf), &run[i]);
	}
	free_page((unsigned long)p);
	return ret;
}

/* the rest of the image: all pages, each record by @take, and the trailer */
static int each_pages(struct ckpt_restart *rs,
		      int (*take)(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf))
{
	struct ckpt_in *in = ckpt_restore_in(rs);
	struct ckpt_rec_buf *buf;
	bool end = false;
	int ret = 0;

	while (!end && !ret) {
		/* a task may have died, and the restart with it */
		ret = ckpt_restore_failed(rs);
		if (ret)
			return ret;
		buf = ckpt_rec_read(in);
		if (IS_ERR(buf))
			return PTR_ERR(buf);
		if (buf->type == CKPT_REC_PAGES) {
			ret = take(rs, buf);
		} else if (buf->type == CKPT_REC_TRAILER) {
			ret = ckpt_in_end(in, buf);
			end = true;
		} else {
			ret = ckpt_fail(ckpt_restore_log(rs), -EOPNOTSUPP,
					"a record %s (type %u) is out of place or not supported",
					ckpt_rec_name(buf->type), buf->type);
		}
		ckpt_rec_free(buf);
		cond_resched();
	}
	return ret;
}

int ckpt_read_pages(struct ckpt_restart *rs)
{
	return each_pages(rs, read_batch);
}

int ckpt_verify_pages(struct ckpt_restart *rs)
{
	return each_pages(rs, verify_batch);
}
