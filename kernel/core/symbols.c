// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kprobes.h>

#include "symbols.h"

/* what is not there answers -ENOSYS, as a number or as an error pointer */
#define CKPT_FUNC(ret, name, proto, args)				\
	static ret no_##name proto					\
	{								\
		return (ret)(long)-ENOSYS;				\
	}								\
	DEFINE_STATIC_CALL(ckpt_sc_##name, no_##name);
#define CKPT_FUNC_HIDDEN(ret, name, proto, args) CKPT_FUNC(ret, name, proto, args)
#define CKPT_SYSCALL(name)						\
	CKPT_FUNC(long, __x64_sys_##name, (const struct pt_regs *regs), (regs))
#define CKPT_VAR(type, name) type *kv_##name;
#define CKPT_VAR_HIDDEN(type, name) CKPT_VAR(type, name)
#define CKPT_VAR_OPT(type, name) CKPT_VAR(type, name)
#define CKPT_ADDR(name) void *ka_##name;
#define CKPT_FOR(name, what)
#include "symbols.def"
#include "symbols_undef.h"

static const char * const purposes[] = {
#define CKPT_FUNC(ret, name, proto, args)
#define CKPT_FUNC_HIDDEN(ret, name, proto, args)
#define CKPT_SYSCALL(name)
#define CKPT_VAR(type, name)
#define CKPT_VAR_HIDDEN(type, name)
#define CKPT_VAR_OPT(type, name)
#define CKPT_ADDR(name)
#define CKPT_FOR(name, what) [CKPT_FOR_##name] = what,
#include "symbols.def"
#include "symbols_undef.h"
};

/* the first symbol that is missing for each, or NULL; written when the module is loaded */
static const char *lacking[CKPT_NR_PURPOSES];

const char *ckpt_lacks(enum ckpt_purpose purpose)
{
	return lacking[purpose];
}

const char *ckpt_purpose_name(enum ckpt_purpose purpose)
{
	return purposes[purpose];
}

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

static void *lookup(const char *name, enum ckpt_purpose purpose)
{
	void *addr = (void *)static_call(ckpt_sc_lookup)(name);

	if (addr)
		return addr;
	if (purpose == CKPT_FOR_ALL)
		pr_err("ckpt: this kernel has no %s, without which nothing can be saved\n", name);
	else
		pr_warn("ckpt: " CKPT_LACK_FMT "\n", purposes[purpose], name);
	if (!lacking[purpose])
		lacking[purpose] = name;
	return NULL;
}

/* -ENOENT, with a line in the kernel's log, if one is missing that all need */
int ckpt_symbols_init(void)
{
	enum ckpt_purpose purpose = CKPT_FOR_ALL;
	void *addr;
	int ret;

	ret = find_lookup();
	if (ret)
		return ret;

#define CKPT_FOR(name, what) purpose = CKPT_FOR_##name;
#define CKPT_FUNC(ret, name, proto, args)				\
	addr = lookup(#name, purpose);					\
	if (addr)							\
		static_call_update(ckpt_sc_##name, (ckpt_fn_##name *)addr);
#define CKPT_FUNC_HIDDEN(ret, name, proto, args) CKPT_FUNC(ret, name, proto, args)
#define CKPT_SYSCALL(name) CKPT_FUNC(, __x64_sys_##name, , )
#define CKPT_VAR(type, name) kv_##name = lookup(#name, purpose);
#define CKPT_VAR_HIDDEN(type, name) CKPT_VAR(type, name)
#define CKPT_VAR_OPT(type, name)					\
	kv_##name = (void *)static_call(ckpt_sc_lookup)(#name);
#define CKPT_ADDR(name) ka_##name = lookup(#name, purpose);
#include "symbols.def"
#include "symbols_undef.h"
	return lacking[CKPT_FOR_ALL] ? -ENOENT : 0;
}
