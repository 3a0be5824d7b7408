// SPDX-License-Identifier: GPL-2.0-only
/* Descriptor tables.  C1. */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "file.h"

/* the file at @fd of a table whose tasks are frozen; no reference is taken */
static struct file *file_at(struct files_struct *files, unsigned int fd, bool *cloexec)
{
	struct fdtable *fdt;
	struct file *file = NULL;

	rcu_read_lock();
	fdt = files_fdtable(files);
	if (fd < fdt->max_fds) {
		file = rcu_dereference(fdt->fd[fd]);
		*cloexec = test_bit(fd, fdt->close_on_exec);
	}
	rcu_read_unlock();
	return file;
}

static unsigned int max_fds(struct files_struct *files)
{
	unsigned int max;

	rcu_read_lock();
	max = files_fdtable(files)->max_fds;
	rcu_read_unlock();
	return max;
}

static int save_fds(struct ckpt_checkpoint *cp, struct files_struct *files,
		    struct ckpt_image_fd *fds, u32 *nr)
{
	unsigned int fd, max = max_fds(files);
	bool cloexec;
	int ret = 0;

	*nr = 0;
	for (fd = 0; fd < max && !ret; fd++) {
		struct file *file = file_at(files, fd, &cloexec);

		if (!file)
			continue;
		if (fds) {
			ckpt_at_fd(cp, fd);
			fds[*nr].fd = fd;
			fds[*nr].flags = cloexec ? CKPT_FD_CLOEXEC : 0;
			ret = ckpt_obj_save(cp, &ckpt_type_file, file, &fds[*nr].file);
		}
		(*nr)++;
	}
	if (!ret)
		ckpt_at_fd(cp, -1);
	return ret;
}

static int save_files(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct files_struct *files = obj->ptr;
	struct ckpt_image_files *img;
	struct ckpt_image_fd *fds;
	u32 nr;
	int ret;

	save_fds(cp, files, NULL, &nr);
	fds = kvcalloc(max(nr, 1U), sizeof(*fds), GFP_KERNEL);
	if (!fds)
		return -ENOMEM;
	/* the files' records come first, so the table is put together aside */
	ret = save_fds(cp, files, fds, &nr);
	if (ret)
		goto out;
	ret = -ENOMEM;
	img = ckpt_rec(cp, CKPT_REC_FILES, struct_size(img, fds, nr));
	if (!img)
		goto out;
	img->ref = obj->ref;
	img->nr = nr;
	memcpy(img->fds, fds, nr * sizeof(*fds));
	ret = 0;
out:
	kvfree(fds);
	return ret;
}

/* a descriptor beyond the restarter's limit needs the right to raise it */
static int allow_fd(unsigned long fd)
{
	struct rlimit *lim = &current->signal->rlim[RLIMIT_NOFILE];
	int ret = 0;

	task_lock(current->group_leader);
	if (fd >= lim->rlim_cur) {
		if (fd >= lim->rlim_max && !capable(CAP_SYS_RESOURCE))
			ret = -EPERM;
		else
			lim->rlim_cur = fd + 1UL;
	}
	task_unlock(current->group_leader);
	return ret;
}

static int install_fd(struct ckpt_restart *rs, const struct ckpt_image_fd *img)
{
	struct file *file;
	int ret;

	/* the making of a file takes one or two more for a moment */
	ret = allow_fd(img->fd + 2UL);
	if (ret)
		return ret;
	file = ckpt_restore_obj(rs, img->file, &ckpt_type_file);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = k_replace_fd(img->fd, file, img->flags & CKPT_FD_CLOEXEC ? O_CLOEXEC : 0);
	return ret < 0 ? ckpt_fail(ckpt_restore_log(rs), ret, "descriptor %d cannot be given out: error %d",
				   img->fd, -ret) : 0;
}

static void close_all(void)
{
	unsigned int fd, max = max_fds(current->files);
	bool cloexec;

	for (fd = 0; fd < max; fd++)
		if (file_at(current->files, fd, &cloexec))
			close_fd(fd);
}

static int check_files(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_files *img = ckpt_body(buf);
	u32 i;

	if (buf->rec.len < sizeof(*img) || img->nr > CKPT_REC_LEN_MAX / sizeof(*img->fds) ||
	    buf->rec.len != struct_size(img, fds, img->nr))
		goto bad;
	for (i = 0; i < img->nr; i++)
		if (img->fds[i].fd < 0)
			goto bad;
	return 0;
bad:
	return ckpt_fail(log, -EINVAL, "the FILES in record %u are malformed", buf->rec.seq);
}

static int make_files(struct ckpt_restart *rs, const struct ckpt_image_files *img)
{
	int ret;
	u32 i;

	/* threads share the helper's table with us; ours is to be another */
	ret = k_ksys_unshare(CLONE_FILES);
	if (ret)
		return ret;
	close_all();
	for (i = 0; i < img->nr; i++) {
		ret = install_fd(rs, &img->fds[i]);
		if (ret)
			return ret;
	}
	ret = ckpt_restore_epolls(rs, img->ref);
	if (ret)
		return ret;
	atomic_inc(&current->files->count);
	return ckpt_add_restored(rs, img->ref, &ckpt_type_files, current->files);
}

/*
 * Give current the table of the record, shared with the tasks that have it
 * already.  The lock of making is held.
 */
int ckpt_restore_files(struct ckpt_restart *rs, u32 ref)
{
	struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_files);
	struct files_struct *files, *old = current->files;

	if (!buf)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "the image has no FILES %u", ref);
	files = ckpt_find_restored(rs, ref, &ckpt_type_files);
	if (!files)
		return make_files(rs, ckpt_body(buf));
	if (files == old)
		return 0;
	atomic_inc(&files->count);
	task_lock(current);
	current->files = files;
	task_unlock(current);
	k_put_files_struct(old);
	return 0;
}

static void put_files(void *ptr)
{
	k_put_files_struct(ptr);
}

/* needs no reference while the tasks that hold it are frozen */
const struct ckpt_type ckpt_type_files = {
	.name = "files",
	.record = CKPT_REC_FILES,
	.save = save_files,
	.check = check_files,
	.put = put_files,
};
