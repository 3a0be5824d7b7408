// SPDX-License-Identifier: GPL-2.0-only
/*
 * epoll.  What it watches is saved after all tables, as descriptors of a table
 * in which both the epoll file and what it watches are open; at restart the
 * watches are added again, so that what is ready is found ready.  C4.
 */
#include <linux/capability.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <uapi/linux/eventpoll.h>

#include "file.h"
#include "watches.h"

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
	.needs = CKPT_FOR_EPOLL,
	.mine = epoll_mine,
	.restore = epoll_restore,
};

/* where epoll files are open: a descriptor of a table */
struct place {
	struct file *file;		/* compared, never used: no reference */
	struct ckpt_obj *files;
	int fd;
};

struct places {
	struct place *of;		/* by file, then in the order of discovery */
	u32 nr, max;
};

/* adds the places in a table as far as there is room, and returns how many it has */
static u32 list_places(struct ckpt_obj *obj, struct places *ps)
{
	struct fdtable *fdt;
	unsigned int fd;
	u32 found = 0;

	rcu_read_lock();
	fdt = files_fdtable((struct files_struct *)obj->ptr);
	for_each_set_bit(fd, fdt->open_fds, fdt->max_fds) {
		struct file *file = rcu_dereference(fdt->fd[fd]);

		if (!file || !epoll_mine(file))
			continue;
		found++;
		if (ps->nr < ps->max)
			ps->of[ps->nr++] = (struct place){ file, obj, fd };
	}
	rcu_read_unlock();
	return found;
}

static int compare_places(const void *p, const void *q)
{
	const struct place *a = p, *b = q;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->files->ref != b->files->ref)
		return a->files->ref < b->files->ref ? -1 : 1;
	return a->fd < b->fd ? -1 : a->fd > b->fd;
}

/* once for all epoll files; the caller frees ps->of */
static int find_places(struct ckpt_checkpoint *cp, struct places *ps)
{
	struct ckpt_obj *obj;
	u32 nr = 0;

	/* there is no room for any yet */
	ckpt_for_each_obj(obj, cp, &ckpt_type_files)
		nr += list_places(obj, ps);
	if (!nr)
		return 0;
	ps->of = kvcalloc(nr, sizeof(*ps->of), GFP_KERNEL);
	if (!ps->of)
		return -ENOMEM;
	ps->max = nr;
	ckpt_for_each_obj(obj, cp, &ckpt_type_files)
		list_places(obj, ps);
	sort(ps->of, ps->nr, sizeof(*ps->of), compare_places, NULL);
	return 0;
}

/* the first place of @file; those after it follow */
static const struct place *first_place(const struct places *ps, const struct file *file)
{
	u32 low = 0, high = ps->nr;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (ps->of[mid].file < file)
			low = mid + 1;
		else
			high = mid;
	}
	return ps->of + low;
}

static bool all_in(struct files_struct *files, const struct ckpt_watches *ws)
{
	struct fdtable *fdt;
	bool all = true;
	u32 i;

	rcu_read_lock();
	fdt = files_fdtable(files);
	for (i = 0; i < ws->nr && all; i++) {
		unsigned int fd = ws->w[i].fd;

		all = fd < fdt->max_fds && rcu_access_pointer(fdt->fd[fd]) == ws->target[i];
	}
	rcu_read_unlock();
	return all;
}

static bool has_params(const struct ckpt_watches *ws)
{
	return ws->params.busy_poll_usecs || ws->params.busy_poll_budget ||
	       ws->params.prefer_busy_poll;
}

static int save_watches(struct ckpt_checkpoint *cp, struct ckpt_obj *ep,
			const struct place *place, const struct ckpt_watches *ws)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_EPOLL);
	struct ckpt_image_epoll *img = ckpt_put(rec, EPOLL, BASE);
	struct ckpt_image_epoll_watch *w = ckpt_put_nr(rec, EPOLL, WATCHES, ws->nr);
	struct ckpt_image_epoll_params *params = NULL;

	if (has_params(ws)) {
		params = ckpt_put(rec, EPOLL, PARAMS);
		if (!params)
			return -ENOMEM;
		*params = ws->params;
	}
	if (!img || !w)
		return -ENOMEM;
	img->file = ep->ref;
	img->files = place->files->ref;
	img->epfd = place->fd;
	memcpy(w, ws->w, ws->nr * sizeof(*w));
	return ckpt_done(cp, rec);
}

static int save_epoll(struct ckpt_checkpoint *cp, struct ckpt_obj *ep, const struct places *ps,
		      const struct ckpt_watches *ws)
{
	const struct place *p;
	bool all = false;

	if (!ws->nr && !has_params(ws))
		return 0;
	for (p = first_place(ps, ep->ptr); p < ps->of + ps->nr && p->file == ep->ptr; p++) {
		if (!all_in(p->files->ptr, ws))
			continue;
		all = true;
		/* whoever makes the table again adds the watches */
		if (!ws->signals || ckpt_save_wakes(cp, p->files->ptr, ws->queue))
			return save_watches(cp, ep, p, ws);
	}
	if (all)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "an epoll file watches a signalfd for a process that has ended, does not have both open any more or shares its descriptors with another, which is not supported");
	return ckpt_refuse(cp, -EOPNOTSUPP,
			   "an epoll file watches a file that is open under another descriptor than it was added with, which is not supported");
}

static int save_epolls(struct ckpt_checkpoint *cp, const struct places *ps)
{
	struct ckpt_obj *obj;
	int ret;

	ckpt_for_each_obj(obj, cp, &ckpt_type_file) {
		struct ckpt_watches ws = {};

		if (!epoll_mine(obj->ptr))
			continue;
		ret = ckpt_read_watches(cp, obj->ptr, &ws);
		if (!ret)
			ret = save_epoll(cp, obj, ps, &ws);
		ckpt_free_watches(&ws);
		if (ckpt_go_on(ret))
			return ret;
	}
	return 0;
}

int ckpt_save_epolls(struct ckpt_checkpoint *cp)
{
	struct places ps = {};
	int ret;

	ret = find_places(cp, &ps);
	if (!ret)
		ret = save_epolls(cp, &ps);
	kvfree(ps.of);
	return ret;
}

int ckpt_check_epoll(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_epoll_watch *w;
	u64 i, nr;

	w = ckpt_get_nr(buf, EPOLL, WATCHES, &nr);
	for (i = 0; i < nr; i++)
		if (ckpt_watch_fired(&w[i]) && !ckpt_can_silence_watches())
			return ckpt_fail(log, -EOPNOTSUPP,
					 "a watch with EPOLLONESHOT that has fired is not supported on this kernel, which has no type information (BTF) of epoll files");
	return 0;
}

static int add_watch(int epfd, const struct ckpt_image_epoll_watch *w, unsigned long scratch)
{
	struct epoll_event ev = { .events = (__force __poll_t)w->events, .data = w->data };

	if (copy_to_user((void __user *)scratch, &ev, sizeof(ev)))
		return -EFAULT;
	return ckpt_syscall(epoll_ctl, epfd, EPOLL_CTL_ADD, w->fd, scratch);
}

static int add_watches(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_epoll *img = ckpt_get(buf, EPOLL, BASE);
	const struct ckpt_image_epoll_watch *w;
	int ret;
	u64 i, nr;

	w = ckpt_get_nr(buf, EPOLL, WATCHES, &nr);
	for (i = 0; i < nr; i++) {
		/* or the kernel takes it for a watch without */
		if (w[i].events & (__force u32)EPOLLWAKEUP && !capable(CAP_BLOCK_SUSPEND))
			ret = -EPERM;
		else
			ret = add_watch(img->epfd, &w[i], ckpt_scratch(rs));
		if (ret)
			return ckpt_fail(ckpt_restore_log(rs), ret, "epoll descriptor %d cannot watch %d: error %d",
					 img->epfd, w[i].fd, -ret);
	}
	return 0;
}

static int silence_watches(struct file *file, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_epoll_watch *w;
	struct xarray fired;
	int ret = 0;
	u32 silent = 0;
	u64 i, nr;

	xa_init(&fired);
	w = ckpt_get_nr(buf, EPOLL, WATCHES, &nr);
	for (i = 0; i < nr && !ret; i++) {
		if (!ckpt_watch_fired(&w[i]))
			continue;
		ret = xa_err(xa_store(&fired, w[i].fd, xa_mk_value(1), GFP_KERNEL));
		silent++;
	}
	if (!ret && silent)
		ret = ckpt_silence_watches(file, &fired, silent);
	xa_destroy(&fired);
	return ret;
}

/* as ioctl(EPIOCSPARAMS) checks and sets it */
static int set_params(struct file *file, const struct ckpt_rec_buf *buf, unsigned long scratch)
{
	const struct ckpt_image_epoll_params *img = ckpt_get(buf, EPOLL, PARAMS);
	struct epoll_params params = {};

	if (!img)
		return 0;
	if (!file->f_op->unlocked_ioctl || img->busy_poll_budget > U16_MAX ||
	    img->prefer_busy_poll > 1)
		return -EINVAL;
	params.busy_poll_usecs = img->busy_poll_usecs;
	params.busy_poll_budget = img->busy_poll_budget;
	params.prefer_busy_poll = img->prefer_busy_poll;
	if (copy_to_user((void __user *)scratch, &params, sizeof(params)))
		return -EFAULT;
	return file->f_op->unlocked_ioctl(file, EPIOCSPARAMS, scratch);
}

static int restore_epoll(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_epoll *img = ckpt_get(buf, EPOLL, BASE);
	struct file *file = fget(img->epfd);
	int ret;

	if (!file || !epoll_mine(file))
		ret = ckpt_fail(ckpt_restore_log(rs), -EINVAL, "descriptor %d is no epoll file", img->epfd);
	else
		ret = add_watches(rs, buf);
	if (!ret) {
		ret = silence_watches(file, buf) ? : set_params(file, buf, ckpt_scratch(rs));
		if (ret)
			ckpt_log(ckpt_restore_log(rs), "the watches of epoll descriptor %d cannot be set: error %d",
				 img->epfd, -ret);
	}
	if (file)
		fput(file);
	return ret;
}

/* the watches of every epoll file that is saved with this table, now current's */
int ckpt_restore_epolls(struct ckpt_restart *rs, u32 files)
{
	struct ckpt_rec_buf *buf;
	int ret;

	for (buf = ckpt_epolls_of(rs, files); buf; buf = buf->next) {
		ret = restore_epoll(rs, buf);
		if (ret)
			return ret;
	}
	return 0;
}
