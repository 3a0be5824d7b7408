// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kprobes.h>

#include "symbols.h"

#define CKPT_FUNC(ret, name, proto, args)				\
	DEFINE_STATIC_CALL_NULL(ckpt_sc_##name, ckpt_fn_##name);
#define CKPT_SYSCALL(name)						\
	CKPT_FUNC(long, __x64_sys_##name, (const struct pt_regs *regs), (regs))
#define CKPT_VAR(type, name) type *kv_##name;
#define CKPT_VAR_OPT(type, name) CKPT_VAR(type, name)
#define CKPT_ADDR(name) void *ka_##name;
#include "symbols.def"
#undef CKPT_FUNC
#undef CKPT_SYSCALL
#undef CKPT_VAR
#undef CKPT_VAR_OPT
#undef CKPT_ADDR

typedef unsigned long ckpt_fn_lookup(const char *name);
DEFINE_STATIC_CALL_NULL(ckpt_sc_lookup, ckpt_fn_lookup);

/* kallsyms_lookup_name() is not exported itself; a kprobe tells where it is */
static int find_lookup(void)
{
	struct kprobe kp = { .symbol_name = "kallsyms_lookup_name" };
	int ret;

	ret = register_kprobe(&kp);
	if (ret) {
		pr_err("ckpt: no kprobe on kallsyms_lookup_name: %d\n", ret);
		return ret;
	}
	static_call_update(ckpt_sc_lookup, (ckpt_fn_lookup *)kp.addr);
	unregister_kprobe(&kp);
	return 0;
}

static void *lookup(const char *name)
{
	void *addr = (void *)static_call(ckpt_sc_lookup)(name);

	if (!addr)
		pr_err("ckpt: this kernel has no %s\n", name);
	return addr;
}

int ckpt_symbols_init(void)
{
	void *addr;
	int ret;

	ret = find_lookup();
	if (ret)
		return ret;

#define CKPT_FUNC(ret, name, proto, args)				\
	addr = lookup(#name);						\
	if (!addr)							\
		return -ENOENT;						\
	static_call_update(ckpt_sc_##name, (ckpt_fn_##name *)addr);
#define CKPT_SYSCALL(name) CKPT_FUNC(, __x64_sys_##name, , )
#define CKPT_VAR(type, name)						\
	kv_##name = lookup(#name);					\
	if (!kv_##name)							\
		return -ENOENT;
#define CKPT_VAR_OPT(type, name)					\
	kv_##name = (void *)static_call(ckpt_sc_lookup)(#name);
#define CKPT_ADDR(name)							\
	ka_##name = lookup(#name);					\
	if (!ka_##name)							\
		return -ENOENT;
#include "symbols.def"
	return 0;
}
