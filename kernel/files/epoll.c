// SPDX-License-Identifier: GPL-2.0-only
/*
 * epoll.  What it watches is saved after all tables, as descriptors of a table
 * in which both the epoll file and what it watches are open; at restart the
 * watches are added again, so that what is ready is found ready.  C4.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/uaccess.h>
#include <linux/eventpoll.h>
#include <linux/fdtable.h>
#include <linux/slab.h>

#include "file.h"

static bool epoll_mine(struct file *file)
{
	return file->f_op == kv_eventpoll_fops;
}

static struct file *epoll_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				  const struct cred *cred)
{
	return ckpt_file_of_fd(ckpt_syscall(epoll_create1, 0));
}

const struct ckpt_file_ops ckpt_file_epoll = {
	.name = "epoll",
	.kind = CKPT_FILE_EPOLL,
	.mine = epoll_mine,
	.restore = epoll_restore,
};

struct watches {
	u32 nr;
	struct ckpt_image_epoll_watch *w;
	struct file **target;		/* compared, never used: no references */
};

static void watches_free(struct watches *ws)
{
	kvfree(ws->w);
	kvfree(ws->target);
}

/* how many watches before @nr are on the same descriptor number */
static unsigned long same_before(const struct watches *ws, u32 nr)
{
	unsigned long same = 0;
	u32 i;

	for (i = 0; i < nr; i++)
		same += ws->w[i].fd == ws->w[nr].fd;
	return same;
}

static int parse_watches(struct file *file, const char *info, struct watches *ws)
{
	const char *p = info;

	while ((p = strstr(p, "tfd:"))) {
		struct ckpt_image_epoll_watch *w = &ws->w[ws->nr];
		unsigned long long data;
		int fd;
		u32 events;

		if (sscanf(p, "tfd: %d events: %x data: %llx", &fd, &events, &data) != 3)
			return -EINVAL;
		w->fd = fd;
		w->events = events;
		w->data = data;
		ws->target[ws->nr] = k_get_epoll_tfile_raw_ptr(file, fd, same_before(ws, ws->nr));
		ws->nr++;
		p += 4;
	}
	return 0;
}

static int read_watches(struct file *file, struct watches *ws)
{
	const char *p;
	char *info;
	int ret = -ENOMEM;
	u32 nr = 1;

	info = ckpt_fdinfo(file);
	if (!info)
		return -ENOMEM;
	for (p = info; (p = strstr(p, "tfd:")); p += 4)
		nr++;
	ws->w = kvcalloc(nr, sizeof(*ws->w), GFP_KERNEL);
	ws->target = kvcalloc(nr, sizeof(*ws->target), GFP_KERNEL);
	if (ws->w && ws->target)
		ret = parse_watches(file, info, ws);
	kvfree(info);
	return ret;
}

static struct file *file_in(struct files_struct *files, unsigned int fd)
{
	struct fdtable *fdt;
	struct file *file = NULL;

	rcu_read_lock();
	fdt = files_fdtable(files);
	if (fd < fdt->max_fds)
		file = rcu_dereference(fdt->fd[fd]);
	rcu_read_unlock();
	return file;
}

/* the descriptor of @file in the table, or -1 */
static int fd_in(struct files_struct *files, struct file *file)
{
	struct fdtable *fdt;
	int fd, found = -1;

	rcu_read_lock();
	fdt = files_fdtable(files);
	for (fd = 0; fd < fdt->max_fds && found < 0; fd++)
		if (rcu_dereference(fdt->fd[fd]) == file)
			found = fd;
	rcu_read_unlock();
	return found;
}

static bool all_in(struct files_struct *files, const struct watches *ws)
{
	u32 i;

	for (i = 0; i < ws->nr; i++)
		if (file_in(files, ws->w[i].fd) != ws->target[i])
			return false;
	return true;
}

static int save_watches(struct ckpt_checkpoint *cp, struct ckpt_obj *ep,
			struct ckpt_obj *files, int epfd, const struct watches *ws)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_EPOLL);
	struct ckpt_image_epoll *img = ckpt_put(rec, EPOLL, BASE);
	struct ckpt_image_epoll_watch *w = ckpt_put_nr(rec, EPOLL, WATCHES, ws->nr);

	if (!img || !w)
		return -ENOMEM;
	img->file = ep->ref;
	img->files = files->ref;
	img->epfd = epfd;
	memcpy(w, ws->w, ws->nr * sizeof(*w));
	return ckpt_done(cp, rec);
}

static int save_epoll(struct ckpt_checkpoint *cp, struct ckpt_obj *ep, const struct watches *ws)
{
	struct ckpt_obj *obj;

	if (!ws->nr)
		return 0;
	ckpt_for_each_obj(obj, cp, &ckpt_type_files) {
		int epfd;

		epfd = fd_in(obj->ptr, ep->ptr);
		if (epfd >= 0 && all_in(obj->ptr, ws))
			return save_watches(cp, ep, obj, epfd, ws);
	}
	return ckpt_refuse(cp, -EOPNOTSUPP,
			   "an epoll file watches a file that is open under another descriptor than it was added with, which is not supported");
}

int ckpt_save_epolls(struct ckpt_checkpoint *cp)
{
	struct ckpt_obj *obj;
	int ret;

	ckpt_for_each_obj(obj, cp, &ckpt_type_file) {
		struct watches ws = {};

		if (!epoll_mine(obj->ptr))
			continue;
		ret = read_watches(obj->ptr, &ws);
		if (!ret)
			ret = save_epoll(cp, obj, &ws);
		watches_free(&ws);
		if (ckpt_go_on(ret))
			return ret;
	}
	return 0;
}

static int add_watch(int epfd, const struct ckpt_image_epoll_watch *w, unsigned long scratch)
{
	struct epoll_event ev = { .events = (__force __poll_t)w->events, .data = w->data };

	if (copy_to_user((void __user *)scratch, &ev, sizeof(ev)))
		return -EFAULT;
	return ckpt_syscall(epoll_ctl, epfd, EPOLL_CTL_ADD, w->fd, scratch);
}

static int restore_epoll(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_epoll *img = ckpt_get(buf, EPOLL, BASE);
	const struct ckpt_image_epoll_watch *w;
	int ret;
	u64 i, nr;

	w = ckpt_get_nr(buf, EPOLL, WATCHES, &nr);
	for (i = 0; i < nr; i++) {
		ret = add_watch(img->epfd, &w[i], ckpt_scratch(rs));
		if (ret)
			return ckpt_fail(ckpt_restore_log(rs), ret, "epoll descriptor %d cannot watch %d: error %d",
					 img->epfd, w[i].fd, -ret);
	}
	return 0;
}

/* the watches of every epoll file that is saved with this table, now current's */
int ckpt_restore_epolls(struct ckpt_restart *rs, u32 files)
{
	struct ckpt_rec_buf *buf;
	int ret;

	for (buf = ckpt_next_rec(rs, NULL, CKPT_REC_EPOLL); buf;
	     buf = ckpt_next_rec(rs, buf, CKPT_REC_EPOLL)) {
		if (ckpt_get(buf, EPOLL, BASE)->files != files)
			continue;
		ret = restore_epoll(rs, buf);
		if (ret)
			return ret;
	}
	return 0;
}
