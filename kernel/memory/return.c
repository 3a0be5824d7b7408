// SPDX-License-Identifier: GPL-2.0-only
/*
 * An address space comes back: the old one goes, then every mapping returns to
 * its address.  Done by the leader of a thread group to its own mm.  S9, S10.
 */
#include <linux/auxvec.h>
#include <linux/mman.h>
#include <linux/namei.h>
#include <linux/pid_namespace.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "arch.h"
#include "file.h"
#include "ipc.h"
#include "memory.h"
#include "part.h"

struct mm_rec {				/* an MM record, taken apart */
	const struct ckpt_image_mm *img;
	const struct ckpt_image_layout *layout;	/* NULL: it does not say */
	const struct ckpt_image_vma *vmas;
	const u64 *auxv;
	const u64 *ldt;
	u64 nr_vmas, nr_auxv, nr_ldt;
};

static void parse_mm_rec(const struct ckpt_rec_buf *buf, struct mm_rec *rec)
{
	rec->img = ckpt_get(buf, MM, BASE);
	rec->layout = ckpt_get(buf, MM, LAYOUT);
	rec->vmas = ckpt_get_nr(buf, MM, VMAS, &rec->nr_vmas);
	rec->auxv = ckpt_get_nr(buf, MM, AUXV, &rec->nr_auxv);
	rec->ldt = ckpt_get_nr(buf, MM, LDT, &rec->nr_ldt);
}

static bool vma_ok(const struct ckpt_image_vma *v, u64 after)
{
	return v->start >= after && v->start < v->end && v->end <= TASK_SIZE_MAX &&
	       PAGE_ALIGNED(v->start) && PAGE_ALIGNED(v->end) && PAGE_ALIGNED(v->offset) &&
	       !(v->prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)) &&
	       !(v->flags & CKPT_VMA_DROPPABLE && (v->file || v->flags & CKPT_VMA_SHARED)) &&
	       v->offset + (v->end - v->start) >= v->offset;
}

/* the same order that prctl(PR_SET_MM_MAP) asks for */
static bool fields_ok(const struct ckpt_image_mm *img)
{
	const u64 addrs[] = {
		img->start_code, img->end_code, img->start_data, img->end_data,
		img->start_brk, img->brk, img->start_stack,
		img->arg_start, img->arg_end, img->env_start, img->env_end,
		img->mmap_base,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(addrs); i++)
		if (addrs[i] >= TASK_SIZE_MAX)
			return false;
	return img->start_code <= img->end_code && img->start_data <= img->end_data &&
	       img->start_brk <= img->brk && img->arg_start <= img->arg_end &&
	       img->env_start <= img->env_end && img->dumpable <= SUID_DUMP_ROOT &&
	       img->mmap_base >= PAGE_SIZE && PAGE_ALIGNED(img->mmap_base);
}

static bool layout_ok(const struct ckpt_image_layout *img)
{
	return !img || (img->legacy <= 1 && PAGE_ALIGNED(img->legacy_base) &&
			img->legacy_base >= PAGE_SIZE && img->legacy_base < TASK_SIZE_MAX);
}

/*
 * Pairs up to one with AT_NULL, as mm->saved_auxv has room for: who reads it
 * later, for /proc/PID/auxv or a core dump, looks for nothing but that.
 */
static bool auxv_ok(const struct mm_rec *rec)
{
	u64 i, nr = min_t(u64, rec->nr_auxv, ARRAY_SIZE(current->mm->saved_auxv));

	for (i = 0; i + 1 < nr; i += 2)
		if (rec->auxv[i] == AT_NULL)
			return true;
	return false;
}

/* is there anything in it for which this kernel lacks a symbol? */
static int check_symbols(struct ckpt_log *log, const struct mm_rec *rec)
{
	bool locked = rec->img->def_flags & CKPT_VMA_LOCKED;
	u64 i;

	for (i = 0; i < rec->nr_vmas; i++)
		locked |= rec->vmas[i].flags & CKPT_VMA_LOCKED;
	if (locked && ckpt_lacks(CKPT_FOR_MLOCK))
		return ckpt_fail_lack(log, CKPT_FOR_MLOCK);
	if (rec->nr_ldt && ckpt_lacks(CKPT_FOR_LDT))
		return ckpt_fail_lack(log, CKPT_FOR_LDT);
	if (rec->img->membarrier && ckpt_lacks(CKPT_FOR_MEMBARRIER))
		return ckpt_fail_lack(log, CKPT_FOR_MEMBARRIER);
	return 0;
}

int ckpt_check_mm_rec(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	struct mm_rec rec;
	u64 i, after = 0;

	parse_mm_rec(buf, &rec);
	if (!fields_ok(rec.img) || !layout_ok(rec.layout))
		return ckpt_malformed(log, buf);
	for (i = 0; i < rec.nr_vmas; i++) {
		if (!vma_ok(&rec.vmas[i], after))
			return ckpt_malformed(log, buf);
		if (rec.vmas[i].flags & CKPT_VMA_DROPPABLE && !CKPT_VM_DROPPABLE)
			return ckpt_fail(log, -EOPNOTSUPP,
					 "the MM in record %u has a mapping that may be dropped (MAP_DROPPABLE), which this kernel does not know",
					 buf->seq);
		after = rec.vmas[i].end;
	}
	if (!auxv_ok(&rec))
		return ckpt_fail(log, -EINVAL, "the MM in record %u has an auxiliary vector without an end",
				 buf->seq);
	return check_symbols(log, &rec);
}

/* a mapped program must be the file that it was: its code is not in the image */
static int check_size(struct ckpt_restart *rs, u32 ref, struct file *file)
{
	struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_file);
	const struct ckpt_image_file_path *path = ckpt_get(buf, FILE, PATH);

	if (!path || !S_ISREG(ckpt_get(buf, FILE, BASE)->mode))
		return 0;
	if (path->size != i_size_read(file_inode(file)))
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL,
				 "%pD has changed since the checkpoint: it had %llu bytes and has %lld",
				 file, path->size, i_size_read(file_inode(file)));
	return 0;
}

static unsigned long map_flags(const struct ckpt_image_vma *v)
{
	unsigned long flags = MAP_FIXED_NOREPLACE;

	if (v->flags & CKPT_VMA_DROPPABLE)
		flags |= MAP_DROPPABLE;
	else
		flags |= v->flags & CKPT_VMA_SHARED ? MAP_SHARED : MAP_PRIVATE;
	if (!v->file)
		flags |= MAP_ANONYMOUS;
	if (v->flags & CKPT_VMA_GROWSDOWN)
		flags |= MAP_GROWSDOWN;
	if (v->flags & CKPT_VMA_NORESERVE)
		flags |= MAP_NORESERVE;
	return flags;
}

static int advise(const struct ckpt_image_vma *v)
{
	static const struct {
		u32 bit;
		int advice;
	} table[] = {
		{ CKPT_ADVICE_DONTFORK, MADV_DONTFORK },
		{ CKPT_ADVICE_WIPEONFORK, MADV_WIPEONFORK },
		{ CKPT_ADVICE_DONTDUMP, MADV_DONTDUMP },
		{ CKPT_ADVICE_HUGEPAGE, MADV_HUGEPAGE },
		{ CKPT_ADVICE_NOHUGEPAGE, MADV_NOHUGEPAGE },
		{ CKPT_ADVICE_SEQUENTIAL, MADV_SEQUENTIAL },
		{ CKPT_ADVICE_RANDOM, MADV_RANDOM },
		{ CKPT_ADVICE_MERGEABLE, MADV_MERGEABLE },
	};
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		if (!(v->advice & table[i].bit))
			continue;
		ret = k_do_madvise(current->mm, v->start, v->end - v->start, table[i].advice);
		if (ret)
			return ret;
	}
	return 0;
}

static bool is_locked(u64 addr)
{
	struct vm_area_struct *vma;
	bool locked;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	locked = vma && vma->vm_flags & VM_LOCKED;
	mmap_read_unlock(current->mm);
	return locked;
}

static int map_vma(struct ckpt_restart *rs, const struct ckpt_image_vma *v)
{
	struct file *file = v->file ? ckpt_find_restored(rs, v->file, &ckpt_type_file) : NULL;
	unsigned long addr, prot;
	int ret;

	/* shared anonymous memory is a file too, and MAP_ANONYMOUS would be another */
	if (!file && v->flags & CKPT_VMA_SHARED)
		return -EINVAL;
	/* shmat(2) maps nothing privately */
	if (file && ckpt_is_shm(file) && !(v->flags & CKPT_VMA_SHARED))
		return -EINVAL;
	prot = v->prot | (v->flags & CKPT_VMA_ACCOUNT ? PROT_WRITE : 0);
	/* 6.12: or it becomes one with the part before it, and each counts as an attachment */
	if (file && ckpt_is_shm(file))
		prot ^= PROT_READ;
	if (file && ckpt_is_shmem(file))
		addr = ckpt_mmap_shmem(file, v->start, v->end - v->start, prot, map_flags(v),
				       v->offset, v->flags & CKPT_VMA_SEALED);
	else
		addr = vm_mmap(file, v->start, v->end - v->start, prot, map_flags(v), v->offset);
	if (IS_ERR_VALUE(addr))
		return addr;
	if (addr != v->start)
		return -EEXIST;
	ret = prot == v->prot ? 0 : ckpt_syscall(mprotect, v->start, v->end - v->start, v->prot);
	if (!ret)
		ret = advise(v);
	if (ret || !(v->flags & CKPT_VMA_LOCKED))
		return ret;
	ret = ckpt_syscall(mlock2, v->start, v->end - v->start,
			   v->flags & CKPT_VMA_LOCKONFAULT || ckpt_locks_later(rs, v) ? MLOCK_ONFAULT : 0);
	/*
	 * Locked all the same, but not all of it could be brought in: what is
	 * inaccessible, or behind a file's end.  mlockall(2) does not mind, either.
	 */
	return ret == -ENOMEM && is_locked(v->start) ? 0 : ret;
}

static int map_all(struct ckpt_restart *rs, const struct mm_rec *rec)
{
	int ret;
	u64 i;

	for (i = 0; i < rec->nr_vmas; i++) {
		const struct ckpt_image_vma *v = &rec->vmas[i];

		if (v->flags & CKPT_VMA_VDSO)
			continue;
		ret = map_vma(rs, v);
		if (ret)
			return ckpt_fail(ckpt_restore_log(rs), ret, "mapping %llx-%llx cannot be made: error %d",
					 v->start, v->end, -ret);
	}
	return 0;
}

/* open what will be mapped, while nothing is destroyed yet; the lock of making is held */
static int open_files(struct ckpt_restart *rs, const struct mm_rec *rec)
{
	struct file *file;
	int ret = 0;
	u64 i;

	for (i = 0; i <= rec->nr_vmas && !ret; i++) {
		u32 ref = i < rec->nr_vmas ? rec->vmas[i].file : rec->img->exe;

		if (!ref)
			continue;
		file = ckpt_restore_obj(rs, ref, &ckpt_type_file);
		ret = IS_ERR(file) ? PTR_ERR(file) : 0;
		if (!ret && (i == rec->nr_vmas || !(rec->vmas[i].flags & CKPT_VMA_SHARED)))
			ret = check_size(rs, ref, file);
	}
	return ret;
}

/* who restarts it may have another layout, which its helpers have, too */
static void set_layout(struct mm_struct *mm, const struct ckpt_image_layout *img)
{
	if (!img)
		return;
	ckpt_mm_set_legacy(mm, img->legacy, ka_arch_get_unmapped_area,
			   ka_arch_get_unmapped_area_topdown);
	mm->mmap_legacy_base = img->legacy_base;
	mm->hiwater_rss = img->hiwater_rss >> PAGE_SHIFT;
	mm->hiwater_vm = img->hiwater_vm >> PAGE_SHIFT;
}

static void set_fields(struct mm_struct *mm, const struct mm_rec *rec)
{
	const struct ckpt_image_mm *img = rec->img;
	u32 i;

	mmap_write_lock(mm);
	spin_lock(&mm->arg_lock);
	mm->start_code = img->start_code;
	mm->end_code = img->end_code;
	mm->start_data = img->start_data;
	mm->end_data = img->end_data;
	mm->start_brk = img->start_brk;
	mm->brk = img->brk;
	mm->start_stack = img->start_stack;
	mm->arg_start = img->arg_start;
	mm->arg_end = img->arg_end;
	mm->env_start = img->env_start;
	mm->env_end = img->env_end;
	spin_unlock(&mm->arg_lock);
	mm->mmap_base = img->mmap_base;
	set_layout(mm, rec->layout);
	mm->def_flags = (img->def_flags & CKPT_VMA_LOCKED ? VM_LOCKED : 0) |
			(img->def_flags & CKPT_VMA_LOCKONFAULT ? VM_LOCKONFAULT : 0);
	for (i = 0; i < ARRAY_SIZE(mm->saved_auxv); i++)
		mm->saved_auxv[i] = i < rec->nr_auxv ? rec->auxv[i] : 0;
	if (img->thp_disable)
		set_bit(MMF_DISABLE_THP, &mm->flags);
	else
		clear_bit(MMF_DISABLE_THP, &mm->flags);
	set_mask_bits(&mm->flags, MMF_DUMP_FILTER_MASK,
		      (img->dump_filter << MMF_DUMP_FILTER_SHIFT) & MMF_DUMP_FILTER_MASK);
	mmap_write_unlock(mm);
}

static int set_exe(struct ckpt_restart *rs, u32 ref)
{
	struct file *exe = ckpt_find_restored(rs, ref, &ckpt_type_file);

	/* nobody else changes it: current's threads sleep in the engine */
	if (!exe)
		return ref ? -EINVAL : k_set_mm_exe_file(current->mm, NULL);
	/* what shmat(2) maps is no program */
	if (ckpt_is_shm(exe))
		return -EACCES;
	return ckpt_is_unfilled(rs, ref) ? 0 : ckpt_change_exe(current->mm, exe);
}

/* what the old program had registered lies in memory that goes away */
static void forget_registered(void)
{
	current->rseq = NULL;
	current->robust_list = NULL;
	current->clear_child_tid = NULL;
}

static int restore_ldt(const struct mm_rec *rec)
{
	unsigned long scratch;
	int ret;

	if (!rec->nr_ldt)
		return 0;
	scratch = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(scratch))
		return scratch;
	ret = ckpt_arch_restore_ldt(rec->ldt, rec->nr_ldt, scratch);
	vm_munmap(scratch, PAGE_SIZE);
	return ret;
}

static int build(struct ckpt_restart *rs, const struct mm_rec *rec)
{
	int ret;

	forget_registered();
	ret = vm_munmap(0, TASK_SIZE);
	if (ret)
		return ret;
	ret = ckpt_arch_restore_vdso(ckpt_restore_log(rs), rec->img);
	if (ret)
		return ret;
	ret = map_all(rs, rec);
	if (ret)
		return ret;
	ret = set_exe(rs, rec->img->exe);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, "the executable cannot be set: error %d", -ret);
	ret = restore_ldt(rec);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, "the LDT cannot be set: error %d", -ret);
	ret = ckpt_restore_membarrier(rec->img->membarrier);
	if (ret)
		return ret;
	set_fields(current->mm, rec);
	return 0;
}

static int find_mm_rec(struct ckpt_restart *rs, const struct ckpt_rec_buf *process,
		       struct mm_rec *rec)
{
	u32 ref = ckpt_get(process, PROCESS, BASE)->mm;
	struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_mm);

	if (!buf)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "the image has no MM %u", ref);
	parse_mm_rec(buf, rec);
	return 0;
}

static int restore_mapped(struct ckpt_restart *rs, const struct ckpt_rec_buf *process)
{
	struct mm_rec rec;
	int ret;

	ret = find_mm_rec(rs, process, &rec);
	return ret ? : open_files(rs, &rec);
}

const struct ckpt_task_part ckpt_part_mapped = {
	.name = "mapped files",
	.process = true,
	.stage = CKPT_STAGE_FILES,
	.restore = restore_mapped,
};

/*
 * Replace current's mm by that of its record.  Current's threads sleep in the
 * engine; nothing of the old program runs again.
 */
static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *process)
{
	struct mm_rec rec;
	int ret;

	ret = find_mm_rec(rs, process, &rec);
	if (ret)
		return ret;
	if (ckpt_find_restored(rs, rec.img->ref, &ckpt_type_mm))
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "MM %u has two owners", rec.img->ref);
	ret = build(rs, &rec);
	if (ret)
		return ret;
	mmget(current->mm);
	return ckpt_add_restored(rs, rec.img->ref, &ckpt_type_mm, current->mm);
}

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_process *img = ckpt_put(rec, PROCESS, BASE);
	int ret;

	if (!img)
		return -ENOMEM;
	img->tgid = task_tgid_nr_ns(h->task, ckpt_save_pid_ns(cp));
	ret = ckpt_obj_save(cp, &ckpt_type_sighand, h->sighand, &img->sighand);
	if (!ret)
		ret = ckpt_obj_save(cp, &ckpt_type_mm, h->mm, &img->mm);
	if (ret)
		return ret;
	if (ckpt_obj_find(cp, &ckpt_type_mm, h->mm)->users > 1 ||
	    ckpt_obj_find(cp, &ckpt_type_sighand, h->sighand)->users > 1)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "it shares memory or signal handlers with another process (CLONE_VM), which is not supported");
	return 0;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return ckpt_get(buf, PROCESS, BASE)->tgid > 0 ? 0 : ckpt_malformed(log, buf);
}

const struct ckpt_task_part ckpt_part_memory = {
	.name = "memory",
	.process = true,
	.stage = CKPT_STAGE_MEMORY,
	.save = save,
	.check = check,
	.restore = restore,
};

/* after everybody: a change of any thread's credentials resets it */
int ckpt_finish_mm(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr)
{
	const struct ckpt_image_mm *img = ckpt_get(buf, MM, BASE);
	struct mm_struct *mm = ptr;

	set_mask_bits(&mm->flags, MMF_DUMPABLE_MASK, img->dumpable);
	return ckpt_finish_filled(rs, buf, mm);
}
