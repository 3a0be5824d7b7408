/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* The image: tasks, processes, and what several may share of them.  Included by ckpt_image.h. */
#ifndef _UAPI_CKPT_IMAGE_TASKS_H
#define _UAPI_CKPT_IMAGE_TASKS_H

#include <linux/types.h>

struct ckpt_image_sigaction {
	__u64 handler;
	__u64 flags;
	__u64 restorer;
	__u64 mask;
};

struct ckpt_image_sighand {
	__u32 ref;
	__u32 reserved;
};

struct ckpt_image_cred {
	__u32 ref;
	__u32 uid, gid, suid, sgid, euid, egid, fsuid, fsgid;
	__u32 securebits;
	__u64 cap_inheritable, cap_permitted, cap_effective;
	__u64 cap_bset, cap_ambient;
	__u32 jit_keyring;	/* KEY_REQKEY_DEFL_*: KEYCTL_SET_REQKEY_KEYRING */
	__u32 reserved;
};

struct ckpt_image_rlimit {
	__u64 cur;
	__u64 max;
};

struct ckpt_image_itimer {
	__u64 value;		/* ns remaining, 0: disarmed */
	__u64 interval;		/* ns */
};

struct ckpt_image_siginfo {
	__u8 info[128];		/* siginfo_t */
};

/* PROCESS: what the threads of a group share; before its TASKs */
struct ckpt_image_process {
	__s32 tgid;
	__u32 mm;		/* refs */
	__u32 sighand;
	__u32 reserved;
};

struct ckpt_image_oom {
	__s32 score_adj;
	__s32 score_adj_min;
};

struct ckpt_image_subreaper {
	__u32 is;		/* PR_SET_CHILD_SUBREAPER */
	__u32 below;		/* one is above it */
};

/* what has been used, of a task, or of many that are gone; times in ns */
struct ckpt_image_usage {
	__u64 utime, stime, gtime;
	__u64 runtime;		/* as the scheduler counts it, for the clocks of CPU time */
	__u64 min_flt, maj_flt, nvcsw, nivcsw;
	__u64 inblock, oublock;
	__u64 maxrss;		/* bytes */
	__u64 rchar, wchar, syscr, syscw;
	__u64 read_bytes, write_bytes, cancelled_write_bytes;
	__u64 told_utime, told_stime;	/* as times(2) told them last, which never goes back */
};

#define CKPT_TIMER_ACTIVE	0x1	/* it will expire */
#define CKPT_TIMER_RELATIVE	0x2	/* on CLOCK_REALTIME: not moved when that is set */
#define CKPT_TIMER_FLAGS	0x3

/* a timer of timer_create(2); in the order in which they were made */
struct ckpt_image_timer {
	__s32 id;
	__s32 clockid;
	__s32 clock_pid;	/* whose CPU time, where it is a clock of that; else 0 */
	__s32 notify;		/* SIGEV_* */
	__s32 thread;		/* SIGEV_THREAD_ID: which */
	__s32 signo;
	__u64 value;		/* sigev_value */
	__u64 interval;		/* ns */
	__u64 expires;		/* ns on its clock, for RELATIVE on the monotonic one */
	__s64 overrun, overrun_last;	/* since the last signal, and at it */
	__s32 requeue;		/* odd: its signal waits, and starts it again when 'sys_private' is the same */
	__u32 flags;		/* CKPT_TIMER_* */
};

/* a timer's signal that waits, in the order of its queue: the thread's or the process's */
struct ckpt_image_timer_signal {
	__u32 timer;		/* the how manieth of TIMERS, from 0 */
	__s32 sys_private;
	__s32 overrun;		/* how often it was to be queued again */
	__u32 place;		/* how many signals of any kind are before it */
};

/* the id that the next timer gets */
struct ckpt_image_next_timer {
	__u32 id;
	__u32 reserved;
};

/* its controlling terminal */
struct ckpt_image_ctty {
	__u32 tty;		/* ref of a TTY, or 0 */
	__s32 old_pgrp;		/* whom its end hangs up when the terminal has gone before, or 0 */
};

/* SEM_UNDO: what is added to a semaphore when the process ends */
struct ckpt_image_sem_undo {
	__s32 id;		/* of its set */
	__u32 sem;
	__s32 adj;
	__u32 reserved;
};

#define CKPT_JOB_CONTINUED	0x1	/* and its parent has not asked yet */
#define CKPT_JOB_STOPPED	0x2	/* by 'stop_signal' */
#define CKPT_JOB_ASKED		0x4	/* its parent has asked about that already */
#define CKPT_JOB_FLAGS		0x7

struct ckpt_image_job {
	__u32 flags;		/* CKPT_JOB_* */
	__u32 stop_signal;
};

/* who may trace it by its own word, beside those who may anyway: PR_SET_PTRACER */
struct ckpt_image_ptracer {
	__s32 pid;		/* in the container; -1: anybody */
	__u32 reserved;
};

/* AUTOGROUP: processes, most often of a session, with one share of the processors */
struct ckpt_image_autogroup {
	__u32 ref;
	__s32 nice;		/* of the whole */
};

/* which one a process is in */
struct ckpt_image_in_autogroup {
	__u32 autogroup;	/* ref */
	__u32 reserved;
};

/* how a task was when it was frozen: S4 */
enum ckpt_restart_kind {
	CKPT_RESTART_NONE	= 0,
	CKPT_RESTART_NANOSLEEP	= 1,	/* expiry absolute on 'clockid' */
	CKPT_RESTART_POLL	= 2,	/* expiry absolute, monotonic */
	CKPT_RESTART_FUTEX	= 3,	/* expiry absolute, monotonic or real time */
	CKPT_RESTART_CALL	= 4,	/* system call 'val' with its arguments; as POLL */
	CKPT_RESTART_CPU	= 5,	/* as NANOSLEEP, 'clockid' of CPU time */
	CKPT_RESTART_ALARM	= 6,	/* the same, an alarm clock */
};

#define CKPT_FUTEX_SHARED	0x1
#define CKPT_FUTEX_CLOCKRT	0x2
#define CKPT_FUTEX_TIMEOUT	0x4

struct ckpt_image_restart_block {
	__u32 kind;		/* enum ckpt_restart_kind */
	__s32 clockid;
	__u64 expires_ns;
	__u64 uaddr;		/* nanosleep: rmtp, poll: ufds, futex: uaddr */
	__u32 type;		/* nanosleep: 1 native, 2 compat rmtp */
	__u32 val;		/* futex */
	__u32 flags;		/* futex: CKPT_FUTEX_* */
	__u32 bitset;		/* futex */
	__u32 nfds;		/* poll */
	__u32 has_timeout;	/* poll */
};

/* registers of x86-64; the xstate is a part of its own, as in ptrace(2)'s NT_X86_XSTATE */
struct ckpt_image_x86 {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	__u64 ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
	__u64 fs_base, gs_base;
	__u32 ds, es, fs, gs;
};

/*
 * TASK: one thread; a zombie has BASE, its CRED in SHARED, BORN, and a USAGE of
 * three: its own, that of its dead threads, and that of its children.
 */
struct ckpt_image_task {
	__s32 pid;
	__s32 tgid;
	__s32 ppid;
	__s32 pgid;
	__s32 sid;
	__u32 flags;		/* CKPT_TASK_* */
	__s32 exit_signal;	/* to the parent; -1 in threads */
	__s32 exit_code;	/* of a zombie, as wait(2) gives it */
	char comm[16];
	__s32 parent_tid;	/* the thread of ppid that is its parent; 0: the first */
	__u32 reserved;
};

struct ckpt_image_shared {
	__u32 files;		/* refs */
	__u32 fs;
	__u32 cred;
	__u32 reserved;
};

/* refs of NAMESPACEs; 0: the restarter's own */
struct ckpt_image_namespaces {
	__u32 uts;
	__u32 ipc;
	__u32 mnt;
	__u32 net;
	__u32 pid;
	__u32 pid_for_children;
	__u32 cgroup;
	__u32 time;
	__u32 time_for_children;
	__u32 user;
};

#define CKPT_ATTR_EXECED	0x01	/* it has called execve(2) since it was forked */
#define CKPT_ATTR_PARENT_EXECED	0x02	/* so has its parent: its end is SIGCHLD in any case */
#define CKPT_ATTR_NPROC_EXCEEDED 0x04	/* its new user had too many processes: execve(2) asks again */
#define CKPT_ATTR_MCE_PROCESS	0x08	/* PR_MCE_KILL_SET */
#define CKPT_ATTR_MCE_EARLY	0x10	/* PR_MCE_KILL_EARLY */
#define CKPT_ATTR_FLAGS		0x1f

struct ckpt_image_attributes {
	__u32 personality;
	__s32 pdeath_signal;
	__u32 no_new_privs;
	__u32 flags;		/* CKPT_ATTR_* */
};

#define CKPT_FILTER_LOG		0x1	/* SECCOMP_FILTER_FLAG_LOG */

/* a seccomp filter, which tasks share */
struct ckpt_image_filter {
	__u32 ref;
	__u32 prev;		/* the FILTER that was set before it, or 0 */
	__u32 flags;		/* CKPT_FILTER_* */
	__u32 reserved;
};

/* an instruction of its program: struct sock_filter */
struct ckpt_image_insn {
	__u16 code;
	__u8 jt, jf;
	__u32 k;
};

/* of a task under seccomp */
struct ckpt_image_seccomp {
	__u32 mode;		/* 1 strict, 2 filter; of a zombie also 3: killed by one */
	__u32 filter;		/* the FILTER that was set last; 0: strict, or a zombie */
	__u32 nr_filters;	/* with those before it; what a zombie still shows */
	__u32 reserved;
};

struct ckpt_image_sched {
	__s32 policy;		/* SCHED_* */
	__s32 nice;
	__s32 rt_priority;
	__u32 reset_on_fork;
	__u64 dl_runtime;	/* ns; without SCHED_DEADLINE: a slice of its own choice, 0: none */
	__u64 dl_deadline, dl_period;
	__s32 ioprio;
	__u32 reserved;
	__u64 timer_slack_ns;
	__u64 default_slack_ns;	/* what PR_SET_TIMERSLACK goes back to; 0: the restarter's */
};

/* a login as audit has noted it */
struct ckpt_image_login {
	__u32 uid;		/* (__u32)-1: none; so is the next */
	__u32 session;
	__u32 tty;		/* whether what is typed is to be noted: AUDIT_TTY_* */
	__u32 reserved;
};

struct ckpt_image_born {
	__u64 monotonic_ns;
	__u64 boottime_ns;
};

#define CKPT_SAS_FLAGS		0x80000003U	/* as sigaltstack(2) takes them */

struct ckpt_image_signals {
	__u64 blocked;		/* masks */
	__u64 saved_sigmask;
	__u32 restore_sigmask;	/* saved_sigmask is to be restored */
	__u32 sas_flags;
	__u64 sas_sp;		/* sigaltstack */
	__u64 sas_size;
};

/* addresses that the kernel writes to */
struct ckpt_image_registered {
	__u64 rseq;		/* 0: none */
	__u32 rseq_len;
	__u32 rseq_sig;
	__u64 robust_list;
	__u64 clear_child_tid;
};

#endif
