// SPDX-License-Identifier: GPL-2.0-only
/*
 * File locks.  What an open file holds (flock(2), F_OFD_SETLK; leases.c) is saved
 * with it, and taken again as soon as it is open.  What was
 * locked with a table of descriptors (F_SETLK) belongs to that and goes with any of
 * its descriptors: it is taken again when the table is complete.  C5.
 *
 * Who waits for a lock has left its queue when it is frozen, and calls again.
 */
#include <linux/file.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>

#include "file.h"
#include "locks.h"

/* whose locks are looked for: those of @file alone, or of a table through it */
struct holder {
	struct file *file;
	struct files_struct *files;	/* or NULL */
	int fd;
};

/* enum ckpt_lock_kind; 0: somebody else's */
static u32 kind_of(const struct file_lock *fl, const struct holder *h)
{
	if (ckpt_fl(fl, file) != h->file)
		return 0;
	if (ckpt_fl(fl, flags) & FL_FLOCK)
		return h->files ? 0 : CKPT_LOCK_FLOCK;
	if (ckpt_fl(fl, flags) & FL_OFDLCK)
		return h->files ? 0 : CKPT_LOCK_OFD;
	return h->files && ckpt_fl(fl, owner) == h->files ? CKPT_LOCK_POSIX : 0;
}

/* a process by the number that the kernel has noted, which is the machine's, in @ns; or 0 */
pid_t ckpt_lock_pid_in(pid_t nr, struct pid_namespace *ns)
{
	pid_t in;

	rcu_read_lock();
	in = pid_nr_ns(find_pid_ns(nr, &init_pid_ns), ns);
	rcu_read_unlock();
	return in;
}

static void copy_lock(struct ckpt_checkpoint *cp, const struct file_lock *fl,
		      const struct holder *h, struct ckpt_image_lock *img)
{
	img->kind = kind_of(fl, h);
	img->exclusive = ckpt_fl(fl, type) == F_WRLCK;
	img->fd = h->fd;
	img->pid = ckpt_lock_pid_in(ckpt_fl(fl, pid), ckpt_save_pid_ns(cp));
	img->start = fl->fl_start;
	img->end = fl->fl_end;
}

/* how many there are; the first @room go to @img */
static u64 copy_locks(struct ckpt_checkpoint *cp, const struct holder *h,
		      struct ckpt_image_lock *img, u64 room)
{
	struct file_lock_context *ctx = ckpt_lock_context(file_inode(h->file));
	struct list_head *lists[] = { &ctx->flc_flock, &ctx->flc_posix };
	struct file_lock *fl;
	u64 nr = 0;
	int i;

	spin_lock(&ctx->flc_lock);
	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		ckpt_lock_entry(fl, lists[i]) {
			if (!kind_of(fl, h))
				continue;
			if (nr < room)
				copy_lock(cp, fl, h, &img[nr]);
			nr++;
		}
	}
	spin_unlock(&ctx->flc_lock);
	return nr;
}

/* somebody else than this kernel keeps its locks and leases */
bool ckpt_locked_elsewhere(const struct file *file)
{
	return file->f_op->lock || file->f_op->flock || file->f_op->setlease;
}

int ckpt_check_lockable(struct ckpt_checkpoint *cp, struct file *file)
{
	if (ckpt_lacks(CKPT_FOR_LOCKS))
		return ckpt_refuse_lack(cp, CKPT_FOR_LOCKS);
	if (ckpt_locked_elsewhere(file))
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pD: a file lock or lease is held, which is not supported on %s, as that keeps its locks itself",
				   file, file_inode(file)->i_sb->s_type->name);
	return 0;
}

/* ckpt_save_locks - what an open file holds itself */
int ckpt_save_locks(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	const struct holder h = { .file = file };
	struct ckpt_image_lock *img;
	int ret;
	u64 nr;

	if (!ckpt_lock_context(file_inode(file)))
		return 0;
	nr = copy_locks(cp, &h, NULL, 0);
	if (nr) {
		ret = ckpt_check_lockable(cp, file);
		if (ret)
			return ret;
		img = ckpt_put_nr(rec, FILE, LOCKS, nr);
		if (!img)
			return -ENOMEM;
		/* who has the file, too, may have taken or released one */
		if (copy_locks(cp, &h, img, nr) != nr)
			return -EAGAIN;
	}
	return ckpt_save_lease(cp, file, rec);
}

/* the same open file at another descriptor has them all */
static bool is_first(const struct ckpt_image_fd *fds, u64 i)
{
	u64 k;

	for (k = 0; k < i; k++)
		if (fds[k].file == fds[i].file)
			return false;
	return true;
}

/* the locks of a table, as copy_locks(); or a negative errno */
static s64 copy_table(struct ckpt_checkpoint *cp, struct files_struct *files,
		      const struct ckpt_image_fd *fds, u64 nr_fds, struct ckpt_image_lock *img,
		      u64 room)
{
	u64 i, had, nr = 0;
	bool cloexec;
	int ret = 0;

	for (i = 0; i < nr_fds && !ret; i++) {
		struct holder h = { .files = files, .fd = fds[i].fd };

		if (fatal_signal_pending(current))
			return -EINTR;
		if (ckpt_save_overdue(cp))
			return -ETIMEDOUT;
		cond_resched();
		h.file = ckpt_file_at(files, fds[i].fd, &cloexec);
		if (!h.file)
			return -EAGAIN;
		had = nr;
		if (ckpt_lock_context(file_inode(h.file)) && copy_locks(cp, &h, NULL, 0) &&
		    is_first(fds, i))
			nr += copy_locks(cp, &h, img + min(nr, room), room - min(nr, room));
		if (nr > had && !room) {
			ckpt_at_fd(cp, fds[i].fd);
			ret = ckpt_check_lockable(cp, h.file);
			ckpt_at_fd(cp, -1);
		}
		fput(h.file);
	}
	return ret ? : nr;
}

/*
 * ckpt_save_table_locks - what was locked with a table
 * @fds: all that is open in it
 */
int ckpt_save_table_locks(struct ckpt_checkpoint *cp, struct files_struct *files,
			  const struct ckpt_image_fd *fds, u64 nr_fds, struct ckpt_rec_out *rec)
{
	s64 nr = copy_table(cp, files, fds, nr_fds, NULL, 0);
	struct ckpt_image_lock *img;

	if (nr <= 0)
		return nr;
	img = ckpt_put_nr(rec, FILES, LOCKS, nr);
	if (!img)
		return -ENOMEM;
	return copy_table(cp, files, fds, nr_fds, img, nr) == nr ? 0 : -EAGAIN;
}

static bool is_lock(const struct ckpt_image_lock *img)
{
	return img->start <= img->end && img->end <= OFFSET_MAX && img->pid >= 0;
}

/* ckpt_check_locks - are those of a FILE right? */
int ckpt_check_locks(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_lease *lease = ckpt_get(buf, FILE, LEASE);
	const struct ckpt_image_lock *img;
	u64 i, nr, flocks = 0;

	img = ckpt_get_nr(buf, FILE, LOCKS, &nr);
	for (i = 0; i < nr; i++) {
		bool whole = !img[i].start && img[i].end == OFFSET_MAX;

		if (!is_lock(&img[i]) || img[i].fd ||
		    (img[i].kind != CKPT_LOCK_OFD && (img[i].kind != CKPT_LOCK_FLOCK || !whole)))
			return ckpt_malformed(log, buf);
		flocks += img[i].kind == CKPT_LOCK_FLOCK;
	}
	/* nobody can lock through such a file */
	if ((nr || lease) && ckpt_get(buf, FILE, BASE)->flags & O_PATH)
		return ckpt_malformed(log, buf);
	if (flocks > 1 || (lease && (lease->fd < 0 || lease->pid < 0)))
		return ckpt_malformed(log, buf);
	return (nr || lease) && ckpt_lacks(CKPT_FOR_LOCKS) ? ckpt_fail_lack(log, CKPT_FOR_LOCKS) : 0;
}

/* what a FILES has at a descriptor, which ascend; or NULL */
static const struct ckpt_image_fd *find_fd(const struct ckpt_rec_buf *buf, s32 fd)
{
	const struct ckpt_image_fd *fds;
	u64 low = 0, high;

	fds = ckpt_get_nr(buf, FILES, FDS, &high);
	while (low < high) {
		u64 mid = low + (high - low) / 2;

		if (fds[mid].fd == fd)
			return &fds[mid];
		if (fds[mid].fd < fd)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* ckpt_check_table_locks - are those of a FILES right, whose descriptors are? */
int ckpt_check_table_locks(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_lock *img;
	u64 i, nr;

	img = ckpt_get_nr(buf, FILES, LOCKS, &nr);
	for (i = 0; i < nr; i++)
		if (!is_lock(&img[i]) || img[i].kind != CKPT_LOCK_POSIX || !find_fd(buf, img[i].fd))
			return ckpt_malformed(log, buf);
	return nr && ckpt_lacks(CKPT_FOR_LOCKS) ? ckpt_fail_lack(log, CKPT_FOR_LOCKS) : 0;
}

/* Taking them again: by the kernel's own functions, with current's rights */

static struct list_head *list_of(struct file *file, u32 kind)
{
	struct file_lock_context *ctx = ckpt_lock_context(file_inode(file));

	return kind == CKPT_LOCK_FLOCK ? &ctx->flc_flock : &ctx->flc_posix;
}

static const void *owner_of(struct file *file, u32 kind)
{
	return kind == CKPT_LOCK_POSIX ? (void *)current->files : file;
}

/* as flock(2) does it */
static int take_flock(struct file *file, unsigned char type)
{
	struct file_lock *fl;
	int ret;

	if (!(file->f_mode & (FMODE_READ | FMODE_WRITE)))
		return -EBADF;
	ret = k_security_file_lock(file, type);
	if (ret)
		return ret;
	fl = locks_alloc_lock();
	if (!fl)
		return -ENOMEM;
	ckpt_fl(fl, file) = file;
	ckpt_fl(fl, owner) = file;
	ckpt_fl(fl, pid) = current->tgid;
	ckpt_fl(fl, flags) = FL_FLOCK;
	ckpt_fl(fl, type) = type;
	fl->fl_end = OFFSET_MAX;
	ret = locks_lock_inode_wait(file_inode(file), fl);
	locks_free_lock(fl);
	return ret;
}

static int take(struct file *file, const struct ckpt_image_lock *img)
{
	struct flock range = {
		.l_type = img->exclusive ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = img->start,
		.l_len = img->end == OFFSET_MAX ? 0 : img->end - img->start + 1,
	};

	if (ckpt_locked_elsewhere(file))
		return -EOPNOTSUPP;
	if (img->kind == CKPT_LOCK_FLOCK)
		return take_flock(file, range.l_type);
	return k_fcntl_setlk(img->fd, file, img->kind == CKPT_LOCK_OFD ? F_OFD_SETLK : F_SETLK,
			     &range);
}

/* a process of the image by the machine's number; 0: nobody any more */
pid_t ckpt_lock_pid_out(pid_t nr)
{
	pid_t pid;

	rcu_read_lock();
	pid = pid_nr(find_vpid(nr));
	rcu_read_unlock();
	return pid;
}

/* who took it: another process of the image than the one that does so now? */
static void set_pid(struct file *file, const struct ckpt_image_lock *img)
{
	struct file_lock_context *ctx = ckpt_lock_context(file_inode(file));
	const void *owner = owner_of(file, img->kind);
	pid_t pid = ckpt_lock_pid_out(img->pid);
	struct file_lock *fl;

	if (pid == current->tgid)
		return;
	spin_lock(&ctx->flc_lock);
	ckpt_lock_entry(fl, list_of(file, img->kind))
		if (ckpt_fl(fl, owner) == owner && fl->fl_start == img->start &&
		    fl->fl_end == img->end)
			ckpt_fl(fl, pid) = pid;
	spin_unlock(&ctx->flc_lock);
}

/* who has what is in the way, by the machine's number; 0: nobody any more */
static pid_t find_other(struct file *file, const struct ckpt_image_lock *img)
{
	struct file_lock_context *ctx = ckpt_lock_context(file_inode(file));
	const void *owner = owner_of(file, img->kind);
	struct file_lock *fl;
	pid_t pid = 0;

	if (!ctx)
		return 0;
	spin_lock(&ctx->flc_lock);
	ckpt_lock_entry(fl, list_of(file, img->kind))
		if (ckpt_fl(fl, owner) != owner &&
		    (img->exclusive || ckpt_fl(fl, type) == F_WRLCK) &&
		    fl->fl_start <= img->end && fl->fl_end >= img->start)
			pid = ckpt_fl(fl, pid);
	spin_unlock(&ctx->flc_lock);
	return pid;
}

static const char *what_of(const struct ckpt_image_lock *img)
{
	if (img->kind == CKPT_LOCK_FLOCK)
		return img->exclusive ? "exclusive flock(2)" : "shared flock(2)";
	if (img->kind == CKPT_LOCK_OFD)
		return img->exclusive ? "exclusive F_OFD_SETLK" : "shared F_OFD_SETLK";
	return img->exclusive ? "exclusive F_SETLK" : "shared F_SETLK";
}

/* as the restarter sees whoever is in the way; -EBUSY */
static int in_the_way(struct ckpt_restart *rs, const char *name, struct file *file,
		      const struct ckpt_image_lock *img)
{
	struct pid_namespace *ns = ckpt_restore_outside(rs)->pid_ns_for_children;
	char comm[TASK_COMM_LEN] = "";
	struct task_struct *t;
	pid_t other, nr;

	other = find_other(file, img);
	nr = ckpt_lock_pid_in(other, ns);
	rcu_read_lock();
	t = pid_task(find_pid_ns(other, &init_pid_ns), PIDTYPE_TGID);
	if (t)
		get_task_comm(comm, t);
	rcu_read_unlock();
	if (nr && *comm)
		return ckpt_fail(ckpt_restore_log(rs), -EBUSY, "%s: its lock (%s) is held by process %d (%s), which must let it go before this can be restarted",
				 name, what_of(img), nr, comm);
	return ckpt_fail(ckpt_restore_log(rs), -EBUSY, "%s: its lock (%s) is held by somebody else, who must let it go before this can be restarted",
			 name, what_of(img));
}

static int restore_lock(struct ckpt_restart *rs, const char *name, struct file *file,
			const struct ckpt_image_lock *img)
{
	int ret;

	/* there may be very many */
	cond_resched();
	ret = fatal_signal_pending(current) ? -EINTR : take(file, img);
	if (ret == -EAGAIN)
		return in_the_way(rs, name, file, img);
	if (ret == -EOPNOTSUPP)
		return ckpt_fail(ckpt_restore_log(rs), ret, "%s: its lock (%s) is not supported on %s, as that keeps its locks itself",
				 name, what_of(img), file_inode(file)->i_sb->s_type->name);
	if (ret && ret != -EINTR)
		return ckpt_fail(ckpt_restore_log(rs), ret, "%s: its lock (%s) cannot be taken again: error %d",
				 name, what_of(img), -ret);
	if (!ret)
		set_pid(file, img);
	return ret;
}

static const char *name_of(const struct ckpt_rec_buf *file)
{
	return (file ? ckpt_get(file, FILE, NAME) : NULL) ? : "a file without a name";
}

/* ckpt_restore_locks - what an open file holds itself; it has just been opened */
int ckpt_restore_locks(struct ckpt_restart *rs, struct file *file, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_lease *lease = ckpt_get(buf, FILE, LEASE);
	const struct ckpt_image_lock *img;
	u64 i, nr;
	int ret;

	img = ckpt_get_nr(buf, FILE, LOCKS, &nr);
	for (i = 0; i < nr; i++) {
		ret = restore_lock(rs, name_of(buf), file, &img[i]);
		if (ret)
			return ret;
	}
	return lease ? ckpt_restore_lease(rs, name_of(buf), file, lease) : 0;
}

/* ckpt_restore_table_locks - what was locked with current's table, which is complete */
int ckpt_restore_table_locks(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_lock *img;
	u64 i, nr;
	int ret;

	img = ckpt_get_nr(buf, FILES, LOCKS, &nr);
	for (i = 0; i < nr; i++) {
		const struct ckpt_image_fd *fd = find_fd(buf, img[i].fd);
		struct file *file = fget(fd->fd);

		if (!file)
			return ckpt_malformed(ckpt_restore_log(rs), buf);
		ret = restore_lock(rs, name_of(ckpt_find_rec(rs, fd->file, &ckpt_type_file)), file,
				   &img[i]);
		fput(file);
		if (ret)
			return ret;
	}
	return 0;
}
