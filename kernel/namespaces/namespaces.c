// SPDX-License-Identifier: GPL-2.0-only
/*
 * Namespaces: what the engine saves of them (uts, ipc limits), and which ones
 * a container's tasks may have.  User space makes them at restart.  T10.
 */
#include <linux/cgroup.h>
#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/security.h>
#include <linux/time_namespace.h>
#include <linux/utsname.h>
#include <net/net_namespace.h>

#include "task.h"

int ckpt_check_namespaces(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	struct nsproxy *ns = h->nsproxy, *root = ckpt_save_root_task(cp)->nsproxy;
	const char *which = NULL;
	u32 label, own;

	if (!root)
		return -EAGAIN;
	if (ns->uts_ns != root->uts_ns)
		which = "uts";
	else if (ns->ipc_ns != root->ipc_ns)
		which = "ipc";
	else if (ns->mnt_ns != root->mnt_ns)
		which = "mount";
	else if (ns->net_ns != root->net_ns)
		which = "network";
	else if (ns->cgroup_ns != root->cgroup_ns)
		which = "cgroup";
	else if (ns->pid_ns_for_children != ckpt_save_pid_ns(cp))
		which = "pid";
	if (which)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "a %s namespace other than the container's is not supported", which);
	security_task_getsecid_obj(h->task, &label);
	security_task_getsecid_obj(current, &own);
	if (label != own)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "a security label (AppArmor or SELinux) other than the caller's is not supported");
	if (ns->time_ns != current->nsproxy->time_ns ||
	    ns->time_ns_for_children != current->nsproxy->time_ns)
		return ckpt_refuse(cp, -EOPNOTSUPP, "a time namespace is not supported");
	return 0;
}

static int save_uts(struct ckpt_checkpoint *cp, struct uts_namespace *ns)
{
	struct ckpt_image_uts *img;

	if (ns == current->nsproxy->uts_ns)
		return ckpt_fail(ckpt_save_log(cp), -EOPNOTSUPP,
				 "the container shares the host's uts namespace, which is not supported");
	img = ckpt_rec(cp, CKPT_REC_UTS, sizeof(*img));
	if (!img)
		return -ENOMEM;
	down_read(kv_uts_sem);
	strscpy(img->nodename, ns->name.nodename, sizeof(img->nodename));
	strscpy(img->domainname, ns->name.domainname, sizeof(img->domainname));
	up_read(kv_uts_sem);
	return 0;
}

static int check_ipc(struct ckpt_checkpoint *cp, struct ipc_namespace *ns)
{
	static const char * const what[] = { "semaphore sets", "message queues",
					     "shared memory segments" };
	int i;

	if (ns == current->nsproxy->ipc_ns)
		return ckpt_fail(ckpt_save_log(cp), -EOPNOTSUPP,
				 "the container shares the host's ipc namespace, which is not supported");
	for (i = 0; i < ARRAY_SIZE(what); i++)
		if (ns->ids[i].in_use)
			return ckpt_fail(ckpt_save_log(cp), -EOPNOTSUPP,
					 "the container has System V %s, which are not supported", what[i]);
	if (ns->mq_queues_count)
		return ckpt_fail(ckpt_save_log(cp), -EOPNOTSUPP,
				 "the container has POSIX message queues, which are not supported");
	return 0;
}

static int save_ipc(struct ckpt_checkpoint *cp, struct ipc_namespace *ns)
{
	struct ckpt_image_ipc *img;
	int i, ret;

	ret = check_ipc(cp, ns);
	if (ret)
		return ret;
	img = ckpt_rec(cp, CKPT_REC_IPC, sizeof(*img));
	if (!img)
		return -ENOMEM;
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

int ckpt_save_namespaces(struct ckpt_checkpoint *cp)
{
	struct nsproxy *ns = ckpt_save_root_task(cp)->nsproxy;
	int ret;

	ret = save_uts(cp, ns->uts_ns);
	if (ret)
		return ret;
	return save_ipc(cp, ns->ipc_ns);
}

static int restore_uts(struct ckpt_restart *rs, struct uts_namespace *ns,
		       const struct ckpt_image_uts *img)
{

	if (strnlen(img->nodename, sizeof(img->nodename)) == sizeof(img->nodename) ||
	    strnlen(img->domainname, sizeof(img->domainname)) == sizeof(img->domainname))
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "the image's host name does not end");
	down_write(kv_uts_sem);
	strscpy_pad(ns->name.nodename, img->nodename, sizeof(ns->name.nodename));
	strscpy_pad(ns->name.domainname, img->domainname, sizeof(ns->name.domainname));
	up_write(kv_uts_sem);
	return 0;
}

#define CKPT_IPC_IDS_MAX (1 << 24)	/* as ipcmni_extend allows */

/* the same bounds as the sysctls have */
static int restore_ipc(struct ckpt_restart *rs, struct ipc_namespace *ns,
		       const struct ckpt_image_ipc *img)
{
	int i;

	if (img->shmmni > CKPT_IPC_IDS_MAX || img->msgmni > CKPT_IPC_IDS_MAX ||
	    img->shm_rmid_forced > 1 || img->msgmax > INT_MAX || img->msgmnb > INT_MAX ||
	    img->sem[3] > CKPT_IPC_IDS_MAX || img->mq_queues_max > INT_MAX ||
	    img->mq_msg_max < MIN_MSGMAX || img->mq_msg_max > HARD_MSGMAX ||
	    img->mq_msgsize_max < MIN_MSGSIZEMAX || img->mq_msgsize_max > HARD_MSGSIZEMAX)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "an ipc limit of the image is out of bounds");
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
	return 0;
}

/*
 * By the root task, in namespaces that were made for the restart.
 * @outside: the coordinator's, which they must not be
 */
int ckpt_restore_namespaces(struct ckpt_restart *rs, const struct ckpt_rec_buf *uts,
			    const struct ckpt_rec_buf *ipc, struct nsproxy *outside)
{
	struct nsproxy *ns = current->nsproxy;
	int ret;

	if (ns->uts_ns == outside->uts_ns || ns->ipc_ns == outside->ipc_ns)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL,
				 "the root task has no uts and ipc namespace of its own");
	ret = restore_uts(rs, ns->uts_ns, ckpt_body(uts));
	if (ret)
		return ret;
	return restore_ipc(rs, ns->ipc_ns, ckpt_body(ipc));
}
