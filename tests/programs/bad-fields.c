// SPDX-License-Identifier: GPL-2.0-only
/* Changes for what a number means, which the table of the format does not say: pids, flags, addresses. */
#include <stdlib.h>
#include <string.h>

#include "bad-image.h"

enum meaning { PID, ADDR, FLAGS, NUMBER, ERROR };

struct field {
	uint16_t type;
	uint16_t tag;
	uint32_t size;		/* bytes of an element */
	uint16_t width;
	uint16_t at;		/* in the element */
	uint16_t element;
	enum meaning meaning;
};

#define E(rec, part, el, member, meaning) \
	{ CKPT_REC_##rec, CKPT_TAG_##rec##_##part, sizeof(ckpt_part_##rec##_##part), \
	  sizeof(((ckpt_part_##rec##_##part *)0)->member), offsetof(ckpt_part_##rec##_##part, member), \
	  el, meaning }
#define F(rec, part, member, meaning) E(rec, part, 0, member, meaning)
/* a part of bytes, or of numbers that have no name */
#define B(rec, part, byte, bytes, meaning) \
	{ CKPT_REC_##rec, CKPT_TAG_##rec##_##part, sizeof(ckpt_part_##rec##_##part), bytes, byte, 0, meaning }

static const struct field fields[] = {
	B(HEADER, BASE, 0, 8, NUMBER),
	F(HEADER, BASE, marks, FLAGS),
	E(TREE, TASKS, 1, pid, PID),
	E(TREE, TASKS, 1, tgid, PID),
	E(TREE, TASKS, 1, ppid, PID),
	E(TREE, TASKS, 1, pgid, PID),
	E(TREE, TASKS, 1, sid, PID),
	E(TREE, TASKS, 1, flags, FLAGS),
	F(SYSTEM, BASE, xfeatures, FLAGS),
	F(SYSTEM, FEATURES, bits, FLAGS),
	F(NAMESPACE, BASE, kind, FLAGS),
	F(NAMESPACE, SHM, perm.id, NUMBER),
	F(NAMESPACE, SHM, perm.key, NUMBER),
	F(NAMESPACE, SHM, perm.uid, NUMBER),
	F(NAMESPACE, SHM, perm.mode, FLAGS),
	F(NAMESPACE, SHM, perm.reserved, FLAGS),
	F(NAMESPACE, SHM, size, ADDR),
	F(NAMESPACE, SHM, creator, PID),
	F(NAMESPACE, SHM, cpid, PID),
	F(NAMESPACE, SHM, lpid, PID),
	F(NAMESPACE, SHM, name, NUMBER),
	F(NAMESPACE, SHM, shmem, NUMBER),
	F(NAMESPACE, MSG_QUEUES, perm.id, NUMBER),
	F(NAMESPACE, MSG_QUEUES, perm.mode, FLAGS),
	F(NAMESPACE, MSG_QUEUES, qbytes, ADDR),
	F(NAMESPACE, MSG_QUEUES, lspid, PID),
	F(NAMESPACE, MSG_QUEUES, messages, NUMBER),
	F(NAMESPACE, MSGS, type, ADDR),
	F(NAMESPACE, MSGS, len, NUMBER),
	F(NAMESPACE, SEM_SETS, perm.id, NUMBER),
	F(NAMESPACE, SEM_SETS, perm.mode, FLAGS),
	F(NAMESPACE, SEM_SETS, sems, NUMBER),
	F(NAMESPACE, SEMS, val, NUMBER),
	F(NAMESPACE, SEMS, pid, PID),
	F(NAMESPACE, MQUEUES, flags, FLAGS),
	F(NAMESPACE, MQUEUES, name_len, NUMBER),
	F(NAMESPACE, MQUEUES, messages, NUMBER),
	F(NAMESPACE, MQUEUES, maxmsg, NUMBER),
	F(NAMESPACE, MQUEUES, msgsize, NUMBER),
	F(NAMESPACE, MQUEUES, mode, FLAGS),
	F(NAMESPACE, MQUEUES, uid, NUMBER),
	F(NAMESPACE, MQUEUES, creator, NUMBER),
	F(NAMESPACE, MQUEUES, notified, PID),
	F(NAMESPACE, MQUEUES, notify, NUMBER),
	F(NAMESPACE, MQUEUES, signo, NUMBER),
	B(NAMESPACE, MQ_NAMES, 0, 1, NUMBER),
	F(NAMESPACE, MQ_MSGS, type, ADDR),
	F(NAMESPACE, MQ_MSGS, len, NUMBER),
	F(NAMESPACE, MQ_DIR, mode, FLAGS),
	F(FILE, MQUEUE, ns, NUMBER),
	F(FILE, MQUEUE, queue, NUMBER),
	F(FILE, SHM, id, NUMBER),
	F(PROCESS, SEM_UNDO, id, NUMBER),
	F(PROCESS, SEM_UNDO, sem, NUMBER),
	F(PROCESS, SEM_UNDO, adj, NUMBER),
	F(FILE, BASE, flags, FLAGS),
	F(FILE, BASE, mode, FLAGS),
	F(FILE, LOCKS, kind, FLAGS),
	F(FILE, LOCKS, pid, PID),
	F(FILE, LOCKS, start, ADDR),
	F(FILE, LOCKS, end, ADDR),
	F(FILE, LEASE, exclusive, FLAGS),
	F(FILE, LEASE, fd, NUMBER),
	F(FILE, LEASE, pid, PID),
	F(FILE, OWNER, pid, PID),
	F(FILE, OWNER, type, FLAGS),
	F(FILE, OWNER, uid, NUMBER),
	F(FILE, OWNER, signum, NUMBER),
	F(FILE, ASYNC, fd, NUMBER),
	F(FILE, PIPE, end, FLAGS),
	F(FILE, PIPE, flags, FLAGS),
	F(FILE, FIFO, pipe, NUMBER),
	F(FILE, FIFO, flags, FLAGS),
	F(FILE, FIFO, inode, NUMBER),
	F(FILE, TIMERFD, settime_flags, FLAGS),
	F(FILE, TIMERFD, state, FLAGS),
	F(FILE, SHMEM, flags, FLAGS),
	F(FILE, SOCK, state, FLAGS),
	F(FILE, SOCK, peer_pid, PID),
	F(FILE, PEER, flags, FLAGS),
	F(FILE, PEER, shutdown, FLAGS),
	F(FILE, PEER, error, ERROR),
	F(FILE, PEER, addr_len, NUMBER),
	F(FILE, DATAGRAMS, len, NUMBER),
	F(FILE, DATAGRAMS, flags, FLAGS),
	F(FILE, DATAGRAMS, gso_size, NUMBER),
	F(FILE, DATAGRAMS, version, NUMBER),
	E(FILE, OPTIONS, 0, level, NUMBER),
	E(FILE, OPTIONS, 0, name, NUMBER),
	E(FILE, OPTIONS, 0, len, NUMBER),
	E(FILE, OPTIONS, 0, value[0], NUMBER),
	E(FILE, OPTIONS, 1, value[0], NUMBER),
	E(FILE, OPTIONS, 2, value[0], NUMBER),
	F(FILE, SOCK, mode, FLAGS),
	F(PIPE, BASE, mode, FLAGS),
	F(PIPE, BUFS, flags, FLAGS),
	F(PIPE, BUFS, len, NUMBER),
	F(PIPE, BUFS, offset, NUMBER),
	F(PIPE, BASE, size, ADDR),
	F(SHMEM, BASE, seals, FLAGS),
	F(SHMEM, BASE, size, ADDR),
	F(SHMEM, BASE, mode, FLAGS),
	F(FILE, DELETED, inode, NUMBER),
	F(INODE, BASE, mode, FLAGS),
	F(INODE, BASE, uid, NUMBER),
	F(INODE, BASE, size, ADDR),
	F(INODE, BASE, flags, FLAGS),
	F(INODE, XATTRS, name_len, NUMBER),
	F(INODE, XATTRS, size, NUMBER),
	F(INODE, BASE, rdev, NUMBER),
	F(INODE, BASE, ino, ADDR),
	F(TMPFS, BASE, root, NUMBER),
	F(TMPFS, BASE, next_ino, ADDR),
	F(TMPFS, BASE, flags, FLAGS),
	F(TMPFS, ENTRIES, dir, NUMBER),
	F(TMPFS, ENTRIES, inode, NUMBER),
	F(TMPFS, ENTRIES, name_len, NUMBER),
	F(TMPFS, ENTRIES, offset, ADDR),
	E(TMPFS, ENTRIES, 1, dir, NUMBER),
	E(TMPFS, ENTRIES, 1, inode, NUMBER),
	F(EPOLL, WATCHES, events, FLAGS),
	F(FILE, TTY, tty, NUMBER),
	F(FILE, TTY, end, FLAGS),
	F(TTY, BASE, index, NUMBER),
	F(TTY, BASE, flags, FLAGS),
	F(TTY, BASE, mode, FLAGS),
	F(TTY, BASE, session, PID),
	F(TTY, BASE, pgrp, PID),
	F(TTY, BASE, hung_up, FLAGS),
	F(TTY, ENDS, queued, NUMBER),
	F(TTY, ENDS, lines, NUMBER),
	E(TTY, ENDS, 1, flags, FLAGS),
	E(TTY, ENDS, 1, pktstatus, FLAGS),
	E(TTY, ENDS, 1, iflag, FLAGS),
	E(TTY, ENDS, 1, cflag, FLAGS),
	E(TTY, ENDS, 1, lflag, FLAGS),
	E(TTY, ENDS, 1, column, NUMBER),
	E(TTY, ENDS, 1, queued, NUMBER),
	E(TTY, ENDS, 1, canon, NUMBER),
	E(TTY, ENDS, 1, committed, NUMBER),
	E(TTY, ENDS, 1, lines, NUMBER),
	E(TTY, ENDS, 1, echo, NUMBER),
	E(TTY, ENDS, 1, echo_mark, NUMBER),
	E(TTY, ENDS, 1, input, NUMBER),
	E(TTY, ENDS, 1, lookahead, NUMBER),
	B(TTY, LINES, 0, 2, NUMBER),
	F(PROCESS, CTTY, tty, NUMBER),
	F(PROCESS, CTTY, old_pgrp, PID),
	F(TCP, BASE, file, NUMBER),
	F(TCP, BASE, peer, NUMBER),
	F(TCP, BASE, listener, NUMBER),
	F(TCP, BASE, state, NUMBER),
	F(TCP, BASE, flags, FLAGS),
	F(TCP, BASE, family, NUMBER),
	F(TCP, BASE, port, NUMBER),
	F(TCP, BASE, peer_port, NUMBER),
	E(TCP, BASE, 0, addr[15], NUMBER),
	E(TCP, BASE, 0, peer_addr[12], NUMBER),
	F(TCP, BASE, shutdown, FLAGS),
	F(TCP, BASE, error, ERROR),
	F(TCP, BASE, received_seq, NUMBER),
	F(TCP, BASE, unsent_seq, NUMBER),
	F(TCP, BASE, rcv_wnd, NUMBER),
	F(TCP, BASE, max_window, NUMBER),
	F(TCP, BASE, window_clamp, NUMBER),
	F(TCP, BASE, mss_clamp, NUMBER),
	F(TCP, BASE, advmss, NUMBER),
	F(TCP, BASE, snd_mss, NUMBER),
	F(TCP, BASE, rcv_mss, NUMBER),
	F(TCP, BASE, scaling_ratio, NUMBER),
	F(TCP, BASE, header_len, NUMBER),
	F(TCP, BASE, snd_wscale, NUMBER),
	F(TCP, BASE, rcv_wscale, NUMBER),
	F(TCP, BASE, mcast_if, NUMBER),
	F(TCP, BASE, mcast_ttl, NUMBER),
	F(TCP, BASE, mcast6_hops, NUMBER),
	F(TCP, BASE, tos, NUMBER),
	E(TCP, OPTIONS, 0, level, NUMBER),
	E(TCP, OPTIONS, 0, name, NUMBER),
	E(TCP, OPTIONS, 0, len, NUMBER),
	F(UNIX, BASE, file, NUMBER),
	F(UNIX, BASE, peer, NUMBER),
	F(UNIX, BASE, listener, NUMBER),
	F(UNIX, BASE, flags, FLAGS),
	F(UNIX, BASE, shutdown, FLAGS),
	F(UNIX, BASE, error, NUMBER),
	F(UNIX, BASE, addr_len, NUMBER),
	F(UNIX, MESSAGES, len, NUMBER),
	F(UNIX, MESSAGES, files, NUMBER),
	F(UNIX, MESSAGES, flags, FLAGS),
	F(UNIX, MESSAGES, pid, PID),
	F(UNIX, MESSAGES, uid, NUMBER),
	F(UNIX, MESSAGES, from, NUMBER),
	F(UNIX, MESSAGES, addr_len, NUMBER),
	F(FILES, FDS, flags, FLAGS),
	F(FILES, LOCKS, kind, FLAGS),
	F(FILES, LOCKS, fd, NUMBER),
	F(FILES, LOCKS, pid, PID),
	F(FILES, LOCKS, start, ADDR),
	F(FILES, LOCKS, end, ADDR),
	F(FS, BASE, umask, FLAGS),
	F(FS, DELETED, cwd, NUMBER),
	/* of SIGKILL, of SIGCHLD */
	E(SIGHAND, ACTIONS, 8, handler, ADDR),
	E(SIGHAND, ACTIONS, 16, handler, NUMBER),
	E(SIGHAND, ACTIONS, 16, flags, FLAGS),
	E(SIGHAND, ACTIONS, 16, restorer, ADDR),
	E(SIGHAND, ACTIONS, 16, mask, FLAGS),
	F(MM, BASE, start_code, ADDR),
	F(MM, BASE, end_code, ADDR),
	F(MM, BASE, start_data, ADDR),
	F(MM, BASE, start_brk, ADDR),
	F(MM, BASE, brk, ADDR),
	F(MM, BASE, start_stack, ADDR),
	F(MM, BASE, arg_start, ADDR),
	F(MM, BASE, arg_end, ADDR),
	F(MM, BASE, env_end, ADDR),
	F(MM, BASE, vdso, ADDR),
	F(MM, BASE, vvar, ADDR),
	F(MM, BASE, mmap_base, ADDR),
	F(MM, BASE, dump_filter, FLAGS),
	F(MM, BASE, membarrier, FLAGS),
	F(MM, BASE, def_flags, FLAGS),
	F(MM, VMAS, start, ADDR),
	F(MM, VMAS, end, ADDR),
	F(MM, VMAS, offset, ADDR),
	F(MM, VMAS, prot, FLAGS),
	F(MM, VMAS, flags, FLAGS),
	F(MM, VMAS, advice, FLAGS),
	F(CRED, BASE, securebits, FLAGS),
	F(CRED, BASE, cap_inheritable, FLAGS),
	F(CRED, BASE, cap_permitted, FLAGS),
	F(CRED, BASE, cap_effective, FLAGS),
	F(CRED, BASE, cap_bset, FLAGS),
	F(CRED, BASE, cap_ambient, FLAGS),
	F(PROCESS, BASE, tgid, PID),
	/* RLIMIT_STACK, _NOFILE, _AS */
	E(PROCESS, LIMITS, 3, cur, NUMBER),
	E(PROCESS, LIMITS, 7, cur, NUMBER),
	E(PROCESS, LIMITS, 7, max, NUMBER),
	E(PROCESS, LIMITS, 9, cur, NUMBER),
	F(FILTER, BASE, prev, NUMBER),
	F(FILTER, BASE, flags, FLAGS),
	F(FILTER, PROGRAM, code, NUMBER),
	F(FILTER, PROGRAM, k, NUMBER),
	E(FILTER, PROGRAM, 1, code, NUMBER),
	E(FILTER, PROGRAM, 1, k, FLAGS),
	F(TASK, BASE, pid, PID),
	F(TASK, BASE, tgid, PID),
	F(TASK, BASE, ppid, PID),
	F(TASK, BASE, pgid, PID),
	F(TASK, BASE, sid, PID),
	F(TASK, BASE, flags, FLAGS),
	F(TASK, ATTRIBUTES, personality, FLAGS),
	B(TASK, CPUS, 0, 8, FLAGS),
	F(TASK, SIGNALS, blocked, FLAGS),
	F(TASK, SIGNALS, saved_sigmask, FLAGS),
	F(TASK, SIGNALS, sas_flags, FLAGS),
	F(TASK, SIGNALS, sas_sp, ADDR),
	F(TASK, REGISTERED, rseq, ADDR),
	F(TASK, REGISTERED, robust_list, ADDR),
	F(TASK, REGISTERED, clear_child_tid, ADDR),
	F(TASK, RESTART, uaddr, ADDR),
	F(TASK, RESTART, flags, FLAGS),
	F(TASK, SECCOMP, mode, NUMBER),
	F(TASK, SECCOMP, filter, NUMBER),
	F(TASK, SECCOMP, nr_filters, NUMBER),
	F(TASK, X86, flags, FLAGS),
	F(TASK, X86, ip, ADDR),
	F(TASK, X86, sp, ADDR),
	F(TASK, X86, fs_base, ADDR),
	F(TASK, X86, gs_base, ADDR),
	/* MXCSR; what software has put there; which components there are, and whether compacted */
	B(TASK, XSTATE, 24, 4, FLAGS),
	B(TASK, XSTATE, 464, 8, FLAGS),
	B(TASK, XSTATE, 512, 8, FLAGS),
	B(TASK, XSTATE, 520, 8, FLAGS),
	B(TASK, XSTATE, 528, 8, FLAGS),
	F(PAGES, RUNS, addr, ADDR),
};

/* what a number of that meaning may be changed to; returns how many */
static int values(const struct field *f, uint64_t was, uint64_t *to)
{
	int nr = 0;

#define ADD(v) (to[nr++] = (v))
	switch (f->meaning) {
	case PID:
		ADD(2);
		ADD(4194304);
		ADD(0x80000000);
		break;
	case ADDR:
		ADD(was ^ 0x1000);
		ADD(was + 0x100000000);
		ADD(0x8000000000000000);
		break;
	case FLAGS:
		ADD(was ^ 1);
		ADD(was ^ 0x80000000);
		ADD(was ^ 0x3000);
		ADD(was ^ 0x7fffffff);
		ADD(~was);
		break;
	case NUMBER:
		ADD(0x10);
		ADD(0x80000000);
		ADD(was / 2);
		break;
	case ERROR:
		/* EIOCBQUEUED: the kernel's own, and its end when a program gets to see it */
		ADD(529);
		ADD(512);
		ADD(0x80000000);
		break;
	}
	return nr;
}

static void print_field(const struct record *r, size_t n, const struct slice *s, const struct field *f, FILE *out)
{
	size_t at = f->element * f->size + f->at;
	uint64_t mask = f->width == 8 ? ~0ull : (1ull << f->width * 8) - 1, was = 0, to[16];
	int i, nr;

	if (s->head.size != f->size || at + f->width > s->head.len)
		return;
	at += s->at + sizeof(s->head);
	memcpy(&was, r->body + at, f->width);
	nr = values(f, was, to);
	for (i = 0; i < nr; i++)
		if ((to[i] & mask) != was)
			fprintf(out, "set@%zu+%zu:%u=%llx\n", n, at, f->width, (unsigned long long)(to[i] & mask));
}

void cases_by_hand(const struct image *im, size_t n, FILE *out)
{
	const struct record *r = &im->recs[n];
	struct slice s;
	size_t p, i;

	for (p = 0; !record_part(r, p, &s); p++)
		for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (fields[i].type == r->head.type && fields[i].tag == s.head.tag)
				print_field(r, n, &s, &fields[i], out);
}
