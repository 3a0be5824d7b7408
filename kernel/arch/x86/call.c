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

/* will @t, which is off its processor, go on with the sleep in its restart block? */
bool ckpt_arch_in_restart_block(struct task_struct *t)
{
	struct pt_regs *regs = task_pt_regs(t);

	if (syscall_get_nr(t, regs) < 0)
		return false;
	/* the second: just before it calls, in user space, on its way from the first */
	return syscall_get_error(t, regs) == -ERESTART_RESTARTBLOCK ||
	       regs->ax == __NR_restart_syscall;
}

/* where the stack of @t begins that it has in the kernel; it is off its processor */
unsigned long ckpt_arch_kernel_sp(struct task_struct *t)
{
	return t->thread.sp;
}
