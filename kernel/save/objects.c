// SPDX-License-Identifier: GPL-2.0-only
/*
 * The objects that tasks share.  Each is found by its address, saved the first
 * time it is met, and kept alive until the checkpoint ends.
 */
#include <linux/slab.h>

#include "checkpoint.h"

void ckpt_objects_init(struct ckpt_objects *objs)
{
	hash_init(objs->hash);
	INIT_LIST_HEAD(&objs->list);
	objs->last_ref = 0;
}

void ckpt_objects_free(struct ckpt_objects *objs)
{
	struct ckpt_obj *obj, *next;

	list_for_each_entry_safe(obj, next, &objs->list, list) {
		hash_del(&obj->hash);
		list_del(&obj->list);
		if (obj->type->drop)
			obj->type->drop(obj->ptr);
		kfree(obj);
	}
}

struct ckpt_obj *ckpt_obj_find(struct ckpt_checkpoint *cp, const struct ckpt_type *type,
			       void *ptr)
{
	struct ckpt_obj *obj;

	hash_for_each_possible(cp->objs.hash, obj, hash, (unsigned long)ptr)
		if (obj->ptr == ptr && obj->type == type)
			return obj;
	return NULL;
}

static struct ckpt_obj *obj_add(struct ckpt_objects *objs, const struct ckpt_type *type,
				void *ptr)
{
	struct ckpt_obj *obj;

	obj = kzalloc(sizeof(*obj), GFP_KERNEL);
	if (!obj)
		return NULL;
	obj->type = type;
	obj->ptr = ptr;
	obj->ref = ++objs->last_ref;
	if (type->take)
		type->take(ptr);
	hash_add(objs->hash, &obj->hash, (unsigned long)ptr);
	list_add_tail(&obj->list, &objs->list);
	return obj;
}

struct list_head *ckpt_objs(struct ckpt_checkpoint *cp)
{
	return &cp->objs.list;
}

int ckpt_obj_save(struct ckpt_checkpoint *cp, const struct ckpt_type *type, void *ptr,
		  u32 *ref)
{
	struct ckpt_obj *obj;
	int ret;

	*ref = 0;
	if (!ptr)
		return 0;
	obj = ckpt_obj_find(cp, type, ptr);
	if (!obj) {
		obj = obj_add(&cp->objs, type, ptr);
		if (!obj)
			return -ENOMEM;
		ret = type->save(cp, obj);
		obj->refused = ret == CKPT_REFUSED;
		if (ret)
			return ret;
	}
	if (obj->refused)
		return CKPT_REFUSED;
	obj->users++;
	*ref = obj->ref;
	return 0;
}
