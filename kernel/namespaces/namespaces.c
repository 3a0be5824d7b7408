// SPDX-License-Identifier: GPL-2.0-only
/*
 * Namespaces are objects that tasks refer to.  User space makes them at
 * restart; the engine saves and fills what is in some kinds of them.  Today a
 * container's tasks have one of each kind.  T10.
 */
#include <linux/cgroup.h>
#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/proc_ns.h>
#include <linux/security.h>
#include <linux/time_namespace.h>
#include <linux/utsname.h>
#include <net/net_namespace.h>

#include "namespace.h"
#include "part.h"

static const char *kind_name(u32 kind)
{
	switch (kind) {
	case CLONE_NEWUTS:
		return "uts";
	case CLONE_NEWIPC:
		return "ipc";
	case CLONE_NEWNS:
		return "mount";
	case CLONE_NEWNET:
		return "network";
	case CLONE_NEWPID:
		return "pid";
	case CLONE_NEWCGROUP:
		return "cgroup";
	case CLONE_NEWUSER:
		return "user";
	case CLONE_NEWTIME:
		return "time";
	default:
		return NULL;
	}
}

/*
 * An object is known by the part that all kinds have; nsproxies that are held
 * keep it.
 */
static int save_namespace(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_NAMESPACE);
	struct ckpt_image_namespace *img = ckpt_put(rec, NAMESPACE, BASE);
	struct ns_common *ns = obj->ptr;
	int ret = 0;

	if (!img)
		return -ENOMEM;
	img->ref = obj->ref;
	img->kind = ns->ops->type;
	if (img->kind == CLONE_NEWUTS)
		ret = ckpt_save_uts(container_of(ns, struct uts_namespace, ns), rec);
	else if (img->kind == CLONE_NEWIPC)
		ret = ckpt_save_ipc(cp, container_of(ns, struct ipc_namespace, ns), rec);
	else if (img->kind == CLONE_NEWPID)
		ret = ckpt_save_pid(cp, container_of(ns, struct pid_namespace, ns), rec);
	return ret ? : ckpt_done(cp, rec);
}

static bool has_ipc(const struct ckpt_rec_buf *buf)
{
	return ckpt_get(buf, NAMESPACE, IPC) || ckpt_get(buf, NAMESPACE, IPC_IDS) ||
	       ckpt_get(buf, NAMESPACE, SHM) || ckpt_get(buf, NAMESPACE, MSG_QUEUES) ||
	       ckpt_get(buf, NAMESPACE, MSGS) || ckpt_get(buf, NAMESPACE, MSG_BYTES) ||
	       ckpt_get(buf, NAMESPACE, SEM_SETS) || ckpt_get(buf, NAMESPACE, SEMS) ||
	       ckpt_get(buf, NAMESPACE, MQUEUES) || ckpt_get(buf, NAMESPACE, MQ_NAMES) ||
	       ckpt_get(buf, NAMESPACE, MQ_MSGS) || ckpt_get(buf, NAMESPACE, MQ_BYTES) ||
	       ckpt_get(buf, NAMESPACE, MQ_DIR);
}

static int check_namespace(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_namespace *img = ckpt_get(buf, NAMESPACE, BASE);

	if (!kind_name(img->kind) || img->parent || img->owner ||
	    (img->kind != CLONE_NEWUTS && ckpt_get(buf, NAMESPACE, UTS)) ||
	    (img->kind != CLONE_NEWIPC && has_ipc(buf)) ||
	    (img->kind != CLONE_NEWPID && ckpt_get(buf, NAMESPACE, PID)))
		return ckpt_malformed(log, buf);
	if (img->kind == CLONE_NEWUTS)
		return ckpt_check_uts(log, buf);
	if (img->kind == CLONE_NEWPID)
		return ckpt_check_pid(log, buf);
	return img->kind == CLONE_NEWIPC ? ckpt_check_ipc(log, buf) : 0;
}

/* of an ipc namespace, as no other is put down as restored */
static int finish_namespace(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf, void *ptr)
{
	return ckpt_finish_ipc(rs, buf, ptr);
}

const struct ckpt_type ckpt_type_namespace = {
	.name = "NAMESPACE",
	.record = CKPT_REC_NAMESPACE,
	.save = save_namespace,
	.check = check_namespace,
	.finish = finish_namespace,
	.put = ckpt_put_ipc,
};

static int check_label(struct ckpt_checkpoint *cp, struct task_struct *t)
{
	u32 label, own;

	security_task_getsecid_obj(t, &label);
	security_task_getsecid_obj(current, &own);
	return label == own ? 0 :
		ckpt_refuse(cp, -EOPNOTSUPP,
			    "a security label (AppArmor or SELinux) other than the caller's is not supported");
}

/* every task has those of the root task, and some it must not share with the host */
static int refuse(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	const struct nsproxy *ns = h->nsproxy, *root = ckpt_save_root_task(cp)->nsproxy;
	const char *which = NULL;
	int ret = 0;

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
		ret = ckpt_refuse(cp, -EOPNOTSUPP,
				  "a %s namespace other than the container's is not supported", which);
	if (ns->time_ns != current->nsproxy->time_ns ||
	    ns->time_ns_for_children != current->nsproxy->time_ns)
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "a time namespace is not supported");
	if (h->task == ckpt_save_root_task(cp)->task && ns->uts_ns == current->nsproxy->uts_ns)
		ret = ckpt_refuse_whole(cp, -EOPNOTSUPP,
					"the container shares the host's uts namespace, which is not supported");
	if (h->task == ckpt_save_root_task(cp)->task && ns->ipc_ns == current->nsproxy->ipc_ns)
		ret = ckpt_refuse_whole(cp, -EOPNOTSUPP,
					"the container shares the host's ipc namespace, which is not supported");
	return check_label(cp, h->task) ? : ret;
}

/* those that are the caller's own, too, have no number */
static int save_one(struct ckpt_checkpoint *cp, struct ns_common *ns, struct ns_common *own,
		    u32 *ref)
{
	return ckpt_obj_save(cp, &ckpt_type_namespace, ns == own ? NULL : ns, ref);
}

static int save(struct ckpt_checkpoint *cp, struct ckpt_held *h, struct ckpt_rec_out *rec)
{
	struct ckpt_image_namespaces *img = ckpt_put(rec, TASK, NAMESPACES);
	struct nsproxy *ns = h->nsproxy, *own = current->nsproxy;
	struct ns_common *pid = &ckpt_save_pid_ns(cp)->ns;
	int ret, refused;

	if (!img)
		return -ENOMEM;
	refused = save_one(cp, &ns->uts_ns->ns, &own->uts_ns->ns, &img->uts);
	if (ckpt_go_on(refused))
		return refused;
	ret = save_one(cp, &ns->ipc_ns->ns, &own->ipc_ns->ns, &img->ipc);
	if (ckpt_go_on(ret))
		return ret;
	refused = ret ? : refused;
	ret = save_one(cp, k_from_mnt_ns(ns->mnt_ns), k_from_mnt_ns(own->mnt_ns), &img->mnt);
	if (!ret)
		ret = save_one(cp, &ns->net_ns->ns, &own->net_ns->ns, &img->net);
	if (!ret)
		ret = save_one(cp, pid, NULL, &img->pid);
	if (!ret)
		ret = save_one(cp, &ns->pid_ns_for_children->ns, NULL, &img->pid_for_children);
#ifdef CONFIG_CGROUPS
	if (!ret)
		ret = save_one(cp, &ns->cgroup_ns->ns, &own->cgroup_ns->ns, &img->cgroup);
#endif
	return ret ? : refused;
}

static int check(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	return ckpt_get(buf, TASK, NAMESPACES) ? 0 : ckpt_malformed(log, buf);
}

static const struct ckpt_rec_buf *find(struct ckpt_restart *rs, u32 ref, u32 kind)
{
	struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_namespace);

	if (buf && ckpt_get(buf, NAMESPACE, BASE)->kind == kind)
		return buf;
	ckpt_fail(ckpt_restore_log(rs), -EINVAL, "the image has no %s namespace %u",
		  kind_name(kind), ref);
	return NULL;
}

/* by the first task that comes here, in namespaces that were made for the restart */
static int fill(struct ckpt_restart *rs, const struct ckpt_image_namespaces *img)
{
	const struct ckpt_rec_buf *uts = find(rs, img->uts, CLONE_NEWUTS);
	const struct ckpt_rec_buf *ipc = find(rs, img->ipc, CLONE_NEWIPC);
	const struct ckpt_rec_buf *pid = find(rs, img->pid, CLONE_NEWPID);
	const struct nsproxy *outside = ckpt_restore_outside(rs);
	struct nsproxy *ns = current->nsproxy;

	if (!uts || !ipc || !pid)
		return -EINVAL;
	if (ns->uts_ns == outside->uts_ns || ns->ipc_ns == outside->ipc_ns)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL,
				 "the root task has no uts and ipc namespace of its own");
	ckpt_restore_uts(ns->uts_ns, uts);
	return ckpt_restore_ipc(rs, ns->ipc_ns, ipc) ? :
	       ckpt_restore_pid(rs, task_active_pid_ns(current), pid);
}

/* all tasks are in those of the root task, and so must those of the image have been */
static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *task)
{
	const struct ckpt_image_namespaces *img = ckpt_get(task, TASK, NAMESPACES);
	const struct ckpt_image_namespaces *root = ckpt_get(ckpt_restore_root(rs), TASK, NAMESPACES);
	const void *ipc;

	if (!root || memcmp(img, root, sizeof(*img)))
		return ckpt_fail(ckpt_restore_log(rs), -EOPNOTSUPP,
				 "task %d of the image has namespaces of its own, which is not supported",
				 task_pid_vnr(current));
	ipc = ckpt_find_restored(rs, img->ipc, &ckpt_type_namespace);
	if (!ipc)
		return fill(rs, img);
	return ckpt_is_ipc(ipc, current->nsproxy->ipc_ns) ? 0 :
		ckpt_fail(ckpt_restore_log(rs), -EINVAL,
			  "task %d is not in the ipc namespace of the others", task_pid_vnr(current));
}

const struct ckpt_task_part ckpt_part_namespaces = {
	.name = "namespaces",
	.stage = CKPT_STAGE_FILES,
	.refuse = refuse,
	.save = save,
	.check = check,
	.restore = restore,
};
