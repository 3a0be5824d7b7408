// SPDX-License-Identifier: GPL-2.0-only
/*
 * The limits of an ipc namespace, and which numbers it gives next; the objects in it
 * are ipc/'s.  T10, C8.
 */
#include <linux/idr.h>
#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "ipc.h"
#include "namespace.h"

static int check_ipc(struct ckpt_checkpoint *cp, struct ipc_namespace *ns)
{
	static const char * const what[] = { "semaphore sets", "message queues",
					     "shared memory segments" };
	int i, ret = 0;

	for (i = 0; i < ARRAY_SIZE(what); i++)
		if (ns->ids[i].in_use && !ckpt_ipc_known())
			ret = ckpt_refuse_whole(cp, -EOPNOTSUPP,
					  "the container has System V %s, which are not supported on this kernel, whose structs are not known",
					  what[i]);
	return ret;
}

/* with which number comes next of each kind: of the same moment, or one may come twice */
static int save_objects(struct ckpt_checkpoint *cp, struct ipc_namespace *ns,
			struct ckpt_rec_out *rec)
{
	struct ckpt_image_ipc_ids *img = ckpt_put_nr(rec, NAMESPACE, IPC_IDS, ARRAY_SIZE(ns->ids));
	int ret, refused;

	if (!img)
		return -ENOMEM;
	refused = ckpt_save_shms(cp, ns, rec, img);
	if (ckpt_go_on(refused))
		return refused;
	ret = ckpt_save_msgs(cp, ns, rec, img);
	if (!ret)
		ret = ckpt_save_sems(cp, ns, rec, img);
	if (ckpt_go_on(ret))
		return ret;
	refused = ret ? : refused;
	ret = ckpt_save_mqueues(cp, ns, rec);
	return ret ? : refused;
}

int ckpt_save_ipc(struct ckpt_checkpoint *cp, struct ipc_namespace *ns, struct ckpt_rec_out *rec)
{
	struct ckpt_image_ipc *img = ckpt_put(rec, NAMESPACE, IPC);
	int i, ret;

	if (!img)
		return -ENOMEM;
	ret = check_ipc(cp, ns);
	if (ret)
		return ret;
	img->shmmax = ns->shm_ctlmax;
	img->shmall = ns->shm_ctlall;
	img->shmmni = ns->shm_ctlmni;
	img->shm_rmid_forced = ns->shm_rmid_forced;
	img->msgmax = ns->msg_ctlmax;
	img->msgmnb = ns->msg_ctlmnb;
	img->msgmni = ns->msg_ctlmni;
	for (i = 0; i < ARRAY_SIZE(img->sem); i++)
		img->sem[i] = ns->sem_ctls[i];
	img->mq_queues_max = ns->mq_queues_max;
	img->mq_msg_max = ns->mq_msg_max;
	img->mq_msgsize_max = ns->mq_msgsize_max;
	img->mq_msg_default = ns->mq_msg_default;
	img->mq_msgsize_default = ns->mq_msgsize_default;
	return save_objects(cp, ns, rec);
}

#define CKPT_IPC_IDS_MAX (1 << 24)	/* as ipcmni_extend allows */

static bool between(u32 val, u32 min, u32 max)
{
	return val >= min && val <= max;
}

/* one more than the largest number that tells objects of the same place from each other */
static u32 seq_end(void)
{
	return INT_MAX >> (kv_ipc_mni_shift ? *kv_ipc_mni_shift : 15);
}

static bool ids_ok(const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_ipc_ids *img;
	u64 i, nr;

	img = ckpt_get_nr(buf, NAMESPACE, IPC_IDS, &nr);
	for (i = 0; i < nr; i++)
		if (img[i].next_id < -1 || img[i].last_idx < -1 ||
		    img[i].last_idx >= CKPT_IPC_IDS_MAX || img[i].cursor > CKPT_IPC_IDS_MAX ||
		    img[i].seq >= seq_end())
			return false;
	return !nr || nr == ARRAY_SIZE(((struct ipc_namespace *)NULL)->ids);
}

static bool has_sysv(const struct ckpt_rec_buf *buf)
{
	return ckpt_get(buf, NAMESPACE, SHM) || ckpt_get(buf, NAMESPACE, MSG_QUEUES) ||
	       ckpt_get(buf, NAMESPACE, SEM_SETS);
}

static int check_objects(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	if (has_sysv(buf) && ckpt_lacks(CKPT_FOR_IPC))
		return ckpt_fail_lack(log, CKPT_FOR_IPC);
	if (has_sysv(buf) && !ckpt_ipc_known())
		return ckpt_fail(log, -EOPNOTSUPP, "objects of System V IPC are not supported on this kernel, whose structs are not known");
	return ckpt_check_shms(log, buf) ? : ckpt_check_msgs(log, buf) ? : ckpt_check_sems(log, buf) ? :
	       ckpt_check_mqueues(log, buf);
}

/* the same bounds as the sysctls have */
int ckpt_check_ipc(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_ipc *img = ckpt_get(buf, NAMESPACE, IPC);

	if (!img || img->shmmni > CKPT_IPC_IDS_MAX || img->msgmni > CKPT_IPC_IDS_MAX ||
	    img->shm_rmid_forced > 1 || img->msgmax > INT_MAX || img->msgmnb > INT_MAX ||
	    img->sem[3] > CKPT_IPC_IDS_MAX || img->mq_queues_max > INT_MAX ||
	    img->mq_msg_max < MIN_MSGMAX || img->mq_msg_max > HARD_MSGMAX ||
	    img->mq_msgsize_max < MIN_MSGSIZEMAX || img->mq_msgsize_max > HARD_MSGSIZEMAX ||
	    (img->mq_msg_default && !between(img->mq_msg_default, MIN_MSGMAX, HARD_MSGMAX)) ||
	    (img->mq_msgsize_default &&
	     !between(img->mq_msgsize_default, MIN_MSGSIZEMAX, HARD_MSGSIZEMAX)) || !ids_ok(buf))
		return ckpt_fail(log, -EINVAL, "an ipc limit of the image is out of bounds");
	return check_objects(log, buf);
}

static void restore_ids(struct ipc_namespace *ns, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_ipc_ids *img;
	u64 i, nr;

	img = ckpt_get_nr(buf, NAMESPACE, IPC_IDS, &nr);
	for (i = 0; i < nr; i++) {
		struct ipc_ids *ids = &ns->ids[i];

		down_write(&ids->rwsem);
		ids->next_id = img[i].next_id;
		ids->last_idx = img[i].last_idx;
		idr_set_cursor(&ids->ipcs_idr, img[i].cursor);
		ids->seq = img[i].seq;
		up_write(&ids->rwsem);
	}
}

static void restore_limits(struct ipc_namespace *ns, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_ipc *img = ckpt_get(buf, NAMESPACE, IPC);
	int i;

	ns->shm_ctlmax = img->shmmax;
	ns->shm_ctlall = img->shmall;
	ns->shm_ctlmni = img->shmmni;
	ns->shm_rmid_forced = img->shm_rmid_forced;
	ns->msg_ctlmax = img->msgmax;
	ns->msg_ctlmnb = img->msgmnb;
	ns->msg_ctlmni = img->msgmni;
	for (i = 0; i < ARRAY_SIZE(img->sem); i++)
		ns->sem_ctls[i] = min_t(u32, img->sem[i], INT_MAX);
	ns->mq_queues_max = img->mq_queues_max;
	ns->mq_msg_max = img->mq_msg_max;
	ns->mq_msgsize_max = img->mq_msgsize_max;
	if (img->mq_msg_default)
		ns->mq_msg_default = img->mq_msg_default;
	if (img->mq_msgsize_default)
		ns->mq_msgsize_default = img->mq_msgsize_default;
}

struct filled {				/* an ipc namespace, as restored */
	struct nsproxy *nsproxy;	/* which keeps it */
	u64 nr;
	struct pid **lpids;		/* of the segments */
	struct ckpt_mqueues *mqueues;
};

bool ckpt_is_ipc(const void *ipc, const struct ipc_namespace *ns)
{
	return ((const struct filled *)ipc)->nsproxy->ipc_ns == ns;
}

void ckpt_put_ipc(void *ipc)
{
	struct filled *f = ipc;
	u64 i;

	for (i = 0; i < f->nr; i++)
		put_pid(f->lpids[i]);
	kvfree(f->lpids);
	if (f->mqueues)
		ckpt_put_mqueues(f->mqueues);
	ckpt_put_nsproxy(f->nsproxy);
	kfree(f);
}

const struct ckpt_mqueues *ckpt_find_mqueues(struct ckpt_restart *rs, u32 ref)
{
	const struct filled *f = ckpt_find_restored(rs, ref, &ckpt_type_namespace);

	return f && f->nsproxy->ipc_ns == current->nsproxy->ipc_ns ? f->mqueues : NULL;
}

/* objects were made when it had other limits, perhaps, and all of them go back into it */
static void lift_limits(struct ipc_namespace *ns)
{
	ns->shm_ctlmax = ULONG_MAX;
	ns->shm_ctlall = ULONG_MAX;
	ns->shm_ctlmni = CKPT_IPC_IDS_MAX;
	ns->msg_ctlmax = INT_MAX;
	ns->msg_ctlmni = CKPT_IPC_IDS_MAX;
	ns->sem_ctls[0] = INT_MAX;
	ns->sem_ctls[1] = INT_MAX;
	ns->sem_ctls[2] = INT_MAX;
	ns->sem_ctls[3] = CKPT_IPC_IDS_MAX;
	ns->mq_queues_max = INT_MAX;
	ns->mq_msg_max = HARD_MSGMAX;
	ns->mq_msgsize_max = HARD_MSGSIZEMAX;
}

/* ids and owners are the restarter's to give only where all is, as kernel.*_next_id are */
static int may_make(struct ckpt_restart *rs, struct ipc_namespace *ns, const struct ckpt_rec_buf *buf)
{
	if (!has_sysv(buf) && !ckpt_get(buf, NAMESPACE, MQUEUES))
		return 0;
	if (!ns_capable(ns->user_ns, CAP_SYS_ADMIN))
		return ckpt_fail(ckpt_restore_log(rs), -EPERM,
				 "the objects of the container's ipc namespace may only be made by who has CAP_SYS_ADMIN over it");
	lift_limits(ns);
	return 0;
}

static int restore_sysv(struct ckpt_restart *rs, struct ipc_namespace *ns,
			const struct ckpt_rec_buf *buf)
{
	int ret;

	if (!has_sysv(buf))
		return 0;
	ret = ckpt_restore_shms(rs, ns, buf);
	if (!ret)
		ret = ckpt_restore_msgs(rs, ns, buf);
	return ret ? : ckpt_restore_sems(rs, ns, buf);
}

static int restore_objects(struct ckpt_restart *rs, struct ipc_namespace *ns,
			   const struct ckpt_rec_buf *buf, struct filled *f)
{
	int ret;

	ret = may_make(rs, ns, buf) ? : restore_sysv(rs, ns, buf);
	if (ret)
		return ret;
	restore_ids(ns, buf);
	f->mqueues = ckpt_restore_mqueues(rs, ns, buf);
	if (IS_ERR(f->mqueues)) {
		ret = PTR_ERR(f->mqueues);
		f->mqueues = NULL;
		return ret;
	}
	f->lpids = ckpt_get_shm_pids(buf, &f->nr);
	if (IS_ERR(f->lpids)) {
		ret = PTR_ERR(f->lpids);
		f->lpids = NULL;
		f->nr = 0;
	}
	return ret;
}

int ckpt_restore_ipc(struct ckpt_restart *rs, struct ipc_namespace *ns,
		     const struct ckpt_rec_buf *buf)
{
	struct filled *f = kzalloc(sizeof(*f), GFP_KERNEL);
	int ret;

	if (!f)
		return -ENOMEM;
	f->nsproxy = current->nsproxy;
	ckpt_get_nsproxy(f->nsproxy);
	ret = restore_objects(rs, ns, buf, f);
	if (!ret)
		return ckpt_add_restored(rs, ckpt_ref_of(buf), &ckpt_type_namespace, f);
	ckpt_put_ipc(f);
	return ret;
}

/*
 * By the coordinator, when semaphores are adjusted and segments mapped, and nobody closes a
 * message queue any more.
 */
int ckpt_finish_ipc(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ipc)
{
	struct filled *f = ipc;

	ckpt_finish_shms(f->nsproxy->ipc_ns, buf, f->lpids);
	restore_limits(f->nsproxy->ipc_ns, buf);
	return ckpt_finish_mqueues(rs, f->nsproxy->ipc_ns, buf, f->mqueues);
}
