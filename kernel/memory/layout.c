// SPDX-License-Identifier: GPL-2.0-only
/*
 * An address space's layout: mappings, and the addresses that the kernel
 * remembers.  Contents are in pages.c.  S9, S10, S11.
 */
#include <linux/hugetlb.h>
#include <linux/mempolicy.h>
#include <linux/mman.h>
#include <linux/pkeys.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>
#include <uapi/linux/membarrier.h>

#include "arch.h"
#include "ipc.h"
#include "memory.h"

struct vma_list {
	u32 nr;
	struct ckpt_image_vma *img;
	struct file **file;		/* references are held */
};

static void vma_list_free(struct vma_list *vl)
{
	u32 i;

	for (i = 0; vl->file && i < vl->nr; i++)
		if (vl->file[i])
			fput(vl->file[i]);
	kvfree(vl->img);
	kvfree(vl->file);
}

/* its file could be written to, but this shared mapping of it never can be: F_SEAL_WRITE */
static bool is_sealed(const struct vm_area_struct *vma)
{
	return vma->vm_file && vma->vm_file->f_mode & FMODE_WRITE &&
	       vma->vm_flags & VM_MAYSHARE && !(vma->vm_flags & VM_MAYWRITE);
}

/* what of a mapping is not supported, or NULL */
static const char *vma_refusal(struct vm_area_struct *vma)
{
	const char *what = NULL;

	if (ckpt_arch_vma_is_vdso(vma))
		return NULL;
	if (is_vm_hugetlb_page(vma))
		what = "huge pages (hugetlb)";
	else if (vma->vm_flags & (VM_PFNMAP | VM_IO | VM_MIXEDMAP))
		what = "the memory of a device";
	else if (userfaultfd_armed(vma))
		what = "userfaultfd";
	else if (vma->vm_flags & CKPT_VM_SEALED)
		what = "a sealed mapping";
	else if (vma->vm_flags & CKPT_VM_SHADOW_STACK)
		what = "a shadow stack";
	else if (vma_pkey(vma) && (vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC)) != VM_EXEC)
		what = "a memory protection key";
	else if (vma->vm_file && ckpt_is_shm(vma->vm_file) && !(vma->vm_flags & VM_MAYSHARE))
		what = "a private mapping of shared memory of System V";
	else if (vma_policy(vma))
		what = "a NUMA memory policy";
	else if (is_sealed(vma) && !ckpt_is_shmem(vma->vm_file))
		what = "a shared mapping that its file system has made read-only";
	else if (vma->vm_flags & VM_LOCKED && ckpt_lacks(CKPT_FOR_MLOCK))
		what = "locked memory on a kernel without mlock2(2)";
	else if (ckpt_vma_has_breakpoints(vma))
		what = "a breakpoint of somebody who traces it from outside (uprobe; end the tracing)";
	else if (vma->vm_ops && vma->vm_ops->name && vma->vm_ops->name(vma) && !vma->vm_file)
		what = vma->vm_ops->name(vma);
	return what;
}

static u32 prot_of(unsigned long flags)
{
	return (flags & VM_READ ? PROT_READ : 0) | (flags & VM_WRITE ? PROT_WRITE : 0) |
	       (flags & VM_EXEC ? PROT_EXEC : 0);
}

static u32 advice_of(unsigned long flags)
{
	u32 advice = 0;

	if (flags & VM_DONTCOPY)
		advice |= CKPT_ADVICE_DONTFORK;
	if (flags & VM_WIPEONFORK)
		advice |= CKPT_ADVICE_WIPEONFORK;
	if (flags & VM_DONTDUMP)
		advice |= CKPT_ADVICE_DONTDUMP;
	if (flags & VM_HUGEPAGE)
		advice |= CKPT_ADVICE_HUGEPAGE;
	if (flags & VM_NOHUGEPAGE)
		advice |= CKPT_ADVICE_NOHUGEPAGE;
	if (flags & VM_SEQ_READ)
		advice |= CKPT_ADVICE_SEQUENTIAL;
	if (flags & VM_RAND_READ)
		advice |= CKPT_ADVICE_RANDOM;
	if (flags & VM_MERGEABLE)
		advice |= CKPT_ADVICE_MERGEABLE;
	return advice;
}

static void save_vma(struct vm_area_struct *vma, struct ckpt_image_vma *img)
{
	unsigned long flags = vma->vm_flags;

	img->start = vma->vm_start;
	img->end = vma->vm_end;
	img->prot = prot_of(flags);
	if (ckpt_arch_vma_is_vdso(vma)) {
		img->flags = CKPT_VMA_VDSO;
		return;
	}
	if (vma->vm_file)
		img->offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	if (flags & VM_MAYSHARE)
		img->flags |= CKPT_VMA_SHARED;
	if (flags & VM_GROWSDOWN)
		img->flags |= CKPT_VMA_GROWSDOWN;
	if (flags & VM_NORESERVE)
		img->flags |= CKPT_VMA_NORESERVE;
	if (flags & VM_LOCKED)
		img->flags |= CKPT_VMA_LOCKED;
	if (flags & VM_LOCKONFAULT)
		img->flags |= CKPT_VMA_LOCKONFAULT;
	if (flags & VM_ACCOUNT)
		img->flags |= CKPT_VMA_ACCOUNT;
	if (is_sealed(vma))
		img->flags |= CKPT_VMA_SEALED;
	if (flags & CKPT_VM_DROPPABLE)
		img->flags |= CKPT_VMA_DROPPABLE;
	img->advice = advice_of(flags);
}

/* the mappings that cannot be saved: as many as there is room for in a log */
struct refusals {
	u32 nr;
	struct {
		unsigned long start, end;
		const char *what;
	} of[16];
};

static void note_refusal(struct refusals *r, struct vm_area_struct *vma, const char *what)
{
	if (r->nr == ARRAY_SIZE(r->of))
		return;
	r->of[r->nr].start = vma->vm_start;
	r->of[r->nr].end = vma->vm_end;
	r->of[r->nr++].what = what;
}

static int say_refusals(struct ckpt_checkpoint *cp, const struct refusals *r)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < r->nr; i++)
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "mapping %lx-%lx: %s is not supported",
				  r->of[i].start, r->of[i].end, r->of[i].what);
	return ret;
}

/*
 * Takes mm->mmap_lock.  Files are saved and refusals logged without it: both
 * take locks of file systems.
 */
static int list_vmas(struct ckpt_checkpoint *cp, struct mm_struct *mm, struct vma_list *vl)
{
	struct refusals refusals = {};
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);
	int max = mm->map_count;
	bool more = false;

	vl->img = kvcalloc(max, sizeof(*vl->img), GFP_KERNEL);
	vl->file = kvcalloc(max, sizeof(*vl->file), GFP_KERNEL);
	if (!vl->img || !vl->file)
		return -ENOMEM;
	mmap_read_lock(mm);
	for_each_vma(vmi, vma) {
		const char *refusal;

		if (ckpt_vma_is_uprobes(vma))
			continue;
		refusal = vma_refusal(vma);
		if (refusal)
			note_refusal(&refusals, vma, refusal);
		more = vl->nr == max;
		if (more)
			break;
		save_vma(vma, &vl->img[vl->nr]);
		if (vma->vm_file && !refusal)
			vl->file[vl->nr] = get_file(vma->vm_file);
		vl->nr++;
	}
	mmap_read_unlock(mm);
	return more ? -EAGAIN : say_refusals(cp, &refusals);
}

static int save_vma_files(struct ckpt_checkpoint *cp, struct vma_list *vl)
{
	int ret, refused = 0;
	u32 i;

	for (i = 0; i < vl->nr; i++) {
		ret = ckpt_obj_save(cp, &ckpt_type_file, vl->file[i], &vl->img[i].file);
		if (ckpt_go_on(ret))
			return ret;
		refused = ret ? : refused;
	}
	return refused;
}

static const struct {
	int state;
	int cmd;
} membarrier_cmds[] = {
	{ MEMBARRIER_STATE_GLOBAL_EXPEDITED, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED_SYNC_CORE,
	  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED_RSEQ,
	  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ },
};

static u32 membarrier_of(struct mm_struct *mm)
{
	u32 cmds = 0;
#ifdef CONFIG_MEMBARRIER
	int i, state = atomic_read(&mm->membarrier_state);

	for (i = 0; i < ARRAY_SIZE(membarrier_cmds); i++)
		if (state & membarrier_cmds[i].state)
			cmds |= membarrier_cmds[i].cmd;
#endif
	return cmds;
}

static void save_fields(struct mm_struct *mm, struct ckpt_image_mm *img)
{
	spin_lock(&mm->arg_lock);
	img->start_code = mm->start_code;
	img->end_code = mm->end_code;
	img->start_data = mm->start_data;
	img->end_data = mm->end_data;
	img->start_brk = mm->start_brk;
	img->brk = mm->brk;
	img->start_stack = mm->start_stack;
	img->arg_start = mm->arg_start;
	img->arg_end = mm->arg_end;
	img->env_start = mm->env_start;
	img->env_end = mm->env_end;
	spin_unlock(&mm->arg_lock);
	img->mmap_base = mm->mmap_base;
	img->dumpable = get_dumpable(mm);
	img->dump_filter = (mm->flags & MMF_DUMP_FILTER_MASK) >> MMF_DUMP_FILTER_SHIFT;
	img->thp_disable = test_bit(MMF_DISABLE_THP, &mm->flags);
	img->membarrier = membarrier_of(mm);
	img->def_flags = (mm->def_flags & VM_LOCKED ? CKPT_VMA_LOCKED : 0) |
			 (mm->def_flags & VM_LOCKONFAULT ? CKPT_VMA_LOCKONFAULT : 0);
}

static int save_search(struct mm_struct *mm, struct ckpt_rec_out *rec)
{
	struct ckpt_image_layout *img = ckpt_put(rec, MM, LAYOUT);

	if (!img)
		return -ENOMEM;
	img->legacy = ckpt_mm_is_legacy(mm, ka_arch_get_unmapped_area);
	img->legacy_base = mm->mmap_legacy_base;
	img->hiwater_rss = (u64)get_mm_hiwater_rss(mm) << PAGE_SHIFT;
	img->hiwater_vm = (u64)get_mm_hiwater_vm(mm) << PAGE_SHIFT;
	return 0;
}

static int save_ldt(struct mm_struct *mm, struct ckpt_rec_out *rec)
{
	u32 nr = ckpt_arch_nr_ldt(mm);
	u64 *ldt = ckpt_put_nr(rec, MM, LDT, nr);

	return ldt ? ckpt_arch_save_ldt(mm, ldt, nr) : -ENOMEM;
}

static int save_mm_rec(struct ckpt_checkpoint *cp, struct ckpt_obj *obj, u32 exe,
		       const struct vma_list *vl)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_MM);
	struct ckpt_image_mm *img = ckpt_put(rec, MM, BASE);
	struct ckpt_image_vma *vmas = ckpt_put_nr(rec, MM, VMAS, vl->nr);
	struct mm_struct *mm = obj->ptr;
	u64 *auxv = ckpt_put_nr(rec, MM, AUXV, ARRAY_SIZE(mm->saved_auxv));
	int ret;

	if (!img || !vmas || !auxv)
		return -ENOMEM;
	img->ref = obj->ref;
	img->exe = exe;
	save_fields(mm, img);
	ckpt_arch_save_vdso(mm, img);
	memcpy(vmas, vl->img, vl->nr * sizeof(*vmas));
	memcpy(auxv, mm->saved_auxv, sizeof(mm->saved_auxv));
	ret = save_search(mm, rec) ? : save_ldt(mm, rec);
	return ret ? : ckpt_done(cp, rec);
}

/* S9: a task may have unmapped its executable, and then has none */
static int save_exe(struct ckpt_checkpoint *cp, struct mm_struct *mm, u32 *ref)
{
	struct file *exe;
	int ret;

	rcu_read_lock();
	exe = rcu_dereference(mm->exe_file);
	if (exe)
		get_file(exe);
	rcu_read_unlock();
	ret = ckpt_obj_save(cp, &ckpt_type_file, exe, ref);
	if (exe)
		fput(exe);
	return ret;
}

/* what cannot be made again on this kernel */
static int check_symbols(struct ckpt_checkpoint *cp, struct mm_struct *mm)
{
	int ret = 0;

	if (ckpt_lacks(CKPT_FOR_LDT) && ckpt_arch_nr_ldt(mm))
		ret = ckpt_refuse_lack(cp, CKPT_FOR_LDT);
	if (ckpt_lacks(CKPT_FOR_MEMBARRIER) && membarrier_of(mm))
		ret = ckpt_refuse_lack(cp, CKPT_FOR_MEMBARRIER);
	return ret;
}

static int check_mm(struct ckpt_checkpoint *cp, struct mm_struct *mm)
{
#ifdef CONFIG_AIO
	if (rcu_access_pointer(mm->ioctx_table))
		return ckpt_refuse(cp, -EOPNOTSUPP, "asynchronous I/O (io_setup) is not supported");
#endif
	if (ckpt_arch_has_pkeys(mm))
		return ckpt_refuse(cp, -EOPNOTSUPP, "memory protection keys (pkey_alloc) are not supported");
	if (ckpt_mm_has_extras(mm))
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "PR_SET_MDWE, PR_SET_MEMORY_MERGE and tagged addresses are not supported");
	return check_symbols(cp, mm);
}

static int save_layout(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct mm_struct *mm = obj->ptr;
	struct vma_list vl = {};
	int ret, refused;
	u32 exe;

	ret = check_mm(cp, mm);
	if (ckpt_go_on(ret))
		return ret;
	refused = ret;
	ret = save_exe(cp, mm, &exe);
	if (ckpt_go_on(ret))
		return ret;
	refused = ret ? : refused;
	ret = list_vmas(cp, mm, &vl);
	if (!ckpt_go_on(ret)) {
		refused = ret ? : refused;
		ret = save_vma_files(cp, &vl);
	}
	if (!ckpt_go_on(ret)) {
		refused = ret ? : refused;
		ret = refused ? : save_mm_rec(cp, obj, exe, &vl);
	}
	vma_list_free(&vl);
	return ret;
}

static int save_mm(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct mm_struct *mm = obj->ptr;
	struct ckpt_mm_copy *copy;
	int ret;

	ret = save_layout(cp, obj);
	if (ret)
		return ret;
	copy = kzalloc(sizeof(*copy), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	copy->src.ref = obj->ref;
	copy->src.ops = &ckpt_mm_source;
	copy->mm = mm;
	mmget(mm);
	ckpt_add_source(cp, &copy->src);
	return 0;
}

static void take_mm(void *ptr)
{
	mmget(ptr);
}

static void drop_mm(void *ptr)
{
	mmput(ptr);
}

const struct ckpt_type ckpt_type_mm = {
	.name = "MM",
	.record = CKPT_REC_MM,
	.take = take_mm,
	.drop = drop_mm,
	.save = save_mm,
	.check = ckpt_check_mm_rec,
	.finish = ckpt_finish_mm,
	.put = drop_mm,
};

int ckpt_restore_membarrier(u32 cmds)
{
	int i;
	long ret;

	for (i = 0; i < ARRAY_SIZE(membarrier_cmds); i++) {
		if (!(cmds & membarrier_cmds[i].cmd))
			continue;
		ret = ckpt_syscall(membarrier, membarrier_cmds[i].cmd, 0, 0);
		if (ret)
			return ret;
	}
	return 0;
}
