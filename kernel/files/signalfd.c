// SPDX-License-Identifier: GPL-2.0-only
/*
 * signalfd.  Of its own it has a mask; what it reads are the signals that wait for
 * whoever reads it.  C4.
 */
#include <linux/signal.h>
#include <linux/signalfd.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "file.h"

bool ckpt_is_signalfd(const struct file *file)
{
	return file->f_op == kv_signalfd_fops;
}

static bool signalfd_mine(struct file *file)
{
	return ckpt_is_signalfd(file);
}

static int signalfd_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_file_signalfd *img = ckpt_put(rec, FILE, SIGNALFD);
	char *info;
	int ret;

	if (!img)
		return -ENOMEM;
	info = ckpt_fdinfo(file);
	if (!info)
		return -ENOMEM;
	ret = ckpt_fdinfo_u64(info, "sigmask:", 16, &img->mask);
	kvfree(info);
	return ret;
}

/* the system call leaves out in silence what nobody can wait for */
static int signalfd_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_signalfd *img = ckpt_get(buf, FILE, SIGNALFD);

	return img && !(img->mask & (sigmask(SIGKILL) | sigmask(SIGSTOP))) ?
		0 : ckpt_malformed(log, buf);
}

static struct file *signalfd_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				     const struct cred *cred)
{
	const struct ckpt_image_file_signalfd *img = ckpt_get(buf, FILE, SIGNALFD);
	unsigned long scratch = ckpt_scratch(rs);

	if (put_user(img->mask, (u64 __user *)scratch))
		return ERR_PTR(-EFAULT);
	return ckpt_file_of_fd(ckpt_syscall(signalfd4, -1, scratch, sizeof(img->mask), 0));
}

const struct ckpt_file_ops ckpt_file_signalfd = {
	.name = "signalfd",
	.kind = CKPT_FILE_SIGNALFD,
	.needs = CKPT_FOR_SIGNALFD,
	.mine = signalfd_mine,
	.save = signalfd_save,
	.check = signalfd_check,
	.restore = signalfd_restore,
};
