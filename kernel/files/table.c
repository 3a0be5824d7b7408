// SPDX-License-Identifier: GPL-2.0-only
/* Descriptor tables.  C1. */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "file.h"
#include "ipc.h"
#include "part.h"

/* is there a file at @fd?  Takes no reference. */
static bool has_file(struct files_struct *files, unsigned int fd, bool *cloexec)
{
	struct fdtable *fdt;
	bool has = false;

	rcu_read_lock();
	fdt = files_fdtable(files);
	if (fd < fdt->max_fds) {
		has = rcu_access_pointer(fdt->fd[fd]);
		*cloexec = test_bit(fd, fdt->close_on_exec);
	}
	rcu_read_unlock();
	return has;
}

/* the file there with a reference, as somebody else may share the table; or NULL */
struct file *ckpt_file_at(struct files_struct *files, unsigned int fd, bool *cloexec)
{
	struct fdtable *fdt;
	struct file *file = NULL;

	rcu_read_lock();
	fdt = files_fdtable(files);
	if (fd < fdt->max_fds) {
		file = ckpt_get_file_rcu(&fdt->fd[fd]);
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

static u32 count_fds(struct files_struct *files)
{
	unsigned int fd, max = max_fds(files);
	bool cloexec;
	u32 nr = 0;

	for (fd = 0; fd < max; fd++)
		nr += has_file(files, fd, &cloexec);
	return nr;
}

static int save_fd(struct ckpt_checkpoint *cp, struct files_struct *files, unsigned int fd,
		   struct ckpt_image_fd *img)
{
	bool cloexec = false;
	struct file *file = ckpt_file_at(files, fd, &cloexec);
	int ret;

	if (!file)
		return -EAGAIN;
	ckpt_at_fd(cp, fd);
	img->fd = fd;
	img->flags = cloexec ? CKPT_FD_CLOEXEC : 0;
	ret = ckpt_obj_save(cp, &ckpt_type_file, file, &img->file);
	ckpt_at_fd(cp, -1);
	fput(file);
	return ret;
}

static int save_files(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_FILES);
	struct ckpt_image_files *img = ckpt_put(rec, FILES, BASE);
	struct files_struct *files = obj->ptr;
	u32 nr = count_fds(files), i = 0;
	struct ckpt_image_fd *fds = ckpt_put_nr(rec, FILES, FDS, nr);
	unsigned int fd, max = max_fds(files);
	int ret, refused = 0;
	bool cloexec;

	if (!img || !fds)
		return -ENOMEM;
	img->ref = obj->ref;
	for (fd = 0; fd < max; fd++) {
		if (!has_file(files, fd, &cloexec))
			continue;
		/* somebody who shares the table with the container has opened another */
		if (i == nr)
			return -EAGAIN;
		ret = save_fd(cp, files, fd, &fds[i++]);
		if (ckpt_go_on(ret))
			return ret;
		refused = ret ? : refused;
	}
	if (i != nr)
		return -EAGAIN;
	ret = ckpt_save_table_locks(cp, files, fds, nr, rec);
	if (ckpt_go_on(ret))
		return ret;
	ckpt_done(cp, rec);
	return ret ? : refused;
}

/* a descriptor beyond the restarter's limit needs the right to raise it */
int ckpt_allow_fd(unsigned long fd)
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

struct file *ckpt_restore_fd(struct ckpt_restart *rs, u32 ref)
{
	struct file *file = ckpt_restore_obj(rs, ref, &ckpt_type_file);

	if (IS_ERR(file) || !ckpt_is_shm(file))
		return file;
	return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), -EINVAL,
				 "FILE %u is what shmat(2) maps, of which nobody has a descriptor", ref));
}

static int install_fd(struct ckpt_restart *rs, const struct ckpt_image_fd *img)
{
	struct file *file;
	int ret;

	/* the making of a file takes one or two more for a moment */
	ret = ckpt_allow_fd(img->fd + 2UL);
	if (ret)
		return ret;
	file = ckpt_restore_fd(rs, img->file);
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
		if (has_file(current->files, fd, &cloexec))
			close_fd(fd);
}

static int check_files(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_fd *fds;
	u64 i, nr;

	fds = ckpt_get_nr(buf, FILES, FDS, &nr);
	for (i = 0; i < nr; i++)
		if (fds[i].fd < 0 || (i && fds[i].fd <= fds[i - 1].fd))
			return ckpt_malformed(log, buf);
	return ckpt_check_table_locks(log, buf);
}

static int make_files(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_fd *fds;
	int ret;
	u64 i, nr;

	fds = ckpt_get_nr(buf, FILES, FDS, &nr);
	/* threads share the helper's table with us; ours is to be another */
	ret = k_ksys_unshare(CLONE_FILES);
	if (ret)
		return ret;
	close_all();
	for (i = 0; i < nr; i++) {
		ret = install_fd(rs, &fds[i]);
		if (ret)
			return ret;
	}
	ret = ckpt_restore_epolls(rs, ckpt_ref_of(buf));
	/* a descriptor that is closed would take the locks of its file with it */
	if (!ret)
		ret = ckpt_restore_table_locks(rs, buf);
	if (ret)
		return ret;
	atomic_inc(&current->files->count);
	return ckpt_add_restored(rs, ckpt_ref_of(buf), &ckpt_type_files, current->files);
}

/*
 * Give current the table of its record, shared with the tasks that have it
 * already.  The lock of making is held.
 */
static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *task)
{
	u32 ref = ckpt_get(task, TASK, SHARED)->files;
	struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_files);
	struct files_struct *files, *old = current->files;

	if (!buf)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "the image has no FILES %u", ref);
	files = ckpt_find_restored(rs, ref, &ckpt_type_files);
	if (!files)
		return make_files(rs, buf);
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
	.name = "FILES",
	.record = CKPT_REC_FILES,
	.save = save_files,
	.check = check_files,
	.put = put_files,
};

const struct ckpt_task_part ckpt_part_files = {
	.name = "descriptors",
	.stage = CKPT_STAGE_FILES,
	.restore = restore,
};
