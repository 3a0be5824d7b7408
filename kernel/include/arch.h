/* SPDX-License-Identifier: GPL-2.0-only */
/* What is the processor's: arch/. */
#ifndef _CKPT_ARCH_H
#define _CKPT_ARCH_H

#include "restore.h"
#include "save.h"

int ckpt_arch_check_task(struct ckpt_checkpoint *cp, struct task_struct *t);
size_t ckpt_arch_xstate_len(struct task_struct *t);
int ckpt_arch_save(struct task_struct *t, struct ckpt_image_x86 *img, void *xstate);
int ckpt_arch_restore(struct ckpt_log *log, struct task_struct *t,
		      const struct ckpt_image_x86 *img, const void *xstate);
int ckpt_arch_restore_tls(const struct ckpt_image_x86 *img);
void ckpt_arch_resume(struct task_struct *t, const struct ckpt_image_x86 *img);
int ckpt_arch_save_ldt(struct mm_struct *mm, u64 *ldt, u32 nr);
u32 ckpt_arch_nr_ldt(struct mm_struct *mm);
int ckpt_arch_restore_ldt(const u64 *ldt, u32 nr, unsigned long scratch);
void ckpt_arch_save_vdso(struct mm_struct *mm, struct ckpt_image_mm *img);
bool ckpt_arch_vma_is_vdso(struct vm_area_struct *vma);
int ckpt_arch_restore_vdso(struct ckpt_log *log, const struct ckpt_image_mm *img);
void ckpt_arch_system(struct ckpt_image_system *sys);

#endif
