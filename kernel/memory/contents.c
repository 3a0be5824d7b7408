// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of memory on their way in: from the stream into the address spaces
 * and the shared memory of the restarted.  S10.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

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

static int page_of_shmem(struct file *file, u64 offset, struct page **page)
{
	struct inode *inode = file_inode(file);

	if (!PAGE_ALIGNED(offset) || offset >= i_size_read(inode))
		return -EINVAL;
	*page = shmem_read_mapping_page(inode->i_mapping, offset >> PAGE_SHIFT);
	return PTR_ERR_OR_ZERO(*page);
}

static int find_page(struct ckpt_restart *rs, u32 ref, u64 addr, struct page **page)
{
	void *ptr;

	ptr = ckpt_find_restored(rs, ref, &ckpt_type_mm);
	if (ptr)
		return page_of_mm(ptr, addr, page);
	ptr = ckpt_find_restored(rs, ref, &ckpt_type_shmem);
	if (ptr)
		return page_of_shmem(ptr, addr, page);
	return -ENOENT;
}

static int read_page(struct ckpt_restart *rs, u32 ref, const struct ckpt_image_page *img)
{
	struct page *page;
	void *p;
	int ret;

	ret = find_page(rs, ref, img->addr, &page);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret == -ENOMEM ? ret : -EINVAL,
				 "page %#llx of object %u has no place: error %d", img->addr, ref, -ret);
	p = kmap_local_page(page);
	ret = ckpt_in_read(ckpt_restore_in(rs), p, PAGE_SIZE);
	kunmap_local(p);
	set_page_dirty_lock(page);
	if (!ret && ckpt_page_sum(page) != img->sum)
		ret = ckpt_fail(ckpt_restore_log(rs), -EINVAL,
				"the image is damaged: page %#llx of object %u has a wrong checksum",
				img->addr, ref);
	put_page(page);
	ckpt_restore_in(rs)->pages++;
	return ret;
}

static int read_batch(struct ckpt_restart *rs, struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_pages *img = ckpt_body(buf);
	int ret;
	u32 i;

	if (buf->rec.len < sizeof(*img) || !img->nr || img->nr > CKPT_PAGES_MAX ||
	    buf->rec.len < struct_size(img, pages, img->nr) ||
	    !IS_ALIGNED(ckpt_restore_in(rs)->pos, CKPT_PAGE_SIZE))
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "the PAGES in record %u are malformed",
				 buf->rec.seq);
	for (i = 0; i < img->nr; i++) {
		ret = read_page(rs, img->ref, &img->pages[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/* the rest of the image: all pages, and the trailer */
int ckpt_read_pages(struct ckpt_restart *rs)
{
	struct ckpt_rec_buf *buf;
	bool end = false;
	int ret = 0;

	while (!end && !ret) {
		/* a task may have died, and the restart with it */
		ret = ckpt_restore_failed(rs);
		if (ret)
			return ret;
		buf = ckpt_rec_read(ckpt_restore_in(rs));
		if (IS_ERR(buf))
			return PTR_ERR(buf);
		if (buf->rec.type == CKPT_REC_PAGES) {
			ret = read_batch(rs, buf);
		} else if (buf->rec.type == CKPT_REC_TRAILER) {
			ret = ckpt_in_end(ckpt_restore_in(rs), buf);
			end = true;
		} else {
			ret = ckpt_fail(ckpt_restore_log(rs), -EINVAL, "a record of type %u is out of place",
					buf->rec.type);
		}
		ckpt_rec_free(buf);
		cond_resched();
	}
	return ret;
}
