// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process has done to semaphores with SEM_UNDO, and what the kernel will
 * take back when it ends.  Its threads share it.  C8.
 *
 * A list of undos may go at any time with a task that is killed.  But each undo
 * is in the list of its array, too, and goes from that one first, with the
 * array's lock: so they are looked for from there, and lists only compared.
 */
#include <linux/bsearch.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/nsproxy.h>
#include <linux/sched/signal.h>
#include <linux/sem.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <uapi/linux/sem.h>

#include "part.h"
#include "private.h"

#define CKPT_ADJ_MAX SHRT_MAX		/* of one operation */

/* one semaphore's, in the order of the lists */
struct adjustment {
	const void *list;		/* whose */
	unsigned int users;		/* tasks that have the list */
	struct ckpt_image_sem_undo img;
};

/* all of the container's ipc namespace */
struct ckpt_undos {
	u64 room, nr;
	struct adjustment adj[];
};

/* the lock of @sma is held */
static void look_at(struct ckpt_sem_array *sma, struct ckpt_sem_undo *un, struct ckpt_undos *all)
{
	short *adj = ckpt_semadj_of(un);
	int i;

	for (i = 0; i < sma->sem_nsems; i++) {
		if (!adj[i])
			continue;
		if (all->nr < all->room)
			all->adj[all->nr] = (struct adjustment) {
				.list = un->ulp,
				.users = refcount_read(&un->ulp->refcnt),
				.img = { .id = sma->sem_perm.id, .sem = i, .adj = adj[i] },
			};
		all->nr++;
	}
}

static void look(struct ipc_namespace *ns, struct ckpt_undos *all)
{
	struct ipc_ids *ids = &ns->ids[CKPT_SEM_IDS];
	struct kern_ipc_perm *perm;
	struct ckpt_sem_array *sma;
	struct ckpt_sem_undo *un;
	int id;

	all->nr = 0;
	down_read(&ids->rwsem);
	idr_for_each_entry(&ids->ipcs_idr, perm, id) {
		sma = container_of(perm, struct ckpt_sem_array, sem_perm);
		spin_lock(&perm->lock);
		list_for_each_entry(un, &sma->list_id, list_id)
			look_at(sma, un, all);
		spin_unlock(&perm->lock);
		cond_resched();
	}
	up_read(&ids->rwsem);
}

static int compare(const void *a, const void *b)
{
	const struct adjustment *x = a, *y = b;

	if (x->list != y->list)
		return x->list < y->list ? -1 : 1;
	if (x->img.id != y->img.id)
		return x->img.id < y->img.id ? -1 : 1;
	return (int)x->img.sem - (int)y->img.sem;
}

/* to be freed with kvfree() */
static struct ckpt_undos *find_all(struct ipc_namespace *ns)
{
	struct ckpt_undos none = {}, *all;

	look(ns, &none);
	all = kvzalloc(struct_size(all, adj, none.nr), GFP_KERNEL_ACCOUNT);
	if (!all)
		return ERR_PTR(-ENOMEM);
	all->room = none.nr;
	look(ns, all);
	if (all->nr > all->room) {
		kvfree(all);
		return ERR_PTR(-EAGAIN);
	}
	sort(all->adj, all->nr, sizeof(all->adj[0]), compare, NULL);
	return all;
}

static const void *list_of(const struct task_struct *t)
{
	return READ_ONCE(t->sysvsem.undo_list);
}

/* a list of the container's, and whose it is */
struct owner {
	const void *list;
	struct task_struct *leader;
	unsigned int users;		/* threads of this process, which have it */
	bool refused;			/* one of them has not */
};

struct owners {
	struct owner *o;
	int nr;
};

static int compare_owners(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;

	return x->list == y->list ? 0 : x->list < y->list ? -1 : 1;
}

/* a refusal that goes on to the next; -ETIMEDOUT: the container was let go, and has others now */
static int refuse(struct ckpt_checkpoint *cp, struct task_struct *leader, const char *what)
{
	if (ckpt_save_overdue(cp))
		return -ETIMEDOUT;
	return ckpt_refuse_whole(cp, -EOPNOTSUPP,
				 "the container's process %d (%s) %s, which is not supported",
				 task_pid_nr_ns(leader, ckpt_save_pid_ns(cp)), leader->comm, what);
}

/* all processes, each with its list: all threads have it, as it will be theirs afterwards */
static int find_owners(struct ckpt_checkpoint *cp, struct owners *all)
{
	const struct ckpt_held *h;
	struct owner *o = NULL;
	int i, ret = 0;

	for (i = 0; !ckpt_go_on(ret) && (h = ckpt_save_task_at(cp, i)); i++) {
		if (thread_group_leader(h->task))
			o = h->mm ? &all->o[all->nr++] : NULL;
		if (!o)
			continue;
		/* who is dying has none any more */
		if (READ_ONCE(h->task->flags) & PF_EXITING)
			return -EAGAIN;
		if (thread_group_leader(h->task))
			*o = (struct owner){ .list = list_of(h->task), .leader = h->task };
		if (!o->users++ || o->refused || (o->list && list_of(h->task) == o->list))
			continue;
		o->refused = true;
		ret = refuse(cp, o->leader,
			     "has a thread that does not share semaphore adjustments (SEM_UNDO) with the others");
	}
	sort(all->o, all->nr, sizeof(all->o[0]), compare_owners, NULL);
	return ret;
}

/* a list that is that of two processes, even if it is empty, would be two lists */
static int check_owners(struct ckpt_checkpoint *cp, const struct owners *all)
{
	int i, ret = 0;

	for (i = 1; i < all->nr && !ckpt_go_on(ret); i++)
		if (all->o[i].list && all->o[i].list == all->o[i - 1].list)
			ret = refuse(cp, all->o[i].leader,
				     "shares semaphore adjustments (SEM_UNDO) with another");
	return ret;
}

static int check_adjustment(struct ckpt_checkpoint *cp, const struct adjustment *adj,
			    const struct owners *owners)
{
	const struct owner key = { .list = adj->list };
	const struct owner *o;

	/* whoever had it is ending */
	if (!adj->users)
		return -EAGAIN;
	o = bsearch(&key, owners->o, owners->nr, sizeof(key), compare_owners);
	if (o)
		return adj->users <= o->users ? 0 :
			refuse(cp, o->leader, "shares semaphore adjustments (SEM_UNDO) with one outside of it");
	if (ckpt_save_overdue(cp))
		return -ETIMEDOUT;
	return ckpt_refuse_whole(cp, -EOPNOTSUPP,
				 "the container has a set of semaphores (%d) that a process outside of it has adjusted (SEM_UNDO), which is not supported",
				 adj->img.id);
}

static int check_adjustments(struct ckpt_checkpoint *cp, const struct ckpt_undos *all,
			     const struct owners *owners)
{
	int ret = 0;
	u64 i;

	for (i = 0; i < all->nr && !ckpt_go_on(ret); i++)
		if (!i || all->adj[i].list != all->adj[i - 1].list)
			ret = check_adjustment(cp, &all->adj[i], owners) ? : ret;
	return ret;
}

/* adjustments before tasks: who has gone meanwhile and taken some along is seen to be dying */
static int check_all(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct owners *owners)
{
	struct ckpt_undos *all;
	int ret;

	all = find_all(ns);
	if (IS_ERR(all))
		return PTR_ERR(all);
	*ckpt_save_undos(cp) = all;
	ret = find_owners(cp, owners);
	/* what belongs to none of them may belong to one of these threads */
	if (ret)
		return ret;
	ret = check_owners(cp, owners);
	return ret ? : check_adjustments(cp, all, owners);
}

int ckpt_find_undos(struct ckpt_checkpoint *cp)
{
	struct ipc_namespace *ns = ckpt_save_root_task(cp)->nsproxy->ipc_ns;
	struct owners owners = {};
	int nr = 0, ret;

	/* the host's is refused as a whole */
	if (!ckpt_ipc_known() || ns == current->nsproxy->ipc_ns || !ckpt_ipc_nr(ns, CKPT_SEM_IDS))
		return 0;
	while (ckpt_save_task_at(cp, nr))
		nr++;
	owners.o = kvcalloc(nr, sizeof(owners.o[0]), GFP_KERNEL);
	if (!owners.o)
		return -ENOMEM;
	ret = check_all(cp, ns, &owners);
	kvfree(owners.o);
	return ret;
}

/* the first of a list's, or where it would be */
static u64 first_of(const struct ckpt_undos *all, const void *list)
{
	u64 low = 0, high = all->nr;

	while (low < high) {
		u64 mid = low + (high - low) / 2;

		if (all->adj[mid].list < list)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	const struct ckpt_undos *all = *ckpt_save_undos(cp);
	const void *list = list_of(h->task);
	struct ckpt_image_sem_undo *img;
	u64 first, nr = 0, i;

	if (!all || !list)
		return 0;
	first = first_of(all, list);
	while (first + nr < all->nr && all->adj[first + nr].list == list)
		nr++;
	if (!nr)
		return 0;
	img = ckpt_put_nr(rec, PROCESS, SEM_UNDO, nr);
	if (!img)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		img[i] = all->adj[first + i].img;
	return 0;
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
 * does to the semaphore is put right again.  Of -32768 it takes two steps.
 */
static int adjust(struct ckpt_restart *rs, struct ipc_namespace *ns,
		  const struct ckpt_image_sem_undo *img)
{
	struct ckpt_sem_value was = {}, v;
	int left = img->adj, op, ret = 0;

	while (left && !ret) {
		op = -clamp(left, -CKPT_ADJ_MAX, CKPT_ADJ_MAX);
		v = (struct ckpt_sem_value){ .val = op < 0 ? -op : 0 };
		if (!ckpt_swap_sem(ns, img->id, img->sem, &v))
			ret = -EINVAL;
		if (left == img->adj)
			was = v;
		else
			put_pid(v.pid);
		if (!ret)
			ret = operate(rs, img->id, img->sem, op);
		left += op;
	}
	if (ret != -EINVAL)
		ckpt_swap_sem(ns, img->id, img->sem, &was);
	put_pid(was.pid);
	return ret;
}

static int say(struct ckpt_restart *rs, const struct ckpt_image_sem_undo *img, int err)
{
	if (err == -EACCES)
		return ckpt_fail(ckpt_restore_log(rs), err,
				 "process %d: semaphore %u of set %d cannot be adjusted without CAP_IPC_OWNER or a right to change it",
				 task_tgid_vnr(current), img->sem, img->id);
	return ckpt_fail(ckpt_restore_log(rs), err,
			 "process %d: semaphore %u of set %d cannot be adjusted: error %d",
			 task_tgid_vnr(current), img->sem, img->id, -err);
}

static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *process)
{
	struct ipc_namespace *ns = current->nsproxy->ipc_ns;
	const struct ckpt_image_sem_undo *img;
	int ret = 0;
	u64 i, nr;

	img = ckpt_get_nr(process, PROCESS, SEM_UNDO, &nr);
	if (nr && !ckpt_ipc_known())
		return -EOPNOTSUPP;
	for (i = 0; i < nr && !ret; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = adjust(rs, ns, &img[i]);
		if (ret)
			say(rs, &img[i], ret);
		cond_resched();
	}
	return ret;
}

const struct ckpt_task_part ckpt_part_sem_undo = {
	.name = "semaphore adjustments",
	.process = true,
	.stage = CKPT_STAGE_FILES,
	.save = save,
	.check = check,
	.restore = restore,
};
