// SPDX-License-Identifier: GPL-2.0-only
/* Which changes are worth a try: all the numbers of an image by what they mean. */
#include <stdlib.h>
#include <string.h>

#include "bad-image.h"

enum meaning { REF, COUNT, PID, ADDR, FLAGS, NUMBER, BYTES };

struct field {
	uint16_t type;
	uint16_t width;
	size_t at;		/* in the body, or in the element */
	enum meaning meaning;
	uint16_t stride;	/* of a table whose elements have it; 0: none */
	uint16_t table;		/* where the table begins */
};

#define F(rec, st, member, meaning) \
	{ CKPT_REC_##rec, sizeof(((struct st *)0)->member), offsetof(struct st, member), meaning, 0, 0 }
#define T(rec, st, el, member, meaning) \
	{ CKPT_REC_##rec, sizeof(((struct el *)0)->member), offsetof(struct el, member), meaning, \
	  sizeof(struct el), sizeof(struct st) }
/* data of a FILE, which begins behind a path of any length: counted from the record's end */
#define END 0x8000
#define D(rec, el, member, meaning) \
	{ CKPT_REC_##rec, sizeof(((struct el *)0)->member), offsetof(struct el, member), meaning, \
	  (sizeof(struct el) + 7) / 8 * 8, END }

static const struct field fields[] = {
	F(HEADER, ckpt_image_header, version, NUMBER),
	F(HEADER, ckpt_image_header, page_size, NUMBER),
	{ CKPT_REC_HEADER, 8, offsetof(struct ckpt_image_header, magic), BYTES, 0, 0 },
	{ CKPT_REC_HEADER, 8, offsetof(struct ckpt_image_header, machine), BYTES, 0, 0 },
	{ CKPT_REC_CONTAINER, 8, 0, BYTES, 0, 0 },
	{ CKPT_REC_CONTAINER, 8, 16, BYTES, 0, 0 },
	{ CKPT_REC_CONTAINER, 8, 64, BYTES, 0, 0 },
	F(TREE, ckpt_image_tree, nr_tasks, COUNT),
	T(TREE, ckpt_image_tree, ckpt_image_tree_task, pid, PID),
	T(TREE, ckpt_image_tree, ckpt_image_tree_task, tgid, PID),
	T(TREE, ckpt_image_tree, ckpt_image_tree_task, ppid, PID),
	T(TREE, ckpt_image_tree, ckpt_image_tree_task, pgid, PID),
	T(TREE, ckpt_image_tree, ckpt_image_tree_task, sid, PID),
	T(TREE, ckpt_image_tree, ckpt_image_tree_task, depth, NUMBER),
	T(TREE, ckpt_image_tree, ckpt_image_tree_task, flags, FLAGS),
	F(SYSTEM, ckpt_image_system, vdso_sum, NUMBER),
	F(SYSTEM, ckpt_image_system, vdso_size, NUMBER),
	F(SYSTEM, ckpt_image_system, xfeatures, FLAGS),
	F(SYSTEM, ckpt_image_system, monotonic_ns, NUMBER),
	F(SYSTEM, ckpt_image_system, boot_id[0], NUMBER),
	{ CKPT_REC_UTS, 8, 0, BYTES, 0, 0 },
	{ CKPT_REC_UTS, 8, 64, BYTES, 0, 0 },
	F(IPC, ckpt_image_ipc, shmmax, NUMBER),
	F(IPC, ckpt_image_ipc, shmmni, NUMBER),
	F(IPC, ckpt_image_ipc, msgmni, NUMBER),
	F(IPC, ckpt_image_ipc, sem[0], NUMBER),
	F(IPC, ckpt_image_ipc, mq_msgsize_max, NUMBER),
	F(FILE, ckpt_image_file, ref, REF),
	F(FILE, ckpt_image_file, kind, NUMBER),
	F(FILE, ckpt_image_file, flags, FLAGS),
	F(FILE, ckpt_image_file, mode, FLAGS),
	F(FILE, ckpt_image_file, pos, NUMBER),
	F(FILE, ckpt_image_file, path_len, COUNT),
	F(FILE, ckpt_image_file, data_len, COUNT),
	{ CKPT_REC_FILE, 8, sizeof(struct ckpt_image_file), BYTES, 0, 0 },
	F(PIPE, ckpt_image_pipe, ref, REF),
	F(PIPE, ckpt_image_pipe, size, NUMBER),
	F(PIPE, ckpt_image_pipe, nr_bufs, COUNT),
	{ CKPT_REC_PIPE, 4, sizeof(struct ckpt_image_pipe), COUNT, 0, 0 },
	{ CKPT_REC_PIPE, 4, sizeof(struct ckpt_image_pipe) + 4, FLAGS, 0, 0 },
	F(SHMEM, ckpt_image_shmem, ref, REF),
	F(SHMEM, ckpt_image_shmem, seals, FLAGS),
	F(SHMEM, ckpt_image_shmem, size, ADDR),
	F(SHMEM, ckpt_image_shmem, memfd, NUMBER),
	F(SHMEM, ckpt_image_shmem, mode, FLAGS),
	F(SHMEM, ckpt_image_shmem, uid, NUMBER),
	F(SHMEM, ckpt_image_shmem, gid, NUMBER),
	{ CKPT_REC_SHMEM, 8, offsetof(struct ckpt_image_shmem, name), BYTES, 0, 0 },
	{ CKPT_REC_SHMEM, 8, offsetof(struct ckpt_image_shmem, name) + 248, BYTES, 0, 0 },
	F(EPOLL, ckpt_image_epoll, file, REF),
	F(EPOLL, ckpt_image_epoll, files, REF),
	F(EPOLL, ckpt_image_epoll, epfd, NUMBER),
	F(EPOLL, ckpt_image_epoll, nr, COUNT),
	T(EPOLL, ckpt_image_epoll, ckpt_image_epoll_watch, fd, NUMBER),
	T(EPOLL, ckpt_image_epoll, ckpt_image_epoll_watch, events, FLAGS),
	F(FILES, ckpt_image_files, ref, REF),
	F(FILES, ckpt_image_files, nr, COUNT),
	T(FILES, ckpt_image_files, ckpt_image_fd, fd, NUMBER),
	T(FILES, ckpt_image_files, ckpt_image_fd, file, REF),
	T(FILES, ckpt_image_files, ckpt_image_fd, flags, FLAGS),
	F(FS, ckpt_image_fs, ref, REF),
	F(FS, ckpt_image_fs, umask, FLAGS),
	F(FS, ckpt_image_fs, root_len, COUNT),
	F(FS, ckpt_image_fs, cwd_len, COUNT),
	{ CKPT_REC_FS, 8, sizeof(struct ckpt_image_fs), BYTES, 0, 0 },
	{ CKPT_REC_FS, 8, sizeof(struct ckpt_image_fs) + 8, BYTES, 0, 0 },
	F(SIGHAND, ckpt_image_sighand, ref, REF),
	F(SIGHAND, ckpt_image_sighand, nr, COUNT),
	F(SIGHAND, ckpt_image_sighand, actions[0].handler, ADDR),
	F(SIGHAND, ckpt_image_sighand, actions[0].flags, FLAGS),
	F(SIGHAND, ckpt_image_sighand, actions[8].handler, ADDR),
	F(SIGHAND, ckpt_image_sighand, actions[16].handler, NUMBER),
	F(SIGHAND, ckpt_image_sighand, actions[16].flags, FLAGS),
	F(SIGHAND, ckpt_image_sighand, actions[16].restorer, ADDR),
	F(SIGHAND, ckpt_image_sighand, actions[16].mask, FLAGS),
	F(MM, ckpt_image_mm, ref, REF),
	F(MM, ckpt_image_mm, exe, REF),
	F(MM, ckpt_image_mm, start_code, ADDR),
	F(MM, ckpt_image_mm, end_code, ADDR),
	F(MM, ckpt_image_mm, start_data, ADDR),
	F(MM, ckpt_image_mm, start_brk, ADDR),
	F(MM, ckpt_image_mm, brk, ADDR),
	F(MM, ckpt_image_mm, start_stack, ADDR),
	F(MM, ckpt_image_mm, arg_start, ADDR),
	F(MM, ckpt_image_mm, arg_end, ADDR),
	F(MM, ckpt_image_mm, env_end, ADDR),
	F(MM, ckpt_image_mm, vdso, ADDR),
	F(MM, ckpt_image_mm, vvar, ADDR),
	F(MM, ckpt_image_mm, mmap_base, ADDR),
	F(MM, ckpt_image_mm, dumpable, NUMBER),
	F(MM, ckpt_image_mm, dump_filter, FLAGS),
	F(MM, ckpt_image_mm, membarrier, FLAGS),
	F(MM, ckpt_image_mm, def_flags, FLAGS),
	F(MM, ckpt_image_mm, thp_disable, NUMBER),
	F(MM, ckpt_image_mm, nr_auxv, COUNT),
	F(MM, ckpt_image_mm, nr_vmas, COUNT),
	F(MM, ckpt_image_mm, nr_ldt, COUNT),
	T(MM, ckpt_image_mm, ckpt_image_vma, start, ADDR),
	T(MM, ckpt_image_mm, ckpt_image_vma, end, ADDR),
	T(MM, ckpt_image_mm, ckpt_image_vma, offset, ADDR),
	T(MM, ckpt_image_mm, ckpt_image_vma, file, REF),
	T(MM, ckpt_image_mm, ckpt_image_vma, prot, FLAGS),
	T(MM, ckpt_image_mm, ckpt_image_vma, flags, FLAGS),
	T(MM, ckpt_image_mm, ckpt_image_vma, advice, FLAGS),
	F(CRED, ckpt_image_cred, ref, REF),
	F(CRED, ckpt_image_cred, uid, NUMBER),
	F(CRED, ckpt_image_cred, fsgid, NUMBER),
	F(CRED, ckpt_image_cred, securebits, FLAGS),
	F(CRED, ckpt_image_cred, cap_inheritable, FLAGS),
	F(CRED, ckpt_image_cred, cap_permitted, FLAGS),
	F(CRED, ckpt_image_cred, cap_effective, FLAGS),
	F(CRED, ckpt_image_cred, cap_bset, FLAGS),
	F(CRED, ckpt_image_cred, cap_ambient, FLAGS),
	F(CRED, ckpt_image_cred, nr_groups, COUNT),
	F(PROCESS, ckpt_image_process, tgid, PID),
	F(PROCESS, ckpt_image_process, mm, REF),
	F(PROCESS, ckpt_image_process, sighand, REF),
	F(PROCESS, ckpt_image_process, oom_score_adj, NUMBER),
	F(PROCESS, ckpt_image_process, oom_score_adj_min, NUMBER),
	F(PROCESS, ckpt_image_process, subreaper, FLAGS),
	F(PROCESS, ckpt_image_process, stopped, NUMBER),
	F(PROCESS, ckpt_image_process, nr_pending, COUNT),
	F(PROCESS, ckpt_image_process, rlimits[7].cur, NUMBER),
	F(PROCESS, ckpt_image_process, rlimits[7].max, NUMBER),
	F(PROCESS, ckpt_image_process, rlimits[3].cur, NUMBER),
	F(PROCESS, ckpt_image_process, rlimits[9].cur, NUMBER),
	F(PROCESS, ckpt_image_process, itimers[0].value, NUMBER),
	F(PROCESS, ckpt_image_process, itimers[0].interval, NUMBER),
	F(PROCESS, ckpt_image_process, itimers[1].value, NUMBER),
	{ CKPT_REC_PROCESS, 4, sizeof(struct ckpt_image_process), NUMBER, 0, 0 },
	{ CKPT_REC_PROCESS, 4, sizeof(struct ckpt_image_process) + 8, NUMBER, 0, 0 },
	F(TASK, ckpt_image_task, pid, PID),
	F(TASK, ckpt_image_task, tgid, PID),
	F(TASK, ckpt_image_task, ppid, PID),
	F(TASK, ckpt_image_task, pgid, PID),
	F(TASK, ckpt_image_task, sid, PID),
	F(TASK, ckpt_image_task, flags, FLAGS),
	F(TASK, ckpt_image_task, exit_signal, NUMBER),
	F(TASK, ckpt_image_task, exit_code, NUMBER),
	{ CKPT_REC_TASK, 8, offsetof(struct ckpt_image_task, comm) + 8, BYTES, 0, 0 },
	F(TASK, ckpt_image_task, files, REF),
	F(TASK, ckpt_image_task, fs, REF),
	F(TASK, ckpt_image_task, cred, REF),
	F(TASK, ckpt_image_task, real_cred, REF),
	F(TASK, ckpt_image_task, personality, FLAGS),
	F(TASK, ckpt_image_task, pdeath_signal, NUMBER),
	F(TASK, ckpt_image_task, policy, NUMBER),
	F(TASK, ckpt_image_task, nice, NUMBER),
	F(TASK, ckpt_image_task, rt_priority, NUMBER),
	F(TASK, ckpt_image_task, dl_runtime, NUMBER),
	F(TASK, ckpt_image_task, ioprio, NUMBER),
	F(TASK, ckpt_image_task, nr_cpus, COUNT),
	F(TASK, ckpt_image_task, cpus[0], FLAGS),
	F(TASK, ckpt_image_task, timer_slack_ns, NUMBER),
	F(TASK, ckpt_image_task, blocked, FLAGS),
	F(TASK, ckpt_image_task, saved_sigmask, FLAGS),
	F(TASK, ckpt_image_task, restore_sigmask, NUMBER),
	F(TASK, ckpt_image_task, nr_pending, COUNT),
	F(TASK, ckpt_image_task, sas_sp, ADDR),
	F(TASK, ckpt_image_task, sas_size, NUMBER),
	F(TASK, ckpt_image_task, sas_flags, FLAGS),
	F(TASK, ckpt_image_task, rseq_len, COUNT),
	F(TASK, ckpt_image_task, rseq, ADDR),
	F(TASK, ckpt_image_task, robust_len, COUNT),
	F(TASK, ckpt_image_task, robust_list, ADDR),
	F(TASK, ckpt_image_task, clear_child_tid, ADDR),
	F(TASK, ckpt_image_task, restart.kind, NUMBER),
	F(TASK, ckpt_image_task, restart.clockid, NUMBER),
	F(TASK, ckpt_image_task, restart.expires_ns, NUMBER),
	F(TASK, ckpt_image_task, restart.uaddr, ADDR),
	F(TASK, ckpt_image_task, restart.type, NUMBER),
	F(TASK, ckpt_image_task, restart.flags, FLAGS),
	F(TASK, ckpt_image_task, restart.nfds, COUNT),
	F(TASK, ckpt_image_task, x86.ax, NUMBER),
	F(TASK, ckpt_image_task, x86.orig_ax, NUMBER),
	F(TASK, ckpt_image_task, x86.ip, ADDR),
	F(TASK, ckpt_image_task, x86.cs, NUMBER),
	F(TASK, ckpt_image_task, x86.flags, FLAGS),
	F(TASK, ckpt_image_task, x86.sp, ADDR),
	F(TASK, ckpt_image_task, x86.ss, NUMBER),
	F(TASK, ckpt_image_task, x86.fs_base, ADDR),
	F(TASK, ckpt_image_task, x86.gs_base, ADDR),
	F(TASK, ckpt_image_task, x86.ds, NUMBER),
	F(TASK, ckpt_image_task, x86.fs, NUMBER),
	F(TASK, ckpt_image_task, x86.gs, NUMBER),
	F(TASK, ckpt_image_task, x86.tls[0], FLAGS),
	F(TASK, ckpt_image_task, x86.xstate_len, COUNT),
	{ CKPT_REC_PAGES, 4, 0, REF, 0, 0 },
	{ CKPT_REC_PAGES, 4, 4, COUNT, 0, 0 },
	{ CKPT_REC_PAGES, 8, sizeof(struct ckpt_image_pages), ADDR, 0, 0 },
	F(TRAILER, ckpt_image_trailer, nr_records, COUNT),
	F(TRAILER, ckpt_image_trailer, nr_pages, COUNT),
	F(TRAILER, ckpt_image_trailer, bytes, COUNT),
};

/* what a FILE of one kind has */
static const struct {
	uint32_t kind;
	struct field field;
} kinds[] = {
	{ CKPT_FILE_PATH, D(FILE, ckpt_image_file_path, size, NUMBER) },
	{ CKPT_FILE_PATH, D(FILE, ckpt_image_file_path, mtime_ns, NUMBER) },
	{ CKPT_FILE_PATH, D(FILE, ckpt_image_file_path, rdev, NUMBER) },
	{ CKPT_FILE_PIPE, D(FILE, ckpt_image_file_pipe, pipe, REF) },
	{ CKPT_FILE_PIPE, D(FILE, ckpt_image_file_pipe, end, FLAGS) },
	{ CKPT_FILE_EVENTFD, D(FILE, ckpt_image_file_eventfd, count, NUMBER) },
	{ CKPT_FILE_EVENTFD, D(FILE, ckpt_image_file_eventfd, semaphore, NUMBER) },
	{ CKPT_FILE_TIMERFD, D(FILE, ckpt_image_file_timerfd, clockid, NUMBER) },
	{ CKPT_FILE_TIMERFD, D(FILE, ckpt_image_file_timerfd, settime_flags, FLAGS) },
	{ CKPT_FILE_TIMERFD, D(FILE, ckpt_image_file_timerfd, ticks, NUMBER) },
	{ CKPT_FILE_TIMERFD, D(FILE, ckpt_image_file_timerfd, value, NUMBER) },
	{ CKPT_FILE_TIMERFD, D(FILE, ckpt_image_file_timerfd, interval, NUMBER) },
	{ CKPT_FILE_SHMEM, D(FILE, ckpt_image_file_shmem, shmem, REF) },
#define SOCK(kind, member, meaning) { kind, D(FILE, ckpt_image_file_sock, member, meaning) }
	SOCK(CKPT_FILE_TCP, family, NUMBER),
	SOCK(CKPT_FILE_TCP, type, NUMBER),
	SOCK(CKPT_FILE_TCP, protocol, NUMBER),
	SOCK(CKPT_FILE_TCP, state, FLAGS),
	SOCK(CKPT_FILE_TCP, backlog, NUMBER),
	SOCK(CKPT_FILE_TCP, addr_len, COUNT),
	SOCK(CKPT_FILE_TCP, addr[0], NUMBER),
	SOCK(CKPT_FILE_TCP, sndbuf, NUMBER),
	SOCK(CKPT_FILE_TCP, options, FLAGS),
	SOCK(CKPT_FILE_TCP, rcvtimeo_ns, NUMBER),
	SOCK(CKPT_FILE_TCP, linger, NUMBER),
	SOCK(CKPT_FILE_TCP, keepidle, NUMBER),
	SOCK(CKPT_FILE_UDP, family, NUMBER),
	SOCK(CKPT_FILE_UDP, type, NUMBER),
	SOCK(CKPT_FILE_UDP, state, FLAGS),
	SOCK(CKPT_FILE_UDP, addr_len, COUNT),
	SOCK(CKPT_FILE_UNIX, family, NUMBER),
	SOCK(CKPT_FILE_UNIX, type, NUMBER),
	SOCK(CKPT_FILE_UNIX, state, FLAGS),
	SOCK(CKPT_FILE_UNIX, addr_len, COUNT),
	SOCK(CKPT_FILE_UNIX, mode, FLAGS),
	SOCK(CKPT_FILE_UNIX, uid, NUMBER),
};

/* what a number of that meaning may be changed to; returns how many */
static int values(const struct field *f, uint64_t was, uint64_t *to)
{
	int nr = 0;

#define ADD(v) (to[nr++] = (v))
	ADD(0);
	ADD(~0ull);
	switch (f->meaning) {
	case REF:
		ADD(1);
		ADD(was + 1);
		ADD(was - 1);
		ADD(0x7ffffff0);
		break;
	case COUNT:
		ADD(1);
		ADD(was + 1);
		ADD(was - 1);
		ADD(0x7fffffff);
		ADD(0x10000000);
		ADD(4096);
		break;
	case PID:
		ADD(1);
		ADD(2);
		ADD(was + 1);
		ADD(4194304);
		ADD(0x80000000);
		break;
	case ADDR:
		ADD(was + 1);
		ADD(was ^ 0x1000);
		ADD(was + 0x100000000);
		ADD(0x7ffffffff000);
		ADD(0x8000000000000000);
		ADD(0xffffffff81000000);
		break;
	case FLAGS:
		ADD(was ^ 1);
		ADD(was ^ 0x80000000);
		ADD(was ^ 0x3000);
		ADD(was ^ 0x7fffffff);
		break;
	case NUMBER:
		ADD(1);
		ADD(was + 1);
		ADD(0x10);
		ADD(0x80000000);
		ADD(0x7fffffff);
		ADD(0x7fffffffffffffff);
		break;
	case BYTES:
		ADD(0x2e2e2f2e2e2f2e2e);
		ADD(0x4141414141414141);
		break;
	}
	return nr;
}

static void print_sets(const struct image *im, size_t n, const struct field *f, size_t at, FILE *out)
{
	uint64_t mask = f->width == 8 ? ~0ull : (1ull << f->width * 8) - 1, was = 0, to[16];
	int i, nr;

	if (at + f->width > im->recs[n].head.len)
		return;
	memcpy(&was, im->recs[n].body + at, f->width);
	nr = values(f, was, to);
	for (i = 0; i < nr; i++)
		if ((to[i] & mask) != was)
			fprintf(out, "set@%zu+%zu:%u=%llx\n", n, at, f->width,
				(unsigned long long)(to[i] & mask));
}

/* the first, a middle and the last element of a table, or all */
static void print_table(const struct image *im, size_t n, const struct field *f, int all, FILE *out)
{
	size_t len = im->recs[n].head.len, nr, i;

	if (f->table == END) {
		print_sets(im, n, f, len - f->stride + f->at, out);
		return;
	}
	nr = (len - f->table) / f->stride;
	if (im->recs[n].head.type == CKPT_REC_MM)
		nr = ((struct ckpt_image_mm *)im->recs[n].body)->nr_vmas;
	for (i = 0; i < nr; i++)
		if (all || !i || i == nr / 2 || i == nr - 1)
			print_sets(im, n, f, f->table + i * f->stride + f->at, out);
}

static void print_field(const struct image *im, size_t n, const struct field *f, int all, FILE *out)
{
	if (f->type != im->recs[n].head.type)
		return;
	if (f->stride)
		print_table(im, n, f, all, out);
	else
		print_sets(im, n, f, f->at, out);
}

static uint32_t kind_of(const struct record *r)
{
	return r->head.type == CKPT_REC_FILE ? ((struct ckpt_image_file *)r->body)->kind : 0;
}

/* has none before it the same type and kind? */
static int is_first(const struct image *im, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (im->recs[i].head.type == im->recs[n].head.type &&
		    kind_of(&im->recs[i]) == kind_of(&im->recs[n]))
			return 0;
	return 1;
}

/* the header of the xstate, and its control words */
static void print_xstate(const struct image *im, size_t n, FILE *out)
{
	static const struct field words[] = {
		{ 0, 4, 24, FLAGS, 0, 0 },	/* MXCSR */
		{ 0, 8, 464, FLAGS, 0, 0 },	/* what software has put there */
		{ 0, 8, 512, FLAGS, 0, 0 },	/* which components there are */
		{ 0, 8, 520, FLAGS, 0, 0 },	/* and whether compacted */
		{ 0, 8, 528, FLAGS, 0, 0 },
	};
	const struct ckpt_image_task *t = (void *)im->recs[n].body;
	size_t i, at;

	if (im->recs[n].head.type != CKPT_REC_TASK || !t->x86.xstate_len)
		return;
	at = sizeof(*t) + t->nr_pending * sizeof(struct ckpt_image_siginfo);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		print_sets(im, n, &words[i], at + words[i].at, out);
}

void cases_hostile(const struct image *im, int all, FILE *out)
{
	size_t n, i;

	for (n = 0; n < im->nr; n++) {
		uint32_t len = im->recs[n].head.len;

		fprintf(out, "drop@%zu\ndup@%zu\nswap@%zu\nlate@%zu\n", n, n, n, n);
		if (!all && !is_first(im, n))
			continue;
		fprintf(out, "type@%zu=0\ntype@%zu=17\ntype@%zu=40\ntype@%zu=42\ntype@%zu=65535\n", n, n, n, n, n);
		fprintf(out, "len@%zu=0\nlen@%zu=8\nlen@%zu=%u\nlen@%zu=%u\nlen@%zu=%u\nlen@%zu=%u\n", n, n,
			n, len - 8, n, len + 8, n, len + 4, n, CKPT_REC_LEN_MAX + 8);
		for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			print_field(im, n, &fields[i], all, out);
		for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (kinds[i].kind == kind_of(&im->recs[n]))
				print_field(im, n, &kinds[i].field, all, out);
		print_xstate(im, n, out);
	}
}

void cases_damage(const struct image *im, int all, FILE *out)
{
	/* magic, type, reserved, len, seq, sum */
	static const size_t head[] = { 0, 4, 6, 8, 12, 16 };
	size_t n, i, at;

	fprintf(out, "empty\ntext\ntail\ncut@1\n");
	for (n = 0; n < im->nr; n++) {
		const struct record *r = &im->recs[n];
		size_t body = sizeof(r->head), end = image_end(im, n), pages = body + r->head.len;

		for (i = 0; i < 6; i++)
			if (all || i == n % 6)
				fprintf(out, "flip@%zu+%zu.%zu\n", n, head[i], n % 8);
		for (i = 0; i < 3; i++)
			if (r->head.len && (all || i == n % 3))
				fprintf(out, "flip@%zu+%zu.%zu\n", n, body + i * (r->head.len - 1) / 2, i + 3);
		for (i = 0; i < r->nr_pages; i++) {
			at = pages + i * CKPT_PAGE_SIZE;
			if (all || !i || i == r->nr_pages - 1)
				fprintf(out, "flip@%zu+%zu.%zu\n", n, at + (i * 1234 + n) % CKPT_PAGE_SIZE, i % 8);
		}
		if (all || n % 4 == 0)
			fprintf(out, "cut@%zu\n", r->at);
		if (all || n % 4 == 1)
			fprintf(out, "cut@%zu\n", r->at + 12);
		if (all || n % 4 == 2)
			fprintf(out, "cut@%zu\n", r->at + body + r->head.len / 2);
		if (r->nr_pages)
			fprintf(out, "cut@%zu\ncut@%zu\ncut@%zu\n", r->at + pages, r->at + pages + 100,
				end - CKPT_PAGE_SIZE);
		if (all || n % 4 == 3)
			fprintf(out, "cut@%zu\n", end - 1);
	}
}
