// SPDX-License-Identifier: GPL-2.0-only
/*
 * A copy of an address space has references to all files that are mapped in it,
 * and to the executable: until the last byte of the image is read, no file system
 * of theirs could be unmounted, and no deleted file would give its space back.
 * Only private pages are written of it, so all else goes.  K7
 */
#include <linux/file.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "memory.h"

/* what a mapping of a copy that was a file's has instead */
static const char was_file;

bool ckpt_copy_was_file(struct vm_area_struct *vma)
{
	return vma->vm_private_data == &was_file;
}

/* by walk_page_range(), with the page table locked */
static int find_zero(pte_t *ptep, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	unsigned long *found = walk->private;
	pte_t pte = *ptep;

	if (!pte_present(pte) || !is_zero_pfn(pte_pfn(pte)))
		return 0;
	*found = addr;
	return 1;
}

static const struct mm_walk_ops zero_ops = {
	.pte_entry = find_zero,
	CKPT_WALK_RDLOCK
};

/*
 * Where ksm has put the kernel's page of zeroes into a private mapping of a file,
 * they are contents, and get a page that is not taken for one of the file.
 */
static int keep_zeroes(struct vm_area_struct *vma)
{
	unsigned long addr = vma->vm_start, found;
	struct page *page;

	while (k_walk_page_range(vma->vm_mm, addr, vma->vm_end, &zero_ops, &found) > 0) {
		long got = ckpt_get_user_pages(vma->vm_mm, found, 1, FOLL_WRITE | FOLL_FORCE, &page);

		if (got != 1)
			return got < 0 ? got : -EFAULT;
		put_page(page);
		addr = found + PAGE_SIZE;
	}
	return 0;
}

/* has it private pages of its own? */
static bool has_own_pages(struct vm_area_struct *vma)
{
	return !(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)) && vma->anon_vma;
}

/*
 * A mapping of a file becomes an anonymous one of which only the private pages are
 * left.  Until then somebody may have set breakpoints: in the container after its
 * mappings were looked at, or in the copy, which is one more mapping of the file.
 * -EBUSY then.
 */
static int let_file_go(struct vm_area_struct *vma)
{
	struct zap_details only_files = { .even_cows = false };
	struct file *file = vma->vm_file;
	int ret;

	if (ckpt_vma_has_breakpoints(vma))
		return -EBUSY;
	/* of /dev/zero it is anonymous already, and has no page of a file */
	if (!vma_is_anonymous(vma)) {
		ret = has_own_pages(vma) ? keep_zeroes(vma) : 0;
		if (ret)
			return ret;
		k_zap_page_range_single(vma, vma->vm_start, vma->vm_end - vma->vm_start, &only_files);
	}
	/* khugepaged would fill the gaps with zeroes */
	ckpt_vm_flags_clear(vma, VM_HUGEPAGE);
	ckpt_vm_flags_set(vma, VM_NOHUGEPAGE);
	k_unlink_file_vma(vma);
	if (vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	vma_set_anonymous(vma);
	vma->vm_file = NULL;
	ckpt_vma_has_no_name(vma);
	vma->vm_private_data = (void *)&was_file;
	fput(file);
	return 0;
}

/*
 * @mm is a copy of ours, in which nobody runs; its mmap_lock is held for writing.
 * Nothing is unmapped, which 6.12 does for current's mm only.
 */
static int trim_locked(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);
	int ret;

	for_each_vma(vmi, vma) {
		ret = vma->vm_file ? let_file_go(vma) : 0;
		if (ret)
			return ret;
	}
	return k_set_mm_exe_file(mm, NULL);
}

/*
 * ckpt_trim_copies - let the files of all copies go
 *
 * The container may run already.  Files end with current's task work.
 *
 * Returns 0, -EINTR if current was killed, -EBUSY if there is a breakpoint in one,
 * or another negative errno.
 */
int ckpt_trim_copies(struct ckpt_checkpoint *cp)
{
	struct ckpt_source *src;
	int ret;

	ckpt_for_each_mm(src, cp) {
		struct mm_struct *mm = ckpt_mm_copy_of(src)->copy;

		if (fatal_signal_pending(current))
			return -EINTR;
		mmap_write_lock(mm);
		ret = trim_locked(mm);
		mmap_write_unlock(mm);
		if (ret == -EBUSY)
			return ckpt_fail(ckpt_save_log(cp), ret,
					 "somebody who traces the container from outside has set a breakpoint (uprobe; end the tracing)");
		if (ret)
			return ckpt_fail(ckpt_save_log(cp), ret,
					 "the files of a copy of the container's memory cannot be let go: error %d",
					 -ret);
		cond_resched();
	}
	return 0;
}
