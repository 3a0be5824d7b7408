// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <time.h>

#include "checkpoint.h"
#include "cleanup.h"
#include "image.h"

int checkpoint_device(void)
{
	static int device = -1;

	if (device < 0)
		device = open(CKPT_DEVICE, O_RDWR | O_CLOEXEC);
	return device;
}

/* a container that is caught in the middle of a fork or exit is let go and tried again */
#define ATTEMPTS 200
#define RETRY_NS 5000000

int checkpoint_freeze_and_collect(int device, const char *desc, size_t desc_len, uint64_t *pause_ns)
{
	struct ckpt_collect_args args = {
		.desc = (uintptr_t)desc,
		.desc_len = desc_len,
	};
	int i, ret = -1;

	for (i = 0; i < ATTEMPTS; i++) {
		if (i)
			nanosleep(&(struct timespec){ .tv_nsec = RETRY_NS }, NULL);
		if (ioctl(device, CKPT_IOC_FREEZE))
			return -1;
		ret = ioctl(device, CKPT_IOC_COLLECT, &args);
		if (!ret || errno != EAGAIN)
			break;
	}
	if (ret && errno == EAGAIN)
		errno = EBUSY;
	*pause_ns = args.pause_ns;
	return ret;
}

long checkpoint(pid_t pid, int fd, unsigned long flags)
{
	_cleanup_fd_ int device = open(CKPT_DEVICE, O_RDWR | O_CLOEXEC);
	struct ckpt_target_args target = { .pid = pid, .logfd = -1 };
	struct ckpt_stream_args stream = { .fd = fd };
	uint64_t pause_ns;
	long id;

	if (device < 0)
		return -1;
	if (flags) {
		errno = EINVAL;
		return -1;
	}
	id = ioctl(device, CKPT_IOC_TARGET, &target);
	if (id < 0 || checkpoint_freeze_and_collect(device, "", 0, &pause_ns) ||
	    ioctl(device, CKPT_IOC_STREAM, &stream))
		return -1;
	return id;
}

/* the records that come before the engine's; takes what restart needs of them */
static int read_tree(int fd, struct ckpt_restart_args *args)
{
	struct image_reader r;
	int ret;

	image_init(&r, fd);
	ret = image_begin(&r, NULL);
	if (!ret)
		ret = image_check_machine(&r, NULL);
	if (!ret)
		ret = image_expect(&r, CKPT_REC_CONTAINER, NULL);
	if (!ret)
		ret = image_expect(&r, CKPT_REC_TREE, NULL);
	if (!ret)
		image_part(&r, TREE, TASKS, &args->nr_tasks);
	args->offset = r.offset;
	args->seq = r.seq;
	image_done(&r);
	return ret;
}

long restart(pid_t pid, int fd, unsigned long flags)
{
	struct ckpt_restart_args args = {
		.pid = pid,
		.fd = fd,
		.logfd = -1,
		.flags = flags,
	};
	long id;
	int ret;

	if (checkpoint_device() < 0)
		return -1;
	ret = flags > UINT32_MAX ? -EINVAL : read_tree(fd, &args);
	if (ret) {
		errno = -ret;
		return -1;
	}
	id = ioctl(checkpoint_device(), CKPT_IOC_RESTART, &args);
	return id < 0 || ioctl(checkpoint_device(), CKPT_IOC_GO) ? -1 : id;
}

long restart_task(void *scratch)
{
	struct ckpt_restore_task_args args = { .scratch = (uintptr_t)scratch };

	return ioctl(checkpoint_device(), CKPT_IOC_RESTORE_TASK, &args);
}
