// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process has done to semaphores with SEM_UNDO, and what the kernel will
 * take back when it ends.  Its threads share it.  C8.
 *
 * A list of undos may go at any time with a task that is killed.  But each undo
 * is in the list of its array, too, and goes from that one first, with the
 * array's lock: so they are looked for from there, and lists only compared.
 */
#include <linux/idr.h>
#include <linux/nsproxy.h>
#include <linux/sched/signal.h>
#include <linux/sem.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/sem.h>

#include "part.h"
#include "private.h"

#define CKPT_ADJ_MAX SHRT_MAX		/* of one operation */

struct undos {
	const void *list;		/* whose */
	struct ckpt_image_sem_undo *img;
	u64 room, nr;			/* elements of img, adjustments found */
	unsigned int users;		/* tasks that have the list */
};

/* the lock of @sma is held */
static void look_at(struct ckpt_sem_array *sma, struct ckpt_sem_undo *un, struct undos *u)
{
	short *adj = ckpt_semadj_of(un);
	int i;

	for (i = 0; i < sma->sem_nsems; i++) {
		if (!adj[i])
			continue;
		if (u->nr < u->room) {
			u->img[u->nr].id = sma->sem_perm.id;
			u->img[u->nr].sem = i;
			u->img[u->nr].adj = adj[i];
		}
		u->nr++;
		u->users = refcount_read(&un->ulp->refcnt);
	}
}

/* all adjustments of a list */
static void look(struct ipc_namespace *ns, struct undos *u)
{
	struct ipc_ids *ids = &ns->ids[CKPT_SEM_IDS];
	struct kern_ipc_perm *perm;
	struct ckpt_sem_array *sma;
	struct ckpt_sem_undo *un;
	int id;

	u->nr = 0;
	u->users = 0;
	if (!u->list)
		return;
	down_read(&ids->rwsem);
	idr_for_each_entry(&ids->ipcs_idr, perm, id) {
		sma = container_of(perm, struct ckpt_sem_array, sem_perm);
		spin_lock(&perm->lock);
		list_for_each_entry(un, &sma->list_id, list_id)
			if (un->ulp == u->list)
				look_at(sma, un, u);
		spin_unlock(&perm->lock);
	}
	up_read(&ids->rwsem);
}

static const void *list_of(struct task_struct *t)
{
	return READ_ONCE(t->sysvsem.undo_list);
}

/* how many threads of @leader's have its list; @other is set to one that has another, or NULL */
static unsigned int count_users(struct task_struct *leader, const void **other)
{
	const void *list = list_of(leader);
	struct task_struct *t;
	unsigned int nr = 0;

	*other = NULL;
	rcu_read_lock();
	for_each_thread(leader, t) {
		nr += list_of(t) == list;
		if (list_of(t) && list_of(t) != list)
			*other = list_of(t);
	}
	rcu_read_unlock();
	return nr;
}

static bool may_have(struct ipc_namespace *ns)
{
	return ckpt_ipc_known() && ckpt_ipc_nr(ns, CKPT_SEM_IDS);
}

static int refuse(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct ipc_namespace *ns = h->nsproxy->ipc_ns;
	struct undos own = { .list = list_of(h->task) }, others = {};
	unsigned int threads;

	if (!may_have(ns))
		return 0;
	threads = count_users(h->task, &others.list);
	look(ns, &own);
	look(ns, &others);
	if (others.nr || (own.nr && threads != get_nr_threads(h->task)))
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "a thread with semaphore adjustments (SEM_UNDO) of its own is not supported");
	if (own.nr && own.users > threads)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "it shares semaphore adjustments (SEM_UNDO) with another process, which is not supported");
	return 0;
}

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ipc_namespace *ns = h->nsproxy->ipc_ns;
	struct undos u = { .list = list_of(h->task) };

	if (!may_have(ns))
		return 0;
	look(ns, &u);
	if (!u.nr)
		return 0;
	u.room = u.nr;
	u.img = ckpt_put_nr(rec, PROCESS, SEM_UNDO, u.room);
	if (!u.img)
		return -ENOMEM;
	look(ns, &u);
	return u.nr == u.room ? 0 : -EAGAIN;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_sem_undo *img;
	u64 i, nr;

	img = ckpt_get_nr(buf, PROCESS, SEM_UNDO, &nr);
	for (i = 0; i < nr; i++)
		if (img[i].id < 0 || img[i].sem > USHRT_MAX || !img[i].adj ||
		    img[i].adj < SHRT_MIN || img[i].adj > SHRT_MAX)
			return ckpt_malformed(log, buf);
	return nr && ckpt_lacks(CKPT_FOR_IPC) ? ckpt_fail_lack(log, CKPT_FOR_IPC) : 0;
}

/* semop(2) that is to be taken back; what it needs is in the page of arguments */
static int operate(struct ckpt_restart *rs, int id, u32 sem, int op)
{
	const struct sembuf buf = {
		.sem_num = sem, .sem_op = op, .sem_flg = SEM_UNDO | IPC_NOWAIT,
	};
	unsigned long arg = ckpt_scratch(rs);

	if (copy_to_user((void __user *)arg, &buf, sizeof(buf)))
		return -EFAULT;
	return ckpt_syscall(semop, id, arg, 1);
}

/*
 * The kernel makes the adjustment, as ever when a semaphore is operated on; what that
 * does to the semaphore is put right again.  Nobody but the restart has it: the lock of
 * making is held.
 */
static int adjust(struct ckpt_restart *rs, struct ckpt_sem_array *sma,
		  const struct ckpt_image_sem_undo *img)
{
	struct ckpt_sem *sem = &sma->sems[img->sem];
	int val = sem->semval, left = img->adj, op, ret = 0;
	struct pid *pid = get_pid(sem->sempid);
	time64_t otime = sem->sem_otime;

	while (left && !ret) {
		op = -clamp(left, -CKPT_ADJ_MAX, CKPT_ADJ_MAX);
		sem->semval = op < 0 ? -op : 0;
		ret = operate(rs, img->id, img->sem, op);
		left += op;
	}
	sem->semval = val;
	sem->sem_otime = otime;
	swap(sem->sempid, pid);
	put_pid(pid);
	return ret;
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *process)
{
	struct ipc_namespace *ns = current->nsproxy->ipc_ns;
	const struct ckpt_image_sem_undo *img;
	struct kern_ipc_perm *perm;
	struct ckpt_sem_array *sma;
	int ret = 0;
	u64 i, nr;

	img = ckpt_get_nr(process, PROCESS, SEM_UNDO, &nr);
	if (nr && !ckpt_ipc_known())
		return -EOPNOTSUPP;
	for (i = 0; i < nr && !ret; i++) {
		perm = ckpt_ipc_find(ns, CKPT_SEM_IDS, img[i].id);
		sma = perm ? container_of(perm, struct ckpt_sem_array, sem_perm) : NULL;
		ret = sma && img[i].sem < sma->sem_nsems ? adjust(rs, sma, &img[i]) : -EINVAL;
		if (ret)
			ckpt_fail(ckpt_restore_log(rs), ret,
				  "process %d: semaphore %u of set %d cannot be adjusted: error %d",
				  task_tgid_vnr(current), img[i].sem, img[i].id, -ret);
		cond_resched();
	}
	return ret;
}

const struct ckpt_task_part ckpt_part_sem_undo = {
	.name = "semaphore adjustments",
	.process = true,
	.stage = CKPT_STAGE_FILES,
	.refuse = refuse,
	.save = save,
	.check = check,
	.restore = restore,
};
