// SPDX-License-Identifier: GPL-2.0-only
/* Registers and xstate of x86-64.  S4, T2. */
#include <linux/elf.h>
#include <linux/regset.h>
#include <linux/rseq.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>
#include <asm/desc.h>
#include <asm/user.h>

#include "arch.h"
#include "part.h"

bool ckpt_arch_has_ports(struct task_struct *t)
{
#ifdef CONFIG_X86_IOPL_IOPERM
	return t->thread.io_bitmap || t->thread.iopl_emul;
#else
	return false;
#endif
}

bool ckpt_arch_traps_tsc(struct task_struct *t)
{
	return test_tsk_thread_flag(t, TIF_NOTSC);
}

bool ckpt_arch_traps_cpuid(struct task_struct *t)
{
	return test_tsk_thread_flag(t, TIF_NOCPUID);
}

bool ckpt_arch_flushes_l1d(struct task_struct *t)
{
	return test_tsk_thread_flag(t, TIF_SPEC_L1D_FLUSH);
}

/* a debugger that has gone leaves them behind */
static bool has_breakpoints(struct task_struct *t)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(t->thread.ptrace_bps); i++)
		if (t->thread.ptrace_bps[i])
			return true;
	return false;
}

static int refuse(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct task_struct *t = h->task;
	int i, ret = 0;

	if (!user_64bit_mode(task_pt_regs(t)) || test_tsk_thread_flag(t, TIF_ADDR32))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "a 32-bit program is not supported");
	for (i = 0; i < GDT_ENTRY_TLS_ENTRIES; i++)
		if (t->thread.tls_array[i].limit0 || t->thread.tls_array[i].p)
			ret = ckpt_refuse(cp, -EOPNOTSUPP, "segments of set_thread_area(2) are not supported");
	if (has_breakpoints(t))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "hardware breakpoints that a debugger has left behind are not supported");
	if (ckpt_shstk_locked(t))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "locked shadow stacks (ARCH_SHSTK_LOCK) are not supported");
	return ret;
}

static const struct user_regset *find_regset(struct task_struct *t, unsigned int type)
{
	const struct user_regset_view *view = task_user_regset_view(t);
	unsigned int i;

	for (i = 0; i < view->n; i++)
		if (view->regsets[i].core_note_type == type)
			return &view->regsets[i];
	return NULL;
}

/* bytes of the xstate as ptrace(2) gives it; 0 without XSAVE */
static size_t xstate_len(struct task_struct *t)
{
	const struct user_regset *rs = find_regset(t, NT_X86_XSTATE);

	if (!rs || (rs->active && rs->active(t, rs) <= 0))
		return 0;
	return rs->n * rs->size;
}

static int get_regset(struct task_struct *t, const struct user_regset *rs, void *buf, size_t len)
{
	struct membuf to = { .p = buf, .left = len };
	int ret;

	ret = rs->regset_get(t, rs, to);
	return ret < 0 ? ret : 0;
}

static void regs_to_image(const struct user_regs_struct *r, struct ckpt_image_x86 *img)
{
	img->r15 = r->r15;
	img->r14 = r->r14;
	img->r13 = r->r13;
	img->r12 = r->r12;
	img->bp = r->bp;
	img->bx = r->bx;
	img->r11 = r->r11;
	img->r10 = r->r10;
	img->r9 = r->r9;
	img->r8 = r->r8;
	img->ax = r->ax;
	img->cx = r->cx;
	img->dx = r->dx;
	img->si = r->si;
	img->di = r->di;
	img->orig_ax = r->orig_ax;
	img->ip = r->ip;
	img->cs = r->cs;
	img->flags = r->flags;
	img->sp = r->sp;
	img->ss = r->ss;
	img->fs_base = r->fs_base;
	img->gs_base = r->gs_base;
	img->ds = r->ds;
	img->es = r->es;
	img->fs = r->fs;
	img->gs = r->gs;
}

static void image_to_regs(const struct ckpt_image_x86 *img, struct user_regs_struct *r)
{
	r->r15 = img->r15;
	r->r14 = img->r14;
	r->r13 = img->r13;
	r->r12 = img->r12;
	r->bp = img->bp;
	r->bx = img->bx;
	r->r11 = img->r11;
	r->r10 = img->r10;
	r->r9 = img->r9;
	r->r8 = img->r8;
	r->ax = img->ax;
	r->cx = img->cx;
	r->dx = img->dx;
	r->si = img->si;
	r->di = img->di;
	r->orig_ax = img->orig_ax;
	r->ip = img->ip;
	r->cs = img->cs;
	r->flags = img->flags;
	r->sp = img->sp;
	r->ss = img->ss;
	r->fs_base = img->fs_base;
	r->gs_base = img->gs_base;
	r->ds = img->ds;
	r->es = img->es;
	r->fs = img->fs;
	r->gs = img->gs;
}

/* the task is frozen and off its processor */
static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_x86 *img = ckpt_put(rec, TASK, X86);
	struct task_struct *t = h->task;
	size_t len = xstate_len(t);
	u8 *xstate = ckpt_put_nr(rec, TASK, XSTATE, len);
	struct user_regs_struct regs = {};
	int ret;

	if (!img || !xstate)
		return -ENOMEM;
	ret = get_regset(t, find_regset(t, NT_PRSTATUS), &regs, sizeof(regs));
	if (!ret && len)
		ret = get_regset(t, find_regset(t, NT_X86_XSTATE), xstate, len);
	if (ret)
		return ckpt_refuse(cp, ret, "its registers cannot be read: error %d", -ret);
	regs_to_image(&regs, img);
	return 0;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return ckpt_get(buf, TASK, X86) ? 0 : ckpt_malformed(log, buf);
}

/* restored by the coordinator, when everybody sleeps: ckpt_arch_restore() */
const struct ckpt_task_part ckpt_part_registers = {
	.name = "registers",
	.refuse = refuse,
	.save = save,
	.check = check,
};

/*
 * Give @t, which sleeps in the engine, the registers of the image.  The
 * kernel's own writers check them: they are the ones behind ptrace(2).
 */
int ckpt_arch_restore(struct ckpt_log *log, struct task_struct *t,
		      const struct ckpt_rec_buf *task)
{
	const struct user_regset *rs = find_regset(t, NT_X86_XSTATE);
	struct user_regs_struct regs = {};
	const u8 *xstate;
	u64 len;
	int ret;

	xstate = ckpt_get_nr(task, TASK, XSTATE, &len);
	if (!ckpt_wait_inactive(t))
		return -ESRCH;
	if (xstate_len(t) != len)
		return ckpt_fail(log, -EINVAL,
				 "the image's xstate has %llu bytes and this processor's %zu; restart it on one of the same kind",
				 len, xstate_len(t));
	if (len) {
		ret = rs->set(t, rs, 0, len, xstate, NULL);
		if (ret)
			return ckpt_fail(log, ret, "the image's xstate is not valid here: error %d", -ret);
	}
	image_to_regs(ckpt_get(task, TASK, X86), &regs);
	rs = find_regset(t, NT_PRSTATUS);
	ret = rs->set(t, rs, 0, sizeof(regs), &regs, NULL);
	return ret ? ckpt_fail(log, ret, "the image's registers are not valid: error %d", -ret) : 0;
}

/*
 * The last step of current on its way to user space, after the result of its
 * ioctl was stored: put the register right that the result went to, and pass
 * through the signal path, which restarts the system call that was interrupted.
 */
void ckpt_arch_resume(struct task_struct *t, const struct ckpt_rec_buf *task)
{
	task_pt_regs(t)->ax = ckpt_get(task, TASK, X86)->ax;
	set_tsk_thread_flag(t, TIF_SIGPENDING);
	/* it may have been in a critical section, on another processor */
	if (t->rseq) {
		set_bit(RSEQ_EVENT_PREEMPT_BIT, &t->rseq_event_mask);
		set_tsk_thread_flag(t, TIF_NOTIFY_RESUME);
	}
}
