// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open files.  What a kind of file needs is in a file of its own and a row of
 * the table below.  C1.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/slab.h>

#include "file.h"

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

	img = ckpt_rec(cp, CKPT_REC_FILE, sizeof(*img) + ALIGN(path_len, 8) +
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

static int save_file(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
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

int ckpt_file_parse(const struct ckpt_rec_buf *buf, struct ckpt_file_rec *rec,
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

static int check_file_rec(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_file_ops *ops;
	struct ckpt_file_rec rec;

	return ckpt_file_parse(buf, &rec, &ops) ?
		ckpt_fail(log, -EINVAL, "the FILE in record %u is malformed", buf->rec.seq) : 0;
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

static void *restore_file(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_file_ops *ops;
	struct ckpt_file_rec rec;
	struct file *file;
	int ret;

	ret = ckpt_file_parse(buf, &rec, &ops);
	if (ret)
		return ERR_PTR(ret);
	file = ops->restore(rs, &rec);
	if (IS_ERR(file)) {
		ckpt_log(ckpt_restore_log(rs), "FILE %u (%s%s%s) cannot be restored: error %ld",
			 rec.img->ref, ops->name, rec.path ? " " : "", rec.path ? : "", -PTR_ERR(file));
		return file;
	}
	set_flags(file, rec.img->flags);
	ret = set_pos(file, rec.img->pos);
	if (!ret)
		return file;
	ckpt_log(ckpt_restore_log(rs), "FILE %u (%s %s): its offset %lld cannot be set",
		 rec.img->ref, ops->name, rec.path ? : "", rec.img->pos);
	fput(file);
	return ERR_PTR(ret);
}

static void take_file(void *ptr)
{
	get_file(ptr);
}

static void drop_file(void *ptr)
{
	fput(ptr);
}

const struct ckpt_type ckpt_type_file = {
	.name = "file",
	.record = CKPT_REC_FILE,
	.take = take_file,
	.drop = drop_file,
	.save = save_file,
	.check = check_file_rec,
	.restore = restore_file,
	.put = drop_file,
};

struct file *ckpt_file_of_fd(long fd)
{
	struct file *file;

	if (fd < 0)
		return ERR_PTR(fd);
	file = fget(fd);
	close_fd(fd);
	return file ? file : ERR_PTR(-EBADF);
}
