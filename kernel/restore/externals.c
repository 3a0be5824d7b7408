// SPDX-License-Identifier: GPL-2.0-only
/* Ends for somebody outside: they wait until the coordinator takes them.  C3. */
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "file.h"
#include "operations.h"
#include "restart.h"

struct handed_out {
	struct list_head list;
	struct file *file;		/* a reference */
	struct ckpt_external_args args;
};

/* each that is meant must be there, before any task has changed */
int ckpt_check_externals(struct ckpt_restart *rs)
{
	struct ckpt_rec_buf *buf = NULL;

	while ((buf = ckpt_next_rec(rs, buf, CKPT_REC_PIPE))) {
		u32 ref = ckpt_get(buf, PIPE, BASE)->external;
		const struct ckpt_rec_buf *external = ref ? ckpt_find_rec(rs, ref, &ckpt_type_external) : NULL;

		if (ref && (!external || ckpt_get(external, EXTERNAL, BASE)->kind != CKPT_REC_PIPE))
			return ckpt_fail(&rs->log, -EINVAL, "the image has no EXTERNAL %u of a PIPE", ref);
	}
	return 0;
}

int ckpt_hand_out(struct ckpt_restart *rs, u32 ref, u32 kind, struct file **ends)
{
	const struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_external);
	const struct ckpt_image_external *img;
	struct handed_out *h;
	struct file **end;

	img = buf ? ckpt_get(buf, EXTERNAL, BASE) : NULL;
	if (!img || img->kind != kind)
		return ckpt_fail(&rs->log, -EINVAL, "the image has no EXTERNAL %u of a %s", ref,
				 ckpt_rec_name(kind));
	/* what the container reads is written outside */
	end = &ends[img->side == 1];
	if (!*end)
		return -EINVAL;
	h = kzalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return -ENOMEM;
	h->args.kind = img->kind;
	h->args.side = img->side;
	strscpy(h->args.key, ckpt_get(buf, EXTERNAL, KEY), sizeof(h->args.key));
	h->file = *end;
	*end = NULL;
	spin_lock(&rs->wait.lock);
	list_add_tail(&h->list, &rs->externals);
	spin_unlock(&rs->wait.lock);
	return 0;
}

static struct handed_out *next(struct ckpt_restart *rs)
{
	struct handed_out *h = NULL;

	spin_lock(&rs->wait.lock);
	if (rs->state == CKPT_RESTART_RESTORED)
		h = list_first_entry_or_null(&rs->externals, struct handed_out, list);
	if (h)
		list_del(&h->list);
	spin_unlock(&rs->wait.lock);
	return h;
}

int ckpt_take_external(struct ckpt_restart *rs, struct ckpt_external_args __user *uargs)
{
	struct handed_out *h = next(rs);
	int ret = 0, fd;

	if (!h)
		return -ENOENT;
	fd = get_unused_fd_flags(O_CLOEXEC);
	h->args.fd = fd;
	if (fd < 0)
		ret = fd;
	else if (copy_to_user(uargs, &h->args, sizeof(h->args)))
		ret = -EFAULT;
	if (!ret) {
		fd_install(fd, h->file);
	} else {
		if (fd >= 0)
			put_unused_fd(fd);
		fput(h->file);
	}
	kfree(h);
	return ret;
}

/* nobody can take any more */
void ckpt_drop_externals(struct ckpt_restart *rs)
{
	struct handed_out *h, *next;

	list_for_each_entry_safe(h, next, &rs->externals, list) {
		fput(h->file);
		kfree(h);
	}
}
