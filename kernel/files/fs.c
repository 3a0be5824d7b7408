// SPDX-License-Identifier: GPL-2.0-only
/* Root directory, working directory, umask.  T7. */
#include <linux/fs_struct.h>
#include <linux/namei.h>
#include <linux/slab.h>

#include "file.h"
#include "part.h"

static char *name_of(struct ckpt_checkpoint *cp, const struct path *path)
{
	const char *name;
	char *buf, *copy;
	int ret;

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	ret = ckpt_path_name(cp, path, buf, &name);
	copy = ret ? ERR_PTR(ret) : kstrdup(name, GFP_KERNEL);
	kfree(buf);
	return copy ? copy : ERR_PTR(-ENOMEM);
}

/* @deleted: the number of a current directory that is deleted, whose name is @cwd no more; or 0 */
static int save_fs_rec(struct ckpt_checkpoint *cp, u32 ref, int umask,
		       const char *root, const char *cwd, u32 deleted)
{
	struct ckpt_rec_out *rec = ckpt_rec(cp, CKPT_REC_FS);
	struct ckpt_image_fs *img = ckpt_put(rec, FS, BASE);
	struct ckpt_image_fs_deleted *del = deleted ? ckpt_put(rec, FS, DELETED) : NULL;

	if (!img || ckpt_put_string(rec, FS, ROOT, root) || ckpt_put_string(rec, FS, CWD, cwd) ||
	    !!deleted != !!del)
		return -ENOMEM;
	if (del)
		del->cwd = deleted;
	img->ref = ref;
	img->umask = umask;
	return ckpt_done(cp, rec);
}

static int save_fs(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct fs_struct *fs = obj->ptr;
	struct path root, pwd;
	char *root_name, *cwd_name = NULL;
	u32 deleted;
	int umask, ret;

	spin_lock(&fs->lock);
	root = fs->root;
	path_get(&root);
	pwd = fs->pwd;
	path_get(&pwd);
	umask = fs->umask;
	spin_unlock(&fs->lock);

	root_name = name_of(cp, &root);
	ret = PTR_ERR_OR_ZERO(root_name);
	if (ret)
		goto out_put;
	ret = ckpt_save_deleted_dir(cp, &pwd, &deleted);
	if (ret)
		goto out_root;
	cwd_name = deleted ? kstrdup("/", GFP_KERNEL) : name_of(cp, &pwd);
	ret = !cwd_name ? -ENOMEM : PTR_ERR_OR_ZERO(cwd_name);
	if (ret)
		goto out_root;
	ret = save_fs_rec(cp, obj->ref, umask, root_name, cwd_name, deleted);
	kfree(cwd_name);
out_root:
	kfree(root_name);
out_put:
	path_put(&pwd);
	path_put(&root);
	return ret;
}

static int find_dir(struct ckpt_restart *rs, const char *name, struct path *path)
{
	int ret;

	ret = kern_path(name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, path);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "directory %s is not there: error %d", name, -ret) : 0;
}

static int find_deleted(struct ckpt_restart *rs, u32 ref, struct path *path)
{
	const struct path *dir = ckpt_restore_deleted(rs, ref, S_IFDIR);

	if (IS_ERR(dir))
		return PTR_ERR(dir);
	*path = *dir;
	path_get(path);
	return 0;
}

/* replace current's fs by @fs, whose reference is taken over */
static void switch_fs(struct fs_struct *fs)
{
	struct fs_struct *old = current->fs;
	bool last;

	task_lock(current);
	spin_lock(&old->lock);
	current->fs = fs;
	last = !--old->users;
	spin_unlock(&old->lock);
	task_unlock(current);
	if (last)
		k_free_fs_struct(old);
}

static int set_fs(struct ckpt_restart *rs, struct fs_struct *fs, const struct ckpt_rec_buf *buf)
{
	const char *root = ckpt_get(buf, FS, ROOT), *cwd = ckpt_get(buf, FS, CWD);
	const struct ckpt_image_fs_deleted *deleted = ckpt_get(buf, FS, DELETED);
	struct path path;
	int ret;

	ret = deleted ? find_deleted(rs, deleted->cwd, &path) : find_dir(rs, cwd, &path);
	if (ret)
		return ret;
	k_set_fs_pwd(fs, &path);
	path_put(&path);
	if (strcmp(root, "/")) {
		if (!ns_capable(current_user_ns(), CAP_SYS_CHROOT))
			return -EPERM;
		ret = find_dir(rs, root, &path);
		if (ret)
			return ret;
		k_set_fs_root(fs, &path);
		path_put(&path);
	}
	fs->umask = ckpt_get(buf, FS, BASE)->umask & 0777;
	return 0;
}

static int check_fs(struct ckpt_log *log, const struct ckpt_rec_buf *buf)
{
	const char *root = ckpt_get(buf, FS, ROOT), *cwd = ckpt_get(buf, FS, CWD);

	return *root == '/' && *cwd == '/' ? 0 : ckpt_malformed(log, buf);
}

static int make_fs(struct ckpt_restart *rs, const struct ckpt_rec_buf *buf)
{
	struct fs_struct *fs;
	int ret;

	fs = k_copy_fs_struct(current->fs);
	if (!fs)
		return -ENOMEM;
	ret = set_fs(rs, fs, buf);
	if (ret) {
		k_free_fs_struct(fs);
		return ret;
	}
	switch_fs(fs);
	spin_lock(&fs->lock);
	fs->users++;
	spin_unlock(&fs->lock);
	return ckpt_add_restored(rs, ckpt_ref_of(buf), &ckpt_type_fs, fs);
}

/*
 * Give current the fs of the record, shared with the tasks that have it
 * already.  The lock of making is held, so that one task makes it and the others join;
 * the maker still waits for the restart's end, so the object stays.
 */
static int restore(struct ckpt_restart *rs, const struct ckpt_rec_buf *task)
{
	u32 ref = ckpt_get(task, TASK, SHARED)->fs;
	struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, &ckpt_type_fs);
	struct fs_struct *fs;

	if (!buf)
		return ckpt_fail(ckpt_restore_log(rs), -EINVAL, "the image has no FS %u", ref);
	fs = ckpt_find_restored(rs, ref, &ckpt_type_fs);
	if (!fs)
		return make_fs(rs, buf);
	if (fs == current->fs)
		return 0;
	spin_lock(&fs->lock);
	fs->users++;
	spin_unlock(&fs->lock);
	switch_fs(fs);
	return 0;
}

void ckpt_put_fs(struct fs_struct *fs)
{
	bool last;

	spin_lock(&fs->lock);
	last = !--fs->users;
	spin_unlock(&fs->lock);
	if (last)
		k_free_fs_struct(fs);
}

static void put_fs(void *ptr)
{
	ckpt_put_fs(ptr);
}

/* needs no reference while the tasks that hold it are frozen */
const struct ckpt_type ckpt_type_fs = {
	.name = "FS",
	.record = CKPT_REC_FS,
	.save = save_fs,
	.check = check_fs,
	.put = put_fs,
};

const struct ckpt_task_part ckpt_part_fs = {
	.name = "directories",
	.stage = CKPT_STAGE_FILES,
	.restore = restore,
};
