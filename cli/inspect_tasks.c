// SPDX-License-Identifier: GPL-2.0-only
/* Tasks, what belongs to them alone, and memory. */
#include <signal.h>
#include <string.h>
#include <ckpt_image.h>

#include "inspect.h"

#define SA(member) EMIT_FIELD(ckpt_image_sigaction, member, EMIT_HEX)
static const struct emit_field sigaction_fields[] = {
	SA(handler), SA(flags), SA(restorer), SA(mask),
};

static const struct emit_field sighand_fields[] = { EMIT_FIELD(ckpt_image_sighand, ref, EMIT_UNS) };

#define C(member, fmt) EMIT_FIELD(ckpt_image_cred, member, fmt)
static const struct emit_field cred_fields[] = {
	C(ref, EMIT_UNS), C(uid, EMIT_UNS), C(gid, EMIT_UNS), C(suid, EMIT_UNS),
	C(sgid, EMIT_UNS), C(euid, EMIT_UNS), C(egid, EMIT_UNS), C(fsuid, EMIT_UNS),
	C(fsgid, EMIT_UNS), C(securebits, EMIT_HEX), C(cap_inheritable, EMIT_HEX),
	C(cap_permitted, EMIT_HEX), C(cap_effective, EMIT_HEX), C(cap_bset, EMIT_HEX),
	C(cap_ambient, EMIT_HEX), C(jit_keyring, EMIT_UNS),
};

static const struct emit_field group_fields[] = { { "gid", 0, sizeof(__u32), EMIT_UNS } };

#define P(member, fmt) EMIT_FIELD(ckpt_image_process, member, fmt)
static const struct emit_field process_fields[] = {
	P(tgid, EMIT_DEC), P(mm, EMIT_UNS), P(sighand, EMIT_UNS),
};

static const struct emit_field oom_fields[] = {
	EMIT_FIELD(ckpt_image_oom, score_adj, EMIT_DEC),
	EMIT_FIELD(ckpt_image_oom, score_adj_min, EMIT_DEC),
};

static const struct emit_field subreaper_fields[] = {
	EMIT_FIELD(ckpt_image_subreaper, is, EMIT_UNS),
	EMIT_FIELD(ckpt_image_subreaper, below, EMIT_UNS),
};

#define U(member) EMIT_FIELD(ckpt_image_usage, member, EMIT_UNS)
static const struct emit_field usage_fields[] = {
	U(utime), U(stime), U(gtime), U(runtime), U(min_flt), U(maj_flt), U(nvcsw), U(nivcsw),
	U(inblock), U(oublock), U(maxrss), U(rchar), U(wchar), U(syscr), U(syscw),
	U(read_bytes), U(write_bytes), U(cancelled_write_bytes), U(told_utime), U(told_stime),
};

static const struct emit_field ctty_fields[] = {
	EMIT_FIELD(ckpt_image_ctty, tty, EMIT_UNS),
	EMIT_FIELD(ckpt_image_ctty, old_pgrp, EMIT_DEC),
};

static const struct emit_field job_fields[] = {
	EMIT_FIELD(ckpt_image_job, flags, EMIT_HEX),
	EMIT_FIELD(ckpt_image_job, stop_signal, EMIT_UNS),
};

static const struct emit_field timer_fields[] = {
	EMIT_FIELD(ckpt_image_timer, id, EMIT_DEC),
	EMIT_FIELD(ckpt_image_timer, clockid, EMIT_DEC),
	EMIT_FIELD(ckpt_image_timer, clock_pid, EMIT_DEC),
	EMIT_FIELD(ckpt_image_timer, notify, EMIT_DEC),
	EMIT_FIELD(ckpt_image_timer, thread, EMIT_DEC),
	EMIT_FIELD(ckpt_image_timer, signo, EMIT_DEC),
	EMIT_FIELD(ckpt_image_timer, value, EMIT_HEX),
	EMIT_FIELD(ckpt_image_timer, interval, EMIT_UNS),
	EMIT_FIELD(ckpt_image_timer, expires, EMIT_UNS),
	EMIT_FIELD(ckpt_image_timer, overrun, EMIT_DEC),
	EMIT_FIELD(ckpt_image_timer, overrun_last, EMIT_DEC),
	EMIT_FIELD(ckpt_image_timer, requeue, EMIT_DEC),
	EMIT_FIELD(ckpt_image_timer, flags, EMIT_HEX),
};

static const struct emit_field timer_signal_fields[] = {
	EMIT_FIELD(ckpt_image_timer_signal, timer, EMIT_UNS),
	EMIT_FIELD(ckpt_image_timer_signal, sys_private, EMIT_DEC),
	EMIT_FIELD(ckpt_image_timer_signal, overrun, EMIT_DEC),
	EMIT_FIELD(ckpt_image_timer_signal, place, EMIT_UNS),
};

static const struct emit_field next_timer_fields[] = {
	EMIT_FIELD(ckpt_image_next_timer, id, EMIT_UNS),
};

#define SU(member, fmt) EMIT_FIELD(ckpt_image_sem_undo, member, fmt)
static const struct emit_field sem_undo_fields[] = {
	SU(id, EMIT_DEC), SU(sem, EMIT_UNS), SU(adj, EMIT_DEC),
};

static const struct emit_field ptracer_fields[] = { EMIT_FIELD(ckpt_image_ptracer, pid, EMIT_DEC) };

static const struct emit_field autogroup_fields[] = {
	EMIT_FIELD(ckpt_image_autogroup, ref, EMIT_UNS),
	EMIT_FIELD(ckpt_image_autogroup, nice, EMIT_DEC),
};

static const struct emit_field in_autogroup_fields[] = {
	EMIT_FIELD(ckpt_image_in_autogroup, autogroup, EMIT_UNS),
};

static const struct emit_field filter_fields[] = {
	EMIT_FIELD(ckpt_image_filter, ref, EMIT_UNS),
	EMIT_FIELD(ckpt_image_filter, prev, EMIT_UNS),
	EMIT_FIELD(ckpt_image_filter, flags, EMIT_HEX),
};

static const struct emit_field insn_fields[] = {
	EMIT_FIELD(ckpt_image_insn, code, EMIT_HEX),
	EMIT_FIELD(ckpt_image_insn, jt, EMIT_UNS),
	EMIT_FIELD(ckpt_image_insn, jf, EMIT_UNS),
	EMIT_FIELD(ckpt_image_insn, k, EMIT_HEX),
};

static const struct emit_field seccomp_fields[] = {
	EMIT_FIELD(ckpt_image_seccomp, mode, EMIT_UNS),
	EMIT_FIELD(ckpt_image_seccomp, filter, EMIT_UNS),
	EMIT_FIELD(ckpt_image_seccomp, nr_filters, EMIT_UNS),
};

static const struct emit_field rlimit_fields[] = {
	EMIT_FIELD(ckpt_image_rlimit, cur, EMIT_UNS),
	EMIT_FIELD(ckpt_image_rlimit, max, EMIT_UNS),
};

static const struct emit_field itimer_fields[] = {
	EMIT_FIELD(ckpt_image_itimer, value, EMIT_UNS),
	EMIT_FIELD(ckpt_image_itimer, interval, EMIT_UNS),
};

#define T(member, fmt) EMIT_FIELD(ckpt_image_task, member, fmt)
static const struct emit_field task_fields[] = {
	T(pid, EMIT_DEC), T(tgid, EMIT_DEC), T(ppid, EMIT_DEC), T(pgid, EMIT_DEC),
	T(sid, EMIT_DEC), T(flags, EMIT_HEX), T(exit_signal, EMIT_DEC),
	T(exit_code, EMIT_HEX), T(comm, EMIT_STR), T(parent_tid, EMIT_DEC),
};

static const struct emit_field shared_fields[] = {
	EMIT_FIELD(ckpt_image_shared, files, EMIT_UNS),
	EMIT_FIELD(ckpt_image_shared, fs, EMIT_UNS),
	EMIT_FIELD(ckpt_image_shared, cred, EMIT_UNS),
};

#define NS(member) EMIT_FIELD(ckpt_image_namespaces, member, EMIT_UNS)
static const struct emit_field namespaces_fields[] = {
	NS(uts), NS(ipc), NS(mnt), NS(net), NS(pid), NS(pid_for_children), NS(cgroup),
	NS(time), NS(time_for_children), NS(user),
};

static const struct emit_field attributes_fields[] = {
	EMIT_FIELD(ckpt_image_attributes, personality, EMIT_HEX),
	EMIT_FIELD(ckpt_image_attributes, pdeath_signal, EMIT_DEC),
	EMIT_FIELD(ckpt_image_attributes, no_new_privs, EMIT_UNS),
	EMIT_FIELD(ckpt_image_attributes, flags, EMIT_HEX),
};

static const struct emit_field login_fields[] = {
	EMIT_FIELD(ckpt_image_login, uid, EMIT_UNS),
	EMIT_FIELD(ckpt_image_login, session, EMIT_UNS),
	EMIT_FIELD(ckpt_image_login, tty, EMIT_HEX),
};

static const struct emit_field born_fields[] = {
	EMIT_FIELD(ckpt_image_born, monotonic_ns, EMIT_UNS),
	EMIT_FIELD(ckpt_image_born, boottime_ns, EMIT_UNS),
};

#define SC(member, fmt) EMIT_FIELD(ckpt_image_sched, member, fmt)
static const struct emit_field sched_fields[] = {
	SC(policy, EMIT_DEC), SC(nice, EMIT_DEC), SC(rt_priority, EMIT_DEC),
	SC(reset_on_fork, EMIT_UNS), SC(dl_runtime, EMIT_UNS), SC(dl_deadline, EMIT_UNS),
	SC(dl_period, EMIT_UNS), SC(ioprio, EMIT_DEC), SC(timer_slack_ns, EMIT_UNS),
	SC(default_slack_ns, EMIT_UNS),
};

#define SG(member, fmt) EMIT_FIELD(ckpt_image_signals, member, fmt)
static const struct emit_field signals_fields[] = {
	SG(blocked, EMIT_HEX), SG(saved_sigmask, EMIT_HEX), SG(restore_sigmask, EMIT_UNS),
	SG(sas_sp, EMIT_HEX), SG(sas_size, EMIT_UNS), SG(sas_flags, EMIT_HEX),
};

#define RG(member, fmt) EMIT_FIELD(ckpt_image_registered, member, fmt)
static const struct emit_field registered_fields[] = {
	RG(rseq, EMIT_HEX), RG(rseq_len, EMIT_UNS), RG(rseq_sig, EMIT_HEX),
	RG(robust_list, EMIT_HEX), RG(clear_child_tid, EMIT_HEX),
};

#define R(member, fmt) EMIT_FIELD(ckpt_image_restart_block, member, fmt)
static const struct emit_field restart_fields[] = {
	R(kind, EMIT_UNS), R(clockid, EMIT_DEC), R(expires_ns, EMIT_UNS),
	R(uaddr, EMIT_HEX), R(type, EMIT_UNS), R(val, EMIT_HEX), R(flags, EMIT_HEX),
	R(bitset, EMIT_HEX), R(nfds, EMIT_UNS), R(has_timeout, EMIT_UNS),
};

#define X(member) EMIT_FIELD(ckpt_image_x86, member, EMIT_HEX)
static const struct emit_field x86_fields[] = {
	X(ax), X(bx), X(cx), X(dx), X(si), X(di), X(bp), X(sp), X(r8), X(r9), X(r10),
	X(r11), X(r12), X(r13), X(r14), X(r15), X(orig_ax), X(ip), X(flags), X(cs),
	X(ss), X(ds), X(es), X(fs), X(gs), X(fs_base), X(gs_base),
};

#define M(member, fmt) EMIT_FIELD(ckpt_image_mm, member, fmt)
static const struct emit_field mm_fields[] = {
	M(ref, EMIT_UNS), M(exe, EMIT_UNS), M(start_code, EMIT_HEX), M(end_code, EMIT_HEX),
	M(start_data, EMIT_HEX), M(end_data, EMIT_HEX), M(start_brk, EMIT_HEX),
	M(brk, EMIT_HEX), M(start_stack, EMIT_HEX), M(arg_start, EMIT_HEX),
	M(arg_end, EMIT_HEX), M(env_start, EMIT_HEX), M(env_end, EMIT_HEX),
	M(vdso, EMIT_HEX), M(vvar, EMIT_HEX), M(mmap_base, EMIT_HEX), M(dumpable, EMIT_UNS),
	M(dump_filter, EMIT_HEX), M(membarrier, EMIT_HEX), M(def_flags, EMIT_HEX),
	M(thp_disable, EMIT_UNS),
};

#define LY(member, fmt) EMIT_FIELD(ckpt_image_layout, member, fmt)
static const struct emit_field layout_fields[] = {
	LY(legacy, EMIT_UNS), LY(legacy_base, EMIT_HEX), LY(hiwater_rss, EMIT_UNS), LY(hiwater_vm, EMIT_UNS),
};

#define V(member, fmt) EMIT_FIELD(ckpt_image_vma, member, fmt)
static const struct emit_field vma_fields[] = {
	V(start, EMIT_HEX), V(end, EMIT_HEX), V(prot, EMIT_HEX), V(flags, EMIT_HEX),
	V(file, EMIT_UNS), V(offset, EMIT_HEX), V(advice, EMIT_HEX),
};

#define SH(member, fmt) EMIT_FIELD(ckpt_image_shmem, member, fmt)
static const struct emit_field shmem_fields[] = {
	SH(ref, EMIT_UNS), SH(seals, EMIT_HEX), SH(size, EMIT_UNS), SH(memfd, EMIT_UNS),
	SH(mode, EMIT_OCT), SH(uid, EMIT_UNS), SH(gid, EMIT_UNS),
};

static const struct emit_field pages_fields[] = {
	EMIT_FIELD(ckpt_image_pages, ref, EMIT_UNS),
	EMIT_FIELD(ckpt_image_pages, nr, EMIT_UNS),
};

static const struct emit_field run_fields[] = {
	EMIT_FIELD(ckpt_image_run, addr, EMIT_HEX),
	EMIT_FIELD(ckpt_image_run, count, EMIT_UNS),
	EMIT_FIELD(ckpt_image_run, order, EMIT_UNS),
	EMIT_FIELD(ckpt_image_run, sum, EMIT_HEX),
};

#define SM(member, fmt) EMIT_FIELD(ckpt_image_same, member, fmt)
static const struct emit_field same_fields[] = {
	SM(ref, EMIT_UNS), SM(addr, EMIT_HEX), SM(of, EMIT_UNS), SM(of_addr, EMIT_HEX),
	SM(count, EMIT_UNS),
};

#define TR(member) EMIT_FIELD(ckpt_image_trailer, member, EMIT_UNS)
static const struct emit_field trailer_fields[] = { TR(nr_records), TR(nr_pages), TR(bytes) };

static void print_actions(struct emit *m, const char *name, const struct part *part)
{
	const struct ckpt_image_sigaction *a = part->data;
	uint32_t i;

	emit_list(m, name);
	for (i = 0; i < part->nr; i++) {
		/* who has not set anything has only zeroes */
		if (!a[i].handler && !a[i].flags && !a[i].mask)
			continue;
		emit_group(m);
		emit_number(m, "signal", EMIT_UNS, false, i + 1);
		emit_struct(m, EMIT_FIELDS(sigaction_fields), &a[i]);
		emit_group_end(m);
	}
	emit_list_end(m);
}

static void print_pending(struct emit *m, const char *name, const struct part *part)
{
	const struct ckpt_image_siginfo *s = part->data;
	siginfo_t info;
	uint32_t i;

	emit_list(m, name);
	for (i = 0; i < part->nr; i++) {
		memcpy(&info, &s[i], sizeof(info));
		emit_group(m);
		emit_number(m, "signal", EMIT_DEC, false, (int64_t)info.si_signo);
		emit_number(m, "code", EMIT_DEC, false, (int64_t)info.si_code);
		emit_group_end(m);
	}
	emit_list_end(m);
}

/* only zeroes, as the reader has seen */
static void print_fill(struct emit *m, const char *name, const struct part *part)
{
	emit_number(m, name, EMIT_UNS, false, part->nr);
}

const struct inspect_part inspect_tasks[] = {
	INSPECT_PART(SIGHAND, BASE, sighand_fields),
	INSPECT_PRINT(SIGHAND, ACTIONS, print_actions),
	INSPECT_PART(CRED, BASE, cred_fields),
	INSPECT_PART(CRED, GROUPS, group_fields),
	INSPECT_PART(PROCESS, BASE, process_fields),
	INSPECT_PART(PROCESS, LIMITS, rlimit_fields),
	INSPECT_PART(PROCESS, ITIMERS, itimer_fields),
	INSPECT_PRINT(PROCESS, PENDING, print_pending),
	INSPECT_PART(PROCESS, OOM, oom_fields),
	INSPECT_PART(PROCESS, SUBREAPER, subreaper_fields),
	INSPECT_PART(PROCESS, USAGE, usage_fields),
	INSPECT_PART(PROCESS, JOB, job_fields),
	INSPECT_PART(PROCESS, CTTY, ctty_fields),
	INSPECT_PART(PROCESS, PTRACER, ptracer_fields),
	INSPECT_PART(PROCESS, AUTOGROUP, in_autogroup_fields),
	INSPECT_PART(PROCESS, TIMERS, timer_fields),
	INSPECT_PART(PROCESS, TIMER_SIGNALS, timer_signal_fields),
	INSPECT_PART(PROCESS, NEXT_TIMER, next_timer_fields),
	INSPECT_PART(PROCESS, SEM_UNDO, sem_undo_fields),
	INSPECT_PART(AUTOGROUP, BASE, autogroup_fields),
	INSPECT_PART(FILTER, BASE, filter_fields),
	INSPECT_PART(FILTER, PROGRAM, insn_fields),
	INSPECT_PART(TASK, BASE, task_fields),
	INSPECT_PART(TASK, SHARED, shared_fields),
	INSPECT_PART(TASK, NAMESPACES, namespaces_fields),
	INSPECT_PART(TASK, ATTRIBUTES, attributes_fields),
	INSPECT_PART(TASK, SCHED, sched_fields),
	INSPECT_PART(TASK, SIGNALS, signals_fields),
	INSPECT_PRINT(TASK, PENDING, print_pending),
	INSPECT_PART(TASK, REGISTERED, registered_fields),
	INSPECT_PART(TASK, RESTART, restart_fields),
	INSPECT_PART(TASK, X86, x86_fields),
	INSPECT_PART(TASK, LOGIN, login_fields),
	INSPECT_PART(TASK, BORN, born_fields),
	INSPECT_PART(TASK, USAGE, usage_fields),
	INSPECT_PART(TASK, SECCOMP, seccomp_fields),
	INSPECT_PART(MM, BASE, mm_fields),
	INSPECT_PART(MM, VMAS, vma_fields),
	INSPECT_PART(MM, LAYOUT, layout_fields),
	INSPECT_PART(SHMEM, BASE, shmem_fields),
	INSPECT_PART(PAGES, BASE, pages_fields),
	INSPECT_PART(PAGES, RUNS, run_fields),
	INSPECT_PRINT(PAGES, FILL, print_fill),
	INSPECT_PART(SAME, BASE, same_fields),
	INSPECT_PART(TRAILER, BASE, trailer_fields),
};

const size_t inspect_nr_tasks = sizeof(inspect_tasks) / sizeof(*inspect_tasks);
