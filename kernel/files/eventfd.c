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

static int eventfd_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_file_eventfd *img = ckpt_put(rec, FILE, EVENTFD);
	char *info;
	int ret;

	if (!img)
		return -ENOMEM;
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
	if (put_user(count, (u64 __user *)scratch))
		return -EFAULT;
	n = file->f_op->write(file, (char __user *)scratch, sizeof(count), &pos);
	return n == sizeof(count) ? 0 : -EINVAL;
}

static int eventfd_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_eventfd *img = ckpt_get(buf, FILE, EVENTFD);

	return img && img->count != U64_MAX ? 0 : ckpt_malformed(log, buf);
}

static struct file *eventfd_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
					    const struct cred *cred)
{
	const struct ckpt_image_file_eventfd *img = ckpt_get(buf, FILE, EVENTFD);
	struct file *file;

	file = ckpt_file_of_fd(ckpt_syscall(eventfd2, 0, img->semaphore ? EFD_SEMAPHORE : 0));
	if (IS_ERR(file))
		return file;
	return ckpt_file_or(file, set_count(file, img->count, ckpt_scratch(rs)));
}

const struct ckpt_file_ops ckpt_file_eventfd = {
	.name = "eventfd",
	.kind = CKPT_FILE_EVENTFD,
	.needs = CKPT_FOR_EVENTFD,
	.mine = eventfd_mine,
	.save = eventfd_save,
	.check = eventfd_check,
	.restore = eventfd_restore,
};
