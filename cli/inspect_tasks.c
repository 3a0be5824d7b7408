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

#define C(member, fmt) EMIT_FIELD(ckpt_image_cred, member, fmt)
static const struct emit_field cred_fields[] = {
	C(ref, EMIT_UNS), C(uid, EMIT_UNS), C(gid, EMIT_UNS), C(suid, EMIT_UNS),
	C(sgid, EMIT_UNS), C(euid, EMIT_UNS), C(egid, EMIT_UNS), C(fsuid, EMIT_UNS),
	C(fsgid, EMIT_UNS), C(securebits, EMIT_HEX), C(cap_inheritable, EMIT_HEX),
	C(cap_permitted, EMIT_HEX), C(cap_effective, EMIT_HEX), C(cap_bset, EMIT_HEX),
	C(cap_ambient, EMIT_HEX),
};

#define P(member, fmt) EMIT_FIELD(ckpt_image_process, member, fmt)
static const struct emit_field process_fields[] = {
	P(tgid, EMIT_DEC), P(mm, EMIT_UNS), P(sighand, EMIT_UNS),
	P(oom_score_adj, EMIT_DEC), P(oom_score_adj_min, EMIT_DEC),
	P(subreaper, EMIT_HEX), P(stopped, EMIT_UNS), P(nr_pending, EMIT_UNS),
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
	T(exit_code, EMIT_HEX), T(comm, EMIT_STR), T(files, EMIT_UNS), T(fs, EMIT_UNS),
	T(cred, EMIT_UNS), T(real_cred, EMIT_UNS), T(personality, EMIT_HEX),
	T(pdeath_signal, EMIT_DEC), T(no_new_privs, EMIT_UNS), T(policy, EMIT_DEC),
	T(nice, EMIT_DEC), T(rt_priority, EMIT_DEC), T(reset_on_fork, EMIT_UNS),
	T(dl_runtime, EMIT_UNS), T(dl_deadline, EMIT_UNS), T(dl_period, EMIT_UNS),
	T(ioprio, EMIT_DEC), T(nr_cpus, EMIT_UNS), T(cpus[0], EMIT_HEX),
	T(timer_slack_ns, EMIT_UNS), T(blocked, EMIT_HEX), T(saved_sigmask, EMIT_HEX),
	T(restore_sigmask, EMIT_UNS), T(nr_pending, EMIT_UNS), T(sas_sp, EMIT_HEX),
	T(sas_size, EMIT_UNS), T(sas_flags, EMIT_HEX), T(rseq, EMIT_HEX),
	T(rseq_len, EMIT_UNS), T(rseq_sig, EMIT_HEX), T(robust_list, EMIT_HEX),
	T(robust_len, EMIT_UNS), T(clear_child_tid, EMIT_HEX),
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
	X(ss), X(ds), X(es), X(fs), X(gs), X(fs_base), X(gs_base), X(tls[0]), X(tls[1]),
	X(tls[2]), X(xstate_len),
};

#define M(member, fmt) EMIT_FIELD(ckpt_image_mm, member, fmt)
static const struct emit_field mm_fields[] = {
	M(ref, EMIT_UNS), M(exe, EMIT_UNS), M(start_code, EMIT_HEX), M(end_code, EMIT_HEX),
	M(start_data, EMIT_HEX), M(end_data, EMIT_HEX), M(start_brk, EMIT_HEX),
	M(brk, EMIT_HEX), M(start_stack, EMIT_HEX), M(arg_start, EMIT_HEX),
	M(arg_end, EMIT_HEX), M(env_start, EMIT_HEX), M(env_end, EMIT_HEX),
	M(vdso, EMIT_HEX), M(vvar, EMIT_HEX), M(dumpable, EMIT_UNS),
	M(dump_filter, EMIT_HEX), M(membarrier, EMIT_HEX), M(def_flags, EMIT_HEX),
	M(thp_disable, EMIT_UNS), M(nr_auxv, EMIT_UNS), M(nr_vmas, EMIT_UNS),
	M(nr_ldt, EMIT_UNS),
};

#define V(member, fmt) EMIT_FIELD(ckpt_image_vma, member, fmt)
static const struct emit_field vma_fields[] = {
	V(start, EMIT_HEX), V(end, EMIT_HEX), V(prot, EMIT_HEX), V(flags, EMIT_HEX),
	V(file, EMIT_UNS), V(offset, EMIT_HEX), V(advice, EMIT_HEX),
};

#define SH(member, fmt) EMIT_FIELD(ckpt_image_shmem, member, fmt)
static const struct emit_field shmem_fields[] = {
	SH(ref, EMIT_UNS), SH(seals, EMIT_HEX), SH(size, EMIT_UNS), SH(memfd, EMIT_UNS),
	SH(name, EMIT_STR),
};

static const struct emit_field page_fields[] = {
	EMIT_FIELD(ckpt_image_page, addr, EMIT_HEX),
	EMIT_FIELD(ckpt_image_page, sum, EMIT_HEX),
};

#define TR(member) EMIT_FIELD(ckpt_image_trailer, member, EMIT_UNS)
static const struct emit_field trailer_fields[] = { TR(nr_records), TR(nr_pages), TR(bytes) };

static bool print_sighand(struct emit *m, struct cursor *c)
{
	const struct ckpt_image_sighand *s = cursor_take(c, sizeof(*s));
	size_t i;

	if (!s)
		return false;
	emit_number(m, "ref", EMIT_UNS, s->ref);
	emit_list(m, "actions");
	for (i = 0; i < 64; i++) {
		if (!s->actions[i].handler && !s->actions[i].flags && !s->actions[i].mask)
			continue;
		emit_group(m);
		emit_number(m, "signal", EMIT_UNS, i + 1);
		emit_struct(m, EMIT_FIELDS(sigaction_fields), &s->actions[i]);
		emit_group_end(m);
	}
	emit_list_end(m);
	return true;
}

static bool print_cred(struct emit *m, struct cursor *c)
{
	static const struct emit_field gid[] = { { "gid", 0, sizeof(__u32), EMIT_UNS } };
	const struct ckpt_image_cred *s = cursor_take(c, sizeof(*s));

	if (!s)
		return false;
	emit_struct(m, EMIT_FIELDS(cred_fields), s);
	return inspect_list(m, c, "groups", s->nr_groups, EMIT_FIELDS(gid), sizeof(__u32));
}

static bool print_pending(struct emit *m, struct cursor *c, uint32_t nr)
{
	const struct ckpt_image_siginfo *s = NULL;
	siginfo_t info;
	uint32_t i;

	emit_list(m, "pending");
	for (i = 0; i < nr && (s = cursor_take(c, sizeof(*s))); i++) {
		memcpy(&info, s, sizeof(info));
		emit_group(m);
		emit_number(m, "signal", EMIT_DEC, (int64_t)info.si_signo);
		emit_number(m, "code", EMIT_DEC, (int64_t)info.si_code);
		emit_group_end(m);
	}
	emit_list_end(m);
	return i == nr;
}

static bool print_process(struct emit *m, struct cursor *c)
{
	const struct ckpt_image_process *s = cursor_take(c, sizeof(*s));
	struct cursor limits, timers;

	if (!s)
		return false;
	emit_struct(m, EMIT_FIELDS(process_fields), s);
	limits = (struct cursor){ (const char *)s->rlimits, sizeof(s->rlimits) };
	timers = (struct cursor){ (const char *)s->itimers, sizeof(s->itimers) };
	return inspect_list(m, &limits, "rlimits", 16, EMIT_FIELDS(rlimit_fields),
			    sizeof(s->rlimits[0])) &&
	       inspect_list(m, &timers, "itimers", 3, EMIT_FIELDS(itimer_fields),
			    sizeof(s->itimers[0])) &&
	       print_pending(m, c, s->nr_pending);
}

static bool print_task(struct emit *m, struct cursor *c)
{
	const struct ckpt_image_task *s = cursor_take(c, sizeof(*s));

	if (!s)
		return false;
	emit_struct(m, EMIT_FIELDS(task_fields), s);
	emit_named_group(m, "restart");
	emit_struct(m, EMIT_FIELDS(restart_fields), &s->restart);
	emit_group_end(m);
	emit_named_group(m, "x86");
	emit_struct(m, EMIT_FIELDS(x86_fields), &s->x86);
	emit_group_end(m);
	return print_pending(m, c, s->nr_pending) &&
	       cursor_take_padded(c, s->x86.xstate_len);
}

static bool print_mm(struct emit *m, struct cursor *c)
{
	static const struct emit_field word[] = { { "value", 0, sizeof(__u64), EMIT_HEX } };
	const struct ckpt_image_mm *s = cursor_take(c, sizeof(*s));

	if (!s)
		return false;
	emit_struct(m, EMIT_FIELDS(mm_fields), s);
	return inspect_list(m, c, "vmas", s->nr_vmas, EMIT_FIELDS(vma_fields),
			    sizeof(struct ckpt_image_vma)) &&
	       inspect_list(m, c, "auxv", s->nr_auxv, EMIT_FIELDS(word), sizeof(__u64)) &&
	       inspect_list(m, c, "ldt", s->nr_ldt, EMIT_FIELDS(word), sizeof(__u64));
}

static bool print_shmem(struct emit *m, struct cursor *c)
{
	return inspect_plain(m, c, EMIT_FIELDS(shmem_fields), sizeof(struct ckpt_image_shmem));
}

static bool print_memory(struct emit *m, struct cursor *c)
{
	(void)m;
	return cursor_take(c, sizeof(struct ckpt_image_memory));
}

static bool print_pages(struct emit *m, struct cursor *c)
{
	const struct ckpt_image_pages *s = cursor_take(c, sizeof(*s));

	if (!s)
		return false;
	emit_number(m, "ref", EMIT_UNS, s->ref);
	emit_number(m, "nr", EMIT_UNS, s->nr);
	return inspect_list(m, c, "pages", s->nr, EMIT_FIELDS(page_fields),
			    sizeof(struct ckpt_image_page));
}

static bool print_trailer(struct emit *m, struct cursor *c)
{
	return inspect_plain(m, c, EMIT_FIELDS(trailer_fields), sizeof(struct ckpt_image_trailer));
}

const struct inspect_type inspect_tasks[] = {
	{ CKPT_REC_SIGHAND, print_sighand },
	{ CKPT_REC_CRED, print_cred },
	{ CKPT_REC_PROCESS, print_process },
	{ CKPT_REC_TASK, print_task },
	{ CKPT_REC_MM, print_mm },
	{ CKPT_REC_SHMEM, print_shmem },
	{ CKPT_REC_MEMORY, print_memory },
	{ CKPT_REC_PAGES, print_pages },
	{ CKPT_REC_TRAILER, print_trailer },
};

const size_t inspect_nr_tasks = sizeof(inspect_tasks) / sizeof(*inspect_tasks);
