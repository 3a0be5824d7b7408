// SPDX-License-Identifier: GPL-2.0-only
/* The limits of an ipc namespace, and which numbers it gives next; objects in it are refused.  T10. */
#include <linux/idr.h>
#include <linux/ipc_namespace.h>

#include "namespace.h"

static int check_ipc(struct ckpt_checkpoint *cp, struct ipc_namespace *ns)
{
	static const char * const what[] = { "semaphore sets", "message queues",
					     "shared memory segments" };
	int i, ret = 0;

	for (i = 0; i < ARRAY_SIZE(what); i++)
		if (ns->ids[i].in_use)
			ret = ckpt_refuse_whole(cp, -EOPNOTSUPP,
					  "the container has System V %s, which are not supported", what[i]);
	if (ns->mq_queues_count)
		ret = ckpt_refuse_whole(cp, -EOPNOTSUPP,
				  "the container has POSIX message queues, which are not supported");
	return ret;
}

static int save_ids(struct ipc_namespace *ns, struct ckpt_rec_out *rec)
{
	struct ckpt_image_ipc_ids *img = ckpt_put_nr(rec, NAMESPACE, IPC_IDS, ARRAY_SIZE(ns->ids));
	int i;

	if (!img)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(ns->ids); i++) {
		struct ipc_ids *ids = &ns->ids[i];

		img[i].next_id = ids->next_id;
		img[i].last_idx = ids->last_idx;
		img[i].cursor = idr_get_cursor(&ids->ipcs_idr);
		img[i].seq = ids->seq;
	}
	return 0;
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
	return save_ids(ns, rec);
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
	return 0;
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

void ckpt_restore_ipc(struct ipc_namespace *ns, const struct ckpt_rec_buf *buf)
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
	restore_ids(ns, buf);
}
