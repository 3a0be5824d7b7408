// SPDX-License-Identifier: GPL-2.0-only
/* What all objects of System V have: id, key, owner, permissions.  C8. */
#include <linux/idr.h>
#include <linux/pid_namespace.h>
#include <linux/user_namespace.h>

#include "private.h"
#include "sock.h"

#define CKPT_IPCMNI_SHIFT 15	/* of a kernel without the sysctls */

static int shift(void)
{
	return kv_ipc_mni_shift ? *kv_ipc_mni_shift : CKPT_IPCMNI_SHIFT;
}

struct kern_ipc_perm *ckpt_ipc_find(struct ipc_namespace *ns, int kind, int id)
{
	struct kern_ipc_perm *perm;

	perm = idr_find(&ns->ids[kind].ipcs_idr, id & ((1 << shift()) - 1));
	return perm && perm->id == id ? perm : NULL;
}

struct kern_ipc_perm *ckpt_ipc_hold(struct ipc_namespace *ns, int kind, int id)
{
	down_read(&ns->ids[kind].rwsem);
	return ckpt_ipc_find(ns, kind, id);
}

void ckpt_ipc_unhold(struct ipc_namespace *ns, int kind)
{
	up_read(&ns->ids[kind].rwsem);
}

int ckpt_ipc_nr(struct ipc_namespace *ns, int kind)
{
	return ns->ids[kind].in_use;
}

void ckpt_save_ids(struct ipc_namespace *ns, int kind, struct ckpt_image_ipc_ids *img)
{
	struct ipc_ids *ids = &ns->ids[kind];

	img->next_id = ids->next_id;
	img->last_idx = ids->last_idx;
	img->cursor = idr_get_cursor(&ids->ipcs_idr);
	img->seq = ids->seq;
}

void ckpt_save_perm(const struct kern_ipc_perm *perm, struct ckpt_image_ipc_perm *img)
{
	struct user_namespace *ns = current_user_ns();

	img->id = perm->id;
	img->key = perm->key;
	img->uid = from_kuid(ns, perm->uid);
	img->gid = from_kgid(ns, perm->gid);
	img->cuid = from_kuid(ns, perm->cuid);
	img->cgid = from_kgid(ns, perm->cgid);
	img->mode = perm->mode;
}

/* @mode: the bits that there may be */
bool ckpt_perm_ok(const struct ckpt_image_ipc_perm *img, u32 mode)
{
	return img->id >= 0 && !(img->mode & ~mode) && !img->reserved;
}

void ckpt_ask_for_id(struct ipc_namespace *ns, int kind, int id)
{
	struct ipc_ids *ids = &ns->ids[kind];

	down_write(&ids->rwsem);
	ids->next_id = id;
	up_write(&ids->rwsem);
}

int ckpt_made_id(struct ckpt_restart *rs, const char *what, int id, long got)
{
	if (got == id)
		return 0;
	return ckpt_fail(ckpt_restore_log(rs), got < 0 ? got : -EEXIST,
			 "%s %d cannot be made: error %ld", what, id, got < 0 ? -got : EEXIST);
}

int ckpt_was_removed(struct ckpt_restart *rs, const char *what, int id)
{
	return ckpt_fail(ckpt_restore_log(rs), -EIDRM,
			 "%s %d was removed by somebody outside while it was made", what, id);
}

/*
 * Who made it is for IPC_SET and IPC_RMID as good as its owner, so naming somebody
 * else asks for what sending another's ids asks for.
 */
int ckpt_restore_perm(struct ckpt_restart *rs, const char *what, struct ipc_namespace *ns,
		      int kind, const struct ckpt_image_ipc_perm *img)
{
	kuid_t uid = make_kuid(current_user_ns(), img->uid);
	kgid_t gid = make_kgid(current_user_ns(), img->gid);
	kuid_t cuid = make_kuid(current_user_ns(), img->cuid);
	kgid_t cgid = make_kgid(current_user_ns(), img->cgid);
	struct kern_ipc_perm *perm;

	if (!uid_valid(uid) || !gid_valid(gid) || !uid_valid(cuid) || !gid_valid(cgid))
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL,
				 "%s %d belongs to somebody who has no number here", what, img->id);
	perm = ckpt_ipc_hold(ns, kind, img->id);
	if (perm) {
		spin_lock(&perm->lock);
		perm->uid = uid;
		perm->gid = gid;
		perm->cuid = cuid;
		perm->cgid = cgid;
		perm->mode = (perm->mode & ~CKPT_IPC_MODES) | (img->mode & CKPT_IPC_MODES);
		spin_unlock(&perm->lock);
	}
	ckpt_ipc_unhold(ns, kind);
	return perm ? 0 : ckpt_was_removed(rs, what, img->id);
}

/* it may have ended long ago */
int ckpt_ipc_pid(struct pid **pid, pid_t nr)
{
	*pid = nr ? ckpt_get_pid(nr) : NULL;
	return nr && !*pid ? -EINVAL : 0;
}

pid_t ckpt_pid_nr(struct ckpt_checkpoint *cp, struct pid *pid)
{
	return pid ? pid_nr_ns(pid, ckpt_save_pid_ns(cp)) : 0;
}
