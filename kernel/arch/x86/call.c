// SPDX-License-Identifier: GPL-2.0-only
/* The system call in which a task is, or from which it is on its way out.  N4, S4. */
#include <linux/sched/task_stack.h>
#include <asm/syscall.h>
#include <asm/unistd.h>

#include "arch.h"

/* -1: none, or a 32-bit one */
int ckpt_arch_call(struct task_struct *t)
{
	struct pt_regs *regs = task_pt_regs(t);

	if (!user_64bit_mode(regs) || task_thread_info(t)->status & TS_COMPAT)
		return -1;
	return syscall_get_nr(t, regs);
}

/* system call @nr in the name of current, with the arguments of the one in which it is */
long ckpt_arch_call_again(int nr)
{
	return k_x64_sys_call(task_pt_regs(current), nr);
}

/*
 * Will @t, which is off its processor, go on with the sleep in its restart block?
 * Also just before it calls, on its way from that: in the kernel, or in user
 * space, where an interrupt has left no number of a call.
 */
bool ckpt_arch_in_restart_block(struct task_struct *t)
{
	struct pt_regs *regs = task_pt_regs(t);

	if (regs->ax == __NR_restart_syscall)
		return true;
	return syscall_get_nr(t, regs) >= 0 &&
	       syscall_get_error(t, regs) == -ERESTART_RESTARTBLOCK;
}

/* and is that a 32-bit call of a 64-bit program, by int 0x80? */
bool ckpt_arch_in_compat_restart(struct task_struct *t)
{
	return t->restart_block.arch_data & TS_COMPAT;
}

/* where the stack of @t begins that it has in the kernel; it is off its processor */
unsigned long ckpt_arch_kernel_sp(struct task_struct *t)
{
	return t->thread.sp;
}
