// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/ckpt: arguments in, results out.  An open file holds at most one
 * restart; see uapi/ckpt.h.
 */
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "device.h"
#include "operations.h"

static atomic_t last_id = ATOMIC_INIT(0);

int ckpt_next_id(void)
{
	return atomic_inc_return(&last_id) & INT_MAX;
}

static int ckpt_open(struct inode *inode, struct file *file)
{
	struct ckpt_restart *rs;

	rs = ckpt_restart_new();
	if (!rs)
		return -ENOMEM;
	file->private_data = rs;
	return nonseekable_open(inode, file);
}

static int ckpt_release(struct inode *inode, struct file *file)
{
	struct ckpt_restart *rs = file->private_data;

	ckpt_restart_abort(rs, -ESRCH);
	ckpt_restart_put(rs);
	return 0;
}

static long ioctl_checkpoint(struct ckpt_checkpoint_args __user *uargs)
{
	struct ckpt_checkpoint_args args;
	char *desc;
	long ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&args, uargs, sizeof(args)))
		return -EFAULT;
	if (args.flags & ~CKPT_FLAGS_ALL || args.reserved || args.desc_len > CKPT_DESC_MAX)
		return -EINVAL;
	desc = vmemdup_user(u64_to_user_ptr(args.desc), args.desc_len);
	if (IS_ERR(desc))
		return PTR_ERR(desc);
	args.pause_ns = 0;
	args.bytes = 0;
	args.pages = 0;
	ret = ckpt_checkpoint(&args, desc);
	kvfree(desc);
	if (copy_to_user(uargs, &args, sizeof(args)))
		return -EFAULT;
	return ret;
}

static long ioctl_restart(struct ckpt_restart *rs, struct ckpt_restart_args __user *uargs)
{
	struct ckpt_restart_args args;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&args, uargs, sizeof(args)))
		return -EFAULT;
	if (args.flags)
		return -EINVAL;
	return ckpt_restart(rs, &args);
}

static long ioctl_restore_task(struct file *file,
			       struct ckpt_restore_task_args __user *uargs)
{
	struct ckpt_restore_task_args args;

	if (copy_from_user(&args, uargs, sizeof(args)))
		return -EFAULT;
	if (args.flags || args.reserved || !PAGE_ALIGNED(args.scratch) ||
	    !access_ok(u64_to_user_ptr(args.scratch), PAGE_SIZE))
		return -EINVAL;
	return ckpt_restore_task(file->private_data, file, &args);
}

static long ckpt_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case CKPT_IOC_CHECKPOINT:
		return ioctl_checkpoint((void __user *)arg);
	case CKPT_IOC_RESTART:
		return ioctl_restart(file->private_data, (void __user *)arg);
	case CKPT_IOC_RESTORE_TASK:
		return ioctl_restore_task(file, (void __user *)arg);
	case CKPT_IOC_ABORT:
		ckpt_restart_abort(file->private_data,
				   arg && arg < MAX_ERRNO ? -(int)arg : -ECANCELED);
		return 0;
	default:
		return -ENOTTY;
	}
}

static const struct file_operations ckpt_fops = {
	.owner = THIS_MODULE,
	.open = ckpt_open,
	.release = ckpt_release,
	.unlocked_ioctl = ckpt_ioctl,
};

static struct miscdevice ckpt_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ckpt",
	.fops = &ckpt_fops,
	.mode = 0600,
};

int ckpt_device_init(void)
{
	return misc_register(&ckpt_misc);
}

void ckpt_device_exit(void)
{
	misc_deregister(&ckpt_misc);
}
