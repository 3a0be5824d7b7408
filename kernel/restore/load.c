// SPDX-License-Identifier: GPL-2.0-only
/*
 * The small records of an image, up to MEMORY: read, checked, and put where
 * they are found again, before any task changes.  S15, S16.
 */
#include "memory.h"
#include "file.h"
#include "restart.h"
#include "system.h"
#include "task.h"

/* all small records of an image together */
#define CKPT_RECORDS_MAX (256U << 20)

static int add_system(struct ckpt_restart *rs, struct ckpt_rec_buf *buf,
		      struct ckpt_rec_buf **where, size_t len)
{
	if (*where || buf->rec.len != ALIGN(len, 8))
		return -EINVAL;
	*where = buf;
	return 0;
}

static int add_by(struct xarray *xa, unsigned long nr, struct ckpt_rec_buf *buf)
{
	if (!nr)
		return -EINVAL;
	return xa_insert(xa, nr, buf, GFP_KERNEL);
}

/* where an object is found again */
static int add_object(struct ckpt_restart *rs, struct ckpt_rec_buf *buf)
{
	const struct ckpt_type *type = ckpt_type_of(buf->rec.type);
	const u32 *ref = ckpt_body(buf);
	int ret;

	if (!type || buf->rec.len < sizeof(*ref))
		return -EINVAL;
	ret = type->check(&rs->log, buf);
	return ret ? ret : add_by(&rs->by_ref, *ref, buf);
}

static int add_record(struct ckpt_restart *rs, struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_process *process = ckpt_body(buf);
	const struct ckpt_image_task *task = ckpt_body(buf);
	int ret;

	switch (buf->rec.type) {
	case CKPT_REC_SYSTEM:
		return add_system(rs, buf, &rs->system, sizeof(struct ckpt_image_system));
	case CKPT_REC_UTS:
		return add_system(rs, buf, &rs->uts, sizeof(struct ckpt_image_uts));
	case CKPT_REC_IPC:
		return add_system(rs, buf, &rs->ipc, sizeof(struct ckpt_image_ipc));
	case CKPT_REC_EPOLL:
		return ckpt_check_epoll_rec(&rs->log, buf);
	case CKPT_REC_TASK:
		ret = ckpt_check_task_rec(&rs->log, buf);
		return ret ? ret : add_by(&rs->by_pid, task->pid, buf);
	case CKPT_REC_PROCESS:
		ret = ckpt_check_process_rec(&rs->log, buf);
		return ret ? ret : add_by(&rs->by_tgid, process->tgid, buf);
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
		total += sizeof(*buf) + buf->rec.len;
		if (total > CKPT_RECORDS_MAX)
			return ckpt_fail(&rs->log, -E2BIG, "the image has more records than memory is given for");
		end = buf->rec.type == CKPT_REC_MEMORY;
		ret = end ? 0 : add_record(rs, buf);
		if (ret)
			return ckpt_fail(&rs->log, ret == -ENOMEM ? ret : -EINVAL,
					 "record %u (type %u) is malformed or out of place",
					 buf->rec.seq, buf->rec.type);
	}
	return 0;
}

/* every task has its process, and nothing that must be there is missing */
static int check_loaded(struct ckpt_restart *rs)
{
	struct ckpt_rec_buf *buf;
	unsigned long pid;
	int nr = 0;

	if (!rs->system || !rs->uts || !rs->ipc)
		return ckpt_fail(&rs->log, -EINVAL, "the image has no SYSTEM, UTS or IPC record");
	xa_for_each(&rs->by_pid, pid, buf) {
		const struct ckpt_image_task *img = ckpt_body(buf);

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
	return ckpt_check_system(&rs->log, ckpt_body(rs->system), &rs->shift_ns);
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

	return buf && buf->rec.type == type->record ? buf : NULL;
}

struct ckpt_rec_buf *ckpt_next_rec(struct ckpt_restart *rs, struct ckpt_rec_buf *after,
				   u16 record)
{
	struct ckpt_rec_buf *buf = after ? : list_entry(&rs->records, struct ckpt_rec_buf, list);

	list_for_each_entry_continue(buf, &rs->records, list)
		if (buf->rec.type == record)
			return buf;
	return NULL;
}
