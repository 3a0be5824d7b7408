// SPDX-License-Identifier: GPL-2.0-only
/* What is x86-64's: registers, xstate, LDT, vdso.  S4, S11, T2. */
#include <linux/elf.h>
#include <linux/mman.h>
#include <linux/regset.h>
#include <linux/rseq.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/xxhash.h>
#include <asm/desc.h>
#include <asm/fpu/xcr.h>
#include <asm/ldt.h>
#include <asm/mmu_context.h>
#include <asm/user.h>
#include <asm/vdso.h>

#include "arch.h"

int ckpt_arch_check_task(struct ckpt_checkpoint *cp, struct task_struct *t)
{
	int i;

	if (!user_64bit_mode(task_pt_regs(t)) || test_tsk_thread_flag(t, TIF_ADDR32))
		return ckpt_refuse(cp, -EOPNOTSUPP, "a 32-bit program is not supported");
	for (i = 0; i < GDT_ENTRY_TLS_ENTRIES; i++)
		if (t->thread.tls_array[i].limit0 || t->thread.tls_array[i].p)
			return ckpt_refuse(cp, -EOPNOTSUPP, "segments of set_thread_area(2) are not supported");
#ifdef CONFIG_X86_IOPL_IOPERM
	if (t->thread.io_bitmap || t->thread.iopl_emul)
		return ckpt_refuse(cp, -EOPNOTSUPP, "access to I/O ports is not supported");
#endif
	if (test_tsk_thread_flag(t, TIF_NOTSC) || test_tsk_thread_flag(t, TIF_NOCPUID))
		return ckpt_refuse(cp, -EOPNOTSUPP, "a trapped rdtsc or cpuid instruction is not supported");
	return 0;
}

static const struct user_regset *find_regset(struct task_struct *t, unsigned int type)
{
	const struct user_regset_view *view = task_user_regset_view(t);
	unsigned int i;

	for (i = 0; i < view->n; i++)
		if (view->regsets[i].core_note_type == type)
			return &view->regsets[i];
	return NULL;
}

/* bytes of the xstate as ptrace(2) gives it; 0 without XSAVE */
size_t ckpt_arch_xstate_len(struct task_struct *t)
{
	const struct user_regset *rs = find_regset(t, NT_X86_XSTATE);

	if (!rs || (rs->active && rs->active(t, rs) <= 0))
		return 0;
	return rs->n * rs->size;
}

static int get_regset(struct task_struct *t, const struct user_regset *rs, void *buf, size_t len)
{
	struct membuf to = { .p = buf, .left = len };
	int ret;

	ret = rs->regset_get(t, rs, to);
	return ret < 0 ? ret : 0;
}

static void regs_to_image(const struct user_regs_struct *r, struct ckpt_image_x86 *img)
{
	img->r15 = r->r15;
	img->r14 = r->r14;
	img->r13 = r->r13;
	img->r12 = r->r12;
	img->bp = r->bp;
	img->bx = r->bx;
	img->r11 = r->r11;
	img->r10 = r->r10;
	img->r9 = r->r9;
	img->r8 = r->r8;
	img->ax = r->ax;
	img->cx = r->cx;
	img->dx = r->dx;
	img->si = r->si;
	img->di = r->di;
	img->orig_ax = r->orig_ax;
	img->ip = r->ip;
	img->cs = r->cs;
	img->flags = r->flags;
	img->sp = r->sp;
	img->ss = r->ss;
	img->fs_base = r->fs_base;
	img->gs_base = r->gs_base;
	img->ds = r->ds;
	img->es = r->es;
	img->fs = r->fs;
	img->gs = r->gs;
}

static void image_to_regs(const struct ckpt_image_x86 *img, struct user_regs_struct *r)
{
	r->r15 = img->r15;
	r->r14 = img->r14;
	r->r13 = img->r13;
	r->r12 = img->r12;
	r->bp = img->bp;
	r->bx = img->bx;
	r->r11 = img->r11;
	r->r10 = img->r10;
	r->r9 = img->r9;
	r->r8 = img->r8;
	r->ax = img->ax;
	r->cx = img->cx;
	r->dx = img->dx;
	r->si = img->si;
	r->di = img->di;
	r->orig_ax = img->orig_ax;
	r->ip = img->ip;
	r->cs = img->cs;
	r->flags = img->flags;
	r->sp = img->sp;
	r->ss = img->ss;
	r->fs_base = img->fs_base;
	r->gs_base = img->gs_base;
	r->ds = img->ds;
	r->es = img->es;
	r->fs = img->fs;
	r->gs = img->gs;
}

/* @t is frozen and off its processor; @xstate takes img->xstate_len bytes */
int ckpt_arch_save(struct task_struct *t, struct ckpt_image_x86 *img, void *xstate)
{
	struct user_regs_struct regs = {};
	int ret;

	ret = get_regset(t, find_regset(t, NT_PRSTATUS), &regs, sizeof(regs));
	if (ret)
		return ret;
	regs_to_image(&regs, img);
	if (!img->xstate_len)
		return 0;
	return get_regset(t, find_regset(t, NT_X86_XSTATE), xstate, img->xstate_len);
}

/*
 * Give @t, which sleeps in the engine, the registers of the image.  The
 * kernel's own writers check them: they are the ones behind ptrace(2).
 */
int ckpt_arch_restore(struct ckpt_log *log, struct task_struct *t,
		      const struct ckpt_image_x86 *img, const void *xstate)
{
	const struct user_regset *rs = find_regset(t, NT_X86_XSTATE);
	struct user_regs_struct regs = {};
	int ret;

	if (!ckpt_wait_inactive(t))
		return -ESRCH;
	if (ckpt_arch_xstate_len(t) != img->xstate_len)
		return ckpt_fail(log, -EINVAL,
				 "the image's xstate has %u bytes and this processor's %zu; restart it on one of the same kind",
				 img->xstate_len, ckpt_arch_xstate_len(t));
	if (img->xstate_len) {
		ret = rs->set(t, rs, 0, img->xstate_len, xstate, NULL);
		if (ret)
			return ckpt_fail(log, ret, "the image's xstate is not valid here: error %d", -ret);
	}
	image_to_regs(img, &regs);
	rs = find_regset(t, NT_PRSTATUS);
	ret = rs->set(t, rs, 0, sizeof(regs), &regs, NULL);
	return ret ? ckpt_fail(log, ret, "the image's registers are not valid: error %d", -ret) : 0;
}

int ckpt_arch_restore_tls(const struct ckpt_image_x86 *img)
{
	return img->tls[0] || img->tls[1] || img->tls[2] ? -EINVAL : 0;
}

/*
 * The last step of current on its way to user space, after the result of its
 * ioctl was stored: put the register right that the result went to, and pass
 * through the signal path, which restarts the system call that was interrupted.
 */
void ckpt_arch_resume(struct task_struct *t, const struct ckpt_image_x86 *img)
{
	task_pt_regs(t)->ax = img->ax;
	set_tsk_thread_flag(t, TIF_SIGPENDING);
	/* it may have been in a critical section, on another processor */
	if (t->rseq) {
		set_bit(RSEQ_EVENT_PREEMPT_BIT, &t->rseq_event_mask);
		set_tsk_thread_flag(t, TIF_NOTIFY_RESUME);
	}
}

u32 ckpt_arch_nr_ldt(struct mm_struct *mm)
{
	u32 nr = 0;

#ifdef CONFIG_MODIFY_LDT_SYSCALL
	down_read(&mm->context.ldt_usr_sem);
	if (mm->context.ldt)
		nr = mm->context.ldt->nr_entries;
	up_read(&mm->context.ldt_usr_sem);
#endif
	return nr;
}

int ckpt_arch_save_ldt(struct mm_struct *mm, u64 *ldt, u32 nr)
{
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	down_read(&mm->context.ldt_usr_sem);
	if (mm->context.ldt)
		memcpy(ldt, mm->context.ldt->entries,
		       min(nr, mm->context.ldt->nr_entries) * LDT_ENTRY_SIZE);
	up_read(&mm->context.ldt_usr_sem);
#endif
	return 0;
}

/* the reverse of the kernel's fill_ldt() */
static void desc_to_user(const struct desc_struct *d, struct user_desc *u)
{
	u->base_addr = d->base0 | d->base1 << 16 | (u32)d->base2 << 24;
	u->limit = d->limit0 | d->limit1 << 16;
	u->seg_32bit = d->d;
	u->contents = d->type >> 2;
	u->read_exec_only = !(d->type & 2);
	u->limit_in_pages = d->g;
	u->seg_not_present = !d->p;
	u->useable = d->avl;
	u->lm = d->l;
}

/* through modify_ldt(2), which checks each entry */
int ckpt_arch_restore_ldt(const u64 *ldt, u32 nr, unsigned long scratch)
{
	long ret;
	u32 i;

	if (nr > LDT_ENTRIES)
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		struct user_desc u = { .entry_number = i };
		struct desc_struct d;

		if (!ldt[i])
			continue;
		memcpy(&d, &ldt[i], sizeof(d));
		desc_to_user(&d, &u);
		if (copy_to_user((void __user *)scratch, &u, sizeof(u)))
			return -EFAULT;
		ret = ckpt_syscall(modify_ldt, 0x11, scratch, sizeof(u));
		if ((int)ret)
			return (int)ret;
	}
	return 0;
}

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

void ckpt_arch_system(struct ckpt_image_system *sys)
{
	sys->vdso_size = kv_vdso_image_64->size;
	sys->vdso_sum = xxh64(kv_vdso_image_64->data, kv_vdso_image_64->size, 0);
	if (boot_cpu_has(X86_FEATURE_OSXSAVE))
		sys->xfeatures = xgetbv(XCR_XFEATURE_ENABLED_MASK);
}
