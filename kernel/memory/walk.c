// SPDX-License-Identifier: GPL-2.0-only
/*
 * The copy of an address space as a source of pages.  Those that were never
 * touched, are zero, or are still those of their file are left out.  T9.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "memory.h"

struct gather {
	struct ckpt_page_batch *b;
	unsigned long next;		/* where to go on */
	bool was_file;			/* and zeroes are contents */
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
	if (pte_present(pte) && is_zero_pfn(pte_pfn(pte))) {
		if (!g->was_file)
			return 0;
	} else if (pte_present(pte) && (pte_special(pte) || !PageAnon(pte_page(pte)))) {
		return 0;
	}
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
		zero = !ckpt_copy_was_file(vma) && !memchr_inv(p, 0, PAGE_SIZE);
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

		if (vma->vm_flags & (VM_SHARED | VM_MAYSHARE | VM_PFNMAP | VM_IO | CKPT_VM_DROPPABLE))
			continue;
		g.next = 0;
		g.was_file = ckpt_copy_was_file(vma);
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

static void mm_free(struct ckpt_source *src)
{
	struct ckpt_mm_copy *copy = ckpt_mm_copy_of(src);

	if (copy->copy)
		mmput(copy->copy);
	if (copy->mm)
		mmput(copy->mm);
	kfree(copy);
}

static int mm_stream(struct ckpt_source *src, struct ckpt_page_batch *b, struct ckpt_sink *sink)
{
	long next = 0;
	int ret;

	do {
		next = fill_batch(ckpt_mm_copy_of(src)->copy, next, b);
		if (next < 0) {
			ckpt_batch_put(b);
			return next;
		}
		ret = sink->put(sink, b);
		if (ret)
			return ret;
		cond_resched();
	} while (next);
	return 0;
}

const struct ckpt_source_ops ckpt_mm_source = {
	.stream = mm_stream,
	.free = mm_free,
};
