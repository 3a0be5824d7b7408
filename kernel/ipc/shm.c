// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared memory segments of System V.  What is in one is a SHMEM, as of any
 * memory that is shared; here is what makes it a segment.  C8.
 */
#include <linux/cred.h>
#include <linux/idr.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/shm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <uapi/linux/shm.h>

#include "memory.h"
#include "private.h"

#define CKPT_SEGMENT "shared memory segment"
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

/* has nobody else such a name?  Memory that programs can have a file of begins with others */
bool ckpt_is_segment(const struct file *file)
{
	return !strncmp(file->f_path.dentry->d_name.name, CKPT_SHM_NAME, strlen(CKPT_SHM_NAME));
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
	if (i_size_read(inode) != shp->shm_segsz)
		return ckpt_refuse_whole(cp, -EOPNOTSUPP,
					 "the container has a shared memory segment (%d) whose size was changed by a descriptor on its memory, which is not supported",
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

int ckpt_save_shms(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec,
		   struct ckpt_image_ipc_ids *img)
{
	struct ipc_ids *ids = &ns->ids[CKPT_SHM_IDS];
	int ret;

	down_read(&ids->rwsem);
	ckpt_save_ids(ns, CKPT_SHM_IDS, &img[CKPT_SHM_IDS]);
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

/*
 * So that it goes with its creator, if kernel.shm_rmid_forced is or will be set.  The
 * segment's lock is held; so far current has made it.
 */
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

static int lock_or_say(struct ckpt_restart *rs, struct ipc_namespace *ns,
		       const struct ckpt_image_shm *img)
{
	int ret = lock_segment(ns, img);

	if (ret == -EPERM)
		return ckpt_fail(ckpt_restore_log(rs), ret,
				 "shared memory segment %d is locked (SHM_LOCK), which needs CAP_IPC_LOCK or its owner with RLIMIT_MEMLOCK",
				 img->perm.id);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret,
			       "shared memory segment %d cannot be locked: error %d", img->perm.id,
			       -ret) : 0;
}

/* a segment that waits for its last user has no key any more, and another may have it */
static void set_dest(struct ipc_namespace *ns, int id)
{
	struct ipc_ids *ids = &ns->ids[CKPT_SHM_IDS];
	struct kern_ipc_perm *perm;

	down_write(&ids->rwsem);
	perm = ckpt_ipc_find(ns, CKPT_SHM_IDS, id);
	if (perm) {
		rcu_read_lock();
		spin_lock(&perm->lock);
		perm->mode |= CKPT_KERNEL_SHM_DEST;
		k_ipc_set_key_private(ids, perm);
		spin_unlock(&perm->lock);
		rcu_read_unlock();
	}
	up_write(&ids->rwsem);
}

/* @cpid is swapped with what it had */
static int set_made(struct ipc_namespace *ns, const struct ckpt_image_shm *img, struct pid **cpid)
{
	struct kern_ipc_perm *perm = ckpt_ipc_hold(ns, CKPT_SHM_IDS, img->perm.id);
	int ret = -EIDRM;

	if (perm) {
		spin_lock(&perm->lock);
		ret = set_creator(shp_of(perm), img->creator);
		swap(shp_of(perm)->shm_cprid, *cpid);
		shp_of(perm)->shm_ctim = img->ctime;
		spin_unlock(&perm->lock);
	}
	ckpt_ipc_unhold(ns, CKPT_SHM_IDS);
	return ret;
}

/* who has made it, and when */
static int say_made(struct ckpt_restart *rs, struct ipc_namespace *ns,
		    const struct ckpt_image_shm *img)
{
	struct pid *cpid;
	int ret;

	ret = ckpt_ipc_pid(&cpid, img->cpid);
	if (!ret)
		ret = set_made(ns, img, &cpid);
	put_pid(cpid);
	if (ret == -EIDRM)
		return ckpt_was_removed(rs, CKPT_SEGMENT, img->perm.id);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret,
			       "shared memory segment %d: process %d or task %d cannot be named",
			       img->perm.id, img->cpid, img->creator) : 0;
}

static int take_memory(struct ckpt_restart *rs, struct ipc_namespace *ns,
		       const struct ckpt_image_shm *img)
{
	struct file *memory = ckpt_segment_memory(ns, img->perm.id);
	int ret;

	if (!memory)
		return ckpt_was_removed(rs, CKPT_SEGMENT, img->perm.id);
	ret = ckpt_have_shmem(rs, img->shmem, memory, img->size);
	fput(memory);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret,
			       "shared memory segment %d: SHMEM %u is not its memory",
			       img->perm.id, img->shmem) : 0;
}

static int be_as_it_was(struct ckpt_restart *rs, struct ipc_namespace *ns,
			const struct ckpt_image_shm *img)
{
	int ret;

	ret = take_memory(rs, ns, img);
	if (!ret)
		ret = lock_or_say(rs, ns, img);
	if (!ret)
		ret = say_made(rs, ns, img);
	if (ret)
		return ret;
	if (img->perm.mode & CKPT_SHM_DEST)
		set_dest(ns, img->perm.id);
	return ckpt_restore_perm(rs, CKPT_SEGMENT, ns, CKPT_SHM_IDS, &img->perm);
}

static int restore_one(struct ckpt_restart *rs, struct ipc_namespace *ns,
		       const struct ckpt_image_shm *img)
{
	int flags = IPC_CREAT | IPC_EXCL | 0600;
	int ret;

	if (img->flags & CKPT_SHM_NORESERVE)
		flags |= SHM_NORESERVE;
	ckpt_ask_for_id(ns, CKPT_SHM_IDS, img->perm.id);
	ret = ckpt_made_id(rs, CKPT_SEGMENT, img->perm.id,
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
			if (!(img[i].perm.mode & CKPT_SHM_DEST) == !dest) {
				ret = fatal_signal_pending(current) ?
					-EINTR : restore_one(rs, ns, &img[i]);
				cond_resched();
			}
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
	for (i = 0; i < *nr && !ret; i++) {
		ret = fatal_signal_pending(current) ? -EINTR : ckpt_ipc_pid(&pids[i], img[i].lpid);
		cond_resched();
	}
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
