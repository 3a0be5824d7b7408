// SPDX-License-Identifier: GPL-2.0-only
/*
 * The objects that tasks share.  Each is found by its address, saved the first
 * time it is met, and kept alive until the checkpoint ends.
 */
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "checkpoint.h"

#define FIRST_BITS 8
#define LAST_BITS 24

void ckpt_objects_init(struct ckpt_objects *objs)
{
	objs->hash = NULL;
	objs->bits = 0;
	objs->grow_at = 0;
	INIT_LIST_HEAD(&objs->list);
	objs->last_ref = 0;
}

void ckpt_objects_free(struct ckpt_objects *objs)
{
	struct ckpt_obj *obj, *next;

	list_for_each_entry_safe(obj, next, &objs->list, list) {
		list_del(&obj->list);
		if (obj->type->drop)
			obj->type->drop(obj->ptr);
		kfree(obj);
	}
	kvfree(objs->hash);
}

static struct hlist_head *bucket(const struct ckpt_objects *objs, const void *ptr)
{
	return &objs->hash[hash_ptr(ptr, objs->bits)];
}

/* Make room for one more: of what is many a container may have hundreds of thousands. */
static int grow(struct ckpt_objects *objs)
{
	unsigned int bits = objs->hash ? objs->bits + 1 : FIRST_BITS;
	gfp_t gfp = objs->hash ? GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN : GFP_KERNEL;
	struct hlist_head *hash;
	struct ckpt_obj *obj;

	if (objs->last_ref < objs->grow_at || bits > LAST_BITS)
		return 0;
	hash = kvcalloc(1UL << bits, sizeof(*hash), gfp);
	if (!hash && !objs->hash)
		return -ENOMEM;
	/* with fewer it takes longer, no more */
	objs->grow_at = objs->last_ref ? 2 * objs->last_ref : 1 << FIRST_BITS;
	if (!hash)
		return 0;
	kvfree(objs->hash);
	objs->hash = hash;
	objs->bits = bits;
	list_for_each_entry(obj, &objs->list, list)
		hlist_add_head(&obj->hash, bucket(objs, obj->ptr));
	return 0;
}

struct ckpt_obj *ckpt_obj_find(struct ckpt_checkpoint *cp, const struct ckpt_type *type,
			       void *ptr)
{
	struct ckpt_obj *obj;

	if (!cp->objs.hash)
		return NULL;
	hlist_for_each_entry(obj, bucket(&cp->objs, ptr), hash)
		if (obj->ptr == ptr && obj->type == type)
			return obj;
	return NULL;
}

static struct ckpt_obj *obj_add(struct ckpt_objects *objs, const struct ckpt_type *type,
				void *ptr)
{
	struct ckpt_obj *obj;

	if (grow(objs))
		return NULL;
	obj = kzalloc(sizeof(*obj), GFP_KERNEL);
	if (!obj)
		return NULL;
	obj->type = type;
	obj->ptr = ptr;
	obj->ref = ++objs->last_ref;
	if (type->take)
		type->take(ptr);
	hlist_add_head(&obj->hash, bucket(objs, ptr));
	list_add_tail(&obj->list, &objs->list);
	return obj;
}

/* of types that are known by an inode, whose file system must not go before it */
void ckpt_take_inode(void *ptr)
{
	struct inode *inode = ptr;

	atomic_inc(&inode->i_sb->s_active);
	ihold(inode);
}

void ckpt_drop_inode(void *ptr)
{
	struct super_block *sb = ((struct inode *)ptr)->i_sb;

	iput(ptr);
	deactivate_super(sb);
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
