/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The image: every record of it.  docs/image-format.md explains it in prose.
 *
 * An image is a sequence of records, written once front to back and read once
 * front to back.  Numbers are little-endian.  Each record is a struct ckpt_rec
 * followed by 'len' bytes of body (a multiple of 8).  Only PAGES has more
 * behind it: page payloads, which start at a multiple of 4096 bytes from the
 * start of the stream.
 *
 * A body is a sequence of parts, each a struct ckpt_part followed by 'len'
 * bytes, padded with zeroes to 8: elements of 'size' bytes each.  Which parts
 * a record may have, and of what their elements are, is the table in
 * ckpt_image_parts.h.  An element may be shorter than its reader knows it (the
 * rest is zero) or longer (what the reader does not know must be zero); a part
 * that the reader does not know is an error unless it says that it may be
 * skipped.  So fields and parts are added without a new version.
 *
 * Order: HEADER, CONTAINER, TREE | SYSTEM, objects and tasks, each object
 * before its users, MEMORY | PAGES ... | TRAILER.
 */
#ifndef _UAPI_CKPT_IMAGE_H
#define _UAPI_CKPT_IMAGE_H

#include <linux/types.h>

#define CKPT_IMAGE_MAGIC	"CKPTIMG"	/* with its NUL: 8 bytes */
#define CKPT_IMAGE_VERSION	3
#define CKPT_PAGE_SIZE		4096

#define CKPT_REC_MAGIC		0x43524b43U	/* "CKRC" in the stream */
#define CKPT_REC_LEN_MAX	(16U << 20)	/* longest body; a longer record goes on in the next */

#define CKPT_REC_MORE		0x1	/* the body goes on in the next record, of the same type */

struct ckpt_rec {
	__u32 magic;		/* CKPT_REC_MAGIC */
	__u16 type;		/* enum ckpt_rec_type */
	__u16 flags;		/* CKPT_REC_* */
	__u32 len;		/* bytes of body */
	__u32 seq;		/* 0, 1, 2 ... */
	__u64 sum;		/* XXH64, seed 0, of this with sum = 0 and the body */
};

#define CKPT_PART_SKIP		0x1	/* who does not know it may go on without it */

struct ckpt_part {
	__u16 tag;		/* which part of its record: ckpt_image_parts.h */
	__u16 flags;		/* CKPT_PART_* */
	__u32 size;		/* bytes of an element, 1 ... 65536 */
	__u64 len;		/* bytes of all, a multiple of size */
};

enum ckpt_rec_type {
	CKPT_REC_HEADER		= 1,
	CKPT_REC_CONTAINER	= 2,	/* text of user space's */
	CKPT_REC_TREE		= 3,
	CKPT_REC_SYSTEM		= 4,
	CKPT_REC_NAMESPACE	= 5,
	CKPT_REC_EXTERNAL	= 6,

	CKPT_REC_FILE		= 16,
	CKPT_REC_PIPE		= 17,
	CKPT_REC_SHMEM		= 18,
	CKPT_REC_FILES		= 19,
	CKPT_REC_FS		= 20,
	CKPT_REC_SIGHAND	= 21,
	CKPT_REC_MM		= 22,
	CKPT_REC_CRED		= 23,
	CKPT_REC_PROCESS	= 24,
	CKPT_REC_TASK		= 25,
	CKPT_REC_EPOLL		= 26,
	CKPT_REC_AUTOGROUP	= 27,

	CKPT_REC_MEMORY		= 40,
	CKPT_REC_PAGES		= 41,
	CKPT_REC_TRAILER	= 42,
	CKPT_REC_SAME		= 43,
};

/* HEADER: what this is; the first record, and BASE is its first part */
#define CKPT_MARK_FINAL		0x1	/* the container did not run on */
#define CKPT_MARK_SUBTREE	0x2	/* of tasks that are no whole container */
#define CKPT_MARK_SELF		0x4	/* a task took it of itself */

struct ckpt_image_header {
	char magic[8];		/* CKPT_IMAGE_MAGIC */
	__u32 version;		/* CKPT_IMAGE_VERSION */
	__u32 page_size;	/* CKPT_PAGE_SIZE */
	__u64 time;		/* wall clock at checkpoint, ns since the epoch */
	__u8 id[16];		/* of this image */
	__u8 parent[16];	/* of the one that it is an increment of; 0: none */
	__u32 marks;		/* CKPT_MARK_* */
	__u32 reserved;
	char release[72];	/* uname -r, for people */
	char machine[72];	/* uname -m: must be the restarter's */
};

/* TREE: from which user space makes the tasks; parents before children */
#define CKPT_TASK_ZOMBIE	0x1	/* to exit with exit_code at once */
#define CKPT_TASK_LEADER	0x2	/* thread group leader: pid == tgid */

struct ckpt_image_tree_task {
	__s32 pid;		/* in the container's pid namespace */
	__s32 tgid;
	__s32 ppid;		/* 0 for the root */
	__s32 pgid;		/* 0: the group's leader is outside */
	__s32 sid;		/* 0: the session's leader is outside */
	__s32 rpid;		/* pid as the checkpointer saw it */
	__u32 depth;		/* pid namespaces below the container's */
	__u32 flags;		/* CKPT_TASK_* */
};

/* SYSTEM: what the engine needs to find again, and the clocks */
struct ckpt_image_system {
	__u64 vdso_sum;		/* XXH64 of the vdso's text */
	__u64 vdso_size;	/* bytes */
	__u64 xfeatures;	/* xstate components in use on that machine */
	__u64 boottime_ns;	/* the clocks at checkpoint */
	__u64 monotonic_ns;
	__u64 realtime_ns;
	__u8 boot_id[16];	/* same boot: clocks go on, no shift */
};

/* a word of the processor's features that programs can use, as the kernel counts them */
struct ckpt_image_feature {
	__u32 word;
	__u32 bits;
};

/* NAMESPACE: an object that tasks and other objects refer to */
struct ckpt_image_namespace {
	__u32 ref;
	__u32 kind;		/* CLONE_NEW* */
	__u32 parent;		/* ref of the one it lies in (pid, user); 0: outside */
	__u32 owner;		/* ref of its user namespace; 0: the restarter's */
};

struct ckpt_image_uts {
	char nodename[72];
	char domainname[72];
};

/* EXTERNAL: what stays outside of the image, and is given by its key at restart */
struct ckpt_image_external {
	__u32 ref;
	__u32 kind;		/* enum ckpt_rec_type of what it stands for */
};

/* IPC: the limits of the namespace; objects in it are refused at checkpoint */
struct ckpt_image_ipc {
	__u64 shmmax;
	__u64 shmall;
	__u32 shmmni;
	__u32 shm_rmid_forced;
	__u32 msgmax;
	__u32 msgmnb;
	__u32 msgmni;
	__u32 sem[4];
	__u32 mq_queues_max;
	__u32 mq_msg_max;
	__u32 mq_msgsize_max;
	__u32 mq_msg_default;	/* 0: as in a new namespace; so is the next */
	__u32 mq_msgsize_default;
};

/* which number the next object gets: of semaphore sets, message queues, shared memory */
struct ckpt_image_ipc_ids {
	__s32 next_id;		/* as kernel.*_next_id ask for, or -1 */
	__s32 last_idx;		/* of the last one, or -1 */
	__u32 cursor;		/* where the search for the next begins */
	__u32 seq;
};

/* of a pid namespace */
struct ckpt_image_pid {
	__u32 cursor;		/* where the search for the next number begins */
	__u32 memfd_noexec;	/* the sysctl vm.memfd_noexec */
};

/*
 * Objects that several may share are saved once and have a number, 'ref',
 * from 1; 0 means none.  It is the first field of their BASE, which is the
 * first part.
 */

/* FILE: an open file description; with a path, and the part of its kind */
enum ckpt_file_kind {
	CKPT_FILE_PATH		= 1,	/* regular file, directory, simple device */
	CKPT_FILE_PIPE		= 2,
	CKPT_FILE_EVENTFD	= 3,
	CKPT_FILE_EPOLL		= 4,
	CKPT_FILE_TIMERFD	= 5,
	CKPT_FILE_TCP		= 6,	/* listening or not connected */
	CKPT_FILE_UDP		= 7,	/* not connected, queue empty */
	CKPT_FILE_UNIX		= 8,	/* listening or not connected */
	CKPT_FILE_SHMEM		= 9,	/* memory with no name: shared anonymous, memfd */
};

struct ckpt_image_file {
	__u32 ref;
	__u32 kind;		/* enum ckpt_file_kind */
	__u32 flags;		/* f_flags: O_* */
	__u32 mode;		/* i_mode: S_IFMT must be the same at restart */
	__s64 pos;		/* offset in bytes */
	__u32 cred;		/* ref of the CRED that it was opened with */
	__u32 reserved;
};

/* of CKPT_FILE_PATH */
struct ckpt_image_file_path {
	__u64 size;		/* bytes, at checkpoint */
	__u64 mtime_ns;
	__u32 rdev;		/* of a device */
	__u32 reserved;
};

/* of CKPT_FILE_PIPE */
struct ckpt_image_file_pipe {
	__u32 pipe;		/* ref of a PIPE */
	__u32 end;		/* FMODE_READ 1, FMODE_WRITE 2 */
};

/* of CKPT_FILE_EVENTFD */
struct ckpt_image_file_eventfd {
	__u64 count;
	__u32 semaphore;	/* EFD_SEMAPHORE */
	__u32 reserved;
};

/* of CKPT_FILE_TIMERFD; times in ns */
#define CKPT_TIMERFD_CANCELED	0x1	/* the clock was set: read(2) has still to say so */

struct ckpt_image_file_timerfd {
	__s32 clockid;
	__u32 settime_flags;
	__u64 ticks;		/* expirations not read yet */
	__u64 value;		/* remaining, 0 if disarmed */
	__u64 interval;
	__u32 state;		/* CKPT_TIMERFD_* */
	__u32 reserved;
};

/* of CKPT_FILE_SHMEM */
#define CKPT_SHMEM_WRITER	0x1	/* opened by open(2), so that it may not be executed */

struct ckpt_image_file_shmem {
	__u32 shmem;		/* ref of a SHMEM */
	__u32 flags;		/* CKPT_SHMEM_* */
};

/* of CKPT_FILE_TCP, _UDP, _UNIX; they have OPTIONS, too */
#define CKPT_SOCK_LISTEN	0x1
#define CKPT_SOCK_BOUND		0x2
#define CKPT_SOCK_PATH		0x4	/* unix: bound to a file, whose path is NAME; addr is what bind(2) got */
#define CKPT_SOCK_ADDR_LOCK	0x8	/* inet: its owner chose the address, the port */
#define CKPT_SOCK_PORT_LOCK	0x10

struct ckpt_image_file_sock {
	__u32 family;
	__u32 type;
	__u32 protocol;
	__u32 state;		/* CKPT_SOCK_* */
	__u32 backlog;
	__u32 addr_len;
	__u8 addr[128];		/* struct sockaddr_* */
	__u32 mode;		/* unix path: permissions and owner */
	__u32 uid;
	__u32 gid;
	__u32 drops;		/* packets dropped: SO_RXQ_OVFL */
	__u32 sk_uid;		/* the socket's own owner; its mode is FILE's */
	__u32 sk_gid;
	__u32 peer_cred;	/* SO_PEERCRED: ref of a CRED, 0: none */
	__s32 peer_pid;
};

/*
 * An option that is not as in a new socket, as setsockopt(2) takes it; in the
 * order in which they are set.
 */
#define CKPT_SOCKOPT_LEN	16

struct ckpt_image_sockopt {
	__s32 level;		/* SOL_* */
	__s32 name;
	__u32 len;		/* bytes of value that count; the rest is zero */
	__u32 reserved;
	__u8 value[CKPT_SOCKOPT_LEN];
};

/* PIPE: its contents are bytes, cut into the packets that were there */
struct ckpt_image_pipe {
	__u32 ref;
	__u32 size;		/* bytes: F_GETPIPE_SZ */
	__u32 mode;		/* of its inode: permission bits and owner */
	__u32 uid;
	__u32 gid;
	__u32 reserved;
};

#define CKPT_PIPE_PACKET	0x1
#define CKPT_PIPE_BUF_MAX	(1U << 20)

struct ckpt_image_pipe_buf {
	__u32 len;		/* bytes, 1 ... 4096, or CKPT_PIPE_BUF_MAX if it is no packet */
	__u32 flags;		/* CKPT_PIPE_PACKET */
};

/* SHMEM: memory shared by mappings; contents come as PAGES */
struct ckpt_image_shmem {
	__u32 ref;
	__u32 seals;		/* F_SEAL_* of a memfd */
	__u64 size;		/* bytes */
	__u32 memfd;		/* 1: made by memfd_create, 0: by mmap */
	__u32 mode;		/* permission bits */
	__u32 uid;
	__u32 gid;
};

/* EPOLL: what an epoll file watches; after every FILES table */
struct ckpt_image_epoll_watch {
	__s32 fd;		/* in the FILES table 'files' */
	__u32 events;
	__u64 data;
};

struct ckpt_image_epoll_params {	/* busy polling, ioctl(EPIOCSPARAMS): part PARAMS, if it is set */
	__u32 busy_poll_usecs;
	__u32 busy_poll_budget;
	__u32 prefer_busy_poll;
	__u32 reserved;
};

struct ckpt_image_epoll {
	__u32 file;		/* ref of the epoll FILE */
	__u32 files;		/* ref of a FILES in which it is open */
	__s32 epfd;		/* at this descriptor */
	__u32 reserved;
};

/* FILES: a descriptor table */
#define CKPT_FD_CLOEXEC		0x1

struct ckpt_image_fd {
	__s32 fd;
	__u32 file;		/* ref of a FILE */
	__u32 flags;		/* CKPT_FD_* */
	__u32 reserved;
};

struct ckpt_image_files {
	__u32 ref;
	__u32 reserved;
};

/* FS: root is a path in the container's own root; cwd too */
struct ckpt_image_fs {
	__u32 ref;
	__u32 umask;
};

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

/* MM: an address space; its mappings in ascending order */
#define CKPT_VMA_VDSO		0x01	/* vvar or vdso: placed by the engine */
#define CKPT_VMA_SHARED		0x02
#define CKPT_VMA_GROWSDOWN	0x04
#define CKPT_VMA_NORESERVE	0x08
#define CKPT_VMA_LOCKED		0x10
#define CKPT_VMA_LOCKONFAULT	0x20
#define CKPT_VMA_ACCOUNT	0x40	/* private and has been writable: counts as committed */
#define CKPT_VMA_SEALED		0x80	/* shared, and never writable, by a seal of the memfd */
#define CKPT_VMA_DROPPABLE	0x100	/* MAP_DROPPABLE: comes back empty */
#define CKPT_VMA_FLAGS		0x1ff

struct ckpt_image_vma {
	__u64 start;
	__u64 end;
	__u64 offset;		/* bytes into the file */
	__u32 file;		/* ref of a FILE, 0: anonymous */
	__u32 prot;		/* PROT_* */
	__u32 flags;		/* CKPT_VMA_* */
	__u32 advice;		/* bit n: madvise(2) advice CKPT_ADVICE_* */
};

#define CKPT_ADVICE_DONTFORK	0x01
#define CKPT_ADVICE_WIPEONFORK	0x02
#define CKPT_ADVICE_DONTDUMP	0x04
#define CKPT_ADVICE_HUGEPAGE	0x08
#define CKPT_ADVICE_NOHUGEPAGE	0x10
#define CKPT_ADVICE_SEQUENTIAL	0x20
#define CKPT_ADVICE_RANDOM	0x40
#define CKPT_ADVICE_MERGEABLE	0x80
#define CKPT_ADVICES		0xff

struct ckpt_image_mm {
	__u32 ref;
	__u32 exe;		/* ref of a FILE, 0: none */
	__u64 start_code, end_code, start_data, end_data;
	__u64 start_brk, brk, start_stack;
	__u64 arg_start, arg_end, env_start, env_end;
	__u64 vdso;		/* address, 0: unmapped */
	__u64 vvar;		/* address, 0: unmapped */
	__u64 mmap_base;	/* where mmap(2) looks first */
	__u32 dumpable;
	__u32 dump_filter;	/* /proc/PID/coredump_filter */
	__u32 membarrier;	/* registered MEMBARRIER_CMD_* */
	__u32 def_flags;	/* CKPT_VMA_LOCKED: mlockall(MCL_FUTURE) */
	__u32 thp_disable;
	__u32 reserved;
};

/* where mmap(2) looks in the legacy layout, and the most memory that there was */
struct ckpt_image_layout {
	__u32 legacy;		/* upwards from legacy_base, and not downwards from mmap_base */
	__u32 reserved;
	__u64 legacy_base;
	__u64 hiwater_rss;	/* bytes */
	__u64 hiwater_vm;
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
};

#define CKPT_JOB_CONTINUED	0x1	/* and its parent has not asked yet */

struct ckpt_image_job {
	__u32 flags;		/* CKPT_JOB_* */
	__u32 reserved;
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

/* MEMORY: the end of the small records, without parts; contents of memory follow */

/*
 * PAGES: contents of an MM (at addresses) or of a SHMEM (at offsets).  BASE is
 * the first part, so that how much follows is known from the first bytes; a
 * part FILL of zeroes is the last, so that the payloads start at a multiple of
 * 4096 in the stream.
 */
#define CKPT_PAGES_MAX		256	/* payloads behind one record */

struct ckpt_image_pages {
	__u32 ref;		/* of the object whose they are */
	__u32 nr;		/* payloads: 1 ... CKPT_PAGES_MAX */
};

struct ckpt_image_run {
	__u64 addr;		/* of its first page; ascending */
	__u32 count;		/* pages, one after the other */
	__u32 order;		/* they were huge pages of 2^order; 0: not */
	__u64 sum;		/* XXH64, seed 0, of all payloads of the run */
};

/* SAME: these pages are those of another object, which come before or after it */
struct ckpt_image_same {
	__u32 ref;
	__u32 of;		/* ref of the other */
	__u64 addr;
	__u64 of_addr;
	__u64 count;		/* pages */
};

/* TRAILER: nothing may follow */
struct ckpt_image_trailer {
	__u64 nr_records;	/* this one included */
	__u64 nr_pages;
	__u64 bytes;		/* of the whole image, this record included */
};

#include "ckpt_image_parts.h"

#endif
