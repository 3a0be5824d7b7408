// SPDX-License-Identifier: GPL-2.0-only
/* Extended attributes of what lies nowhere but in the image: of other files nothing is saved.  C2, T10. */
#include <linux/dcache.h>
#include <linux/mount.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include "file.h"

struct xattrs {
	char *names;			/* each with its NUL */
	ssize_t len;
	u32 nr;
};

static int list_xattrs(struct dentry *dentry, struct xattrs *x)
{
	ssize_t i;

	/* most have none */
	if (!vfs_listxattr(dentry, NULL, 0))
		return 0;
	x->names = kvmalloc(XATTR_LIST_MAX, GFP_KERNEL);
	if (!x->names)
		return -ENOMEM;
	x->len = vfs_listxattr(dentry, x->names, XATTR_LIST_MAX);
	if (x->len == -EOPNOTSUPP)
		x->len = 0;
	for (i = 0; i < x->len; i += strlen(x->names + i) + 1)
		x->nr++;
	return min_t(ssize_t, x->len, 0);
}

/* the values of all of them; those of access lists are made of ids, and in no neutral form */
static int save_values(struct ckpt_checkpoint *cp, const struct path *path, const struct xattrs *x,
		       struct ckpt_rec_out *rec, const char *is, u8 *value)
{
	struct ckpt_image_xattr *img = ckpt_put_nr(rec, INODE, XATTRS, x->nr);
	u64 bytes = 0;
	ssize_t i, n;
	u8 *to;

	if (!img)
		return -ENOMEM;
	for (i = 0; i < x->len; i += strlen(x->names + i) + 1, img++) {
		const char *name = x->names + i;

		if (!strncmp(name, XATTR_SYSTEM_PREFIX, XATTR_SYSTEM_PREFIX_LEN))
			return ckpt_refuse(cp, -EOPNOTSUPP, "%pd %s and has the extended attribute %s, which is not supported; take it off, or close the file",
					   path->dentry, is, name);
		n = vfs_getxattr(ckpt_mnt_idmap(path->mnt), path->dentry, name, NULL, 0);
		if (n < 0)
			return ckpt_refuse(cp, n, "%pd %s, and its extended attribute %s cannot be read: error %zd",
					   path->dentry, is, name, -n);
		img->name_len = strlen(name);
		img->size = n;
		bytes += img->name_len + img->size;
	}
	to = ckpt_put_nr(rec, INODE, XATTR_BYTES, bytes);
	if (!to)
		return -ENOMEM;
	img -= x->nr;
	for (i = 0; i < x->len; i += strlen(x->names + i) + 1, img++) {
		memcpy(to, x->names + i, img->name_len);
		to += img->name_len;
		n = vfs_getxattr(ckpt_mnt_idmap(path->mnt), path->dentry, x->names + i, value,
				 XATTR_SIZE_MAX);
		/* changed by somebody outside */
		if (n != img->size)
			return n < 0 ? n : -EAGAIN;
		memcpy(to, value, n);
		to += n;
	}
	return 0;
}

/*
 * ckpt_save_xattrs - those of a file go into its INODE; the container is frozen
 * @is: what is special about it, as in "is deleted"
 *
 * Returns 0, CKPT_REFUSED or -ENOMEM, -EAGAIN if somebody outside changes them.
 */
int ckpt_save_xattrs(struct ckpt_checkpoint *cp, const struct path *path, struct ckpt_rec_out *rec,
		     const char *is)
{
	struct xattrs x = {};
	u8 *value = NULL;
	int ret;

	ret = list_xattrs(path->dentry, &x);
	if (!ret && x.nr) {
		value = kvmalloc(XATTR_SIZE_MAX, GFP_KERNEL);
		ret = value ? save_values(cp, path, &x, rec, is, value) : -ENOMEM;
	}
	kvfree(value);
	kvfree(x.names);
	return ret;
}

static bool name_ok(const u8 *name, u32 len)
{
	return !memchr(name, 0, len) && (len < XATTR_SYSTEM_PREFIX_LEN ||
					 memcmp(name, XATTR_SYSTEM_PREFIX, XATTR_SYSTEM_PREFIX_LEN));
}

bool ckpt_xattrs_ok(const struct ckpt_rec_buf *buf)
{
	const struct ckpt_image_xattr *x;
	const u8 *name = ckpt_get(buf, INODE, XATTR_BYTES);
	u64 i, nr, bytes, sum = 0;

	x = ckpt_get_nr(buf, INODE, XATTRS, &nr);
	ckpt_get_nr(buf, INODE, XATTR_BYTES, &bytes);
	for (i = 0; i < nr; i++) {
		if (!x[i].name_len || x[i].name_len > XATTR_NAME_MAX || x[i].size > XATTR_SIZE_MAX)
			return false;
		if (sum + x[i].name_len + x[i].size > bytes || !name_ok(name + sum, x[i].name_len))
			return false;
		sum += x[i].name_len + x[i].size;
	}
	return sum == bytes;
}

/* one that the image does not have, such as an access list that the directory gives */
static int check_new_xattrs(struct ckpt_restart *rs, struct dentry *dentry)
{
	struct xattrs x = {};
	ssize_t i;
	int ret;

	ret = list_xattrs(dentry, &x);
	for (i = 0; !ret && i < x.len; i += strlen(x.names + i) + 1)
		if (!strncmp(x.names + i, XATTR_SYSTEM_PREFIX, XATTR_SYSTEM_PREFIX_LEN))
			ret = ckpt_fail(ckpt_restore_log(rs), -EOPNOTSUPP,
					"%pd gets the extended attribute %s of its directory, which it had not",
					dentry, x.names + i);
	kvfree(x.names);
	return ret;
}

static int set_xattr(struct ckpt_restart *rs, const struct path *path, const u8 *name, u32 len,
		     const u8 *value, u32 size)
{
	char text[XATTR_NAME_MAX + 1];
	int ret;

	memcpy(text, name, len);
	text[len] = 0;
	ret = vfs_setxattr(ckpt_mnt_idmap(path->mnt), path->dentry, text, value, size, 0);
	return ret ? ckpt_fail(ckpt_restore_log(rs), ret, "%pd cannot have its extended attribute %s: error %d",
			       path->dentry, text, -ret) : 0;
}

/*
 * ckpt_restore_xattrs - set those of an INODE, by current's rights
 *
 * The caller may write to the mount.  Returns 0 or a negative errno with a sentence.
 */
int ckpt_restore_xattrs(struct ckpt_restart *rs, const struct path *path,
			const struct ckpt_rec_buf *buf)
{
	const u8 *bytes = ckpt_get(buf, INODE, XATTR_BYTES);
	const struct ckpt_image_xattr *x;
	u64 i, nr;
	int ret;

	x = ckpt_get_nr(buf, INODE, XATTRS, &nr);
	for (i = 0; i < nr; i++) {
		ret = set_xattr(rs, path, bytes, x[i].name_len, bytes + x[i].name_len, x[i].size);
		if (ret)
			return ret;
		bytes += x[i].name_len + x[i].size;
	}
	return check_new_xattrs(rs, path->dentry);
}
