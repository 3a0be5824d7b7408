// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/ckpt: arguments in, results out.  An open file holds at most one
 * restart, and one checkpoint at a time; see uapi/ckpt.h.
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

/*
 * What is going on belongs to the open file, and not to a call: a caller that
 * dies within the kernel, by an oops, gives nothing back, but its descriptor is
 * closed, and release() does.
 */
struct open_device {
	struct ckpt_restart *rs;
	struct ckpt_checkpoint *cp;	/* under BUSY; NULL: none */
	unsigned long flags;
};

#define BUSY	0			/* a call is at work on cp */

static int ckpt_open(struct inode *inode, struct file *file)
{
	struct open_device *o;

	o = kzalloc(sizeof(*o), GFP_KERNEL);
	if (!o)
		return -ENOMEM;
	o->rs = ckpt_restart_new();
	if (!o->rs) {
		kfree(o);
		return -ENOMEM;
	}
	file->private_data = o;
	return nonseekable_open(inode, file);
}

/* no call is at work any more; one that still holds BUSY will never come back */
static int ckpt_release(struct inode *inode, struct file *file)
{
	struct open_device *o = file->private_data;
	const struct cred *old;

	if (o->cp)
		ckpt_checkpoint_free(o->cp);
	/* the last to have it open may be a task of the container's that dies */
	old = override_creds(file->f_cred);
	ckpt_restart_end(o->rs, -ESRCH);
	revert_creds(old);
	ckpt_restart_put(o->rs);
	kfree(o);
	return 0;
}

static void end(struct open_device *o)
{
	if (o->cp)
		ckpt_checkpoint_free(o->cp);
	o->cp = NULL;
}

static int call_target(struct open_device *o, struct ckpt_target_args __user *uargs)
{
	struct ckpt_target_args args;
	int ret;

	if (copy_from_user(&args, uargs, sizeof(args)))
		return -EFAULT;
	if (args.flags & ~CKPT_TARGET_FLAGS || args.reserved ||
	    (args.flags & CKPT_FINAL && args.flags & CKPT_CHECK) ||
	    args.freeze_timeout_ns > CKPT_TIMES_MAX_NS || args.max_frozen_ns > CKPT_TIMES_MAX_NS)
		return -EINVAL;
	if (o->cp)
		return -EBUSY;
	o->cp = ckpt_checkpoint_new();
	if (!o->cp)
		return -ENOMEM;
	ret = ckpt_target(o->cp, &args);
	if (ret < 0)
		end(o);
	return ret;
}

static int call_collect(struct open_device *o, struct ckpt_collect_args __user *uargs)
{
	struct ckpt_collect_args args;
	char *desc;
	int ret;

	if (copy_from_user(&args, uargs, sizeof(args)))
		return -EFAULT;
	if (args.reserved || args.desc_len > CKPT_DESC_MAX)
		return -EINVAL;
	desc = vmemdup_user(u64_to_user_ptr(args.desc), args.desc_len);
	if (IS_ERR(desc))
		return PTR_ERR(desc);
	args.pause_ns = 0;
	ret = ckpt_collect_target(o->cp, &args, desc);
	kvfree(desc);
	return copy_to_user(uargs, &args, sizeof(args)) ? -EFAULT : ret;
}

static int call_stream(struct open_device *o, struct ckpt_stream_args __user *uargs)
{
	struct ckpt_stream_args args;
	int ret;

	if (copy_from_user(&args, uargs, sizeof(args)))
		return -EFAULT;
	if (args.reserved)
		return -EINVAL;
	args.bytes = 0;
	args.pages = 0;
	ret = ckpt_stream_target(o->cp, &args);
	return copy_to_user(uargs, &args, sizeof(args)) ? -EFAULT : ret;
}

static int call_end(struct open_device *o, unsigned long what)
{
	int ret = 0;

	if (what > CKPT_END_KILL)
		return -EINVAL;
	if (what == CKPT_END_KILL)
		ret = ckpt_kill_target(o->cp);
	if (!ret) {
		ckpt_let_go(o->cp);
		end(o);
	}
	return ret;
}

/* the steps of a checkpoint, one call at a time */
static long call_checkpoint(struct open_device *o, unsigned int cmd, unsigned long arg)
{
	long ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (test_and_set_bit_lock(BUSY, &o->flags))
		return -EBUSY;
	if (cmd == CKPT_IOC_TARGET)
		ret = call_target(o, (void __user *)arg);
	else if (!o->cp)
		ret = -EINVAL;
	else if (cmd == CKPT_IOC_FREEZE)
		ret = ckpt_freeze_target(o->cp);
	else if (cmd == CKPT_IOC_COLLECT)
		ret = call_collect(o, (void __user *)arg);
	else if (cmd == CKPT_IOC_STREAM)
		ret = call_stream(o, (void __user *)arg);
	else
		ret = call_end(o, arg);
	clear_bit_unlock(BUSY, &o->flags);
	return ret;
}

static long ioctl_restart(struct ckpt_restart *rs, struct ckpt_restart_args __user *uargs,
			  bool check)
{
	struct ckpt_restart_args args;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&args, uargs, sizeof(args)))
		return -EFAULT;
	if (args.flags)
		return -EINVAL;
	return check ? ckpt_check_image(rs, &args) : ckpt_restart(rs, &args);
}

static long ioctl_restore_task(struct file *file, struct ckpt_restart *rs,
			       struct ckpt_restore_task_args __user *uargs)
{
	struct ckpt_restore_task_args args;

	if (copy_from_user(&args, uargs, sizeof(args)))
		return -EFAULT;
	if (args.flags || args.reserved || !PAGE_ALIGNED(args.scratch) ||
	    !access_ok(u64_to_user_ptr(args.scratch), PAGE_SIZE))
		return -EINVAL;
	return ckpt_restore_task(rs, file, &args);
}

static long ckpt_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct open_device *o = file->private_data;

	switch (cmd) {
	case CKPT_IOC_TARGET:
	case CKPT_IOC_FREEZE:
	case CKPT_IOC_COLLECT:
	case CKPT_IOC_STREAM:
	case CKPT_IOC_END:
		return call_checkpoint(o, cmd, arg);
	case CKPT_IOC_CHECK:
	case CKPT_IOC_RESTART:
		return ioctl_restart(o->rs, (void __user *)arg, cmd == CKPT_IOC_CHECK);
	case CKPT_IOC_EXTERNAL:
	case CKPT_IOC_GO:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		return cmd == CKPT_IOC_GO ? ckpt_restart_go(o->rs) :
			ckpt_take_external(o->rs, (void __user *)arg);
	case CKPT_IOC_RESTORE_TASK:
		return ioctl_restore_task(file, o->rs, (void __user *)arg);
	case CKPT_IOC_ABORT:
		ckpt_restart_end(o->rs, arg && arg < MAX_ERRNO ? -(int)arg : -ECANCELED);
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
