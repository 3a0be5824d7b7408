// SPDX-License-Identifier: GPL-2.0-only
/* The vdso and its data, which are the kernel's and come back where they were.  S11. */
#include <linux/mm.h>
#include <asm/vdso.h>

#include "arch.h"

static bool vma_has_name(struct vm_area_struct *vma, const char *name)
{
	const char *has;

	if (vma->vm_file || !vma->vm_ops || !vma->vm_ops->name)
		return false;
	has = vma->vm_ops->name(vma);
	return has && !strcmp(has, name);
}

bool ckpt_arch_vma_is_vdso(struct vm_area_struct *vma)
{
	return vma_has_name(vma, "[vdso]") || vma_has_name(vma, "[vvar]");
}

/* where they are; the process may have moved or unmapped them.  Takes mmap_lock. */
void ckpt_arch_save_vdso(struct mm_struct *mm, struct ckpt_image_mm *img)
{
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);

	mmap_read_lock(mm);
	for_each_vma(vmi, vma) {
		if (vma_has_name(vma, "[vdso]") && !img->vdso)
			img->vdso = vma->vm_start;
		else if (vma_has_name(vma, "[vvar]") && !img->vvar)
			img->vvar = vma->vm_start;
	}
	mmap_read_unlock(mm);
}

/*
 * Put the vdso where it was; current's address space is empty.  Both parts are
 * mapped together and must have been together.
 */
int ckpt_arch_restore_vdso(struct ckpt_log *log, const struct ckpt_image_mm *img)
{
	unsigned long vvar_size = -kv_vdso_image_64->sym_vvar_start;
	int ret;

	if (!img->vdso && !img->vvar)
		return 0;
	if (!img->vdso || img->vdso - img->vvar != vvar_size || !PAGE_ALIGNED(img->vvar) ||
	    img->vdso >= TASK_SIZE_MAX)
		return ckpt_fail(log, -EINVAL, "the vdso lies apart from its data, which is not supported");
	ret = k_map_vdso_once(kv_vdso_image_64, img->vvar);
	if (ret)
		return ckpt_fail(log, ret, "the vdso cannot be mapped: error %d", -ret);
	if ((unsigned long)current->mm->context.vdso != img->vdso)
		return ckpt_fail(log, -EINVAL, "the vdso cannot be mapped at %llx", img->vdso);
	return 0;
}
