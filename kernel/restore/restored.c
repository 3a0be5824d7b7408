// SPDX-License-Identifier: GPL-2.0-only
/*
 * The objects that are here again, by number, and what is put off until after
 * everybody.
 */
#include <linux/overflow.h>
#include <linux/slab.h>

#include "file.h"
#include "restart.h"

struct restored {
	const struct ckpt_type *type;
	void *ptr;			/* a reference is held */
};

static void put_restored(struct restored *r)
{
	if (r->type->put)
		r->type->put(r->ptr);
	kfree(r);
}

struct ckpt_given *ckpt_restore_given(struct ckpt_restart *rs)
{
	return &rs->given;
}

bool ckpt_restore_time(struct ckpt_restart *rs, u64 ns)
{
	return !check_add_overflow(rs->cpu_ns, ns, &rs->cpu_ns) && rs->cpu_ns <= S64_MAX;
}

int ckpt_add_restored(struct ckpt_restart *rs, u32 ref, const struct ckpt_type *type,
		      void *ptr)
{
	struct restored *r;
	int ret = -ENOMEM;

	r = kmalloc(sizeof(*r), GFP_KERNEL);
	if (!r) {
		if (type->put)
			type->put(ptr);
		return ret;
	}
	r->type = type;
	r->ptr = ptr;
	ret = xa_insert(&rs->restored, ref, r, GFP_KERNEL);
	if (ret)
		put_restored(r);
	return ret;
}

void *ckpt_find_restored(struct ckpt_restart *rs, u32 ref, const struct ckpt_type *type)
{
	struct restored *r = xa_load(&rs->restored, ref);

	return r && r->type == type ? r->ptr : NULL;
}

void *ckpt_restore_obj(struct ckpt_restart *rs, u32 ref, const struct ckpt_type *type)
{
	void *ptr = ckpt_find_restored(rs, ref, type);
	struct ckpt_rec_buf *buf;
	int ret;

	if (ptr)
		return ptr;
	buf = ckpt_find_rec(rs, ref, type);
	if (!buf)
		return ERR_PTR(ckpt_fail(&rs->log, -EINVAL, "the image has no %s %u", type->name, ref));
	ptr = type->restore(rs, buf);
	if (IS_ERR(ptr))
		return ptr;
	ret = ckpt_add_restored(rs, ref, type, ptr);
	return ret ? ERR_PTR(ret) : ptr;
}

/* by the coordinator, when memory is in place and all credentials are set */
int ckpt_finish_restored(struct ckpt_restart *rs)
{
	struct restored *r;
	unsigned long ref;
	int ret;

	xa_for_each(&rs->restored, ref, r) {
		if (!r->type->finish)
			continue;
		ret = r->type->finish(rs, xa_load(&rs->by_ref, ref), r->ptr);
		if (ret)
			return ckpt_fail(&rs->log, ret, "%s %lu cannot be finished: error %d",
					 r->type->name, ref, -ret);
	}
	return 0;
}

static bool has_last(const struct restored *r, const struct ckpt_rec_buf *buf)
{
	return r->type->last;
}

static bool sees(const struct restored *r, const struct ckpt_rec_buf *buf)
{
	return r->type->sees && r->type->sees(buf);
}

/* all but those that stay; @stays may be NULL */
static void drop(struct ckpt_restart *rs,
		 bool (*stays)(const struct restored *r, const struct ckpt_rec_buf *buf))
{
	struct restored *r;
	unsigned long ref;

	xa_for_each(&rs->restored, ref, r) {
		if (stays && stays(r, xa_load(&rs->by_ref, ref)))
			continue;
		xa_erase(&rs->restored, ref);
		put_restored(r);
	}
}

/*
 * By the coordinator, before anything runs: what only helped to make the others
 * goes.  Those that would tell somebody of it are told of nothing before, and those
 * that would see that files are closed look when all of them are.
 */
int ckpt_last_restored(struct ckpt_restart *rs)
{
	struct restored *r;
	unsigned long ref;
	int ret;

	drop(rs, has_last);
	ckpt_end_files();
	xa_for_each(&rs->restored, ref, r) {
		ret = r->type->last(rs, xa_load(&rs->by_ref, ref), r->ptr);
		if (ret)
			return ret;
	}
	drop(rs, sees);
	ckpt_end_files();
	xa_for_each(&rs->restored, ref, r) {
		ret = r->type->see(rs, xa_load(&rs->by_ref, ref), r->ptr);
		if (ret)
			return ret;
	}
	drop(rs, NULL);
	ckpt_end_files();
	return 0;
}

void ckpt_drop_restored(struct ckpt_restart *rs)
{
	drop(rs, NULL);
}
