// SPDX-License-Identifier: GPL-2.0-only
/*
 * Breakpoints that somebody who traces on this machine has set in a program
 * (uprobes; perf, bpftrace and others set them).  They are not the program's, and
 * would kill it where nobody traces.  K16
 */
#include <linux/pagemap.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/uprobes.h>

#include "memory.h"

#ifdef CONFIG_UPROBES
/*
 * Where instructions are executed that a breakpoint stands in for.  It stays
 * when nobody traces any more; a task that is in it is refused by what it has
 * to remember (tasks/features.c).
 */
bool ckpt_vma_is_uprobes(struct vm_area_struct *vma)
{
	return vma->vm_mm->uprobes_state.xol_area && vma->vm_ops && vma->vm_ops->name &&
	       !strcmp(vma->vm_ops->name(vma), "[uprobes]");
}

/* by walk_page_range(), with the page table locked: a page that is not the file's any more */
static int find_own(pte_t *ptep, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	unsigned long *found = walk->private;
	pte_t pte = *ptep;

	if (pte_none_mostly(pte) ||
	    (pte_present(pte) && (pte_special(pte) || !PageAnon(pte_page(pte)))))
		return 0;
	*found = addr;
	return 1;
}

static const struct mm_walk_ops own_ops = {
	.pte_entry = find_own,
	CKPT_WALK_RDLOCK
};

/*
 * Has the page the instruction where its file has another?  Only what is in
 * memory of the file is looked at, which waits for nobody; what is not may be.
 * A breakpoint is one byte: data that differ otherwise, too, as relocations do,
 * are the program's.
 */
static bool has_breakpoint(struct vm_area_struct *vma, unsigned long addr, struct page *page)
{
	struct page *file = find_get_page(vma->vm_file->f_mapping, linear_page_index(vma, addr));
	bool known = file && PageUptodate(file), exec = vma->vm_flags & VM_EXEC;
	bool has = false, others = false;
	u8 *ours, *theirs;
	int i;

	BUILD_BUG_ON(UPROBE_SWBP_INSN_SIZE != 1);
	ours = kmap_local_page(page);
	theirs = known ? kmap_local_page(file) : NULL;
	for (i = 0; i < PAGE_SIZE; i++) {
		if (known && ours[i] == theirs[i])
			continue;
		if (ours[i] == UPROBE_SWBP_INSN)
			has = true;
		else
			others = true;
	}
	if (known)
		kunmap_local(theirs);
	kunmap_local(ours);
	if (file)
		put_page(file);
	return has && (exec || !others);
}

/*
 * ckpt_vma_has_breakpoints - is there one in this mapping?
 *
 * The mm is marked from the first one on, but not unmarked with the last; so the
 * mark alone says nothing.  mmap_lock is held.
 */
bool ckpt_vma_has_breakpoints(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;
	unsigned long addr = vma->vm_start, found;
	struct page *page;
	bool has = false;

	if (!test_bit(MMF_HAS_UPROBES, &mm->flags) || !vma->vm_file ||
	    (vma->vm_flags & (VM_MAYEXEC | VM_MAYSHARE)) != VM_MAYEXEC)
		return false;
	while (!has && k_walk_page_range(mm, addr, vma->vm_end, &own_ops, &found) > 0) {
		addr = found + PAGE_SIZE;
		if (ckpt_get_user_pages(mm, found, 1, FOLL_FORCE, &page) != 1)
			continue;
		has = has_breakpoint(vma, found, page);
		put_page(page);
	}
	return has;
}
#else
bool ckpt_vma_is_uprobes(struct vm_area_struct *vma)
{
	return false;
}

bool ckpt_vma_has_breakpoints(struct vm_area_struct *vma)
{
	return false;
}
#endif
