/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel has and does not export.  A function 'name' of the list in
 * symbols.def is called as k_name(); a variable is reached through the pointer
 * kv_name.
 *
 * What only some containers need may be missing: ckpt_lacks() is asked before
 * they are taken on.  A function that is not there answers -ENOSYS, a variable
 * is NULL.
 *
 * The calls are static calls, patched into direct ones: a kernel with IBT
 * faults on a call through a pointer to a function that has no ENDBR.
 */
#ifndef _CKPT_SYMBOLS_H
#define _CKPT_SYMBOLS_H

#include <linux/cgroup.h>
#include <linux/fs_struct.h>
#include <linux/lsm_hooks.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/sockptr.h>
#include <linux/static_call.h>
#include <linux/wait.h>
#include <asm/vdso.h>

#include "compat.h"

struct btf;
struct fsnotify_event;
struct fsnotify_group;
struct fsnotify_mark_connector;
struct btf_type;
struct in6_addr;
struct inet_hashinfo;
struct ipc_ids;
struct kern_ipc_perm;
struct net;
struct net_device;
struct request_sock_ops;
struct sock;

#define CKPT_FUNC(ret, name, proto, args)				\
	typedef ret ckpt_fn_##name proto;				\
	DECLARE_STATIC_CALL(ckpt_sc_##name, ckpt_fn_##name);		\
	static inline ret k_##name proto				\
	{								\
		return static_call(ckpt_sc_##name) args;		\
	}
#define CKPT_FUNC_HIDDEN(ret, name, proto, args) CKPT_FUNC(ret, name, proto, args)
#define CKPT_SYSCALL(name)						\
	CKPT_FUNC(long, __x64_sys_##name, (const struct pt_regs *regs), (regs))
#define CKPT_VAR(type, name) extern type *kv_##name;
#define CKPT_VAR_HIDDEN(type, name) CKPT_VAR(type, name)
#define CKPT_VAR_OPT(type, name) CKPT_VAR(type, name)
/* a function that is only compared with: its address */
#define CKPT_ADDR(name) extern void *ka_##name;
#define CKPT_FOR(name, what)
#include "symbols.def"
#include "symbols_undef.h"

/* what the symbols are for */
enum ckpt_purpose {
#define CKPT_FUNC(ret, name, proto, args)
#define CKPT_FUNC_HIDDEN(ret, name, proto, args)
#define CKPT_SYSCALL(name)
#define CKPT_VAR(type, name)
#define CKPT_VAR_HIDDEN(type, name)
#define CKPT_VAR_OPT(type, name)
#define CKPT_ADDR(name)
#define CKPT_FOR(name, what) CKPT_FOR_##name,
#include "symbols.def"
#include "symbols_undef.h"
	CKPT_NR_PURPOSES,
};

/*
 * Run a system call in the name of current, with all its checks.  Pointers are
 * user addresses.
 */
#define ckpt_syscall(name, ...)						\
({									\
	const unsigned long __a[6] = { __VA_ARGS__ };			\
	const struct pt_regs __r = {					\
		.di = __a[0], .si = __a[1], .dx = __a[2],		\
		.r10 = __a[3], .r8 = __a[4], .r9 = __a[5],		\
	};								\
	k___x64_sys_##name(&__r);					\
})

static inline void ckpt_put_nsproxy(struct nsproxy *ns)
{
	if (ckpt_nsproxy_last(ns))
		k_free_nsproxy(ns);
}

int ckpt_symbols_init(void);
/* the first symbol that this kernel lacks for it, or NULL */
const char *ckpt_lacks(enum ckpt_purpose purpose);
/* what it is for, as in "epoll files" */
const char *ckpt_purpose_name(enum ckpt_purpose purpose);

/* the sentence about it: of the name, and of the symbol */
#define CKPT_LACK_FMT "%s are not supported on this kernel, which has no %s"

#endif
