// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of memory: from the copies into the stream, and from the stream
 * into the address spaces of the restarted.  Pages that were never touched,
 * are zero, or are still those of their file are not written.  S10, T9.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/swapops.h>
#include <linux/xxhash.h>

#include "engine.h"

static void batch_put(struct ckpt_page_batch *b)
{
	u32 i;

	for (i = 0; i < b->nr; i++)
		put_page(b->page[i]);
	b->nr = 0;
}

static u64 page_sum(struct page *page)
{
	void *p = kmap_local_page(page);
	u64 sum = xxh64(p, PAGE_SIZE, 0);

	kunmap_local(p);
	return sum;
}

/* a record whose end, where the payloads start, is at a multiple of a page */
static struct ckpt_image_pages *pages_rec(struct ckpt_out *out, u32 nr)
{
	struct ckpt_image_pages *img;
	u64 end = out->pos + sizeof(struct ckpt_rec) + struct_size(img, pages, nr);

	return ckpt_rec_new(out, CKPT_REC_PAGES, struct_size(img, pages, nr) +
			    (ALIGN(end, CKPT_PAGE_SIZE) - end));
}

/* write the batch and let its pages go, also on error */
int ckpt_write_batch(struct ckpt_checkpoint *cp, struct ckpt_page_batch *b)
{
	struct ckpt_image_pages *img;
	int ret = -ENOMEM;
	u32 i;

	if (!b->nr)
		return 0;
	img = pages_rec(&cp->out, b->nr);
	if (!img)
		goto out;
	img->ref = b->ref;
	img->nr = b->nr;
	for (i = 0; i < b->nr; i++) {
		img->pages[i].addr = b->addr[i];
		img->pages[i].sum = page_sum(b->page[i]);
	}
	ret = ckpt_out_flush(&cp->out);
	for (i = 0; i < b->nr && !ret; i++) {
		void *p = kmap_local_page(b->page[i]);

		ret = ckpt_out_write(&cp->out, p, PAGE_SIZE);
		kunmap_local(p);
		cp->out.pages++;
	}
out:
	batch_put(b);
	return ret;
}

struct gather {
	struct ckpt_page_batch *b;
	unsigned long next;		/* where to go on */
};

/* by walk_page_range(), with the page table locked */
static int gather_pte(pte_t *ptep, unsigned long addr, unsigned long next,
		      struct mm_walk *walk)
{
	struct gather *g = walk->private;
	pte_t pte = *ptep;

	if (g->b->nr == CKPT_PAGES_MAX) {
		g->next = addr;
		return 1;
	}
	if (pte_none_mostly(pte))
		return 0;
	if (pte_present(pte) && (pte_special(pte) || is_zero_pfn(pte_pfn(pte)) ||
				 !PageAnon(pte_page(pte))))
		return 0;
	g->b->page[g->b->nr] = NULL;
	g->b->addr[g->b->nr++] = addr;
	return 0;
}

static const struct mm_walk_ops gather_ops = {
	.pte_entry = gather_pte,
	CKPT_WALK_RDLOCK
};

/* the addresses become pages; zero pages of anonymous memory are left out */
static int resolve(struct mm_struct *mm, struct vm_area_struct *vma,
		   struct ckpt_page_batch *b, u32 from)
{
	u32 i, to = from, end = b->nr;

	b->nr = from;
	for (i = from; i < end; i++) {
		struct page *page;
		void *p;
		long got;
		bool zero;

		got = ckpt_get_user_pages(mm, b->addr[i], 1, FOLL_FORCE, &page);
		if (got != 1)
			return got < 0 ? got : -EFAULT;
		p = kmap_local_page(page);
		zero = !vma->vm_file && !memchr_inv(p, 0, PAGE_SIZE);
		kunmap_local(p);
		if (zero) {
			put_page(page);
			continue;
		}
		b->addr[to] = b->addr[i];
		b->page[to++] = page;
		b->nr = to;
	}
	return 0;
}

/*
 * Fill the batch from @addr on.  Returns where to go on, 0 at the end, or an
 * error.  mm is a copy of ours, which nobody runs in.
 */
static long fill_batch(struct mm_struct *mm, unsigned long addr, struct ckpt_page_batch *b)
{
	struct gather g = { .b = b };
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, addr);
	int ret;

	mmap_read_lock(mm);
	for_each_vma(vmi, vma) {
		u32 from = b->nr;

		if (vma->vm_flags & (VM_SHARED | VM_MAYSHARE | VM_PFNMAP | VM_IO))
			continue;
		g.next = 0;
		ret = k_walk_page_range(mm, max(addr, vma->vm_start), vma->vm_end, &gather_ops, &g);
		if (ret >= 0)
			ret = resolve(mm, vma, b, from);
		else
			b->nr = from;
		if (ret || g.next)
			break;
		ret = 0;
	}
	mmap_read_unlock(mm);
	if (vma && ret)
		return ret;
	return vma ? g.next : 0;
}

static int stream_mm(struct ckpt_checkpoint *cp, struct ckpt_mm_copy *copy,
		     struct ckpt_page_batch *b)
{
	long next = 0;
	int ret;

	b->ref = copy->ref;
	do {
		next = fill_batch(copy->copy, next, b);
		if (next < 0) {
			batch_put(b);
			return next;
		}
		ret = ckpt_write_batch(cp, b);
		if (ret)
			return ret;
		cond_resched();
	} while (next);
	return 0;
}

/* the copies, each given back as soon as it is written */
int ckpt_stream_mms(struct ckpt_checkpoint *cp)
{
	struct ckpt_mm_copy *copy;
	struct ckpt_page_batch *b;
	int ret = 0;

	b = kvzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
	list_for_each_entry(copy, &cp->copies, list) {
		ret = stream_mm(cp, copy, b);
		if (ret)
			break;
		mmput(copy->copy);
		copy->copy = NULL;
	}
	kvfree(b);
	return ret;
}

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

	ptr = ckpt_find_restored(rs, ref, CKPT_OBJ_MM);
	if (ptr)
		return page_of_mm(ptr, addr, page);
	ptr = ckpt_find_restored(rs, ref, CKPT_OBJ_SHMEM);
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
		return ckpt_fail(&rs->log, ret == -ENOMEM ? ret : -EINVAL,
				 "page %#llx of object %u has no place: error %d", img->addr, ref, -ret);
	p = kmap_local_page(page);
	ret = ckpt_in_read(&rs->in, p, PAGE_SIZE);
	kunmap_local(p);
	set_page_dirty_lock(page);
	if (!ret && page_sum(page) != img->sum)
		ret = ckpt_fail(&rs->log, -EINVAL,
				"the image is damaged: page %#llx of object %u has a wrong checksum",
				img->addr, ref);
	put_page(page);
	rs->in.pages++;
	return ret;
}

static int read_batch(struct ckpt_restart *rs, struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_pages *img = ckpt_body(buf);
	int ret;
	u32 i;

	if (buf->rec.len < sizeof(*img) || !img->nr || img->nr > CKPT_PAGES_MAX ||
	    buf->rec.len < struct_size(img, pages, img->nr) ||
	    !IS_ALIGNED(rs->in.pos, CKPT_PAGE_SIZE))
		return ckpt_fail(&rs->log, -EINVAL, "the PAGES in record %u are malformed",
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
		if (READ_ONCE(rs->state) == CKPT_RESTART_FAILED)
			return rs->err;
		buf = ckpt_rec_read(&rs->in);
		if (IS_ERR(buf))
			return PTR_ERR(buf);
		if (buf->rec.type == CKPT_REC_PAGES) {
			ret = read_batch(rs, buf);
		} else if (buf->rec.type == CKPT_REC_TRAILER) {
			ret = ckpt_in_end(&rs->in, buf);
			end = true;
		} else {
			ret = ckpt_fail(&rs->log, -EINVAL, "a record of type %u is out of place",
					buf->rec.type);
		}
		ckpt_rec_free(buf);
		cond_resched();
	}
	return ret;
}
