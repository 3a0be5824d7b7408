// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arrays of semaphores of System V.  Who waits for one has left it when it is
 * frozen, and its call goes on (tasks/call_restart.c).  C8.
 */
#include <linux/idr.h>
#include <linux/sem.h>
#include <linux/slab.h>
#include <uapi/linux/sem.h>

#include "private.h"

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

int ckpt_save_sems(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec)
{
	struct ipc_ids *ids = &ns->ids[CKPT_SEM_IDS];
	int ret;

	down_read(&ids->rwsem);
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

/* nobody but the restart has it */
static int set_sems(struct ckpt_sem_array *sma, const struct ckpt_image_sem *img)
{
	int i, ret = 0;

	for (i = 0; i < sma->sem_nsems && !ret; i++) {
		ret = ckpt_set_pid(&sma->sems[i].sempid, img[i].pid);
		sma->sems[i].semval = img[i].val;
		sma->sems[i].sem_otime = img[i].otime;
		cond_resched();
	}
	return ret;
}

static int restore_set(struct ckpt_restart *rs, struct ipc_namespace *ns,
		       const struct ckpt_image_sem_set *img, const struct ckpt_image_sem *sem)
{
	struct kern_ipc_perm *perm;
	int ret;

	ckpt_ask_for_id(ns, CKPT_SEM_IDS, img->perm.id);
	ret = ckpt_made_id(rs, "semaphore set", img->perm.id,
			   ckpt_syscall(semget, img->perm.key, img->sems,
					IPC_CREAT | IPC_EXCL | 0600));
	if (ret)
		return ret;
	perm = ckpt_ipc_find(ns, CKPT_SEM_IDS, img->perm.id);
	if (!perm || sma_of(perm)->sem_nsems != img->sems)
		return -EIDRM;
	ret = set_sems(sma_of(perm), sem);
	if (ret)
		return ckpt_fail(ckpt_restore_log(rs), ret, "semaphore set %d: a process of its cannot be named: error %d",
				 img->perm.id, -ret);
	sma_of(perm)->sem_ctime = img->ctime;
	return ckpt_restore_perm(rs, "semaphore set", perm, &img->perm);
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
