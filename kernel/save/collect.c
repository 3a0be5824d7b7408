// SPDX-License-Identifier: GPL-2.0-only
/* The first phase of a checkpoint: the container is frozen, and everything but memory is read. */
#include <linux/uuid.h>
#include <linux/utsname.h>

#include "checkpoint.h"
#include "file.h"
#include "ipc.h"
#include "memory.h"
#include "part.h"
#include "system.h"

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
	h->marks = cp->flags & CKPT_FINAL ? CKPT_MARK_FINAL : 0;
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

/* how many of its lines are about a tmpfs of the container's own */
static u32 described_tmpfs(const char *desc, u32 len)
{
	static const char line[] = "mount tmpfs ";
	const char *end = desc + len, *p = desc;
	u32 nr = 0;

	while (p && p < end) {
		nr += end - p >= strlen(line) && !memcmp(p, line, strlen(line));
		p = memchr(p, '\n', end - p);
		p = p ? p + 1 : NULL;
	}
	return nr;
}

/* each must be described, or it would come back without what it has, or not at all */
static int save_tmpfs(struct ckpt_checkpoint *cp, const char *desc, u32 len)
{
	u32 nr, described = described_tmpfs(desc, len);
	int ret = ckpt_save_tmpfs(cp, &nr);

	if (ret || cp->flags & CKPT_CHECK || nr == described)
		return ret;
	return ckpt_refuse(cp, -EOPNOTSUPP, ckpt_mounts_known() ?
			   "the container has %u tmpfs file systems of its own, of which %u are described, which is not supported" :
			   "a tmpfs file system of the container's own is not supported on this kernel, which has no type information (BTF) of mounts",
			   nr, described);
}

static int save_tasks(struct ckpt_checkpoint *cp)
{
	int i, ret;

	for (i = 0; i < cp->nr_tasks; i++) {
		struct ckpt_held *h = &cp->tasks[i];

		if (h->passed_over)
			continue;
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

/* what can only be told when all descriptors are known */
static int check_shared(struct ckpt_checkpoint *cp)
{
	int ret;

	if (!ckpt_sees_all(cp))
		return 0;
	ret = ckpt_save_unixes(cp);
	if (!ckpt_go_on(ret))
		ret = ckpt_save_tcps(cp);
	if (!ckpt_go_on(ret))
		ret = ckpt_save_ttys(cp);
	if (!ckpt_go_on(ret))
		ret = ckpt_save_pipes(cp);
	/* what is refused is not counted, and is not somebody's outside */
	if (!ckpt_go_on(ret) && !cp->refused)
		ret = ckpt_check_attached(cp);
	if (!ckpt_go_on(ret) && !cp->refused)
		ret = ckpt_check_mqueue_users(cp);
	return ret ? : ckpt_save_epolls(cp);
}

static int save_memory_mark(struct ckpt_checkpoint *cp)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_MEMORY);

	return rec ? ckpt_done(cp, rec) : -ENOMEM;
}

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
	ret = save_tmpfs(cp, desc, desc_len);
	if (ckpt_go_on(ret))
		return ret;
	ret = ckpt_sees_all(cp) ? ckpt_find_undos(cp) : 0;
	if (ckpt_go_on(ret))
		return ret;
	ret = save_tasks(cp);
	if (ret)
		return ret;
	ret = check_shared(cp);
	if (ret)
		return ret;
	ret = save_memory_mark(cp);
	if (ret)
		return ret;
	/* as much as a restart takes */
	if (cp->out.len > CKPT_RECORDS_MAX)
		return ckpt_fail(&cp->log, -E2BIG, "the container has more in pipes, descriptors and mappings than an image takes beside memory (%u bytes)",
				 CKPT_RECORDS_MAX);
	/* everything was looked at, and all reasons were said */
	if (cp->refused)
		return cp->refused;
	if (!(cp->flags & CKPT_CHECK)) {
		ret = ckpt_copy_shared(cp);
		if (!ret)
			ret = ckpt_copy_kept(cp);
		if (!ret)
			ret = ckpt_copy_mms(cp);
		if (ret)
			return ret;
	}
	ret = ckpt_check_still_there(cp);
	if (!ret)
		ckpt_tell_pipes(cp);
	return ret;
}

/*
 * Everything that needs the container to stand still.
 *
 * Returns 0, -EAGAIN if a task was caught in the middle of something that passes,
 * or another negative errno; all that was taken is ckpt_checkpoint's to give back.
 */
int ckpt_collect(struct ckpt_checkpoint *cp, const char *desc, u32 desc_len)
{
	int ret = collect(cp, desc, desc_len);

	/* whoever was at work then has taken it for a lack of memory */
	if (ret == -ENOMEM && cp->out.too_long) {
		ckpt_refuse(cp, -E2BIG, "what it has in a %s is more than an image takes",
			    ckpt_rec_name(cp->out.too_long));
		ret = cp->refused;
	}
	return ret;
}
