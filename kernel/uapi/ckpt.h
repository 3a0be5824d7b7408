/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The interface of /dev/ckpt.
 *
 * Checkpoint: five calls on one open file.
 *
 *   TARGET   names the root task of a container, and how it is to be treated
 *   FREEZE   stops the container
 *   COLLECT  reads its state, and lets it go
 *   STREAM   writes the image to a descriptor (file, pipe, socket, device)
 *   END      forgets it; before COLLECT it lets the container go
 *
 * What a caller has to describe (mounts, networks, cgroups) it describes before
 * FREEZE and compares after it, so that nothing that can wait for somebody else
 * happens while the container stands.  It stands no longer than max_frozen_ns,
 * whatever the caller does, unless the image is to be its last (CKPT_FINAL): then
 * it stands until END, which may kill it.  COLLECT answers EAGAIN when a task was
 * caught in the middle of a fork or exit: FREEZE and COLLECT again.  Closing the
 * file is END.
 *
 * Restart: the coordinator opens /dev/ckpt, reads the first records of the
 * image (struct ckpt_rec, see ckpt_image.h) up to and including the TREE, and
 * from them makes namespaces, mounts, the cgroup and a task for every entry of
 * the tree, each with its pid.  Every one of these tasks calls
 * CKPT_IOC_RESTORE_TASK on the coordinator's open file and does not return
 * from it other than as the task of the image.  The coordinator then calls
 * CKPT_IOC_RESTART, which reads the rest of the image and returns when all
 * tasks are there and wait; takes the ends that the container's pipes had
 * outside, with CKPT_IOC_EXTERNAL; and lets the tasks run with CKPT_IOC_GO.  If
 * anything fails, every task that has joined gets SIGKILL and the coordinator
 * gets the error.  A coordinator that dies before the last call must see to it
 * that the tasks are killed, or call CKPT_IOC_ABORT.
 *
 * Every call returns a negative errno on error (through ioctl(2): -1 and
 * errno) and says why, in one line, on the log descriptor.
 */
#ifndef _UAPI_CKPT_H
#define _UAPI_CKPT_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The container stands still until END, however long; the image is marked. */
#define CKPT_FINAL		0x1
/* COLLECT only looks what stands in the way: nothing can be streamed behind it. */
#define CKPT_CHECK		0x2

#define CKPT_TARGET_FLAGS	(CKPT_FINAL | CKPT_CHECK)

/* no time in struct ckpt_target_args may be longer: an hour */
#define CKPT_TIMES_MAX_NS	3600000000000ULL

/* the longest description of a container that CKPT_IOC_COLLECT takes */
#define CKPT_DESC_MAX		(1U << 20)

struct ckpt_target_args {
	__s32 pid;		/* root task, in the caller's pid namespace */
	__s32 logfd;		/* takes the log, or -1 */
	__u32 flags;		/* CKPT_FINAL, CKPT_CHECK */
	__u32 reserved;		/* 0 */
	__u64 freeze_timeout_ns;	/* who is not frozen by then is named; 0: a second */
	__u64 max_frozen_ns;	/* 0: five seconds; not with CKPT_FINAL */
};

struct ckpt_collect_args {
	__u64 desc;		/* address of the CONTAINER record's text */
	__u32 desc_len;		/* its length in bytes */
	__u32 reserved;		/* 0 */
	__u64 pause_ns;		/* set: how long the container was stopped; not with CKPT_FINAL */
};

struct ckpt_stream_args {
	__s32 fd;		/* takes the image */
	__u32 reserved;		/* 0 */
	/* set on return, also on failure as far as it came */
	__u64 bytes;		/* length of the image */
	__u64 pages;		/* page payloads in it */
};

#define CKPT_END_KEEP		0	/* the container runs on */
#define CKPT_END_KILL		1	/* after STREAM with CKPT_FINAL: it ends as it stands */

struct ckpt_restart_args {
	__s32 pid;		/* root task, in the caller's pid namespace */
	__s32 fd;		/* the image, just behind the TREE record */
	__s32 logfd;		/* takes the log, or -1 */
	__u32 flags;		/* 0 */
	__u64 offset;		/* bytes of the image that were read before */
	__u32 seq;		/* records that were read before */
	__u32 nr_tasks;		/* tasks that will call CKPT_IOC_RESTORE_TASK */
};

#define CKPT_EXTERNAL_KEY_MAX	256

/* the end of a pipe of the container's, for whoever is to be at it outside; all is set */
struct ckpt_external_args {
	__s32 fd;		/* close-on-exec */
	__u32 kind;		/* as EXTERNAL has them */
	__u32 side;
	__u32 reserved;
	char key[CKPT_EXTERNAL_KEY_MAX];
};

struct ckpt_restore_task_args {
	__u64 scratch;		/* a writable page of the caller's, aligned */
	__u32 flags;		/* 0 */
	__u32 reserved;		/* 0 */
};

/* Returns a positive id, unique since the module was loaded. */
#define CKPT_IOC_TARGET		_IOW('K', 0x20, struct ckpt_target_args)
#define CKPT_IOC_FREEZE		_IO('K', 0x21)
#define CKPT_IOC_COLLECT	_IOWR('K', 0x22, struct ckpt_collect_args)
#define CKPT_IOC_STREAM		_IOWR('K', 0x23, struct ckpt_stream_args)
/* The argument is CKPT_END_*. */
#define CKPT_IOC_END		_IO('K', 0x24)

/* Returns a positive id. */
#define CKPT_IOC_RESTART	_IOW('K', 0x11, struct ckpt_restart_args)
/* Returns only on error; the tree's pid of the caller finds its TASK record. */
#define CKPT_IOC_RESTORE_TASK	_IOW('K', 0x12, struct ckpt_restore_task_args)
/* A task of the tree gives up: the restart fails with this errno (positive). */
#define CKPT_IOC_ABORT		_IO('K', 0x13)
/*
 * Load and check an image, as CKPT_IOC_RESTART does before it changes any task;
 * pid is 0.  Returns 0 when this kernel and processor could restart it.
 */
#define CKPT_IOC_CHECK		_IOW('K', 0x14, struct ckpt_restart_args)
/*
 * Between CKPT_IOC_RESTART and CKPT_IOC_GO: the next end that was outside of the
 * container, each once; ENOENT: there is none any more.  One that nobody takes is
 * closed with the open file.
 */
#define CKPT_IOC_EXTERNAL	_IOR('K', 0x15, struct ckpt_external_args)
/* after CKPT_IOC_RESTART: the tasks run */
#define CKPT_IOC_GO		_IO('K', 0x16)

#endif
