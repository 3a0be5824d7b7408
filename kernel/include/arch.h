/* SPDX-License-Identifier: GPL-2.0-only */
/* What is the processor's: arch/. */
#ifndef _CKPT_ARCH_H
#define _CKPT_ARCH_H

#include "restore.h"
#include "save.h"

/* registers.c: give a task that sleeps in the engine those of its record */
int ckpt_arch_restore(struct ckpt_log *log, struct task_struct *t,
		      const struct ckpt_rec_buf *task);
void ckpt_arch_resume(struct task_struct *t, const struct ckpt_rec_buf *task);
/* what is refused, and children get from their parents */
bool ckpt_arch_has_ports(struct task_struct *t);
bool ckpt_arch_traps_tsc(struct task_struct *t);
bool ckpt_arch_traps_cpuid(struct task_struct *t);
bool ckpt_arch_flushes_l1d(struct task_struct *t);

/* call.c: the system call in which a task is */
int ckpt_arch_call(struct task_struct *t);
long ckpt_arch_call_again(int nr);
bool ckpt_arch_in_restart_block(struct task_struct *t);
bool ckpt_arch_in_compat_restart(struct task_struct *t);
unsigned long ckpt_arch_kernel_sp(struct task_struct *t);

/* ldt.c */
u32 ckpt_arch_nr_ldt(struct mm_struct *mm);
int ckpt_arch_save_ldt(struct mm_struct *mm, u64 *ldt, u32 nr);
int ckpt_arch_restore_ldt(const u64 *ldt, u32 nr, unsigned long scratch);

/* pkeys.c */
bool ckpt_arch_has_pkeys(struct mm_struct *mm);

/* vdso.c */
void ckpt_arch_save_vdso(struct mm_struct *mm, struct ckpt_image_mm *img);
bool ckpt_arch_vma_is_vdso(struct vm_area_struct *vma);
int ckpt_arch_restore_vdso(struct ckpt_log *log, const struct ckpt_image_mm *img);

/* system.c */
#define CKPT_FEATURE_WORDS 32
void ckpt_arch_features(u32 *words);
const char *ckpt_arch_feature_name(u32 word, u32 bits);
void ckpt_arch_system(struct ckpt_image_system *sys);

#endif
