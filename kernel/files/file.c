// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open files.  What a kind of file needs is in a file of its own and a row of
 * the table below.  C1.
 */
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/slab.h>

#include "file.h"

static const struct ckpt_file_ops * const kinds[] = {
	&ckpt_file_mqueue,
	&ckpt_file_deleted,
	&ckpt_file_path,
	&ckpt_file_pipe,
	&ckpt_file_fifo,
	&ckpt_file_eventfd,
	&ckpt_file_epoll,
	&ckpt_file_timerfd,
	&ckpt_file_tcp,
	&ckpt_file_udp,
	&ckpt_file_unix,
	&ckpt_file_shmem,
	&ckpt_file_signalfd,
	&ckpt_file_inotify,
	&ckpt_file_pidfd,
	&ckpt_file_tty_ops,
	&ckpt_file_shm,
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

/* a symbol without which a kind of file is not even known, or NULL */
static const char *lacking(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (ckpt_lacks(kinds[i]->needs))
			return ckpt_lacks(kinds[i]->needs);
	return NULL;
}

static int save_base(struct ckpt_checkpoint *cp, struct file *file, u32 kind, u32 ref,
		     struct ckpt_rec_out *rec)
{
	struct ckpt_image_file *img = ckpt_put(rec, FILE, BASE);

	if (!img)
		return -ENOMEM;
	img->ref = ref;
	img->kind = kind;
	img->flags = file->f_flags;
	img->mode = file_inode(file)->i_mode;
	img->pos = file->f_pos;
	return ckpt_obj_save(cp, &ckpt_type_cred, (void *)file->f_cred, &img->cred);
}

int ckpt_save_path(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	const char *path;
	char *buf;
	int ret;

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	ret = ckpt_path_name(cp, ckpt_file_user_path(file), buf, &path);
	if (!ret)
		ret = ckpt_put_string(rec, FILE, NAME, path);
	kfree(buf);
	return ret;
}

/* what any kind of file may have */
static int save_common(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	int ret, refused;

	refused = ckpt_save_locks(cp, file, rec);
	if (ckpt_go_on(refused))
		return refused;
	ret = ckpt_save_file_owner(cp, file, rec);
	return ret ? : refused;
}

/* @other: of a deleted file, its other name; or NULL */
static int save_as(struct ckpt_checkpoint *cp, struct ckpt_obj *obj, const struct ckpt_file_ops *ops,
		   const char *other)
{
	struct file *file = obj->ptr;
	struct ckpt_rec_out *rec;
	int ret, refused;

	if (!ops)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a file of kind %s (%pD) is not supported%s%s",
				   file_inode(file)->i_sb->s_type->name, file,
				   lacking() ? "; this kernel has no " : "", lacking() ? : "");
	if (ckpt_lacks(ops->needs))
		return ckpt_refuse_lack(cp, ops->needs);
	rec = ckpt_rec(cp, CKPT_REC_FILE);
	refused = save_base(cp, file, ops->kind, obj->ref, rec);
	if (ckpt_go_on(refused))
		return refused;
	ret = save_common(cp, file, rec);
	if (ckpt_go_on(ret))
		return ret;
	refused = ret ? : refused;
	ret = other ? ckpt_put_string(rec, FILE, NAME, other) :
	      ops->has_path ? ckpt_save_path(cp, file, rec) : 0;
	if (!ret && ops->save)
		ret = ops->save(cp, file, rec);
	return ret ? : refused ? : ckpt_done(cp, rec);
}

static int save_file(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	const struct ckpt_file_ops *ops = kind_of_file(obj->ptr);
	const char *other;
	char *buf;
	int ret;

	if (ops != &ckpt_file_deleted)
		return save_as(cp, obj, ops, NULL);
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	other = ckpt_other_name(cp, ckpt_file_user_path(obj->ptr), buf);
	ret = save_as(cp, obj, other ? &ckpt_file_path : ops, other);
	kfree(buf);
	return ret;
}

static int check_file_rec(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_file_ops *ops = kind_of_nr(ckpt_get(buf, FILE, BASE)->kind);
	const char *path = ckpt_get(buf, FILE, NAME);
	int ret;

	if (!ops)
		return ckpt_fail(log, -EOPNOTSUPP, "FILE %u is of a kind %u that this version does not know",
				 ckpt_ref_of(buf), ckpt_get(buf, FILE, BASE)->kind);
	if (ckpt_lacks(ops->needs))
		return ckpt_fail_lack(log, ops->needs);
	if (path ? *path != '/' || !(ops->has_path || ops->saves_path) : ops->has_path)
		return ckpt_malformed(log, buf);
	ret = ckpt_check_locks(log, buf);
	if (!ret)
		ret = ckpt_check_file_owner(log, buf);
	if (!ret && ops->check)
		ret = ops->check(log, buf);
	return ret;
}

/*
 * Nobody else has the file yet.  A made-up one that is told to seek makes up what
 * comes before; it is to do so when it is read, and what it tells of is here again.
 */
static int set_pos(struct file *file, loff_t pos)
{
	const struct inode *inode = file_inode(file);
	bool told = S_ISDIR(inode->i_mode) || !ckpt_is_pseudo(inode->i_sb);

	if (!pos)
		return 0;
	if (!(file->f_mode & FMODE_LSEEK) || !told) {
		file->f_pos = pos;
		return 0;
	}
	return vfs_llseek(file, pos, SEEK_SET) == pos ? 0 : -EINVAL;
}

/*
 * Flags that fcntl(F_SETFL) could set, which kinds that open a path have already;
 * and those that say how it was opened, and are of no other use.
 */
static void set_flags(struct file *file, u32 flags)
{
	const u32 settable = O_NONBLOCK | O_APPEND | O_NOFOLLOW | __O_TMPFILE;

	spin_lock(&file->f_lock);
	file->f_flags = (file->f_flags & ~settable) | (flags & settable);
	file->f_iocb_flags = iocb_flags(file);
	spin_unlock(&file->f_lock);
}

/*
 * Made by the restarter, but with the credentials that it had: they decide what
 * /proc/PID/pagemap shows, or what a write to cgroup.procs may do.
 */
static struct file *make_file(struct ckpt_restart *rs, const struct ckpt_file_ops *ops,
			      const struct ckpt_rec_buf *buf)
{
	const struct cred *old, *cred = ckpt_file_cred(rs, ckpt_get(buf, FILE, BASE)->cred);
	struct file *file;

	if (IS_ERR(cred))
		return ERR_CAST(cred);
	if (ops->has_cred) {
		file = ops->restore(rs, buf, cred);
	} else {
		old = override_creds(cred);
		file = ops->restore(rs, buf, cred);
		revert_creds(old);
	}
	put_cred(cred);
	return file;
}

static void *restore_file(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file *img = ckpt_get(buf, FILE, BASE);
	const struct ckpt_file_ops *ops = kind_of_nr(img->kind);
	const char *path = ckpt_get(buf, FILE, NAME);
	struct file *file;
	int ret;

	file = make_file(rs, ops, buf);
	if (IS_ERR(file)) {
		ckpt_log(ckpt_restore_log(rs), "FILE %u (%s%s%s) cannot be restored: error %ld",
			 img->ref, ops->name, path ? " " : "", path ? : "", -PTR_ERR(file));
		return file;
	}
	set_flags(file, img->flags);
	ret = set_pos(file, img->pos);
	if (ret)
		ckpt_log(ckpt_restore_log(rs), "FILE %u (%s %s): its offset %lld cannot be set",
			 img->ref, ops->name, path ? : "", img->pos);
	else
		ret = ckpt_restore_locks(rs, file, buf);
	/* a lease has given it an owner */
	if (!ret)
		ret = ckpt_restore_file_owner(rs, file, buf);
	return ckpt_file_or(file, ret);
}

static int last_file(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr)
{
	return ckpt_restore_async(rs, ptr, buf);
}

static bool file_sees(const struct ckpt_rec_buf *buf)
{
	return kind_of_nr(ckpt_get(buf, FILE, BASE)->kind)->see;
}

static int see_file(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr)
{
	return kind_of_nr(ckpt_get(buf, FILE, BASE)->kind)->see(rs, buf, ptr);
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
	.name = "FILE",
	.record = CKPT_REC_FILE,
	.take = take_file,
	.drop = drop_file,
	.save = save_file,
	.check = check_file_rec,
	.restore = restore_file,
	.last = last_file,
	.sees = file_sees,
	.see = see_file,
	.put = drop_file,
};

struct file *ckpt_file_of_fd(long fd)
{
	struct file *file;

	if (fd < 0)
		return ERR_PTR(fd);
	file = ckpt_take_fd(fd);
	return file ? file : ERR_PTR(-EBADF);
}

struct file *ckpt_file_or(struct file *file, int err)
{
	if (!err)
		return file;
	fput(file);
	return ERR_PTR(err);
}

int ckpt_set_owner(struct file *file, u32 mode, u32 uid, u32 gid)
{
	struct inode *inode = file_inode(file);
	kuid_t kuid = make_kuid(current_user_ns(), uid);
	kgid_t kgid = make_kgid(current_user_ns(), gid);
	int ret = 0;

	if (!uid_valid(kuid) || !gid_valid(kgid) || mode & ~07777)
		return -EINVAL;
	if (!uid_eq(inode->i_uid, kuid) || !gid_eq(inode->i_gid, kgid))
		ret = k_vfs_fchown(file, uid, gid);
	if (!ret && (inode->i_mode & 07777) != mode)
		ret = k_vfs_fchmod(file, mode);
	return ret;
}
