// SPDX-License-Identifier: GPL-2.0-only
/*
 * The objects that tasks share.  Each is found by its address, saved the first
 * time it is met, and kept alive until the checkpoint ends.  A new kind is a
 * row in the table below.
 */
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "engine.h"

static void take_none(void *ptr)
{
}

static void take_file(void *ptr)
{
	get_file(ptr);
}

static void drop_file(void *ptr)
{
	fput(ptr);
}

static void take_mm(void *ptr)
{
	mmget(ptr);
}

static void drop_mm(void *ptr)
{
	mmput(ptr);
}

static void take_cred(void *ptr)
{
	get_cred(ptr);
}

static void drop_cred(void *ptr)
{
	put_cred(ptr);
}

static void take_inode(void *ptr)
{
	ihold(ptr);
}

static void drop_inode(void *ptr)
{
	iput(ptr);
}

/*
 * Tables, fs and sighand need no reference of ours: they are read only while
 * the tasks that hold them are frozen, and compared by address only then.
 * PIPE and SHMEM are known by their inode.
 */
static const struct ckpt_obj_ops obj_ops[CKPT_OBJ_NR] = {
	[CKPT_OBJ_FILE]    = { "file", take_file, drop_file, ckpt_save_file },
	[CKPT_OBJ_FILES]   = { "files", take_none, take_none, ckpt_save_files },
	[CKPT_OBJ_FS]      = { "fs", take_none, take_none, ckpt_save_fs },
	[CKPT_OBJ_SIGHAND] = { "sighand", take_none, take_none, ckpt_save_sighand },
	[CKPT_OBJ_MM]      = { "mm", take_mm, drop_mm, ckpt_save_mm },
	[CKPT_OBJ_CRED]    = { "cred", take_cred, drop_cred, ckpt_save_cred },
	[CKPT_OBJ_PIPE]    = { "pipe", take_inode, drop_inode, ckpt_save_pipe },
	[CKPT_OBJ_SHMEM]   = { "shmem", take_inode, drop_inode, ckpt_save_shmem },
};

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
		obj_ops[obj->type].drop(obj->ptr);
		kfree(obj);
	}
}

struct ckpt_obj *ckpt_obj_find(struct ckpt_objects *objs, enum ckpt_obj_type type,
			       void *ptr)
{
	struct ckpt_obj *obj;

	hash_for_each_possible(objs->hash, obj, hash, (unsigned long)ptr)
		if (obj->ptr == ptr && obj->type == type)
			return obj;
	return NULL;
}

static struct ckpt_obj *obj_add(struct ckpt_objects *objs, enum ckpt_obj_type type,
				void *ptr)
{
	struct ckpt_obj *obj;

	obj = kzalloc(sizeof(*obj), GFP_KERNEL);
	if (!obj)
		return NULL;
	obj->type = type;
	obj->ptr = ptr;
	obj->ref = ++objs->last_ref;
	obj_ops[type].take(ptr);
	hash_add(objs->hash, &obj->hash, (unsigned long)ptr);
	list_add_tail(&obj->list, &objs->list);
	return obj;
}

/*
 * ckpt_obj_save - the number of an object, which is saved if it is new
 * @ptr: the object, or NULL, whose number is 0
 */
int ckpt_obj_save(struct ckpt_checkpoint *cp, enum ckpt_obj_type type, void *ptr,
		  u32 *ref)
{
	struct ckpt_obj *obj;
	int ret;

	*ref = 0;
	if (!ptr)
		return 0;
	obj = ckpt_obj_find(&cp->objs, type, ptr);
	if (!obj) {
		obj = obj_add(&cp->objs, type, ptr);
		if (!obj)
			return -ENOMEM;
		ret = obj_ops[type].save(cp, obj);
		if (ret)
			return ret;
	}
	obj->users++;
	*ref = obj->ref;
	return 0;
}
