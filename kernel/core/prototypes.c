// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nothing is called by another type than it has: each function and variable of
 * symbols.def is held against its declaration in the kernel's headers, so that
 * a kernel with another fails to compile here.  K28.
 */
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/cpuset.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/eventpoll.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify_backend.h>
#include <linux/kernel.h>
#include <linux/memcontrol.h>
#include <linux/mnt_namespace.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/posix-timers.h>
#include <linux/ptrace.h>
#include <linux/sched/autogroup.h>
#include <linux/sched/user.h>
#include <linux/security.h>
#include <linux/signal.h>
#include <linux/syscalls.h>
#include <linux/task_work.h>
#include <linux/utsname.h>
#include <net/addrconf.h>
#include <net/inet6_hashtables.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>
#include <asm/syscall.h>

#include "symbols.h"

#define CKPT_FUNC(ret, name, proto, args)				\
	static_assert(__same_type(name, ckpt_fn_##name),		\
		      "this kernel declares " #name "() otherwise than symbols.def");
/* entered with the caller's registers, whatever its arguments are: those are user space's interface */
#define CKPT_SYSCALL(name)
#define CKPT_VAR(type, name)						\
	static_assert(__same_type(name, type),				\
		      "this kernel declares " #name " otherwise than symbols.def");
/* compared with and never called */
#define CKPT_ADDR(name)
/* what no header declares */
#define CKPT_FUNC_HIDDEN(ret, name, proto, args)
#define CKPT_VAR_HIDDEN(type, name)
#define CKPT_VAR_OPT(type, name)
#define CKPT_FOR(name, what)
#include "symbols.def"
#include "symbols_undef.h"
