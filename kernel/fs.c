// SPDX-License-Identifier: GPL-2.0-only
/* Root directory, working directory, umask; and the names of paths.  T7. */
#include <linux/fs_struct.h>
#include <linux/namei.h>
#include <linux/slab.h>

#include "engine.h"

/* does the name still lead there, or was the file replaced? */
static int check_name(struct ckpt_checkpoint *cp, const struct path *path, const char *name)
{
	struct path found;
	bool same;
	int ret;

	ret = vfs_path_lookup(cp->root_path.dentry, cp->root_path.mnt, name, 0, &found);
	if (ret)
		return ckpt_refuse(cp, ret, "%s cannot be found again under its name: error %d",
				   name, -ret);
	same = d_inode(found.dentry) == d_inode(path->dentry);
	path_put(&found);
	return same ? 0 : ckpt_refuse(cp, -EOPNOTSUPP,
				      "%s was replaced by another file of that name, which is not supported",
				      name);
}

/*
 * ckpt_path_name - the name of a path in the container
 * @buf: PATH_MAX bytes
 * @name: set to the name, which lies in @buf
 *
 * A path that is deleted, or that cannot be reached from the container's root,
 * is refused.
 */
int ckpt_path_name(struct ckpt_checkpoint *cp, const struct path *path,
		   char *buf, const char **name)
{
	char *p;

	p = k___d_path(path, &cp->root_path, buf, PATH_MAX);
	if (IS_ERR(p))
		return ckpt_refuse(cp, PTR_ERR(p), "%pd: its path is too long", path->dentry);
	if (!p)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "%pd lies outside of the container's root directory", path->dentry);
	if (d_unlinked(path->dentry))
		return ckpt_refuse(cp, -EOPNOTSUPP, "%s is deleted, which is not supported", p);
	*name = p;
	return check_name(cp, path, p);
}

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

static int save_fs_rec(struct ckpt_checkpoint *cp, u32 ref, int umask,
		       const char *root, const char *cwd)
{
	size_t root_len = strlen(root) + 1, cwd_len = strlen(cwd) + 1;
	struct ckpt_image_fs *img;

	img = ckpt_rec_new(&cp->out, CKPT_REC_FS,
			   sizeof(*img) + ALIGN(root_len, 8) + ALIGN(cwd_len, 8));
	if (!img)
		return -ENOMEM;
	img->ref = ref;
	img->umask = umask;
	img->root_len = root_len;
	img->cwd_len = cwd_len;
	memcpy(img->tail, root, root_len);
	memcpy(img->tail + ALIGN(root_len, 8), cwd, cwd_len);
	return 0;
}

int ckpt_save_fs(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct fs_struct *fs = obj->ptr;
	struct path root, pwd;
	char *root_name, *cwd_name = NULL;
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
	cwd_name = name_of(cp, &pwd);
	ret = PTR_ERR_OR_ZERO(cwd_name);
	if (ret)
		goto out_root;
	ret = save_fs_rec(cp, obj->ref, umask, root_name, cwd_name);
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
	return ret ? ckpt_fail(&rs->log, ret, "directory %s is not there: error %d", name, -ret) : 0;
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

static int set_fs(struct ckpt_restart *rs, struct fs_struct *fs,
		  const struct ckpt_image_fs *img, const char *root, const char *cwd)
{
	struct path path;
	int ret;

	ret = find_dir(rs, cwd, &path);
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
	fs->umask = img->umask & 0777;
	return 0;
}

static int make_fs(struct ckpt_restart *rs, u32 ref, struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_fs *img = ckpt_body(buf);
	struct ckpt_cursor c = ckpt_cursor_of(buf, *img);
	const char *root, *cwd;
	struct fs_struct *fs;
	int ret;

	root = buf->rec.len < sizeof(*img) ? NULL : ckpt_take_path(&c, img->root_len);
	cwd = root ? ckpt_take_path(&c, img->cwd_len) : NULL;
	if (!cwd || *root != '/' || *cwd != '/')
		return ckpt_fail(&rs->log, -EINVAL, "FS %u is malformed", ref);
	fs = k_copy_fs_struct(current->fs);
	if (!fs)
		return -ENOMEM;
	ret = set_fs(rs, fs, img, root, cwd);
	if (!ret)
		ret = ckpt_add_restored(rs, ref, CKPT_OBJ_FS, fs, NULL);
	if (ret) {
		k_free_fs_struct(fs);
		return ret;
	}
	switch_fs(fs);
	return 0;
}

/*
 * Give current the fs of the record, shared with the tasks that have it
 * already.  rs->lock is held, so that one task makes it and the others join;
 * the maker still waits for the restart's end, so the object stays.
 */
int ckpt_restore_fs(struct ckpt_restart *rs, u32 ref)
{
	struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, CKPT_REC_FS);
	struct fs_struct *fs;

	if (!buf)
		return ckpt_fail(&rs->log, -EINVAL, "the image has no FS %u", ref);
	fs = ckpt_find_restored(rs, ref, CKPT_OBJ_FS);
	if (!fs)
		return make_fs(rs, ref, buf);
	if (fs == current->fs)
		return 0;
	spin_lock(&fs->lock);
	fs->users++;
	spin_unlock(&fs->lock);
	switch_fs(fs);
	return 0;
}
