// SPDX-License-Identifier: GPL-2.0-only
/*
 * inotify.  Its watches come back by path, with the numbers that they had; they
 * see nothing until all tasks are complete, as a restart opens and closes files
 * that may be watched.  What waits to be read is put back then.  C4.
 */
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/fsnotify_backend.h>
#include <linux/idr.h>
#include <linux/inotify.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "file.h"
#include "inotify.h"

#define CKPT_INOTIFY_FLAGS (IN_EXCL_UNLINK | IN_ONESHOT)
/* what read(2) shows of an event; and whether a directory's watch has seen it, as one like it is joined to it then */
#define CKPT_EVENT_BITS (IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ISDIR | FS_EVENT_ON_CHILD)

static bool inotify_mine(struct file *file)
{
	return file->f_op == kv_inotify_fops;
}

static struct ckpt_inotify_event *event_of(struct fsnotify_event *event)
{
	return container_of(event, struct ckpt_inotify_event, fse);
}

/* is an event what we take it for?  Each instance has one whose contents are known. */
static bool known_events(struct fsnotify_group *group)
{
	const struct ckpt_inotify_event *event = event_of(group->overflow_event);

	return event->mask == FS_Q_OVERFLOW && event->wd == -1 && !event->sync_cookie &&
	       !event->name_len;
}

static int save_watches(struct ckpt_checkpoint *cp, struct ckpt_marks *ms,
			struct ckpt_rec_out *rec)
{
	struct ckpt_image_inotify_watch *w;
	u64 len = 0;
	char *paths;
	int ret;
	u32 i;

	ret = ckpt_find_paths(cp, ms);
	if (ret)
		return ret;
	for (i = 0; i < ms->nr; i++)
		len += strlen(ms->m[i].path);
	w = ckpt_put_nr(rec, FILE, WATCHES, ms->nr);
	paths = (char *)ckpt_put_nr(rec, FILE, WATCH_PATHS, len);
	if (!w || !paths)
		return -ENOMEM;
	for (i = 0; i < ms->nr; i++) {
		w[i].wd = ms->m[i].wd;
		w[i].mask = ms->m[i].mask;
		w[i].type = ms->m[i].inode->i_mode & S_IFMT;
		w[i].path_len = strlen(ms->m[i].path);
		memcpy(paths, ms->m[i].path, w[i].path_len);
		paths += w[i].path_len;
	}
	return 0;
}

/* how many events wait, and the length of their names */
static void count_events(struct fsnotify_group *group, u64 *nr, u64 *len)
{
	struct fsnotify_event *event;

	*nr = *len = 0;
	spin_lock(&group->notification_lock);
	list_for_each_entry(event, &group->notification_list, list) {
		++*nr;
		*len += event_of(event)->name_len;
	}
	spin_unlock(&group->notification_lock);
}

/*
 * Those that have come meanwhile are left out: the container might as well have
 * been frozen a moment earlier.  But those that were there must be.
 */
static int list_events(struct fsnotify_group *group, struct ckpt_image_inotify_event *e, u64 nr,
		       char *names, u64 len)
{
	struct fsnotify_event *event;
	u64 i = 0, used = 0;

	spin_lock(&group->notification_lock);
	list_for_each_entry(event, &group->notification_list, list) {
		const struct ckpt_inotify_event *from = event_of(event);

		if (i == nr || from->name_len > len - used)
			break;
		e[i].wd = from->wd;
		e[i].mask = from->mask & CKPT_EVENT_BITS;
		e[i].cookie = from->sync_cookie;
		e[i++].name_len = from->name_len;
		memcpy(names + used, from->name, from->name_len);
		used += from->name_len;
	}
	spin_unlock(&group->notification_lock);
	return i == nr && used == len ? 0 : -EAGAIN;
}

static int save_events(struct fsnotify_group *group, struct ckpt_rec_out *rec)
{
	struct ckpt_image_inotify_event *events;
	char *names;
	u64 nr, len;

	count_events(group, &nr, &len);
	events = ckpt_put_nr(rec, FILE, EVENTS, nr);
	names = (char *)ckpt_put_nr(rec, FILE, EVENT_NAMES, len);
	return events && names ? list_events(group, events, nr, names, len) : -ENOMEM;
}

static int inotify_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ckpt_image_file_inotify *img = ckpt_put(rec, FILE, INOTIFY);
	struct fsnotify_group *group = file->private_data;
	struct ckpt_marks ms = {};
	int ret;

	if (!img)
		return -ENOMEM;
	if (!known_events(group))
		return ckpt_refuse(cp, -EOPNOTSUPP, "an inotify instance is not what it is in the kernels that are supported");
	/*
	 * A watch that ends is detached, with the group's lock, then tells so, and then has
	 * no number any more: it is among the watches, or its end among the events.
	 */
	fsnotify_group_lock(group);
	img->next_wd = idr_get_cursor(&group->inotify_data.idr);
	ret = ckpt_list_marks(group, &ms);
	if (!ret)
		ret = save_events(group, rec);
	fsnotify_group_unlock(group);
	if (!ret)
		ret = save_watches(cp, &ms, rec);
	ckpt_free_marks(&ms);
	return ret;
}

static bool watches_ok(const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_inotify_watch *w;
	const u8 *paths = ckpt_get(buf, FILE, WATCH_PATHS);
	u64 i, nr, len;

	w = ckpt_get_nr(buf, FILE, WATCHES, &nr);
	ckpt_get_nr(buf, FILE, WATCH_PATHS, &len);
	for (i = 0; i < nr; i++) {
		if (w[i].wd < 1 || (i && w[i].wd <= w[i - 1].wd) ||
		    w[i].mask & ~(IN_ALL_EVENTS | CKPT_INOTIFY_FLAGS) || w[i].type & ~S_IFMT)
			return false;
		if (!w[i].path_len || w[i].path_len >= PATH_MAX || w[i].path_len > len ||
		    *paths != '/' || memchr(paths, 0, w[i].path_len))
			return false;
		paths += w[i].path_len;
		len -= w[i].path_len;
	}
	return !len;
}

static bool events_ok(const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_inotify_event *e;
	const u8 *names = ckpt_get(buf, FILE, EVENT_NAMES);
	u64 i, nr, len, overflows = 0;

	e = ckpt_get_nr(buf, FILE, EVENTS, &nr);
	ckpt_get_nr(buf, FILE, EVENT_NAMES, &len);
	for (i = 0; i < nr; i++) {
		bool overflow = e[i].mask & IN_Q_OVERFLOW;

		overflows += overflow;
		if (overflow && (e[i].mask != IN_Q_OVERFLOW || e[i].wd != -1 || e[i].name_len || e[i].cookie))
			return false;
		if (!overflow && e[i].wd < 1)
			return false;
		if (e[i].mask & ~CKPT_EVENT_BITS || e[i].name_len > NAME_MAX || e[i].name_len > len ||
		    (e[i].name_len && memchr(names, 0, e[i].name_len)))
			return false;
		names += e[i].name_len;
		len -= e[i].name_len;
	}
	return !len && overflows <= 1;
}

static int inotify_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_inotify *img = ckpt_get(buf, FILE, INOTIFY);

	return img && img->next_wd <= 1U << 31 && watches_ok(buf) && events_ok(buf) ?
		0 : ckpt_malformed(log, buf);
}

/* whoever made the instance may not read it any more; then the restarter must */
static long add_watch(int fd, unsigned long path, u32 mask, const struct cred *cred)
{
	const struct cred *old = override_creds(cred);
	long wd = ckpt_syscall(inotify_add_watch, fd, path, mask);

	revert_creds(old);
	return wd == -EACCES ? ckpt_syscall(inotify_add_watch, fd, path, mask) : wd;
}

static u32 type_of(struct fsnotify_group *group, int wd)
{
	struct fsnotify_mark *mark;
	u32 type = 0;

	fsnotify_group_lock(group);
	spin_lock(&group->inotify_data.idr_lock);
	mark = idr_find(&group->inotify_data.idr, wd);
	if (mark && mark->flags & FSNOTIFY_MARK_FLAG_ATTACHED)
		type = ckpt_conn_inode(mark->connector)->i_mode & S_IFMT;
	spin_unlock(&group->inotify_data.idr_lock);
	fsnotify_group_unlock(group);
	return type;
}

/*
 * A watch of nothing but an end that does not come, as a mask without any bit is
 * an error; inotify_see() has it see what it saw.
 */
static int make_watch(struct ckpt_restart *rs, int fd, struct fsnotify_group *group,
		      const struct ckpt_image_inotify_watch *w, const char *path,
		      const struct cred *cred)
{
	unsigned long scratch = ckpt_scratch(rs);
	/* a path ends in a link only where that was watched */
	u32 mask = IN_EXCL_UNLINK | IN_DONT_FOLLOW;
	long wd;

	if (copy_to_user((void __user *)scratch, path, w->path_len) ||
	    put_user(0, (char __user *)scratch + w->path_len))
		return -EFAULT;
	idr_set_cursor(&group->inotify_data.idr, w->wd);
	wd = add_watch(fd, scratch, mask, cred);
	if (wd < 0)
		return ckpt_fail(ckpt_restore_log(rs), wd,
				 "%.*s, which was watched, cannot be: error %ld%s", w->path_len, path, -wd,
				 wd == -ENOENT ? "; put it back to restart" : "");
	if (wd != w->wd)
		return ckpt_fail(ckpt_restore_log(rs), -EEXIST,
				 "%.*s is the same file as another that was watched, which it was not", w->path_len, path);
	if (type_of(group, wd) != w->type)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "%.*s is of another type than it was", w->path_len, path);
	return 0;
}

static int make_watches(struct ckpt_restart *rs, int fd, struct file *file,
			const struct ckpt_rec_buf *buf, const struct cred *cred)
{
	struct fsnotify_group *group = file->private_data;
	const struct ckpt_image_inotify_watch *w;
	const char *paths = (const char *)ckpt_get(buf, FILE, WATCH_PATHS);
	int ret = 0;
	u64 i, nr;

	w = ckpt_get_nr(buf, FILE, WATCHES, &nr);
	for (i = 0; i < nr && !ret; i++) {
		ret = make_watch(rs, fd, group, &w[i], paths, cred);
		paths += w[i].path_len;
	}
	idr_set_cursor(&group->inotify_data.idr, ckpt_get(buf, FILE, INOTIFY)->next_wd);
	return ret;
}

static struct file *inotify_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				    const struct cred *cred)
{
	const struct cred *old = override_creds(cred);
	struct file *file;
	int ret;
	long fd;

	fd = ckpt_syscall(inotify_init1, 0);
	revert_creds(old);
	if (fd < 0)
		return ERR_PTR(fd);
	file = fget(fd);
	if (!file)
		ret = -EBADF;
	else if (!inotify_mine(file) || !known_events(file->private_data))
		ret = -EOPNOTSUPP;
	else
		ret = make_watches(rs, fd, file, buf, cred);
	if (file)
		fput(ckpt_take_fd(fd));
	return file ? ckpt_file_or(file, ret) : ERR_PTR(ret);
}

/* from here on it sees what it saw; the group's lock is held */
static int open_eyes(struct fsnotify_group *group, const struct ckpt_image_inotify_watch *w)
{
	struct fsnotify_mark *mark;
	int ret = 0;

	spin_lock(&group->inotify_data.idr_lock);
	mark = idr_find(&group->inotify_data.idr, w->wd);
	if (mark)
		refcount_inc(&mark->refcnt);
	spin_unlock(&group->inotify_data.idr_lock);
	if (!mark)
		return -ENOENT;
	spin_lock(&mark->lock);
	mark->mask |= w->mask & IN_ALL_EVENTS;
	mark->flags &= ~FSNOTIFY_MARK_FLAG_EXCL_UNLINK;
	if (w->mask & IN_EXCL_UNLINK)
		mark->flags |= FSNOTIFY_MARK_FLAG_EXCL_UNLINK;
	if (w->mask & IN_ONESHOT)
		mark->flags |= FSNOTIFY_MARK_FLAG_IN_ONESHOT;
	spin_unlock(&mark->lock);
	if (mark->flags & FSNOTIFY_MARK_FLAG_ATTACHED)
		k_fsnotify_recalc_mask(mark->connector);
	else
		ret = -ENOENT;
	fsnotify_put_mark(mark);
	return ret;
}

static int queue_event(struct fsnotify_group *group, const struct ckpt_image_inotify_event *e,
		       const char *name)
{
	struct ckpt_inotify_event *event;
	int ret;

	if (e->mask & IN_Q_OVERFLOW) {
		k_fsnotify_insert_event(group, group->overflow_event, NULL, NULL);
		return 0;
	}
	event = kmalloc(sizeof(*event) + e->name_len + 1, GFP_KERNEL_ACCOUNT);
	if (!event)
		return -ENOMEM;
	fsnotify_init_event(&event->fse);
	event->mask = e->mask;
	event->wd = e->wd;
	event->sync_cookie = e->cookie;
	event->name_len = e->name_len;
	memcpy(event->name, name, e->name_len);
	event->name[e->name_len] = 0;
	ret = k_fsnotify_insert_event(group, &event->fse, NULL, NULL);
	if (ret)
		kfree(event);
	return ret ? -ENOSPC : 0;
}

static int queue_events(struct fsnotify_group *group, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_inotify_event *e;
	const char *names = (const char *)ckpt_get(buf, FILE, EVENT_NAMES);
	int ret = 0;
	u64 i, nr;

	e = ckpt_get_nr(buf, FILE, EVENTS, &nr);
	for (i = 0; i < nr && !ret; i++) {
		ret = queue_event(group, &e[i], names);
		names += e[i].name_len;
	}
	return ret;
}

/* when nobody opens or closes anything for the restart's sake any more */
static int inotify_see(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
		       struct file *file)
{
	struct fsnotify_group *group = file->private_data;
	const struct ckpt_image_inotify_watch *w;
	int ret = 0;
	u64 i, nr;

	/* the files were changed and removed before the tasks were there to hear of it */
	k_fsnotify_flush_notify(group);
	ret = queue_events(group, buf);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, ret == -ENOSPC ?
				 "more inotify events wait to be read than sysctl fs.inotify.max_queued_events allows: raise it to restart" :
				 "the inotify events that wait to be read cannot be queued");
	w = ckpt_get_nr(buf, FILE, WATCHES, &nr);
	fsnotify_group_lock(group);
	for (i = 0; i < nr && !ret; i++)
		ret = open_eyes(group, &w[i]);
	fsnotify_group_unlock(group);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "a file that was watched was removed meanwhile") : 0;
}

const struct ckpt_file_ops ckpt_file_inotify = {
	.name = "inotify",
	.kind = CKPT_FILE_INOTIFY,
	.needs = CKPT_FOR_INOTIFY,
	.has_cred = true,
	.mine = inotify_mine,
	.save = inotify_save,
	.check = inotify_check,
	.restore = inotify_restore,
	.see = inotify_see,
};
