// SPDX-License-Identifier: GPL-2.0-only
/* The local descriptor table of an address space.  S11. */
#include <linux/uaccess.h>
#include <asm/desc.h>
#include <asm/ldt.h>
#include <asm/mmu_context.h>

#include "arch.h"

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
