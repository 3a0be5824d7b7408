/* SPDX-License-Identifier: GPL-2.0-only */
/* The engine's calls as C functions. */
#ifndef CKPT_LIB_CHECKPOINT_H
#define CKPT_LIB_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <ckpt.h>

#define CKPT_DEVICE "/dev/ckpt"

/*
 * checkpoint - write the image of a container
 * @pid: root task of the container, in the caller's pid namespace
 * @fd: takes the image: a file, a pipe or a socket
 * @flags: 0
 *
 * The image has an empty CONTAINER record: ckpt-restart cannot make namespaces
 * and mounts from it, restart() can bring back the tasks.
 *
 * Returns a positive id, or -1 with errno set.
 */
long checkpoint(pid_t pid, int fd, unsigned long flags);

/*
 * checkpoint_freeze_and_collect - stop a container, read its state, let it go
 * @device: /dev/ckpt after CKPT_IOC_TARGET
 * @desc: text of the CONTAINER record, desc_len bytes
 * @pause_ns: set to how long it stood, in ns; 0 with CKPT_FINAL
 *
 * Tries again for a second when it is caught in the middle of a fork or exit.
 *
 * Returns 0, or -1 with errno set: EBUSY when it could not be caught.
 */
int checkpoint_freeze_and_collect(int device, const char *desc, size_t desc_len,
				  uint64_t *pause_ns);

/*
 * restart - bring back the tasks of an image
 * @pid: root of the tree of tasks that the caller has made, each with the pid
 *	that the image has for it, and each of which calls restart_task()
 * @fd: the image, at its first byte
 * @flags: 0
 *
 * Returns a positive id when all tasks run, or -1 with errno set; then every
 * task that has called restart_task() is gone.
 */
long restart(pid_t pid, int fd, unsigned long flags);

/*
 * restart_task - become the task of the image that has the caller's pid
 * @scratch: a page of the caller's own memory, aligned and writable
 *
 * Goes on in the realm of the checkpoint; returns only on failure, -1 with
 * errno set.
 */
long restart_task(void *scratch);

/*
 * checkpoint_device - the descriptor on /dev/ckpt that restart() uses
 *
 * Opened at the first call, which has to come before the tasks are made: they
 * inherit it.  Returns the descriptor, or -1 with errno set.
 */
int checkpoint_device(void);

#endif
