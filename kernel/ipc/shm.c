// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared memory segments of System V.  What is in one is a SHMEM, as of any
 * memory that is shared; here is what makes it a segment.  C8.
 */
#include <linux/cred.h>
#include <linux/idr.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/shm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <uapi/linux/shm.h>

#include "memory.h"
#include "private.h"

#define CKPT_SHM_NAME "SYSV"
#define CKPT_SHM_MODES (CKPT_IPC_MODES | CKPT_SHM_DEST | CKPT_SHM_LOCKED)

static struct ckpt_shmid_kernel *shp_of(struct kern_ipc_perm *perm)
{
	return container_of(perm, struct ckpt_shmid_kernel, shm_perm);
}

/* a segment is named after its first key, as /proc/PID/maps shows it */
static int save_name(const struct ckpt_shmid_kernel *shp, struct ckpt_image_shm *img)
{
	const char *name = shp->shm_file->f_path.dentry->d_name.name;
	u32 key;

	if (strncmp(name, CKPT_SHM_NAME, strlen(CKPT_SHM_NAME)) ||
	    kstrtou32(name + strlen(CKPT_SHM_NAME), 16, &key))
		return -EIO;
	img->name = key;
	return 0;
}

static bool has_policy(const struct shmem_inode_info *info)
{
#if defined(CONFIG_NUMA) && defined(CONFIG_TMPFS)
	return !RB_EMPTY_ROOT(&info->policy.root);
#else
	return false;
#endif
}

/* a task of the container, or 0 */
static pid_t creator_of(struct ckpt_checkpoint *cp, struct ckpt_shmid_kernel *shp)
{
	pid_t nr = 0;

	rcu_read_lock();
	/* exit_shm() empties it before the task goes */
	if (!list_empty(&shp->shm_clist))
		nr = task_pid_nr_ns(shp->shm_creator, ckpt_save_pid_ns(cp));
	rcu_read_unlock();
	return nr;
}

/* what whoever attaches it changes: with its lock */
static void save_numbers(struct ckpt_checkpoint *cp, struct ckpt_shmid_kernel *shp,
			 struct ckpt_image_shm *img)
{
	spin_lock(&shp->shm_perm.lock);
	ckpt_save_perm(&shp->shm_perm, &img->perm);
	img->size = shp->shm_segsz;
	img->atime = shp->shm_atim;
	img->dtime = shp->shm_dtim;
	img->ctime = shp->shm_ctim;
	img->cpid = ckpt_pid_nr(cp, shp->shm_cprid);
	img->lpid = ckpt_pid_nr(cp, shp->shm_lprid);
	if (shp->mlock_ucounts)
		img->locker = from_kuid(current_user_ns(), shp->mlock_ucounts->uid);
	spin_unlock(&shp->shm_perm.lock);
}

static int save_one(struct ckpt_checkpoint *cp, struct ckpt_shmid_kernel *shp,
		    struct ckpt_image_shm *img)
{
	struct inode *inode = file_inode(shp->shm_file);
	int ret;

	if (!ckpt_is_shmem(shp->shm_file))
		return ckpt_refuse_whole(cp, -EOPNOTSUPP,
					 "the container has a shared memory segment (%d) of huge pages, which is not supported",
					 shp->shm_perm.id);
	if (has_policy(SHMEM_I(inode)))
		return ckpt_refuse_whole(cp, -EOPNOTSUPP,
					 "the container has a shared memory segment (%d) with a NUMA memory policy, which is not supported",
					 shp->shm_perm.id);
	ret = save_name(shp, img);
	if (ret)
		return ret;
	save_numbers(cp, shp, img);
	img->creator = creator_of(cp, shp);
	if (SHMEM_I(inode)->flags & VM_NORESERVE)
		img->flags = CKPT_SHM_NORESERVE;
	return ckpt_obj_save(cp, &ckpt_type_shmem, inode, &img->shmem);
}

/* the rwsem of the ids is held: no segment comes or goes */
static int save_all(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec)
{
	int nr = ckpt_ipc_nr(ns, CKPT_SHM_IDS), i = 0, id, ret = 0, refused = 0;
	struct kern_ipc_perm *perm;
	struct ckpt_image_shm *img;

	if (!nr)
		return 0;
	img = ckpt_put_nr(rec, NAMESPACE, SHM, nr);
	if (!img)
		return -ENOMEM;
	idr_for_each_entry(&ns->ids[CKPT_SHM_IDS].ipcs_idr, perm, id) {
		ret = i < nr ? save_one(cp, shp_of(perm), &img[i++]) : -EAGAIN;
		if (ckpt_go_on(ret))
			return ret;
		refused = ret ? : refused;
	}
	return i < nr ? -EAGAIN : refused;
}

int ckpt_save_shms(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec)
{
	struct ipc_ids *ids = &ns->ids[CKPT_SHM_IDS];
	int ret;

	down_read(&ids->rwsem);
	ret = save_all(cp, ns, rec);
	up_read(&ids->rwsem);
	return ret;
}

static bool shm_ok(const struct ckpt_image_shm *img)
{
	bool dest = img->perm.mode & CKPT_SHM_DEST;

	return ckpt_perm_ok(&img->perm, CKPT_SHM_MODES) &&
	       img->size && img->size <= MAX_LFS_FILESIZE &&
	       img->perm.key == (dest ? IPC_PRIVATE : img->name) && img->shmem &&
	       img->cpid >= 0 && img->lpid >= 0 && img->creator >= 0;
}

int ckpt_check_shms(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_shm *img;
	u64 i, nr;

	img = ckpt_get_nr(buf, NAMESPACE, SHM, &nr);
	for (i = 0; i < nr; i++)
		if (!shm_ok(&img[i]))
			return ckpt_malformed(log, buf);
	return 0;
}

/* so that it goes with its creator, if kernel.shm_rmid_forced is or will be set */
static int set_creator(struct ckpt_shmid_kernel *shp, pid_t nr)
{
	struct task_struct *t;
	int ret = nr ? -EINVAL : 0;

	task_lock(current);
	list_del_init(&shp->shm_clist);
	task_unlock(current);
	rcu_read_lock();
	t = nr ? pid_task(find_vpid(nr), PIDTYPE_PID) : NULL;
	if (t) {
		task_lock(t);
		/* behind this it does not look at its list any more */
		if (!(t->flags & PF_EXITING)) {
			shp->shm_creator = t;
			list_add(&shp->shm_clist, &t->sysvshm.shm_clist);
			ret = 0;
		}
		task_unlock(t);
	}
	rcu_read_unlock();
	return ret;
}

/* with the lock charged to @uid */
static int lock_as(int id, kuid_t uid)
{
	const struct cred *old;
	struct user_struct *user;
	struct cred *new;
	int ret;

	new = prepare_creds();
	user = new ? k_alloc_uid(uid) : NULL;
	if (!user) {
		if (new)
			abort_creds(new);
		return -ENOMEM;
	}
	free_uid(new->user);
	new->user = user;
	new->uid = uid;
	new->euid = uid;
	ret = k_set_cred_ucounts(new);
	if (!ret) {
		old = override_creds(new);
		ret = ckpt_syscall(shmctl, id, SHM_LOCK, 0);
		revert_creds(old);
	}
	put_cred(new);
	return ret;
}

/* SHM_LOCK: the kernel judges whether the restarter may, and how much */
static int lock_segment(struct ipc_namespace *ns, const struct ckpt_image_shm *img)
{
	kuid_t uid = make_kuid(current_user_ns(), img->locker);

	if (!(img->perm.mode & CKPT_SHM_LOCKED))
		return 0;
	if (!uid_valid(uid))
		return -EINVAL;
	if (uid_eq(uid, current_uid()) && uid_eq(uid, current_euid()))
		return ckpt_syscall(shmctl, img->perm.id, SHM_LOCK, 0);
	return ns_capable(ns->user_ns, CAP_IPC_LOCK) ? lock_as(img->perm.id, uid) : -EPERM;
}

/* a segment that waits for its last user has no key any more, and another may have it */
static void set_dest(struct ipc_namespace *ns, struct kern_ipc_perm *perm)
{
	struct ipc_ids *ids = &ns->ids[CKPT_SHM_IDS];

	down_write(&ids->rwsem);
	rcu_read_lock();
	spin_lock(&perm->lock);
	perm->mode |= CKPT_KERNEL_SHM_DEST;
	k_ipc_set_key_private(ids, perm);
	spin_unlock(&perm->lock);
	rcu_read_unlock();
	up_write(&ids->rwsem);
}

static int be_as_it_was(struct ckpt_restart *rs, struct ipc_namespace *ns,
		    const struct ckpt_image_shm *img)
{
	struct kern_ipc_perm *perm = ckpt_ipc_find(ns, CKPT_SHM_IDS, img->perm.id);
	struct ckpt_shmid_kernel *shp = perm ? shp_of(perm) : NULL;
	int ret;

	if (!shp)
		return -EIDRM;
	ret = ckpt_have_shmem(rs, img->shmem, shp->shm_file, img->size);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret,
				 "shared memory segment %d: SHMEM %u is not its memory", img->perm.id,
				 img->shmem);
	ret = lock_segment(ns, img);
	if (!ret)
		ret = set_creator(shp, img->creator);
	if (!ret)
		ret = ckpt_set_pid(&shp->shm_cprid, img->cpid);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret,
				 "shared memory segment %d cannot be as it was: error %d",
				 img->perm.id, -ret);
	shp->shm_ctim = img->ctime;
	if (img->perm.mode & CKPT_SHM_DEST)
		set_dest(ns, perm);
	return ckpt_restore_perm(rs, "shared memory segment", perm, &img->perm);
}

static int restore_one(struct ckpt_restart *rs, struct ipc_namespace *ns,
		       const struct ckpt_image_shm *img)
{
	int flags = IPC_CREAT | IPC_EXCL | 0600;
	int ret;

	if (img->flags & CKPT_SHM_NORESERVE)
		flags |= SHM_NORESERVE;
	ckpt_ask_for_id(ns, CKPT_SHM_IDS, img->perm.id);
	ret = ckpt_made_id(rs, "shared memory segment", img->perm.id,
			   ckpt_syscall(shmget, img->name, img->size, flags));
	return ret ? : be_as_it_was(rs, ns, img);
}

int ckpt_restore_shms(struct ckpt_restart *rs, struct ipc_namespace *ns,
		      const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_shm *img;
	int ret = 0, dest;
	u64 i, nr;

	img = ckpt_get_nr(buf, NAMESPACE, SHM, &nr);
	/* those that had their key before others first */
	for (dest = 1; dest >= 0; dest--)
		for (i = 0; i < nr && !ret; i++)
			if (!(img[i].perm.mode & CKPT_SHM_DEST) == !dest)
				ret = restore_one(rs, ns, &img[i]);
	return ret;
}

struct pid **ckpt_get_shm_pids(const struct ckpt_rec_buf *buf, u64 *nr)
{
	const struct ckpt_image_shm *img;
	struct pid **pids;
	int ret = 0;
	u64 i;

	img = ckpt_get_nr(buf, NAMESPACE, SHM, nr);
	pids = kvcalloc(*nr + 1, sizeof(*pids), GFP_KERNEL);
	if (!pids)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < *nr && !ret; i++)
		ret = ckpt_set_pid(&pids[i], img[i].lpid);
	if (!ret)
		return pids;
	for (i = 0; i < *nr; i++)
		put_pid(pids[i]);
	kvfree(pids);
	return ERR_PTR(ret);
}

void ckpt_finish_shms(struct ipc_namespace *ns, const struct ckpt_rec_buf *buf,
		      struct pid **lpids)
{
	struct ipc_ids *ids = &ns->ids[CKPT_SHM_IDS];
	const struct ckpt_image_shm *img;
	struct kern_ipc_perm *perm;
	u64 i, nr;

	img = ckpt_get_nr(buf, NAMESPACE, SHM, &nr);
	down_write(&ids->rwsem);
	for (i = 0; i < nr; i++) {
		perm = ckpt_ipc_find(ns, CKPT_SHM_IDS, img[i].perm.id);
		if (!perm)
			continue;
		spin_lock(&perm->lock);
		shp_of(perm)->shm_atim = img[i].atime;
		shp_of(perm)->shm_dtim = img[i].dtime;
		swap(shp_of(perm)->shm_lprid, lpids[i]);
		spin_unlock(&perm->lock);
	}
	up_write(&ids->rwsem);
}
