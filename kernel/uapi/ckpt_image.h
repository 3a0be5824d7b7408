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
	CKPT_REC_FILTER		= 28,
	CKPT_REC_UNIX		= 30,
	CKPT_REC_TCP		= 31,
	CKPT_REC_TTY		= 33,
	CKPT_REC_INODE		= 36,
	CKPT_REC_TMPFS		= 38,

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
	__u32 side;		/* of a PIPE, what the container has: 1 it reads, 2 it writes */
	__u32 reserved;
};

/* IPC: the limits of the namespace */
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

/* what all objects of System V have; the id has its place and the number that the place had */
struct ckpt_image_ipc_perm {
	__s32 id;
	__s32 key;		/* 0: IPC_PRIVATE */
	__u32 uid;
	__u32 gid;
	__u32 cuid;		/* who made it */
	__u32 cgid;
	__u32 mode;		/* permissions; of a segment CKPT_SHM_DEST, CKPT_SHM_LOCKED */
	__u32 reserved;
};

/* times are in seconds since 1970, or 0; pids those of processes that may have ended, or 0 */

/* SHM: a shared memory segment */
#define CKPT_SHM_DEST		01000	/* goes with its last user */
#define CKPT_SHM_LOCKED		02000	/* SHM_LOCK */
#define CKPT_SHM_NORESERVE	0x1

struct ckpt_image_shm {
	struct ckpt_image_ipc_perm perm;
	__u64 size;		/* bytes */
	__s64 atime;
	__s64 dtime;
	__s64 ctime;
	__s32 cpid;
	__s32 lpid;
	__s32 creator;		/* the task with which it goes under kernel.shm_rmid_forced */
	__s32 name;		/* the key that it had first, which its mappings are named after */
	__u32 shmem;		/* ref of the SHMEM with its contents */
	__u32 locker;		/* uid that SHM_LOCK is charged to */
	__u32 flags;		/* CKPT_SHM_NORESERVE */
	__u32 reserved;
};

/* MSG_QUEUES, MSGS, MSG_BYTES: the messages of all queues behind each other, and their bytes */
struct ckpt_image_msg_queue {
	struct ckpt_image_ipc_perm perm;
	__u64 qbytes;		/* how many it takes */
	__s64 stime;
	__s64 rtime;
	__s64 ctime;
	__s32 lspid;
	__s32 lrpid;
	__u32 messages;
	__u32 reserved;
};

struct ckpt_image_msg {
	__s64 type;
	__u32 len;
	__u32 reserved;
};

/* SEM_SETS, SEMS: the semaphores of all sets behind each other */
struct ckpt_image_sem_set {
	struct ckpt_image_ipc_perm perm;
	__s64 ctime;
	__u32 sems;
	__u32 reserved;
};

struct ckpt_image_sem {
	__s32 val;
	__s32 pid;
	__s64 otime;
};

/*
 * MQUEUES, MQ_NAMES, MQ_MSGS, MQ_BYTES: POSIX message queues in the order in which they were
 * made; their names, their messages in the order in which they are received, as of MSGS with the
 * priority for a type, and the bytes of these, of all queues behind each other.  Times are in
 * ns since 1970.
 */
#define CKPT_MQ_UNLINKED	0x1	/* its name is gone */
#define CKPT_MQ_EXECED		0x2	/* who is notified has called execve(2) since, and gets no signal */

struct ckpt_image_mqueue {
	__u32 id;		/* by which its FILEs know it */
	__u32 flags;		/* CKPT_MQ_* */
	__u32 name_len;
	__u32 messages;
	__u32 maxmsg;		/* how many it takes */
	__u32 msgsize;		/* and of how many bytes each */
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 creator;		/* uid whose RLIMIT_MSGQUEUE it counts for */
	__s64 atime_ns;
	__s64 mtime_ns;
	__s64 ctime_ns;
	__s32 notified;		/* the process that is told of a message, once; 0: none */
	__u32 notify;		/* SIGEV_SIGNAL or SIGEV_NONE */
	__u64 value;		/* goes with the signal */
	__u32 signo;		/* 0: none */
	__u32 reserved;
};

/* MQ_DIR: the directory that they are in */
struct ckpt_image_mq_dir {
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 reserved;
	__s64 atime_ns;
	__s64 mtime_ns;
	__s64 ctime_ns;
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

#include "ckpt_image_files.h"
#include "ckpt_image_tasks.h"

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

#define CKPT_DUMP_FILTER	0x1ff	/* bits of coredump_filter */
#define CKPT_MEMBARRIERS	0x154	/* commands of membarrier(2) that register */

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

/* MEMORY: the end of the small records, without parts; contents of memory follow */

/*
 * PAGES: contents of an MM (at addresses), of a SHMEM or INODE (at offsets).  BASE is
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
