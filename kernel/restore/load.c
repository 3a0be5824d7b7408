// SPDX-License-Identifier: GPL-2.0-only
/*
 * The small records of an image, up to MEMORY: read, checked, and put where
 * they are found again, before any task changes.  S15, S16.
 */
#include "file.h"
#include "part.h"
#include "restart.h"
#include "system.h"

static int add_by(struct xarray *xa, unsigned long nr, struct ckpt_rec_buf *buf)
{
	if (!nr)
		return -EINVAL;
	return xa_insert(xa, nr, buf, GFP_KERNEL);
}

static int add_system(struct ckpt_restart *rs, struct ckpt_rec_buf *buf)
{
	if (rs->system)
		return -EINVAL;
	rs->system = buf;
	return 0;
}

static int add_task(struct ckpt_restart *rs, struct ckpt_rec_buf *buf)
{
	int ret = ckpt_check_task_rec(&rs->log, buf);

	return ret ? : add_by(&rs->by_pid, ckpt_get(buf, TASK, BASE)->pid, buf);
}

static int add_process(struct ckpt_restart *rs, struct ckpt_rec_buf *buf)
{
	int ret = ckpt_check_process_rec(&rs->log, buf);

	return ret ? : add_by(&rs->by_tgid, ckpt_get(buf, PROCESS, BASE)->tgid, buf);
}

/* by the table that it is restored with */
static int add_epoll(struct ckpt_restart *rs, struct ckpt_rec_buf *buf)
{
	int ret = ckpt_check_epoll(&rs->log, buf);
	void *had;

	if (ret)
		return ret;
	had = xa_store(&rs->epolls, ckpt_get(buf, EPOLL, BASE)->files, buf, GFP_KERNEL);
	if (xa_is_err(had))
		return xa_err(had);
	buf->next = had;
	return 0;
}

/* where an object is found again */
static int add_object(struct ckpt_restart *rs, struct ckpt_rec_buf *buf)
{
	const struct ckpt_type *type = ckpt_type_of(buf->type);
	int ret;

	if (!type)
		return -EINVAL;
	ret = type->check ? type->check(&rs->log, buf) : 0;
	return ret ? : add_by(&rs->by_ref, ckpt_ref_of(buf), buf);
}

static int add_record(struct ckpt_restart *rs, struct ckpt_rec_buf *buf)
{
	switch (buf->type) {
	case CKPT_REC_SYSTEM:
		return add_system(rs, buf);
	case CKPT_REC_EPOLL:
		return add_epoll(rs, buf);
	case CKPT_REC_TASK:
		return add_task(rs, buf);
	case CKPT_REC_PROCESS:
		return add_process(rs, buf);
	default:
		return add_object(rs, buf);
	}
}

static int load(struct ckpt_restart *rs)
{
	struct ckpt_rec_buf *buf;
	size_t total = 0;
	bool end = false;
	int ret;

	while (!end) {
		buf = ckpt_rec_read(&rs->in);
		if (IS_ERR(buf))
			return PTR_ERR(buf);
		list_add_tail(&buf->list, &rs->records);
		total += sizeof(*buf) + buf->len;
		if (total > CKPT_RECORDS_MAX)
			return ckpt_fail(&rs->log, -E2BIG, "the image has more records than memory is given for");
		end = buf->type == CKPT_REC_MEMORY;
		ret = end ? 0 : add_record(rs, buf);
		if (ret)
			return ckpt_fail(&rs->log, ret == -ENOMEM || ret == -EOPNOTSUPP ? ret : -EINVAL,
					 "record %u (%s) is malformed or out of place",
					 buf->seq, ckpt_rec_name(buf->type));
	}
	return 0;
}

/* every task has its process, and nothing that must be there is missing */
static int check_loaded(struct ckpt_restart *rs)
{
	struct ckpt_rec_buf *buf;
	unsigned long pid;
	int nr = 0;

	buf = xa_load(&rs->by_pid, 1);
	if (!buf || ckpt_is_zombie_rec(buf))
		return ckpt_fail(&rs->log, -EINVAL, "the image has no living root task");
	if (!rs->system)
		return ckpt_fail(&rs->log, -EINVAL, "the image has no SYSTEM record");
	xa_for_each(&rs->by_pid, pid, buf) {
		const struct ckpt_image_task *img = ckpt_get(buf, TASK, BASE);

		nr++;
		if (!(img->flags & CKPT_TASK_ZOMBIE) && !xa_load(&rs->by_tgid, img->tgid))
			return ckpt_fail(&rs->log, -EINVAL, "task %d of the image has no PROCESS", img->pid);
		if (img->flags & CKPT_TASK_ZOMBIE &&
		    (!(img->flags & CKPT_TASK_LEADER) || xa_load(&rs->by_tgid, img->tgid)))
			return ckpt_fail(&rs->log, -EINVAL, "task %d of the image is a dead thread, or a dead leader of living ones",
					 img->pid);
	}
	if (nr != rs->nr_tasks)
		return ckpt_fail(&rs->log, -EINVAL, "the image has %d tasks and its tree %d",
				 nr, rs->nr_tasks);
	return ckpt_check_trees(rs) ? : ckpt_check_externals(rs) ? : ckpt_check_system(&rs->log, rs->system, &rs->shift_ns);
}

int ckpt_load(struct ckpt_restart *rs)
{
	int ret = load(rs);

	return ret ? ret : check_loaded(rs);
}

struct ckpt_rec_buf *ckpt_find_rec(struct ckpt_restart *rs, u32 ref,
				   const struct ckpt_type *type)
{
	struct ckpt_rec_buf *buf = xa_load(&rs->by_ref, ref);

	return buf && buf->type == type->record ? buf : NULL;
}

struct ckpt_rec_buf *ckpt_epolls_of(struct ckpt_restart *rs, u32 files)
{
	return xa_load(&rs->epolls, files);
}

struct ckpt_rec_buf *ckpt_next_rec(struct ckpt_restart *rs, struct ckpt_rec_buf *buf, u16 type)
{
	buf = buf ? : list_entry(&rs->records, struct ckpt_rec_buf, list);
	list_for_each_entry_continue(buf, &rs->records, list)
		if (buf->type == type)
			return buf;
	return NULL;
}
