// SPDX-License-Identifier: GPL-2.0-only
/*
 * A checkpoint in three phases: collect while the container is frozen, thaw,
 * stream from copies.  S1, S5, S14, S15.
 */
#include <linux/delay.h>
#include <linux/path.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/slab.h>
#include <linux/uuid.h>
#include <linux/utsname.h>

#include "checkpoint.h"
#include "file.h"
#include "memory.h"
#include "operations.h"
#include "part.h"
#include "system.h"

/* a container that is caught in the middle of a vfork or exit is let go and tried again */
#define CKPT_ATTEMPTS	200
#define CKPT_RETRY_MS	5



static int save_header(struct ckpt_checkpoint *cp)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_HEADER);
	struct ckpt_image_header *h = ckpt_put(rec, HEADER, BASE);

	if (!h)
		return -ENOMEM;
	memcpy(h->magic, CKPT_IMAGE_MAGIC, sizeof(h->magic));
	h->version = CKPT_IMAGE_VERSION;
	h->page_size = CKPT_PAGE_SIZE;
	h->time = ktime_get_real_ns();
	generate_random_uuid(h->id);
	strscpy(h->release, init_uts_ns.name.release, sizeof(h->release));
	strscpy(h->machine, init_uts_ns.name.machine, sizeof(h->machine));
	return ckpt_done(cp, rec);
}

static int save_desc(struct ckpt_checkpoint *cp, const char *desc, u32 len)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_CONTAINER);
	char *text = ckpt_put_nr(rec, CONTAINER, TEXT, len);

	if (!text)
		return -ENOMEM;
	memcpy(text, desc, len);
	return ckpt_done(cp, rec);
}

static int save_tasks(struct ckpt_checkpoint *cp)
{
	int i, ret;

	for (i = 0; i < cp->nr_tasks; i++) {
		struct ckpt_held *h = &cp->tasks[i];

		cp->task = h->task;
		ret = thread_group_leader(h->task) && h->mm ? ckpt_save_process(cp, h) : 0;
		if (!ckpt_go_on(ret))
			ret = ckpt_save_task(cp, h);
		if (ckpt_go_on(ret))
			return ret;
	}
	cp->task = NULL;
	return 0;
}

static int save_memory_mark(struct ckpt_checkpoint *cp)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_MEMORY);

	return rec ? ckpt_done(cp, rec) : -ENOMEM;
}

/* everything that needs the container to stand still */
static int collect(struct ckpt_checkpoint *cp, const char *desc, u32 desc_len)
{
	int ret;

	ret = ckpt_collect_tasks(cp);
	if (ckpt_go_on(ret))
		return ret;
	ret = save_header(cp);
	if (ret)
		return ret;
	ret = save_desc(cp, desc, desc_len);
	if (ret)
		return ret;
	ret = ckpt_save_tree(cp);
	if (ret)
		return ret;
	ret = ckpt_save_system(cp);
	if (ret)
		return ret;
	ret = save_tasks(cp);
	if (ret)
		return ret;
	ret = ckpt_check_pipes(cp);
	if (ret)
		return ret;
	ret = ckpt_save_epolls(cp);
	if (ret)
		return ret;
	ret = save_memory_mark(cp);
	if (ret)
		return ret;
	/* everything was looked at, and all reasons were said */
	if (cp->refused)
		return cp->refused;
	ret = ckpt_copy_mms(cp);
	return ret ? ret : ckpt_check_still_there(cp);
}

/* let go what is the container's: from here on it may close and end as it likes */
static void release_container(struct ckpt_checkpoint *cp)
{
	int i;

	ckpt_objects_free(&cp->objs);
	ckpt_objects_init(&cp->objs);
	for (i = 0; i < cp->nr_tasks; i++)
		ckpt_unhold(&cp->tasks[i]);
	kvfree(cp->tasks);
	cp->tasks = NULL;
	cp->nr_tasks = 0;
	cp->task = NULL;
	cp->fd = -1;
}

/* and what is ours */
static void release(struct ckpt_checkpoint *cp)
{
	release_container(cp);
	ckpt_free_sources(cp);
	ckpt_out_free(&cp->out);
	cp->refused = 0;
}

static int freeze_and_collect(struct ckpt_checkpoint *cp, const char *desc,
			      struct ckpt_checkpoint_args *args)
{
	int attempt, ret;

	for (attempt = 0; attempt < CKPT_ATTEMPTS; attempt++) {
		ret = ckpt_freeze(&cp->freezer, cp->root, &cp->log);
		if (ret)
			return ret;
		ret = collect(cp, desc, args->desc_len);
		ckpt_thaw(&cp->freezer, &args->pause_ns);
		if (!ret) {
			release_container(cp);
			ckpt_end_files();
			return 0;
		}
		if (ret != -EAGAIN)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		release(cp);
		ckpt_end_files();
		msleep(CKPT_RETRY_MS);
	}
	return ckpt_fail(&cp->log, -EBUSY,
			 "the container starts and ends processes without a pause and cannot be caught between two; try again");
}

static int stream(struct ckpt_checkpoint *cp)
{
	int ret;

	ret = ckpt_out_flush(&cp->out);
	if (ret)
		return ret;
	ret = ckpt_stream_sources(cp);
	if (ret)
		return ret;
	return ckpt_out_trailer(&cp->out);
}

/* S5: which root task is one */
static int find_root(struct ckpt_checkpoint *cp, pid_t nr)
{
	struct task_struct *t;

	rcu_read_lock();
	t = pid_task(find_vpid(nr), PIDTYPE_TGID);
	if (t)
		get_task_struct(t);
	rcu_read_unlock();
	if (!t)
		return ckpt_fail(&cp->log, -ESRCH, "there is no process %d", nr);
	cp->root = t;
	if (t->exit_state || !pid_alive(t))
		return ckpt_fail(&cp->log, -EBUSY, "process %d (%s) is dead", nr, t->comm);
	if (!k_ptrace_may_access(t, PTRACE_MODE_ATTACH_REALCREDS))
		return ckpt_fail(&cp->log, -EPERM,
				 "process %d (%s) may not be inspected by the caller", nr, t->comm);
	rcu_read_lock();
	cp->pid_ns = task_active_pid_ns(t);
	if (cp->pid_ns)
		get_pid_ns(cp->pid_ns);
	rcu_read_unlock();
	if (!cp->pid_ns)
		return ckpt_fail(&cp->log, -EBUSY, "process %d (%s) is dead", nr, t->comm);
	if (cp->pid_ns == task_active_pid_ns(current) || task_tgid_nr_ns(t, cp->pid_ns) != 1)
		return ckpt_fail(&cp->log, -EBUSY,
				 "process %d (%s) is not the init of a container (of a pid namespace of its own)",
				 nr, t->comm);
	return 0;
}

static int find_root_path(struct ckpt_checkpoint *cp)
{
	task_lock(cp->root);
	if (cp->root->fs)
		get_fs_root(cp->root->fs, &cp->root_path);
	task_unlock(cp->root);
	return cp->root_path.mnt ? 0 : -ESRCH;
}

/* without CKPT_FREEZE the container must have been frozen by the caller */
static int check_frozen(struct ckpt_checkpoint *cp)
{
	bool frozen;

	if (cp->flags & CKPT_FREEZE)
		return 0;
	rcu_read_lock();
	frozen = test_bit(CGRP_FROZEN, &task_dfl_cgroup(cp->root)->flags);
	rcu_read_unlock();
	return frozen ? 0 : ckpt_fail(&cp->log, -EBUSY, "the container is not frozen");
}

static int prepare(struct ckpt_checkpoint *cp, struct ckpt_checkpoint_args *args)
{
	int ret;

	cp->out.file = fget(args->fd);
	if (!cp->out.file || !(cp->out.file->f_mode & FMODE_WRITE))
		return ckpt_fail(&cp->log, -EBADF, "descriptor %d cannot take the image", args->fd);
	ret = find_root(cp, args->pid);
	if (ret)
		return ret;
	ret = find_root_path(cp);
	if (ret)
		return ret;
	return check_frozen(cp);
}

/*
 * ckpt_checkpoint - write the image of a container
 * @args: what the caller wants; results go into it
 * @desc: body of the CONTAINER record, args->desc_len bytes
 *
 * Returns a positive id, or a negative errno: then the container runs on as if
 * nothing had been.
 */
int ckpt_checkpoint(struct ckpt_checkpoint_args *args, const char *desc)
{
	struct ckpt_checkpoint *cp;
	int ret;

	cp = kzalloc(sizeof(*cp), GFP_KERNEL);
	if (!cp)
		return -ENOMEM;
	cp->fd = -1;
	cp->flags = args->flags;
	ckpt_objects_init(&cp->objs);
	ckpt_out_init(&cp->out);
	INIT_LIST_HEAD(&cp->sources);
	ret = ckpt_log_open(&cp->log, args->logfd);
	if (ret)
		goto out_free;
	ret = prepare(cp, args);
	if (!ret)
		ret = freeze_and_collect(cp, desc, args);
	if (!ret)
		ret = stream(cp);
	args->bytes = cp->out.pos;
	args->pages = cp->out.pages;
	release(cp);
	if (cp->root_path.mnt)
		path_put(&cp->root_path);
	if (cp->pid_ns)
		put_pid_ns(cp->pid_ns);
	if (cp->root)
		put_task_struct(cp->root);
	if (cp->out.file)
		fput(cp->out.file);
	ckpt_log_close(&cp->log);
out_free:
	kfree(cp);
	return ret ? ret : ckpt_next_id();
}
