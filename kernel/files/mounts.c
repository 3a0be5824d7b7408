// SPDX-License-Identifier: GPL-2.0-only
/* The mounts of a file system, and whose they are.  C4, T10. */
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/seqlock.h>

#include "btf.h"
#include "file.h"

/* bytes from the beginning of struct mount, which is private to fs/ */
static struct {
	u32 mnt, mnt_instance, mnt_ns;
	bool known;
} at;

static const struct ckpt_member mount_members[] = {
	{ "mnt", "struct vfsmount", sizeof(struct vfsmount), &at.mnt },
	{ "mnt_instance", "struct list_head", sizeof(struct list_head), &at.mnt_instance },
	{ "mnt_ns", "struct mnt_namespace *", sizeof(void *), &at.mnt_ns },
};

/* when the module is loaded, behind ckpt_symbols_init() */
void ckpt_mounts_init(void)
{
	at.known = !ckpt_btf_find("mount", mount_members, ARRAY_SIZE(mount_members));
	if (!at.known)
		pr_warn("ckpt: this kernel has no type information (BTF) of mounts: inotify is supported without watches only, and no tmpfs of a container's own\n");
}

bool ckpt_mounts_known(void)
{
	return at.known && kv_mount_lock;
}

struct mnt_namespace *ckpt_mount_ns(const struct vfsmount *mnt)
{
	return READ_ONCE(*(struct mnt_namespace **)((char *)mnt - at.mnt + at.mnt_ns));
}

static struct vfsmount *mount_of(struct list_head *pos)
{
	return (void *)((char *)pos - at.mnt_instance + at.mnt);
}

struct vfsmount *ckpt_nth_mount(struct super_block *sb, const struct mnt_namespace *ns, u32 n)
{
	struct vfsmount *found = NULL;
	struct list_head *pos;

	read_seqlock_excl(kv_mount_lock);
	list_for_each(pos, &sb->s_mounts) {
		if (ckpt_mount_ns(mount_of(pos)) == ns && !n--) {
			found = mntget(mount_of(pos));
			break;
		}
	}
	read_sequnlock_excl(kv_mount_lock);
	return found;
}

u32 ckpt_mounted_in(struct super_block *sb, const struct mnt_namespace *ns,
		    const struct mnt_namespace *outside)
{
	const struct mnt_namespace *its;
	struct list_head *pos;
	u32 in = 0;

	read_seqlock_excl(kv_mount_lock);
	list_for_each(pos, &sb->s_mounts) {
		its = ckpt_mount_ns(mount_of(pos));
		if (its == outside)
			in |= CKPT_MOUNTED_OUTSIDE;
		else if (its == ns)
			in |= CKPT_MOUNTED_HERE;
		/* one that was unmounted, and whose last user is still to go, is nowhere */
		else if (its)
			in |= CKPT_MOUNTED_ELSEWHERE;
	}
	read_sequnlock_excl(kv_mount_lock);
	return in;
}
