// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that mappings share and that has no name in a file system: shared
 * anonymous memory and memfd.  Copy on write does not cover it, so its pages
 * are copied while the container is frozen.  T8, C4.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <uapi/linux/fcntl.h>

#include "engine.h"

#define CKPT_MEMFD_PREFIX "memfd:"
/* what is put back as it was */
#define CKPT_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC)

struct ckpt_shmem_copy {
	struct list_head list;
	u32 ref;
	struct xarray pages;		/* struct page of ours, by index */
};

bool ckpt_is_shmem(struct file *file)
{
	return file->f_op == kv_shmem_file_operations &&
	       file_inode(file)->i_sb->s_flags & SB_KERNMOUNT;
}

static const char *memfd_name(struct file *file)
{
	const char *name = file->f_path.dentry->d_name.name;

	if (strncmp(name, CKPT_MEMFD_PREFIX, strlen(CKPT_MEMFD_PREFIX)))
		return NULL;
	return name + strlen(CKPT_MEMFD_PREFIX);
}

/* an inode's only name is that of its dentry */
static int save_name(struct ckpt_checkpoint *cp, struct file *file, u32 ref)
{
	struct ckpt_rec_buf *buf;
	const char *name = memfd_name(file);

	list_for_each_entry_reverse(buf, &cp->out.records, list) {
		struct ckpt_image_shmem *img = ckpt_body(buf);

		if (buf->rec.type != CKPT_REC_SHMEM || img->ref != ref)
			continue;
		img->memfd = !!name;
		if (name)
			strscpy(img->name, name, sizeof(img->name));
		return 0;
	}
	return -EINVAL;
}

static int shmem_save(struct ckpt_checkpoint *cp, struct file *file, void *data)
{
	struct ckpt_image_file_shmem *img = data;
	int ret;

	/* F_SEAL_WRITE: its pages could not be put back */
	if (SHMEM_I(file_inode(file))->seals & F_SEAL_WRITE)
		return ckpt_refuse(cp, -EOPNOTSUPP,
				   "%pD: a memfd sealed against writing is not supported", file);
	if (SHMEM_I(file_inode(file))->seals & ~CKPT_SEALS)
		return ckpt_refuse(cp, -EOPNOTSUPP, "%pD: a memfd with the seals %#x is not supported",
				   file, SHMEM_I(file_inode(file))->seals);
	ret = ckpt_obj_save(cp, CKPT_OBJ_SHMEM, file_inode(file), &img->shmem);
	return ret ? ret : save_name(cp, file, img->shmem);
}

static int copy_page_of(struct address_space *mapping, pgoff_t index, struct xarray *to)
{
	struct page *page, *copy;
	bool zero;
	void *from;
	int ret;

	page = shmem_read_mapping_page(mapping, index);
	if (IS_ERR(page))
		return PTR_ERR(page);
	from = kmap_local_page(page);
	zero = !memchr_inv(from, 0, PAGE_SIZE);
	kunmap_local(from);
	if (zero) {
		put_page(page);
		return 0;
	}
	copy = alloc_page(GFP_KERNEL);
	if (!copy) {
		put_page(page);
		return -ENOMEM;
	}
	copy_highpage(copy, page);
	put_page(page);
	ret = xa_err(xa_store(to, index, copy, GFP_KERNEL));
	if (ret)
		__free_page(copy);
	return ret;
}

/* only what is there, in memory or in swap: holes stay holes */
static int copy_pages(struct address_space *mapping, struct xarray *to, pgoff_t nr)
{
	unsigned long index = 0;
	void *entry;
	int ret;

	xa_for_each(&mapping->i_pages, index, entry) {
		unsigned long i, end = min(nr, index + (1UL << xa_get_order(&mapping->i_pages, index)));

		for (i = index; i < end; i++) {
			ret = copy_page_of(mapping, i, to);
			if (ret)
				return ret;
		}
		cond_resched();
	}
	return 0;
}

int ckpt_save_shmem(struct ckpt_checkpoint *cp, struct ckpt_obj *obj)
{
	struct inode *inode = obj->ptr;
	struct ckpt_shmem_copy *copy;
	struct ckpt_image_shmem *img;

	img = ckpt_rec_new(&cp->out, CKPT_REC_SHMEM, sizeof(*img));
	copy = kzalloc(sizeof(*copy), GFP_KERNEL);
	if (!img || !copy) {
		kfree(copy);
		return -ENOMEM;
	}
	img->ref = obj->ref;
	img->size = i_size_read(inode);
	img->seals = SHMEM_I(inode)->seals;
	img->mode = inode->i_mode & 07777;
	img->uid = from_kuid(current_user_ns(), inode->i_uid);
	img->gid = from_kgid(current_user_ns(), inode->i_gid);
	copy->ref = obj->ref;
	xa_init(&copy->pages);
	list_add_tail(&copy->list, &cp->shmems);
	return copy_pages(inode->i_mapping, &copy->pages, DIV_ROUND_UP(img->size, PAGE_SIZE));
}

void ckpt_shmem_free(struct ckpt_checkpoint *cp)
{
	struct ckpt_shmem_copy *copy, *next;
	struct page *page;
	unsigned long index;

	list_for_each_entry_safe(copy, next, &cp->shmems, list) {
		xa_for_each(&copy->pages, index, page)
			__free_page(page);
		xa_destroy(&copy->pages);
		list_del(&copy->list);
		kfree(copy);
	}
}

static int stream_copy(struct ckpt_checkpoint *cp, struct ckpt_shmem_copy *copy,
		       struct ckpt_page_batch *b)
{
	struct page *page;
	unsigned long index;
	int ret;

	b->ref = copy->ref;
	b->nr = 0;
	xa_for_each(&copy->pages, index, page) {
		get_page(page);
		b->addr[b->nr] = (u64)index << PAGE_SHIFT;
		b->page[b->nr++] = page;
		if (b->nr == CKPT_PAGES_MAX) {
			ret = ckpt_write_batch(cp, b);
			if (ret)
				return ret;
		}
	}
	return ckpt_write_batch(cp, b);
}

int ckpt_stream_shmem(struct ckpt_checkpoint *cp)
{
	struct ckpt_shmem_copy *copy;
	struct ckpt_page_batch *b;
	int ret = 0;

	b = kvzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
	list_for_each_entry(copy, &cp->shmems, list) {
		ret = stream_copy(cp, copy, b);
		if (ret)
			break;
	}
	kvfree(b);
	return ret;
}

/* nobody else has the new inode yet */
static int set_owner(struct inode *inode, const struct ckpt_image_shmem *img)
{
	kuid_t uid = make_kuid(current_user_ns(), img->uid);
	kgid_t gid = make_kgid(current_user_ns(), img->gid);

	if (!uid_valid(uid) || !gid_valid(gid))
		return -EINVAL;
	if ((!uid_eq(uid, inode->i_uid) || !gid_eq(gid, inode->i_gid)) && !capable(CAP_CHOWN))
		return -EPERM;
	inode->i_uid = uid;
	inode->i_gid = gid;
	inode->i_mode = S_IFREG | img->mode;
	return 0;
}

static int make_shmem(struct ckpt_restart *rs, u32 ref)
{
	struct ckpt_rec_buf *buf = ckpt_find_rec(rs, ref, CKPT_REC_SHMEM);
	const struct ckpt_image_shmem *img;
	struct file *file;
	char *name;
	int ret;

	if (!buf || buf->rec.len != sizeof(*img))
		return -EINVAL;
	img = ckpt_body(buf);
	if (img->size > MAX_LFS_FILESIZE || strnlen(img->name, sizeof(img->name)) == sizeof(img->name) ||
	    img->mode & ~07777)
		return ckpt_fail(&rs->log, -EINVAL, "SHMEM %u is malformed", ref);
	if (img->seals & ~CKPT_SEALS)
		return ckpt_fail(&rs->log, -EOPNOTSUPP, "SHMEM %u has the seals %#x, which this kernel does not know",
				 ref, img->seals);
	name = kasprintf(GFP_KERNEL, "%s%s", img->memfd ? CKPT_MEMFD_PREFIX : "dev/zero",
			 img->memfd ? img->name : "");
	if (!name)
		return -ENOMEM;
	file = shmem_file_setup(name, img->size, VM_NORESERVE);
	kfree(name);
	if (IS_ERR(file))
		return PTR_ERR(file);
	SHMEM_I(file_inode(file))->seals = img->seals;
	ret = set_owner(file_inode(file), img);
	if (!ret)
		ret = ckpt_add_restored(rs, ref, CKPT_OBJ_SHMEM, file, NULL);
	fput(file);
	return ret;
}

static struct file *shmem_restore(struct ckpt_restart *rs, const struct ckpt_file_rec *rec,
				  unsigned long scratch)
{
	const struct ckpt_image_file_shmem *img = rec->data;
	struct file *base;
	int ret;

	if (!ckpt_find_restored(rs, img->shmem, CKPT_OBJ_SHMEM)) {
		ret = make_shmem(rs, img->shmem);
		if (ret)
			return ERR_PTR(ret);
	}
	base = ckpt_find_restored(rs, img->shmem, CKPT_OBJ_SHMEM);
	return dentry_open(&base->f_path, rec->img->flags & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_LARGEFILE),
			   current_cred());
}

const struct ckpt_file_ops ckpt_file_shmem = {
	.name = "shmem",
	.kind = CKPT_FILE_SHMEM,
	.data_len = sizeof(struct ckpt_image_file_shmem),
	.mine = ckpt_is_shmem,
	.save = shmem_save,
	.restore = shmem_restore,
};
