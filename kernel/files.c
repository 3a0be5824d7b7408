// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptor tables and open files.  What a kind of file needs is in a file of
 * its own and a row of the table below.  C1.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "engine.h"

static const struct ckpt_file_ops * const kinds[] = {
	&ckpt_file_path,
	&ckpt_file_pipe,
	&ckpt_file_eventfd,
	&ckpt_file_epoll,
	&ckpt_file_timerfd,
	&ckpt_file_tcp,
	&ckpt_file_udp,
	&ckpt_file_unix,
	&ckpt_file_shmem,
};

static const struct ckpt_file_ops *kind_of_file(struct file *file)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i]->mine(file))
			return kinds[i];
	return NULL;
}

static const struct ckpt_file_ops *kind_of_nr(u32 kind)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i]->kind == kind)
			return kinds[i];
	return NULL;
}

static bool has_lock(struct list_head *list, spinlock_t *lock, struct file *file)
{
	struct file_lock *fl;
	bool found = false;

	spin_lock(lock);
	ckpt_lock_entry(fl, list)
		if (ckpt_lock_file(fl) == file)
			found = true;
	spin_unlock(lock);
	return found;
}

/* what any kind of file may have and the engine does not save */
static int check_file(struct ckpt_checkpoint *cp, struct file *file)
{
	struct file_lock_context *flctx = ckpt_lock_context(file_inode(file));

	if (flctx && (has_lock(&flctx->flc_flock, &flctx->flc_lock, file) ||
		      has_lock(&flctx->flc_posix, &flctx->flc_lock, file) ||
		      has_lock(&flctx->flc_lease, &flctx->flc_lock, file)))
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pD: a file lock or lease is held, which is not supported", file);
	if (file->f_flags & FASYNC)
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pD: O_ASYNC is not supported", file);
	if (ckpt_file_has_owner(file))
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pD: F_SETOWN and F_SETSIG are not supported", file);
	return 0;
}

static int save_file_rec(struct ckpt_checkpoint *cp, const struct ckpt_file_ops *ops,
			 struct file *file, u32 ref, const char *path, const void *data)
{
	size_t path_len = path ? strlen(path) + 1 : 0;
	struct ckpt_image_file *img;

	img = ckpt_rec_new(&cp->out, CKPT_REC_FILE, sizeof(*img) + ALIGN(path_len, 8) +
			   ALIGN(ops->data_len, 8));
	if (!img)
		return -ENOMEM;
	img->ref = ref;
	img->kind = ops->kind;
	img->flags = file->f_flags;
	img->mode = file_inode(file)->i_mode;
	img->pos = file->f_pos;
	img->path_len = path_len;
	img->data_len = ops->data_len;
	if (path)
		memcpy(img->tail, path, path_len);
	memcpy(img->tail + ALIGN(path_len, 8), data, ops->data_len);
	return 0;
}

static int save_kind(struct ckpt_checkpoint *cp, const struct ckpt_file_ops *ops,
		     struct file *file, u32 ref, char *buf)
{
	const char *path = NULL;
	void *data = buf + PATH_MAX;
	int ret;

	if (ops->has_path) {
		ret = ckpt_path_name(cp, ckpt_file_user_path(file), buf, &path);
		if (ret)
			return ret;
	}
	ret = ops->save(cp, file, data);
	if (ret)
		return ret;
	return save_file_rec(cp, ops, file, ref, path, data);
}

int ckpt_save_file(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	const struct ckpt_file_ops *ops;
	struct file *file = obj->ptr;
	char *buf;
	int ret;

	ret = check_file(cp, file);
	if (ret)
		return ret;
	ops = kind_of_file(file);
	if (!ops)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a file of kind %s (%pD) is not supported",
				   file_inode(file)->i_sb->s_type->name, file);
	buf = kzalloc(PATH_MAX + ops->data_len, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	ret = save_kind(cp, ops, file, obj->ref, buf);
	kfree(buf);
	return ret;
}

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
			cp->fd = fd;
			fds[*nr].fd = fd;
			fds[*nr].flags = cloexec ? CKPT_FD_CLOEXEC : 0;
			ret = ckpt_obj_save(cp, CKPT_OBJ_FILE, file, &fds[*nr].file);
		}
		(*nr)++;
	}
	if (!ret)
		cp->fd = -1;
	return ret;
}

int ckpt_save_files(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
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
	img = ckpt_rec_new(&cp->out, CKPT_REC_FILES, struct_size(img, fds, nr));
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

static int parse_file_rec(struct ckpt_rec_buf *buf, struct ckpt_file_rec *rec,
			  const struct ckpt_file_ops **ops)
{
	const struct ckpt_image_file *img = ckpt_body(buf);
	struct ckpt_cursor c;

	if (buf->rec.len < sizeof(*img))
		return -EINVAL;
	c = ckpt_cursor_of(buf, *img);
	*ops = kind_of_nr(img->kind);
	if (!*ops || img->data_len != (*ops)->data_len)
		return -EINVAL;
	rec->img = img;
	rec->path = NULL;
	if ((*ops)->has_path) {
		rec->path = ckpt_take_path(&c, img->path_len);
		if (!rec->path || *rec->path != '/')
			return -EINVAL;
	} else if (img->path_len) {
		return -EINVAL;
	}
	rec->data = ckpt_take(&c, img->data_len);
	return rec->data && !c.left ? 0 : -EINVAL;
}

static int set_pos(struct file *file, loff_t pos)
{
	if (!pos || !(file->f_mode & FMODE_LSEEK))
		return 0;
	return vfs_llseek(file, pos, SEEK_SET) == pos ? 0 : -EINVAL;
}

/* flags that fcntl(F_SETFL) could set; kinds that open a path have them already */
static void set_flags(struct file *file, u32 flags)
{
	const u32 settable = O_NONBLOCK | O_APPEND;

	spin_lock(&file->f_lock);
	file->f_flags = (file->f_flags & ~settable) | (flags & settable);
	spin_unlock(&file->f_lock);
}

/*
 * The file of a record, made if it is not here yet.  rs->lock is held, and its
 * table of objects keeps the reference.
 */
struct file *ckpt_restore_file(struct ckpt_restart *rs, u32 ref, unsigned long scratch)
{
	const struct ckpt_file_ops *ops;
	struct ckpt_file_rec rec;
	struct ckpt_rec_buf *buf;
	struct file *file;
	int ret;

	file = ckpt_find_restored(rs, ref, CKPT_OBJ_FILE);
	if (file)
		return file;
	buf = ckpt_find_rec(rs, ref, CKPT_REC_FILE);
	if (!buf || parse_file_rec(buf, &rec, &ops))
		return ERR_PTR(ckpt_fail(&rs->log, -EINVAL, "FILE %u is missing or malformed", ref));
	file = ops->restore(rs, &rec, scratch);
	if (IS_ERR(file))
		return ERR_PTR(ckpt_fail(&rs->log, PTR_ERR(file), "FILE %u (%s%s%s) cannot be restored: error %ld",
					 ref, ops->name, rec.path ? " " : "", rec.path ? : "", -PTR_ERR(file)));
	set_flags(file, rec.img->flags);
	ret = set_pos(file, rec.img->pos);
	if (ret)
		ckpt_log(&rs->log, "FILE %u (%s %s): its offset %lld cannot be set",
			 ref, ops->name, rec.path ? : "", rec.img->pos);
	else
		ret = ckpt_add_restored(rs, ref, CKPT_OBJ_FILE, file, NULL);
	fput(file);
	return ret ? ERR_PTR(ret) : file;
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

static int install_fd(struct ckpt_restart *rs, const struct ckpt_image_fd *img,
		      unsigned long scratch)
{
	struct file *file;
	int ret;

	if (img->fd < 0)
		return -EINVAL;
	/* the making of a file takes one or two more for a moment */
	ret = allow_fd(img->fd + 2UL);
	if (ret)
		return ret;
	file = ckpt_restore_file(rs, img->file, scratch);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = k_replace_fd(img->fd, file, img->flags & CKPT_FD_CLOEXEC ? O_CLOEXEC : 0);
	return ret < 0 ? ckpt_fail(&rs->log, ret, "descriptor %d cannot be given out: error %d",
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

static int make_files(struct ckpt_restart *rs, struct ckpt_rec_buf *buf, unsigned long scratch)
{
	const struct ckpt_image_files *img = ckpt_body(buf);
	int ret;
	u32 i;

	if (buf->rec.len < sizeof(*img) || img->nr > CKPT_REC_LEN_MAX / sizeof(*img->fds) ||
	    buf->rec.len != struct_size(img, fds, img->nr))
		return ckpt_fail(&rs->log, -EINVAL, "FILES %u has a wrong size", img->ref);
	/* threads share the helper's table with us; ours is to be another */
	ret = k_ksys_unshare(CLONE_FILES);
	if (ret)
		return ret;
	close_all();
	for (i = 0; i < img->nr; i++) {
		ret = install_fd(rs, &img->fds[i], scratch);
		if (ret)
			return ret;
	}
	ret = ckpt_restore_epolls(rs, img->ref, scratch);
	if (ret)
		return ret;
	return ckpt_add_restored(rs, img->ref, CKPT_OBJ_FILES, current->files, NULL);
}

/*
 * Give current the table of the record, shared with the tasks that have it
 * already.  rs->lock is held.
 */
int ckpt_restore_files(struct ckpt_restart *rs, u32 ref, unsigned long scratch)
{
	struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, CKPT_REC_FILES);
	struct files_struct *files, *old = current->files;

	if (!buf)
		return ckpt_fail(&rs->log, -EINVAL, "the image has no FILES %u", ref);
	files = ckpt_find_restored(rs, ref, CKPT_OBJ_FILES);
	if (!files)
		return make_files(rs, buf, scratch);
	if (files == old)
		return 0;
	atomic_inc(&files->count);
	task_lock(current);
	current->files = files;
	task_unlock(current);
	k_put_files_struct(old);
	return 0;
}

struct file *ckpt_file_of_fd(long fd)
{
	struct file *file;

	if (fd < 0)
		return ERR_PTR(fd);
	file = fget(fd);
	close_fd(fd);
	return file ? file : ERR_PTR(-EBADF);
}

#define CKPT_FDINFO_MAX (4U << 20)

/* the text is the caller's to kvfree(); NULL: no memory, or it is too long */
char *ckpt_fdinfo(struct file *file)
{
	struct seq_file m = {};
	size_t size;

	mutex_init(&m.lock);
	for (size = PAGE_SIZE; size <= CKPT_FDINFO_MAX; size *= 4) {
		m.buf = kvmalloc(size, GFP_KERNEL);
		if (!m.buf)
			return NULL;
		m.size = size;
		m.count = 0;
		file->f_op->show_fdinfo(&m, file);
		if (m.count < size) {
			m.buf[m.count] = 0;
			return m.buf;
		}
		kvfree(m.buf);
	}
	return NULL;
}

/* the number behind "key:"; -ENOENT if there is none */
int ckpt_fdinfo_u64(const char *info, const char *key, int base, u64 *val)
{
	const char *p = strstr(info, key);
	char word[32];

	if (!p)
		return -ENOENT;
	p = skip_spaces(p + strlen(key));
	strscpy(word, p, min(sizeof(word), strcspn(p, " \n,)") + 1));
	return kstrtou64(word, base, val);
}
