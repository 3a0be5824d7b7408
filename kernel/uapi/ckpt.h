/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The interface of /dev/ckpt.
 *
 * Checkpoint: one call, CKPT_IOC_CHECKPOINT.  The caller names the root task
 * of a container and a descriptor (file, pipe or socket) that takes the image.
 * The call returns when the image has been written; the container is stopped
 * only while its state is collected.
 *
 * Restart: the coordinator opens /dev/ckpt, reads the first records of the
 * image (struct ckpt_rec, see ckpt_image.h) up to and including the TREE, and
 * from them makes namespaces, mounts, the cgroup and a task for every entry of
 * the tree, each with its pid.  Every one of these tasks calls
 * CKPT_IOC_RESTORE_TASK on the coordinator's open file and does not return
 * from it other than as the task of the image.  The coordinator then calls
 * CKPT_IOC_RESTART, which reads the rest of the image and returns when all
 * tasks run.  If anything fails, every task that has joined gets SIGKILL and
 * the coordinator gets the error.  A coordinator that dies before the last call
 * must see to it that the tasks are killed, or call CKPT_IOC_ABORT.
 *
 * Every call returns a negative errno on error (through ioctl(2): -1 and
 * errno) and says why, in one line, on the log descriptor.
 */
#ifndef _UAPI_CKPT_H
#define _UAPI_CKPT_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * Freeze the root task's cgroup for the time of the collection, and leave the
 * freezer as it was found.  Without it the container must be frozen already.
 */
#define CKPT_FREEZE		0x1

#define CKPT_FLAGS_ALL		(CKPT_FREEZE)

/* the longest description of a container that CKPT_IOC_CHECKPOINT takes */
#define CKPT_DESC_MAX		(1U << 20)

struct ckpt_checkpoint_args {
	__s32 pid;		/* root task, in the caller's pid namespace */
	__s32 fd;		/* takes the image */
	__s32 logfd;		/* takes the log, or -1 */
	__u32 flags;		/* CKPT_FREEZE */
	__u64 desc;		/* address of the CONTAINER record's body */
	__u32 desc_len;		/* its length in bytes */
	__u32 reserved;		/* 0 */
	/* set on return, also on failure as far as it came */
	__u64 pause_ns;		/* how long the container was stopped */
	__u64 bytes;		/* length of the image */
	__u64 pages;		/* page payloads in it */
};

struct ckpt_restart_args {
	__s32 pid;		/* root task, in the caller's pid namespace */
	__s32 fd;		/* the image, just behind the TREE record */
	__s32 logfd;		/* takes the log, or -1 */
	__u32 flags;		/* 0 */
	__u64 offset;		/* bytes of the image that were read before */
	__u32 seq;		/* records that were read before */
	__u32 nr_tasks;		/* tasks that will call CKPT_IOC_RESTORE_TASK */
};

struct ckpt_restore_task_args {
	__u64 scratch;		/* a writable page of the caller's, aligned */
	__u32 flags;		/* 0 */
	__u32 reserved;		/* 0 */
};

/* Returns a positive id, unique since the module was loaded. */
#define CKPT_IOC_CHECKPOINT	_IOWR('K', 0x10, struct ckpt_checkpoint_args)
/* Returns a positive id. */
#define CKPT_IOC_RESTART	_IOW('K', 0x11, struct ckpt_restart_args)
/* Returns only on error; the tree's pid of the caller finds its TASK record. */
#define CKPT_IOC_RESTORE_TASK	_IOW('K', 0x12, struct ckpt_restore_task_args)
/* A task of the tree gives up: the restart fails with this errno (positive). */
#define CKPT_IOC_ABORT		_IO('K', 0x13)

#endif
