// SPDX-License-Identifier: GPL-2.0-only
/* Memory protection keys: pkey_alloc(2).  K16 */
#include <linux/mm_types.h>

#include "arch.h"

/*
 * Has the program a key of its own?  Key 0 is everybody's; one may be the
 * kernel's, for mappings that can only be executed, and comes again with them.
 */
bool ckpt_arch_has_pkeys(struct mm_struct *mm)
{
#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS
	u16 kernels = 1;

	if (mm->context.execute_only_pkey > 0)
		kernels |= 1 << mm->context.execute_only_pkey;
	return mm->context.pkey_allocation_map & ~kernels;
#else
	return false;
#endif
}
