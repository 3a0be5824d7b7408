// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arrays of semaphores of System V.  Who waits for one has left it when it is
 * frozen, and its call goes on (tasks/call_restart.c).  C8.
 */
#include <linux/idr.h>
#include <linux/sched/signal.h>
#include <linux/sem.h>
#include <linux/slab.h>
#include <uapi/linux/sem.h>

#include "private.h"

#define CKPT_SEM_SET "semaphore set"

static struct ckpt_sem_array *sma_of(struct kern_ipc_perm *perm)
{
	return container_of(perm, struct ckpt_sem_array, sem_perm);
}

/* with the array's lock, which does not keep others from a single semaphore */
static void save_sems(struct ckpt_checkpoint *cp, struct ckpt_sem_array *sma,
		      struct ckpt_image_sem *img)
{
	int i;

	for (i = 0; i < sma->sem_nsems; i++) {
		struct ckpt_sem *sem = &sma->sems[i];

		spin_lock(&sem->lock);
		img[i].val = sem->semval;
		img[i].pid = ckpt_pid_nr(cp, sem->sempid);
		img[i].otime = sem->sem_otime;
		spin_unlock(&sem->lock);
	}
}

static u64 count(struct ipc_namespace *ns)
{
	struct kern_ipc_perm *perm;
	u64 nr = 0;
	int id;

	idr_for_each_entry(&ns->ids[CKPT_SEM_IDS].ipcs_idr, perm, id)
		nr += sma_of(perm)->sem_nsems;
	return nr;
}

/* the rwsem of the ids is held: no array comes or goes, and each keeps its length */
static int save_all(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec)
{
	int nr = ckpt_ipc_nr(ns, CKPT_SEM_IDS), i = 0, id;
	struct ckpt_image_sem_set *set;
	struct kern_ipc_perm *perm;
	struct ckpt_image_sem *sem;

	if (!nr)
		return 0;
	set = ckpt_put_nr(rec, NAMESPACE, SEM_SETS, nr);
	sem = ckpt_put_nr(rec, NAMESPACE, SEMS, count(ns));
	if (!set || !sem)
		return -ENOMEM;
	idr_for_each_entry(&ns->ids[CKPT_SEM_IDS].ipcs_idr, perm, id) {
		if (i == nr)
			return -EAGAIN;
		spin_lock(&perm->lock);
		ckpt_save_perm(perm, &set[i].perm);
		set[i].ctime = sma_of(perm)->sem_ctime;
		set[i].sems = sma_of(perm)->sem_nsems;
		save_sems(cp, sma_of(perm), sem);
		spin_unlock(&perm->lock);
		sem += set[i++].sems;
	}
	return i == nr ? 0 : -EAGAIN;
}

int ckpt_save_sems(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec,
		   struct ckpt_image_ipc_ids *img)
{
	struct ipc_ids *ids = &ns->ids[CKPT_SEM_IDS];
	int ret;

	down_read(&ids->rwsem);
	ckpt_save_ids(ns, CKPT_SEM_IDS, &img[CKPT_SEM_IDS]);
	ret = save_all(cp, ns, rec);
	up_read(&ids->rwsem);
	return ret;
}

int ckpt_check_sems(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_sem_set *set;
	const struct ckpt_image_sem *sem;
	u64 i, sets, sems, nr = 0;

	set = ckpt_get_nr(buf, NAMESPACE, SEM_SETS, &sets);
	sem = ckpt_get_nr(buf, NAMESPACE, SEMS, &sems);
	for (i = 0; i < sets; i++) {
		if (!ckpt_perm_ok(&set[i].perm, CKPT_IPC_MODES) || !set[i].sems || set[i].reserved)
			return ckpt_malformed(log, buf);
		nr += set[i].sems;
	}
	for (i = 0; i < sems; i++)
		if (sem[i].val < 0 || sem[i].val > SEMVMX || sem[i].pid < 0)
			return ckpt_malformed(log, buf);
	return nr == sems ? 0 : ckpt_malformed(log, buf);
}

bool ckpt_swap_sem(struct ipc_namespace *ns, int id, u32 nr, struct ckpt_sem_value *v)
{
	struct kern_ipc_perm *perm = ckpt_ipc_hold(ns, CKPT_SEM_IDS, id);
	bool there = perm && nr < sma_of(perm)->sem_nsems;

	if (there) {
		struct ckpt_sem *sem = &sma_of(perm)->sems[nr];

		/* one after the other, as whoever changes it has either */
		spin_lock(&perm->lock);
		spin_lock(&sem->lock);
		swap(sem->semval, v->val);
		swap(sem->sempid, v->pid);
		swap(sem->sem_otime, v->otime);
		spin_unlock(&sem->lock);
		spin_unlock(&perm->lock);
	}
	ckpt_ipc_unhold(ns, CKPT_SEM_IDS);
	return there;
}

static int set_sem(struct ckpt_restart *rs, struct ipc_namespace *ns, int id, u32 nr,
		   const struct ckpt_image_sem *img)
{
	struct ckpt_sem_value v = { .val = img->val, .otime = img->otime };
	bool there;

	if (ckpt_ipc_pid(&v.pid, img->pid))
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL,
				 "semaphore set %d: process %d cannot be named", id, img->pid);
	there = ckpt_swap_sem(ns, id, nr, &v);
	put_pid(v.pid);
	return there ? 0 : ckpt_was_removed(rs, CKPT_SEM_SET, id);
}

static int set_sems(struct ckpt_restart *rs, struct ipc_namespace *ns,
		    const struct ckpt_image_sem_set *set, const struct ckpt_image_sem *img)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < set->sems && !ret; i++) {
		ret = fatal_signal_pending(current) ? -EINTR :
						      set_sem(rs, ns, set->perm.id, i, &img[i]);
		cond_resched();
	}
	return ret;
}

static void set_ctime(struct ipc_namespace *ns, const struct ckpt_image_sem_set *img)
{
	struct kern_ipc_perm *perm = ckpt_ipc_hold(ns, CKPT_SEM_IDS, img->perm.id);

	if (perm) {
		spin_lock(&perm->lock);
		sma_of(perm)->sem_ctime = img->ctime;
		spin_unlock(&perm->lock);
	}
	ckpt_ipc_unhold(ns, CKPT_SEM_IDS);
}

static int restore_set(struct ckpt_restart *rs, struct ipc_namespace *ns,
		       const struct ckpt_image_sem_set *img, const struct ckpt_image_sem *sem)
{
	int ret;

	ckpt_ask_for_id(ns, CKPT_SEM_IDS, img->perm.id);
	ret = ckpt_made_id(rs, CKPT_SEM_SET, img->perm.id,
			   ckpt_syscall(semget, img->perm.key, img->sems,
					IPC_CREAT | IPC_EXCL | 0600));
	if (ret)
		return ret;
	ret = set_sems(rs, ns, img, sem);
	if (ret)
		return ret;
	set_ctime(ns, img);
	return ckpt_restore_perm(rs, CKPT_SEM_SET, ns, CKPT_SEM_IDS, &img->perm);
}

int ckpt_restore_sems(struct ckpt_restart *rs, struct ipc_namespace *ns,
		      const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_sem_set *img;
	const struct ckpt_image_sem *sem;
	int ret = 0;
	u64 i, nr;

	img = ckpt_get_nr(buf, NAMESPACE, SEM_SETS, &nr);
	sem = ckpt_get(buf, NAMESPACE, SEMS);
	for (i = 0; i < nr && !ret; i++) {
		ret = restore_set(rs, ns, &img[i], sem);
		sem += img[i].sems;
	}
	return ret;
}
