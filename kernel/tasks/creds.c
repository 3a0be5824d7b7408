// SPDX-License-Identifier: GPL-2.0-only
/*
 * Credentials.  A restart gives no right that its caller lacks: every change
 * is allowed by the same capability that the system call for it asks for, and
 * capabilities are taken from the caller's own.  T6.
 */
#include <linux/cred.h>
#include <linux/key.h>
#include <linux/keyctl.h>
#include <linux/lsm_hooks.h>
#include <linux/sched/user.h>
#include <linux/securebits.h>
#include <linux/user_namespace.h>

#include "file.h"
#include "part.h"

/*
 * A kernel_cap_t as a number and back.  It is one u64 from 6.3 on and an array
 * of two u32 before, with the same bytes on a little-endian machine.
 */
static u64 cap_to_u64(kernel_cap_t cap)
{
	u64 val;

	BUILD_BUG_ON(sizeof(cap) != sizeof(val));
	memcpy(&val, &cap, sizeof(val));
	return val;
}

static kernel_cap_t cap_from_u64(u64 val)
{
	kernel_cap_t cap;

	memcpy(&cap, &val, sizeof(cap));
	return cap;
}

static bool keyring_has_keys(struct key *keyring)
{
	return keyring && keyring->keys.nr_leaves_on_tree;
}

/*
 * A task's Landlock rules, or NULL.  Where they are is known at run time only;
 * a kernel that has Landlock and was booted without it (lsm=) gives it no place.
 */
static void *landlock_domain(const struct cred *cred)
{
	if (!kv_landlock_blob_sizes || !kv_landlock_initialized || !*kv_landlock_initialized)
		return NULL;
	return *(void **)(cred->security + kv_landlock_blob_sizes->lbs_cred);
}

/* AppArmor's, private to it and the same in all versions */
struct ckpt_aa_task_ctx {
	void *nnp;
	void *onexec;
	void *previous;
	u64 token;
};

/*
 * What AppArmor keeps with a task and not with its credentials: the profile that
 * its next execve(2) brings, or that it had before change_hat.
 */
static bool has_apparmor_plans(struct task_struct *t)
{
	const struct ckpt_aa_task_ctx *ctx;

	if (!kv_apparmor_blob_sizes || !kv_apparmor_initialized || !*kv_apparmor_initialized)
		return false;
	ctx = t->security + kv_apparmor_blob_sizes->lbs_task;
	return READ_ONCE(ctx->onexec) || READ_ONCE(ctx->previous);
}

static int check_cred(struct ckpt_checkpoint *cp, const struct cred *cred)
{
	if (cred->user_ns != current_user_ns())
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "a user namespace of its own is not supported");
	if (landlock_domain(cred))
		return ckpt_refuse(cp, -EOPNOTSUPP, "Landlock is not supported");
	return 0;
}

/* of a task; what opened a file may have had a login's keys, of which a file makes no use */
static int refuse(struct ckpt_checkpoint *cp, struct ckpt_held *h)
{
	const struct cred *cred = h->cred;
	int ret = 0;

	if (has_apparmor_plans(h->task))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "an AppArmor profile for its next execve(2), or before change_hat, is not supported");
	if (keyring_has_keys(cred->thread_keyring) || keyring_has_keys(cred->process_keyring) ||
	    keyring_has_keys(cred->session_keyring))
		ret = ckpt_refuse(cp, -EOPNOTSUPP, "it has keys in its keyrings, which cannot be saved");
	return ret;
}

static int save_cred(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct user_namespace *ns = current_user_ns();
	const struct cred *cred = obj->ptr;
	int i, ret, nr = cred->group_info->ngroups;
	struct ckpt_image_cred *img;
	struct ckpt_rec_out *rec;
	u32 *groups;

	ret = check_cred(cp, cred);
	if (ret)
		return ret;
	rec = ckpt_rec(cp, CKPT_REC_CRED);
	img = ckpt_put(rec, CRED, BASE);
	groups = ckpt_put_nr(rec, CRED, GROUPS, nr);
	if (!img || !groups)
		return -ENOMEM;
	img->ref = obj->ref;
	img->uid = from_kuid(ns, cred->uid);
	img->gid = from_kgid(ns, cred->gid);
	img->suid = from_kuid(ns, cred->suid);
	img->sgid = from_kgid(ns, cred->sgid);
	img->euid = from_kuid(ns, cred->euid);
	img->egid = from_kgid(ns, cred->egid);
	img->fsuid = from_kuid(ns, cred->fsuid);
	img->fsgid = from_kgid(ns, cred->fsgid);
	img->securebits = cred->securebits;
	img->cap_inheritable = cap_to_u64(cred->cap_inheritable);
	img->cap_permitted = cap_to_u64(cred->cap_permitted);
	img->cap_effective = cap_to_u64(cred->cap_effective);
	img->cap_bset = cap_to_u64(cred->cap_bset);
	img->cap_ambient = cap_to_u64(cred->cap_ambient);
#ifdef CONFIG_KEYS
	img->jit_keyring = cred->jit_keyring;
#endif
	for (i = 0; i < nr; i++)
		groups[i] = from_kgid(ns, cred->group_info->gid[i]);
	return ckpt_done(cp, rec);
}

static int restore_ids(struct cred *new, const struct ckpt_image_cred *img)
{
	struct user_namespace *ns = current_user_ns();
	struct user_struct *user;

	if (!ns_capable(ns, CAP_SETUID) || !ns_capable(ns, CAP_SETGID))
		return -EPERM;
	new->uid = make_kuid(ns, img->uid);
	new->suid = make_kuid(ns, img->suid);
	new->euid = make_kuid(ns, img->euid);
	new->fsuid = make_kuid(ns, img->fsuid);
	new->gid = make_kgid(ns, img->gid);
	new->sgid = make_kgid(ns, img->sgid);
	new->egid = make_kgid(ns, img->egid);
	new->fsgid = make_kgid(ns, img->fsgid);
	if (!uid_valid(new->uid) || !uid_valid(new->suid) || !uid_valid(new->euid) ||
	    !uid_valid(new->fsuid) || !gid_valid(new->gid) || !gid_valid(new->sgid) ||
	    !gid_valid(new->egid) || !gid_valid(new->fsgid))
		return -EINVAL;
	user = k_alloc_uid(new->uid);
	if (!user)
		return -EAGAIN;
	free_uid(new->user);
	new->user = user;
	return k_set_cred_ucounts(new);
}

static int restore_groups(struct cred *new, const u32 *groups, u32 nr)
{
	struct user_namespace *ns = current_user_ns();
	struct group_info *gi;
	u32 i;

	gi = groups_alloc(nr);
	if (!gi)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		gi->gid[i] = make_kgid(ns, groups[i]);
		if (!gid_valid(gi->gid[i])) {
			put_group_info(gi);
			return -EINVAL;
		}
	}
	groups_sort(gi);
	set_groups(new, gi);
	put_group_info(gi);
	return 0;
}

static int restore_caps(struct cred *new, const struct ckpt_image_cred *img)
{
	kernel_cap_t permitted = cap_from_u64(img->cap_permitted);
	kernel_cap_t effective = cap_from_u64(img->cap_effective);
	kernel_cap_t inheritable = cap_from_u64(img->cap_inheritable);
	kernel_cap_t bset = cap_from_u64(img->cap_bset);
	kernel_cap_t ambient = cap_from_u64(img->cap_ambient);

	if (!cap_issubset(permitted, new->cap_permitted) ||
	    !cap_issubset(bset, new->cap_bset) ||
	    !cap_issubset(inheritable, cap_combine(new->cap_inheritable, new->cap_permitted)))
		return -EPERM;
	if (!cap_issubset(effective, permitted) ||
	    !cap_issubset(ambient, cap_intersect(permitted, inheritable)))
		return -EINVAL;
	if (img->securebits & ~(SECURE_ALL_BITS | SECURE_ALL_LOCKS))
		return -EINVAL;
	/* the kernel takes for granted that it is one of those that keyctl(2) takes */
	if (img->jit_keyring > KEY_REQKEY_DEFL_REQUESTOR_KEYRING ||
	    img->jit_keyring == KEY_REQKEY_DEFL_GROUP_KEYRING)
		return -EINVAL;
	/* locked bits stay, as for prctl(PR_SET_SECUREBITS) */
	if (((new->securebits & SECURE_ALL_LOCKS) & ~img->securebits) ||
	    (((new->securebits & SECURE_ALL_LOCKS) >> 1) & (new->securebits ^ img->securebits)))
		return -EPERM;
	if (img->securebits != new->securebits && !ns_capable(current_user_ns(), CAP_SETPCAP))
		return -EPERM;
	new->securebits = img->securebits;
	new->cap_permitted = permitted;
	new->cap_effective = effective;
	new->cap_inheritable = inheritable;
	new->cap_bset = bset;
	new->cap_ambient = ambient;
#ifdef CONFIG_KEYS
	new->jit_keyring = img->jit_keyring;
#endif
	return 0;
}

/* the caller's keys are not the container's */
static void drop_keyrings(struct cred *new)
{
#ifdef CONFIG_KEYS
	key_put(new->session_keyring);
	key_put(new->process_keyring);
	key_put(new->thread_keyring);
	new->session_keyring = NULL;
	new->process_keyring = NULL;
	new->thread_keyring = NULL;
#endif
}

/* the credentials of the record, for the caller to commit or abort; or an error pointer */
static struct cred *make_cred(struct ckpt_restart *rs, u32 ref)
{
	const struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_cred);
	const struct ckpt_image_cred *img;
	struct cred *new;
	const u32 *groups;
	int ret;
	u64 nr;

	if (!buf)
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), -EINVAL, "the image has no CRED %u", ref));
	img = ckpt_get(buf, CRED, BASE);
	groups = ckpt_get_nr(buf, CRED, GROUPS, &nr);
	new = prepare_creds();
	if (!new)
		return ERR_PTR(-ENOMEM);
	ret = restore_groups(new, groups, nr);
	if (!ret)
		ret = restore_ids(new, img);
	if (!ret)
		ret = restore_caps(new, img);
	if (ret) {
		abort_creds(new);
		return ERR_PTR(ckpt_fail(ckpt_restore_log(rs), ret,
					 "the credentials of the image (uid %u) are not the caller's to give: error %d",
					 img->uid, -ret));
	}
	drop_keyrings(new);
	return new;
}

static void take_cred(void *ptr)
{
	get_cred(ptr);
}

static void drop_cred(void *ptr)
{
	put_cred(ptr);
}

const struct ckpt_type ckpt_type_cred = {
	.name = "CRED",
	.record = CKPT_REC_CRED,
	.take = take_cred,
	.drop = drop_cred,
	.save = save_cred,
};

/* the last that a task does: everything before may need the restarter's rights */
static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *task)
{
	const struct ckpt_image_shared *shared = ckpt_get(task, TASK, SHARED);
	struct cred *new;

	/* an older image does not tell as whom a zombie died */
	if (!shared)
		return 0;
	new = make_cred(rs, shared->cred);
	return IS_ERR(new) ? PTR_ERR(new) : commit_creds(new);
}

/*
 * Files come in runs of the same credentials, so the last ones are kept, for the
 * member that they were made for: another may have fewer rights to give.
 */
const struct cred *ckpt_file_cred(struct ckpt_restart *rs, u32 ref)
{
	struct ckpt_given *given = ckpt_restore_given(rs);
	struct cred *new;

	if (given->cred && given->ref == ref && given->by == current_cred())
		return get_cred(given->cred);
	new = make_cred(rs, ref);
	if (IS_ERR(new))
		return new;
	put_cred(given->cred);
	put_cred(given->by);
	given->cred = get_cred(new);
	given->by = get_current_cred();
	given->ref = ref;
	return new;
}

const struct ckpt_task_part ckpt_part_cred = {
	.name = "credentials",
	.dead = true,
	.stage = CKPT_STAGE_CREDENTIALS,
	.refuse = refuse,
	.restore = restore,
};
