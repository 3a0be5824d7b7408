// SPDX-License-Identifier: GPL-2.0-only
/* eventfd.  C4. */
#include <linux/eventfd.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "file.h"

static bool eventfd_mine(struct file *file)
{
	return file->f_op == kv_eventfd_fops;
}

static int eventfd_save(struct ckpt_checkpoint *cp, struct file *file, void *data)
{
	struct ckpt_image_file_eventfd *img = data;
	char *info;
	int ret;

	info = ckpt_fdinfo(file);
	if (!info)
		return -ENOMEM;
	ret = ckpt_fdinfo_u64(info, "eventfd-count:", 16, &img->count);
	kvfree(info);
	img->semaphore = ckpt_eventfd_is_semaphore(file);
	return ret;
}

static int set_count(struct file *file, u64 count, unsigned long scratch)
{
	loff_t pos = 0;
	ssize_t n;

	if (!count)
		return 0;
	if (count == U64_MAX || put_user(count, (u64 __user *)scratch))
		return -EINVAL;
	n = file->f_op->write(file, (char __user *)scratch, sizeof(count), &pos);
	return n == sizeof(count) ? 0 : -EINVAL;
}

static struct file *eventfd_restore(struct ckpt_restart *rs, const struct ckpt_file_rec *rec)
{
	const struct ckpt_image_file_eventfd *img = rec->data;
	struct file *file;
	int ret;

	file = ckpt_file_of_fd(ckpt_syscall(eventfd2, 0, img->semaphore ? EFD_SEMAPHORE : 0));
	if (IS_ERR(file))
		return file;
	ret = set_count(file, img->count, ckpt_scratch(rs));
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

const struct ckpt_file_ops ckpt_file_eventfd = {
	.name = "eventfd",
	.kind = CKPT_FILE_EVENTFD,
	.data_len = sizeof(struct ckpt_image_file_eventfd),
	.mine = eventfd_mine,
	.save = eventfd_save,
	.restore = eventfd_restore,
};
