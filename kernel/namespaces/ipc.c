// SPDX-License-Identifier: GPL-2.0-only
/* The limits of an ipc namespace; objects in it are refused.  T10. */
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
	return 0;
}

#define CKPT_IPC_IDS_MAX (1 << 24)	/* as ipcmni_extend allows */

/* the same bounds as the sysctls have */
int ckpt_check_ipc(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_ipc *img = ckpt_get(buf, NAMESPACE, IPC);

	if (!img || img->shmmni > CKPT_IPC_IDS_MAX || img->msgmni > CKPT_IPC_IDS_MAX ||
	    img->shm_rmid_forced > 1 || img->msgmax > INT_MAX || img->msgmnb > INT_MAX ||
	    img->sem[3] > CKPT_IPC_IDS_MAX || img->mq_queues_max > INT_MAX ||
	    img->mq_msg_max < MIN_MSGMAX || img->mq_msg_max > HARD_MSGMAX ||
	    img->mq_msgsize_max < MIN_MSGSIZEMAX || img->mq_msgsize_max > HARD_MSGSIZEMAX)
		return ckpt_fail(log, -EINVAL, "an ipc limit of the image is out of bounds");
	return 0;
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
}
