// SPDX-License-Identifier: GPL-2.0-only
/*
 * What shmat(2) maps: a file of its own for each attachment, which knows its
 * segment.  It is in no table of descriptors, only in mappings.  C8.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/idr.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "file.h"
#include "private.h"

bool ckpt_is_shm(const struct file *file)
{
	/* of a kernel without the symbol there is no such file */
	return kv_shm_file_operations && file->f_op == kv_shm_file_operations;
}

static bool shm_mine(struct file *file)
{
	return ckpt_is_shm(file);
}

static struct ckpt_shm_file_data *data_of(const struct file *file)
{
	return file->private_data;
}

struct file *ckpt_segment_memory(struct ipc_namespace *ns, int id)
{
	struct kern_ipc_perm *perm = ckpt_ipc_hold(ns, CKPT_SHM_IDS, id);
	struct file *file = NULL;

	if (perm)
		file = get_file(container_of(perm, struct ckpt_shmid_kernel, shm_perm)->shm_file);
	ckpt_ipc_unhold(ns, CKPT_SHM_IDS);
	return file;
}

static int shm_save(struct ckpt_checkpoint *cp, struct file *file, struct ckpt_rec_out *rec)
{
	struct ipc_namespace *ns = ckpt_save_root_task(cp)->nsproxy->ipc_ns;
	struct ckpt_image_file_shm *img = ckpt_put(rec, FILE, SHM);
	struct file *memory;

	if (!img)
		return -ENOMEM;
	if (!ckpt_ipc_known())
		return ckpt_refuse(cp, -EOPNOTSUPP, "shared memory of System V is not supported on this kernel, whose structs are not known");
	if (data_of(file)->ns != ns)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "shared memory of System V of another ipc namespace than the container's is not supported");
	img->id = data_of(file)->id;
	memory = ckpt_segment_memory(ns, img->id);
	if (memory)
		fput(memory);
	return memory && memory == data_of(file)->file ? 0 : -EAGAIN;
}

static int shm_check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_file_shm *img = ckpt_get(buf, FILE, SHM);
	u32 how = ckpt_get(buf, FILE, BASE)->flags & O_ACCMODE;

	return img && img->id >= 0 && (how == O_RDONLY || how == O_RDWR) ?
		0 : ckpt_malformed(log, buf);
}

/* how often the container has each segment attached, by id */
static int count_own(struct ckpt_checkpoint *cp, struct xarray *own)
{
	struct ckpt_obj *obj;
	unsigned long nr;
	int ret;

	ckpt_for_each_obj(obj, cp, &ckpt_type_file) {
		if (!ckpt_is_shm(obj->ptr))
			continue;
		nr = xa_to_value(xa_load(own, data_of(obj->ptr)->id) ? : xa_mk_value(0));
		ret = xa_err(xa_store(own, data_of(obj->ptr)->id, xa_mk_value(nr + obj->users),
				      GFP_KERNEL_ACCOUNT));
		if (ret)
			return ret;
	}
	return 0;
}

/* the rwsem of the ids is held: no segment comes or goes */
static int compare_own(struct ckpt_checkpoint *cp, struct ipc_ids *ids, struct xarray *own)
{
	struct kern_ipc_perm *perm;
	int id, ret = 0;

	idr_for_each_entry(&ids->ipcs_idr, perm, id) {
		unsigned long nr = xa_to_value(xa_load(own, perm->id) ? : xa_mk_value(0));
		struct ckpt_shmid_kernel *shp;

		shp = container_of(perm, struct ckpt_shmid_kernel, shm_perm);
		if (READ_ONCE(shp->shm_nattch) <= nr)
			continue;
		/* let go meanwhile, it is the container itself */
		if (ckpt_save_overdue(cp))
			return -ETIMEDOUT;
		ret = ckpt_refuse_whole(cp, -EOPNOTSUPP,
					"the container has a shared memory segment (%d) that a process outside of it has attached, too, which is not supported",
					perm->id);
	}
	return ret;
}

int ckpt_check_attached(struct ckpt_checkpoint *cp)
{
	struct ipc_ids *ids = &ckpt_save_root_task(cp)->nsproxy->ipc_ns->ids[CKPT_SHM_IDS];
	struct xarray own;
	int ret;

	if (!ckpt_ipc_known())
		return 0;
	xa_init_flags(&own, XA_FLAGS_ACCOUNT);
	ret = count_own(cp, &own);
	if (!ret) {
		down_read(&ids->rwsem);
		ret = compare_own(cp, ids, &own);
		up_read(&ids->rwsem);
	}
	xa_destroy(&own);
	return ret;
}

/* as shmat(2) makes one; the namespace is one that current may make anything in */
static struct file *attach(struct ipc_namespace *ns, int id, int flags, const struct cred *cred)
{
	struct ckpt_shm_file_data *data;
	struct file *memory, *file;
	const struct cred *old;

	memory = ckpt_segment_memory(ns, id);
	if (!memory)
		return ERR_PTR(-EIDRM);
	data = kzalloc(sizeof(*data), GFP_KERNEL);
	if (!data) {
		fput(memory);
		return ERR_PTR(-ENOMEM);
	}
	old = override_creds(cred);
	file = k_alloc_file_clone(memory, flags, kv_shm_file_operations);
	revert_creds(old);
	if (IS_ERR(file)) {
		kfree(data);
		fput(memory);
		return file;
	}
	data->id = id;
	data->ns = get_ipc_ns(ns);
	data->file = memory;
	file->private_data = data;
	return file;
}

static struct file *shm_restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf,
				const struct cred *cred)
{
	const struct ckpt_image_file_shm *img = ckpt_get(buf, FILE, SHM);

	if (!ckpt_ipc_known())
		return ERR_PTR(-EOPNOTSUPP);
	return attach(current->nsproxy->ipc_ns, img->id,
		      ckpt_get(buf, FILE, BASE)->flags & O_ACCMODE, cred);
}

const struct ckpt_file_ops ckpt_file_shm = {
	.name = "shared memory of System V",
	.kind = CKPT_FILE_SHM,
	.needs = CKPT_FOR_IPC,
	.has_cred = true,
	.mine = shm_mine,
	.save = shm_save,
	.check = shm_check,
	.restore = shm_restore,
};
