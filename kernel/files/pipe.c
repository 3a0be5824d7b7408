// SPDX-License-Identifier: GPL-2.0-only
/* Pipes: the object that the files of one share, and the files of those without a name.  C3. */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/magic.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "pipe.h"

bool ckpt_is_pipefs(const struct inode *inode)
{
	return inode->i_sb->s_magic == PIPEFS_MAGIC;
}

static bool pipe_mine(struct file *file)
{
	return file->f_op == kv_pipefifo_fops && ckpt_is_pipefs(file_inode(file));
}

int ckpt_save_pipe_of(struct ckpt_checkpoint *cp, struct file *file, u32 *ref)
{
	struct inode *inode = file_inode(file);
	struct ckpt_obj *obj;
	int ret;

	if (pipe_has_watch_queue(inode->i_pipe))
		return ckpt_refuse(cp, -EOPNOTSUPP, "a pipe of kernel notifications is not supported");
	ret = ckpt_obj_save(cp, &ckpt_type_pipe, inode, ref);
	if (ret)
		return ret;
	obj = ckpt_obj_find(cp, &ckpt_type_pipe, inode);
	/* the same after each restart, unlike the number of its inode */
	if (!obj->ends[0] && !obj->ends[1])
		ckpt_at(cp, &obj->met_pid, &obj->met_fd);
	obj->ends[0] += !!(file->f_mode & FMODE_READ);
	obj->ends[1] += !!(file->f_mode & FMODE_WRITE);
	return 0;
}

static int pipe_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_file_pipe *img = ckpt_put(rec, FILE, PIPE);

	if (!img)
		return -ENOMEM;
	img->end = (file->f_mode & FMODE_READ ? 1 : 0) | (file->f_mode & FMODE_WRITE ? 2 : 0);
	img->flags = file->f_mode & FMODE_NOWAIT ? CKPT_PIPE_NOWAIT : 0;
	return ckpt_save_pipe_of(cp, file, &img->pipe);
}

/* when all files are known, and so is who else has it: ckpt_save_pipes() */
static int save_nothing_yet(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	return 0;
}

static int refuse_outside(struct ckpt_checkpoint *cp, struct inode *inode)
{
	struct dentry *dentry;
	int ret;

	if (ckpt_is_pipefs(inode))
		return ckpt_refuse(cp, -EBUSY,
				   "pipe:[%lu] has an end outside of the container beside those of its own, which is not supported",
				   inode->i_ino);
	dentry = d_find_any_alias(inode);
	ret = ckpt_refuse(cp, -EBUSY, "the named pipe %pd is open outside of the container, too", dentry);
	dput(dentry);
	return ret;
}

/*
 * Which side the container has, if the other one is outside; 0: it has all that counts; or -EBUSY.
 * Who waits in open(2) has none of the ends yet.  pipe->mutex is held.
 */
static int side_of(const struct ckpt_obj *obj, struct pipe_inode_info *pipe)
{
	const unsigned int *ends = obj->ends;

	if (pipe->readers == ends[0] && pipe->writers == ends[1] && READ_ONCE(pipe->files) == obj->users)
		return 0;
	if (!ckpt_is_pipefs(obj->ptr))
		return -EBUSY;
	/* who else writes there does not write to the container */
	if (!ends[0])
		return pipe->readers ? 2 : 0;
	/* what is in it has nobody else to read it */
	if (!ends[1] && pipe->readers == ends[0])
		return pipe->writers ? 1 : 0;
	return -EBUSY;
}

/* "1:2" is what process 1 has as its descriptor 2, and whoever else */
static void key_of(const struct ckpt_obj *obj, char key[24])
{
	snprintf(key, 24, "%d:%d", obj->met_pid, obj->met_fd);
}

static int save_outside(struct ckpt_checkpoint *cp, const struct ckpt_obj *obj, int side, u32 *ref)
{
	const struct inode *inode = obj->ptr;
	char was[32], key[24];
	struct ckpt_external x = {
		.kind = CKPT_REC_PIPE, .side = side, .key = key, .was = was,
	};

	if (obj->met_fd < 0)
		return ckpt_refuse(cp, -EBUSY,
				   "pipe:[%lu], of which the container has an end on its way in a socket, has its other end outside, which is not supported",
				   inode->i_ino);
	key_of(obj, key);
	snprintf(was, sizeof(was), "pipe:[%lu]", inode->i_ino);
	return ckpt_save_external(cp, obj->ptr, &x, ref);
}

/* pipe->mutex is held */
static int write_pipe(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct inode *inode = obj->ptr;
	struct pipe_inode_info *pipe = inode->i_pipe;
	int ret, side = side_of(obj, pipe);
	struct ckpt_image_pipe *img;
	struct ckpt_rec_out *rec;

	if (side < 0)
		return refuse_outside(cp, inode);
	rec = ckpt_rec(cp, CKPT_REC_PIPE);
	img = ckpt_put(rec, PIPE, BASE);
	if (!img)
		return -ENOMEM;
	img->ref = obj->ref;
	img->size = pipe->max_usage * PAGE_SIZE;
	/* of a named one its file has them */
	if (ckpt_is_pipefs(inode)) {
		img->mode = inode->i_mode & 07777;
		img->uid = from_kuid(current_user_ns(), inode->i_uid);
		img->gid = from_kgid(current_user_ns(), inode->i_gid);
	}
	ret = side ? save_outside(cp, obj, side, &img->external) : 0;
	obj->side = side;
	/* what the container has written out is its reader's, who reads it where it is */
	if (!ret && side != 2)
		ret = ckpt_save_pipe_bufs(cp, inode, rec);
	return ret ? : ckpt_done(cp, rec);
}

/* for people and their tools, when the checkpoint has all that it needs */
void ckpt_tell_pipes(struct ckpt_checkpoint *cp)
{
	struct ckpt_obj *obj;
	char key[24];

	ckpt_for_each_obj(obj, cp, &ckpt_type_pipe) {
		if (!obj->side)
			continue;
		key_of(obj, key);
		ckpt_log(ckpt_save_log(cp), "external pipe[%s]: the container %s it, and its other end is outside",
			 key, obj->side == 1 ? "reads" : "writes to");
	}
}

/* called when all files are known */
int ckpt_save_pipes(struct ckpt_checkpoint *cp)
{
	struct ckpt_obj *obj;
	int ret;

	ckpt_for_each_obj(obj, cp, &ckpt_type_pipe) {
		struct pipe_inode_info *pipe = ((struct inode *)obj->ptr)->i_pipe;

		/* somebody outside may hold it, who waits for a page of his own */
		if (mutex_lock_killable(&pipe->mutex))
			return -EINTR;
		ret = write_pipe(cp, obj);
		mutex_unlock(&pipe->mutex);
		if (ckpt_go_on(ret))
			return ret;
	}
	return 0;
}

/*
 * The pipe counts for whose it was, and is his; but its limits are the restarter's to
 * pass, who may have rights that the owner has not.
 */
static struct cred *maker(const struct cred *owner)
{
	struct cred *cred = prepare_creds();

	if (!cred)
		return NULL;
	free_uid(cred->user);
	cred->user = get_uid(owner->user);
	cred->fsuid = owner->fsuid;
	cred->fsgid = owner->fsgid;
	return cred;
}

static int make_unnamed(struct ckpt_restart *rs, struct file **ends)
{
	unsigned long scratch = ckpt_scratch(rs);
	int fds[2], i;
	long ret;

	ret = ckpt_syscall(pipe2, scratch, 0);
	if (ret)
		return ret;
	if (copy_from_user(fds, (void __user *)scratch, sizeof(fds)))
		return -EFAULT;
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		ends[i] = ckpt_file_of_fd(fds[i]);
	return IS_ERR(ends[0]) ? PTR_ERR(ends[0]) : PTR_ERR_OR_ZERO(ends[1]);
}

/* how often it is open, with those who wait in open(2) */
static unsigned int nr_open(struct inode *inode)
{
	unsigned int nr;

	spin_lock(&inode->i_lock);
	nr = inode->i_pipe ? inode->i_pipe->files : 0;
	spin_unlock(&inode->i_lock);
	return nr;
}

/*
 * It is opened for both, which waits for nobody, and would let go who waits; in nobody's
 * table, and seen by nobody who watches.
 */
static int open_named(const struct path *path, struct file **ends)
{
	if (nr_open(d_inode(path->dentry)))
		return -EBUSY;
	ends[0] = dentry_open(path, O_RDWR | (__force int)FMODE_NONOTIFY, current_cred());
	if (IS_ERR(ends[0]))
		return PTR_ERR(ends[0]);
	if (ends[0]->f_op != kv_pipefifo_fops)
		return -EINVAL;
	return nr_open(file_inode(ends[0])) == 1 ? 0 : -EBUSY;
}

static int open_ends(struct ckpt_restart *rs, const struct path *fifo, const char *name,
		     const struct cred *owner, struct file **ends)
{
	struct cred *cred = maker(owner);
	const struct cred *old;
	int ret;

	if (!cred)
		return -ENOMEM;
	old = override_creds(cred);
	ret = fifo ? open_named(fifo, ends) : make_unnamed(rs, ends);
	revert_creds(old);
	put_cred(cred);
	if (ret == -EBUSY && fifo)
		ckpt_log(ckpt_restore_log(rs), "the named pipe %s is open outside of the container", name);
	else if (ret)
		ckpt_log(ckpt_restore_log(rs), "a pipe cannot be made: error %d%s", -ret,
			 ret == -ENFILE || ret == -ENOMEM ?
			 "; see fs.pipe-user-pages-hard, above which CAP_SYS_RESOURCE is needed" : "");
	return ret;
}

/* by fcntl(2), which asks whether current may have so much */
static int set_size(struct ckpt_restart *rs, const struct ckpt_image_pipe *img, struct file **file)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	long ret;

	if (fd < 0)
		return fd;
	fd_install(fd, *file);
	ret = ckpt_syscall(fcntl, fd, F_SETPIPE_SZ, img->size);
	*file = ckpt_file_of_fd(fd);
	if (IS_ERR(*file))
		return PTR_ERR(*file);
	if (ret >= 0 && ret != img->size)
		ret = -EINVAL;
	if (ret >= 0)
		return 0;
	return ckpt_fail(ckpt_restore_log(rs), ret, "PIPE %u cannot have its size of %u bytes: error %ld%s",
			 img->ref, img->size, -ret, ret == -EPERM ?
			 "; it is above fs.pipe-max-size, for which CAP_SYS_RESOURCE is needed" : "");
}

/* by who has opened it, which current may be; or by current */
static bool may_write(const struct path *path, const struct cred *cred)
{
	const struct cred *old = override_creds(cred);
	int ret = inode_permission(ckpt_mnt_idmap(path->mnt), d_inode(path->dentry), MAY_WRITE);

	revert_creds(old);
	return !ret || !inode_permission(ckpt_mnt_idmap(path->mnt), d_inode(path->dentry), MAY_WRITE);
}

/* who opens it by its name reads what is put in here, as if it was written */
static int fill(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, const struct path *fifo,
		const char *name, const struct cred *cred, struct file *file)
{
	struct pipe_inode_info *pipe = file_inode(file)->i_pipe;
	u64 nr;
	int ret;

	ckpt_get_nr(buf, PIPE, BUFS, &nr);
	if (!nr)
		return 0;
	if (fifo && !may_write(fifo, cred))
		return ckpt_fail(ckpt_restore_log(rs), -EACCES,
				 "the named pipe %s has contents, and who restarts may not write to it", name);
	if (mutex_lock_killable(&pipe->mutex))
		return -EINTR;
	/* whoever has come by its name since would be among those whose it is */
	if (fifo && (READ_ONCE(pipe->files) != 1 || !pipe_empty(pipe->head, pipe->tail)))
		ret = -EBUSY;
	else
		ret = ckpt_fill_pipe(pipe, buf);
	mutex_unlock(&pipe->mutex);
	if (ret == -EBUSY)
		return ckpt_fail(ckpt_restore_log(rs), ret, "the named pipe %s is open outside of the container", name);
	/* somebody may have opened it meanwhile, by its name */
	wake_up_interruptible_all(&pipe->rd_wait);
	return ret;
}

static void put_ends(void *ptr)
{
	struct ckpt_pipe_ends *ends = ptr;
	int i;

	for (i = 0; i < ARRAY_SIZE(ends->file); i++)
		if (!IS_ERR_OR_NULL(ends->file[i]))
			fput(ends->file[i]);
	kfree(ends);
}

static int make_pipe(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, const struct path *fifo,
		     const char *name, const struct cred *cred, struct file **ends)
{
	const struct ckpt_image_pipe *img = ckpt_get(buf, PIPE, BASE);
	int ret;

	ret = open_ends(rs, fifo, name, cred, ends);
	if (!ret)
		ret = set_size(rs, img, &ends[0]);
	if (!ret && !fifo)
		ret = ckpt_set_owner(ends[0], img->mode, img->uid, img->gid);
	return ret ? : fill(rs, buf, fifo, name, cred, ends[0]);
}

/* one that is there already must be where the file is: without a name, or under that name */
static bool is_there(const struct ckpt_pipe_ends *ends, const struct path *fifo)
{
	const struct inode *inode = file_inode(ends->file[0]);

	return fifo ? inode == d_inode(fifo->dentry) : ckpt_is_pipefs(inode);
}

struct ckpt_pipe_ends *ckpt_restore_pipe(struct ckpt_restart *rs, u32 ref, const struct path *fifo,
					 const char *name, const struct cred *cred)
{
	struct ckpt_pipe_ends *ends = ckpt_find_restored(rs, ref, &ckpt_type_pipe);
	const struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_pipe);
	int ret;

	if (ends)
		return is_there(ends, fifo) ? ends :
			ERR_PTR(ckpt_fail(ckpt_restore_log(rs), -EINVAL, "PIPE %u is of two pipes: %s is another one than it was",
					  ref, name ? : "one without a name"));
	if (!buf)
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), -EINVAL, "the image has no PIPE %u", ref));
	if (fifo && ckpt_get(buf, PIPE, BASE)->external)
		return ERR_PTR(ckpt_malformed(ckpt_restore_log(rs), buf));
	ends = kzalloc(sizeof(*ends), GFP_KERNEL);
	if (!ends)
		return ERR_PTR(-ENOMEM);
	ret = make_pipe(rs, buf, fifo, name, cred, ends->file);
	if (ret) {
		put_ends(ends);
		return ERR_PTR(ret);
	}
	ret = ckpt_add_restored(rs, ref, &ckpt_type_pipe, ends);
	return ret ? ERR_PTR(ret) : ends;
}

static int check_pipe(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_pipe *img = ckpt_get(buf, PIPE, BASE);

	return img->size >= PAGE_SIZE && img->size <= INT_MAX && is_power_of_2(img->size) &&
	       !(img->mode & ~07777) && ckpt_pipe_bufs_ok(buf) ? 0 : ckpt_malformed(log, buf);
}

/* before anything runs: one end is for who is outside, and stays when the others of ours go */
static int finish_pipe(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr)
{
	const struct ckpt_image_pipe *img = ckpt_get(buf, PIPE, BASE);
	struct ckpt_pipe_ends *ends = ptr;

	return img->external ? ckpt_hand_out(rs, img->external, CKPT_REC_PIPE, ends->file) : 0;
}

/* known by its inode; at restart by the files that it was made with */
const struct ckpt_type ckpt_type_pipe = {
	.name = "PIPE",
	.record = CKPT_REC_PIPE,
	.take = ckpt_take_inode,
	.drop = ckpt_drop_inode,
	.save = save_nothing_yet,
	.check = check_pipe,
	.finish = finish_pipe,
	.put = put_ends,
};

static int pipe_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_pipe *img = ckpt_get(buf, FILE, PIPE);

	return img && img->end >= 1 && img->end <= 3 ? 0 : ckpt_malformed(log, buf);
}

/*
 * One or both ends: opened anew on the pipe, so that each description of the image is
 * one here.  Those that the pipe was made with go when the restart is complete.
 */
static struct file *pipe_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				 const struct cred *cred)
{
	static const u32 modes[] = { [1] = O_RDONLY, [2] = O_WRONLY, [3] = O_RDWR };
	const struct ckpt_image_file_pipe *img = ckpt_get(buf, FILE, PIPE);
	u32 flags = ckpt_get(buf, FILE, BASE)->flags;
	struct ckpt_pipe_ends *ends;
	struct file *file;

	ends = ckpt_restore_pipe(rs, img->pipe, NULL, NULL, cred);
	if (IS_ERR(ends))
		return ERR_CAST(ends);
	file = dentry_open(&ends->file[0]->f_path,
			   modes[img->end] | (flags & (O_LARGEFILE | O_NOATIME | O_DSYNC | O_SYNC)), cred);
	if (IS_ERR(file))
		return file;
	/* of a pipe it means packets, for which an open asks no leave */
	file->f_flags |= flags & O_DIRECT;
	/* RWF_NOWAIT: given to the ends that a pipe is made with, and not by an open */
	if (img->flags & CKPT_PIPE_NOWAIT)
		file->f_mode |= ends->file[0]->f_mode & FMODE_NOWAIT;
	return file;
}

const struct ckpt_file_ops ckpt_file_pipe = {
	.name = "pipe",
	.kind = CKPT_FILE_PIPE,
	.has_cred = true,
	.mine = pipe_mine,
	.save = pipe_save,
	.check = pipe_check,
	.restore = pipe_restore,
};
