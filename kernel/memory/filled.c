// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deleted files, and those of a tmpfs of the container's own, get their contents when they are
 * mapped already: what of an address space has to wait for these.  C2, T10.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "file.h"
#include "memory.h"

/* is it a file whose contents are yet to come?  Nobody may write to what is executed */
bool ckpt_is_unfilled(struct ckpt_restart *rs, u32 ref)
{
	const struct ckpt_rec_buf *buf = ref ? ckpt_find_rec(rs, ref, &ckpt_type_file) : NULL;

	return buf && ckpt_is_deleted_rec(buf);
}

static bool in_filled(struct ckpt_restart *rs, u32 ref)
{
	struct file *file = ref ? ckpt_find_restored(rs, ref, &ckpt_type_file) : NULL;

	return file && ckpt_is_filled(rs, file_inode(file)->i_sb);
}

/* to lock all of it would make private copies of pages that are still empty */
bool ckpt_locks_later(struct ckpt_restart *rs, const struct ckpt_image_vma *v)
{
	return v->flags & CKPT_VMA_LOCKED && !(v->flags & (CKPT_VMA_LOCKONFAULT | CKPT_VMA_SHARED)) &&
	       (ckpt_is_unfilled(rs, v->file) || in_filled(rs, v->file));
}

/* as prctl(PR_SET_MM_EXE_FILE) checks it */
int ckpt_change_exe(struct mm_struct *mm, struct file *exe)
{
	int ret;

	if (!S_ISREG(file_inode(exe)->i_mode) || k_path_noexec(&exe->f_path))
		return -EACCES;
	ret = file_permission(exe, MAY_EXEC);
	if (ret)
		return ret;
	return k_replace_mm_exe_file(mm, exe);
}

/* by the coordinator, when all contents are here */
static int set_filled_exe(struct ckpt_restart *rs, struct mm_struct *mm, u32 ref)
{
	struct file *exe = ckpt_find_restored(rs, ref, &ckpt_type_file);
	int ret;

	if (!exe || !ckpt_is_unfilled(rs, ref))
		return 0;
	ret = ckpt_finish_deleted(rs, ckpt_find_rec(rs, ref, &ckpt_type_file));
	if (!ret)
		ret = ckpt_change_exe(mm, exe);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "the deleted executable %pD cannot be set: error %d",
			       exe, -ret) : 0;
}

/* what was locked as far as it was there: all of it comes in; @mm's tasks sleep */
static int lock_filled(struct mm_struct *mm, const struct ckpt_image_vma *v)
{
	struct vm_area_struct *vma;
	struct vma_iterator vmi;
	struct page *page;
	u64 addr;

	vma_iter_init(&vmi, mm, v->start);
	mmap_write_lock(mm);
	for_each_vma_range(vmi, vma, v->end)
		ckpt_vm_flags_clear(vma, VM_LOCKONFAULT);
	mmap_write_unlock(mm);
	for (addr = v->start; addr < v->end; addr += PAGE_SIZE) {
		if (fatal_signal_pending(current))
			return -EINTR;
		mmap_read_lock(mm);
		/* as with mlock(2), what cannot be had is locked all the same */
		if (ckpt_get_user_pages(mm, addr, 1, 0, &page) == 1)
			put_page(page);
		mmap_read_unlock(mm);
		cond_resched();
	}
	return 0;
}

static int lock_all_filled(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, struct mm_struct *mm)
{
	const struct ckpt_image_vma *vmas;
	u64 i, nr;
	int ret = 0;

	vmas = ckpt_get_nr(buf, MM, VMAS, &nr);
	for (i = 0; i < nr && !ret; i++)
		if (ckpt_locks_later(rs, &vmas[i]))
			ret = lock_filled(mm, &vmas[i]);
	return ret;
}

/*
 * ckpt_finish_filled - what of an address space had to wait for the contents of files
 *
 * By the coordinator, when all are here.  Returns 0 or a negative errno.
 */
int ckpt_finish_filled(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, struct mm_struct *mm)
{
	int ret = set_filled_exe(rs, mm, ckpt_get(buf, MM, BASE)->exe);

	return ret ? : lock_all_filled(rs, buf, mm);
}
